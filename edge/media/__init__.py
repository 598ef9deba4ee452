"""Video, sound and text by presentation time."""

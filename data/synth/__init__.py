"""A synthetic audio-visual corpus made by code."""

"""Whether a form of a graph is right, in which layers, and faster."""

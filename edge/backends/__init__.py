"""Ways of running a graph; each backend is imported from its own file."""

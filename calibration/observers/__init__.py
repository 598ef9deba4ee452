"""How the range of a tensor is read off what was kept of it."""

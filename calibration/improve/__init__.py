"""Changes of a float graph, its ranges and its weights after which INT8 comes closer to it."""

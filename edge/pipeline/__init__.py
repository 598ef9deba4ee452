"""Windows, caches and the executor of a plan."""

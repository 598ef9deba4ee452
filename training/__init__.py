"""The float models and how they are trained; the only part, with `export`, that imports torch."""

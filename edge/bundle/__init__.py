"""The format on disk: manifest, plan, recipes, golden values."""

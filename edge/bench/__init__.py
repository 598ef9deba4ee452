"""Measurement: what a model gets right, how sure that is, and what it costs."""

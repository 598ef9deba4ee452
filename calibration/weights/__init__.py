"""Weights as integers, rounded for what they are multiplied with."""

"""Corpora: importing, checking and making them."""

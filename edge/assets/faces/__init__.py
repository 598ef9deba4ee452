"""The face detector's graphs, with provenance and licence in this folder."""

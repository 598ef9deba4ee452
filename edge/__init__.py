"""The runtime of mmer: it imports numpy and PyAV, and every backend only when asked for."""

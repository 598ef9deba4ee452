"""A float graph as calibration reads, prepares and stores it."""

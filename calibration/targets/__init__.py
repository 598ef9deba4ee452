"""What each target wants of a quantised graph, one file for each."""

"""Why a model answered what it answered, for one window of a recording."""

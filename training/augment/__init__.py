"""The same clip as it could have been; every value of the settings is a largest change, 0 leaves a clip alone."""

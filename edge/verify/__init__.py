"""Whether a bundle's smaller forms answer like its float form on somebody's own recordings, labelled or not."""

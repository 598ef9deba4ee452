"""A training as it is watched: on a terminal, in a log, in TensorBoard, and as pictures when it is over."""

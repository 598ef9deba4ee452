"""From a float model to a bundle: one ONNX graph for each subgraph, each compared with torch at once."""

"""What a graph with QuantizeLinear and DequantizeLinear means, and where a runtime computes something else."""

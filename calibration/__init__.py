"""From a float bundle and real recordings to a bundle that also holds INT8 and FP16 files; never torch."""

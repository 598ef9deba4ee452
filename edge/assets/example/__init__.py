"""The clip that `mmer run --example` watches."""

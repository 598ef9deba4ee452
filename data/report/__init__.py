"""Pictures of a corpus; matplotlib is imported by the file that draws, nowhere else."""

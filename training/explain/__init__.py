"""What only the float model can tell of an answer: attention, confidence and gradients."""

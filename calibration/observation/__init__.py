"""What tensors hold over many samples: kept pass by pass, resumed and used again."""

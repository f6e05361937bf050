"""What this machine is: processor, board, GPU, sensors."""

"""The proof: each claim that edgeocr makes about GPUs, tried on this machine."""

"""Small copies of PaddleOCR's networks, exported in both of Paddle's formats."""

"""What is found in a picture: regions, readings, lines and blocks. `page.py` puts them together."""

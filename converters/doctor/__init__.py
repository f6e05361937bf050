"""`python -m converters doctor`: what a folder with a network is, and why it would read wrongly."""

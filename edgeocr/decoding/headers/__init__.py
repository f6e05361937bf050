"""The size of a picture, and the memory that decoding takes, from its file's header."""

"""The claims about GPUs: a module for each, with the function that tries it."""

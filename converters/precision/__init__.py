"""Lower the precision of a bundle's graphs to int8 or float16."""

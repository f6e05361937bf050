"""Look again, in overlapping tiles, at places of a large picture whose text is small."""

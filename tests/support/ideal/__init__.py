"""The maps that a perfect detection network would give for known texts."""

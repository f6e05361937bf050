"""What happens to a whole page before detection: it is turned upright and made flat."""

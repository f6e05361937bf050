"""A folder with one network: its format, its inference.yml and its dictionary."""

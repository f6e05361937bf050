"""What a folder with one network holds: its format, inference.yml and dictionary."""

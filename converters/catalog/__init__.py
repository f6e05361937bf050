"""The catalogue, models.toml: its entries, fetching their files, and the lock file for hashes."""

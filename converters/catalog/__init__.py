"""models.toml: its entries, fetching their files, and the lock file that pins them."""

"""Writers that turn results into files, one module for each format."""

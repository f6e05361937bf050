"""The command line `edgeocr`: arguments, progress, printing and exit codes."""

"""One worker per engine: a process that reads pictures and writes down how long it took."""

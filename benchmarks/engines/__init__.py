"""Workers that run one engine each in a process of its own, and time it."""

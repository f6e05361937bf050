"""How well pictures are read: compared with another reading, or with labels."""

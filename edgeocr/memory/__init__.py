"""Reading within a memory limit that the caller sets."""

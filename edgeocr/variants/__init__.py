"""Stages that have several graphs: which one a device takes, and what was measured on it."""

"""Opening the stages of a bundle."""

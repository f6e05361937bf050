"""Choose the characters that a bundle reads, and prune a network to them."""

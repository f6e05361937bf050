"""What is fuzzed: each target has inputs to begin with, and reads any bytes or refuses them."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

NAMES = ("pictures", "headers", "manifests", "bundles", "archives", "programs", "graphs")
# How many of a thousand inputs go to each target in `python -m tests.fuzz all`.
SHARES = {
    "pictures": 150, "headers": 200, "manifests": 200, "bundles": 100, "archives": 150,
    "programs": 100, "graphs": 100,
}  # fmt: skip


class Target(Protocol):
    """A module of this package.

    It may have a function `mutant(content, chance)`, which changes an input in its own way.
    """

    def seeds(self) -> list[bytes]:
        """Return the inputs that are mutated, made by code; most are read without an error."""

    def read(self, content: bytes) -> None:
        """Read an input; raise an `EdgeOCRError` if it is wrong, and nothing else.

        Whatever else is raised is a finding, and so is an input that ends the process, takes too
        long or needs too much memory.
        """


def load(name: str) -> Target:
    """Import a target by its name; importing edgeocr happens here and not before."""
    target: Target = import_module(f"tests.fuzz.targets.{name}")
    return target

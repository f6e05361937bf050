"""Networks for tests: what a converter would take a graph for if it were free to guess."""

from __future__ import annotations

from converters.catalog.entries import Algorithm
from converters.graph.interface import Interface
from converters.model import interfaces, network
from converters.model.network import Network


def likely(interface: Interface, name: str = "net") -> Network:
    """Return the network that a graph is by its signs, or else by the number of its axes."""
    inputs, outputs = interfaces.shapes(interface)
    certain = interfaces.certain(interface)
    kinds: tuple[Algorithm, ...] = ("DB", "CTC", "CLS")
    fitting = (kind for kind in kinds if interfaces.misfit(kind, inputs, outputs) is None)
    algorithm = certain[0] if certain else next(fitting)
    return network.of_algorithm(name, algorithm, "a test")

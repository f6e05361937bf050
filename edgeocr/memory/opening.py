"""Open the stages of a bundle within a memory limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from ..bundle.bundle import Bundle
from ..bundle.manifest import Stages
from ..errors import EdgeOCRError, printable
from ..runtime.placement import Placement
from ..runtime.threads import ThreadPool
from ..stages.opening import OpenStages, graph_bytes, import_libraries, open_stages, run_sizes
from .budget import MemoryBudget


def open_within(
    limit: int,
    bundle: Bundle,
    stages: Stages,
    *,
    placement: Placement,
    pool: ThreadPool,
    shape: Literal["quad", "polygon"] | None,
) -> tuple[OpenStages, MemoryBudget]:
    """Open stages so that they, and what they read, stay below a memory limit.

    Args:
        limit: The memory limit in bytes.
        bundle: Holds the graphs.
        stages: Which stages to open, with their settings.
        placement: The execution providers that are wanted.
        pool: The CPU threads.
        shape: The shape of regions to find; None for the bundle's.

    Returns:
        The open stages, and what the limit leaves for their runs and for pictures.

    Raises:
        MemoryLimitError: The limit is too low for the bundle.
        EdgeOCRError: As for `open_stages`.
    """
    import_libraries(stages)
    name = printable(bundle.manifest.name)
    budget = MemoryBudget(limit, run_sizes(stages), graph_bytes(bundle, stages), name=name)
    with _errors_explained(budget, name):
        placement = replace(placement, arena_limit=budget.arena_bytes)
        opened = open_stages(bundle, stages, placement=placement, pool=pool, shape=shape)
        budget.settle(list(opened.by_name.values()))
    return opened, budget


@contextmanager
def _errors_explained(budget: MemoryBudget, name: str) -> Iterator[None]:
    """Say how much memory the bundle needs when opening it fails for lack of memory."""
    try:
        yield
    except (EdgeOCRError, MemoryError) as error:
        explained = budget.explain(error, name)
        raise explained from (None if explained is error else error)

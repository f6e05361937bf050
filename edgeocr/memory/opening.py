"""Open the stages of a bundle for reading, within a memory limit if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2

from ..bundle.bundle import Bundle
from ..bundle.manifest import Stages
from ..device.cpus import confined
from ..errors import BundleError, EdgeOCRError, ForkedError, printable
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.providers import PROVIDERS
from ..runtime.threads import ThreadPool
from ..stages.loading import PictureLoader
from ..stages.opening import OpenStages, graph_bytes, import_libraries, open_stages, run_sizes
from .budget import MemoryBudget
from .limit import trim


@dataclass(frozen=True)
class OpenReader:
    """The stages of a bundle, open in one process, and what they work with.

    Attributes:
        stages: The open stages.
        pool: The CPU threads that the stages share.
        budget: What the memory limit leaves for runs and pictures; None without a limit.
        loader: Loads the pictures.
    """

    stages: OpenStages
    pool: ThreadPool
    budget: MemoryBudget | None
    loader: PictureLoader

    def close(self) -> None:
        """Free the sessions, their memory and the threads."""
        for stage in self.stages.by_name.values():
            stage.session.close()
        self.pool.close()


@dataclass(frozen=True)
class Opening:
    """How the stages of a bundle are opened, in the first process and in its forked children.

    Attributes:
        path: The bundle's absolute path.
        digest: The bundle's digest.
        stages: Which stages to open, with their settings.
        placement: The execution providers that are wanted.
        threads: Number of CPU threads.
        cpus: CPUs to run on; None for all.
        shape: The shape of regions to find; None for the bundle's.
        limit: The memory limit in bytes; None or 0 for none.
        max_image_pixels: The most pixels of a picture; None for no limit.
    """

    path: Path
    digest: str
    stages: Stages
    placement: Placement
    threads: int
    cpus: tuple[int, ...] | None
    shape: Literal["quad", "polygon"] | None
    limit: int | None
    max_image_pixels: int | None

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        stages: Stages,
        provider: str | Mapping[str, str],
        options: RuntimeOptions,
        threads: int,
        cpus: tuple[int, ...] | None,
        shape: Literal["quad", "polygon"] | None,
        limit: int | None,
        max_image_pixels: int | None,
    ) -> Opening:
        """Apply a caller's choices to a bundle.

        Args:
            bundle: The opened bundle.
            stages: As the attribute.
            provider: As for `Placement`.
            options: Further options of the caller.
            threads: As the attribute.
            cpus: As the attribute.
            shape: As the attribute.
            limit: As the attribute.
            max_image_pixels: As the attribute.

        Raises:
            ValueError: A provider is unknown, or the bundle lacks a stage that `provider` names.
            TypeError: `provider` is neither a name nor a mapping.
        """
        placement = Placement.for_bundle(
            provider,
            options,
            path=bundle.path,
            digest=bundle.digest,
            stages=bundle.manifest.stages.present,
        )
        path = bundle.path.absolute()
        return cls(
            path, bundle.digest, stages, placement, threads, cpus, shape, limit, max_image_pixels
        )

    def open(self, bundle: Bundle) -> OpenReader:
        """Open the stages.

        Args:
            bundle: The bundle at `path`. It isn't kept, because it holds all graphs in memory.

        Raises:
            MemoryLimitError: The limit is too low for the bundle.
            EdgeOCRError: As for `open_stages`.
        """
        pool = ThreadPool(self.threads)
        budget: MemoryBudget | None = None
        with confined(self.cpus):  # the sessions' threads inherit it
            if self.limit:
                opened, budget = open_within(
                    self.limit,
                    bundle,
                    self.stages,
                    placement=self.placement,
                    pool=pool,
                    shape=self.shape,
                )
            else:
                opened = open_stages(
                    bundle, self.stages, placement=self.placement, pool=pool, shape=self.shape
                )
                # ONNX Runtime has freed the weights that it rearranged, and what it parsed. Giving
                # these 6 to 40 MB back to the system takes 9 ms.
                trim()
        loader = PictureLoader(self.cpus, budget, self.max_image_pixels)
        return OpenReader(opened, pool, budget, loader)

    def reopen(self, parents: OpenReader) -> OpenReader:
        """Open the same stages on the same providers in a forked child.

        Args:
            parents: What the parent has open. It is neither used nor freed: see `runtime/forks.py`.

        Raises:
            ForkedError: A stage runs on a provider that can't be opened in a forked child.
            BundleError: The bundle is no longer there, or is another one now.
            MemoryLimitError: The limit, which counts what the child has inherited, is too low.
            EdgeOCRError: As for `open_stages`.
        """
        providers = {name: stage.session.provider for name, stage in parents.stages.by_name.items()}
        for stage, provider in providers.items():
            if not PROVIDERS[provider].opens_in_forks:
                raise ForkedError(
                    f"{stage} was opened on {provider!r} before this process was forked, and "
                    f"{provider!r} can't be used in a forked process"
                )
        bundle = Bundle.open(self.path, all_graphs=False)
        if bundle.digest != self.digest:
            raise BundleError(
                f"{self.path}: the bundle has been replaced since it was opened, so a forked "
                "process can't open it again: create a new OCR"
            )
        # A thread of the parent may have held a lock of OpenCV's own threads, which are gone here.
        cv2.setNumThreads(0)
        # The same graphs, too: another process may have measured since which ones are faster.
        options = replace(self.placement.options, variant=parents.stages.variants)
        placement = replace(self.placement, provider=providers, options=options)
        return replace(self, placement=placement).open(bundle)


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

"""Open the stages of a bundle for reading, within a memory limit if there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from ..bundle.bundle import Bundle
from ..bundle.digest import graphs_digest
from ..bundle.manifest import Stages
from ..bundle.postprocess_settings import Shape
from ..device.cpus import confined
from ..errors import BundleError, EdgeOCRError, ForkedError, printable
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.providers import AUTO, PROVIDERS
from ..runtime.threads import ThreadPool
from ..stages.loading import PictureLoader
from ..stages.opening import (
    NOTHING,
    OpenStages,
    expected_stages,
    graph_bytes,
    import_libraries,
    open_stages,
    run_sizes,
    usable_threads,
)
from ..tuned.lookup import Found, load
from .budget import MemoryBudget
from .limit import trim

if TYPE_CHECKING:
    from ..tuned.record import TunedStage

# The most pages that are worked on at a time, and the most within a memory limit.
PAGES_AT_ONCE, PAGES_WITHIN_LIMIT = 4, 2


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

    @property
    def pages_at_once(self) -> int:
        """The number of pages that are worked on at a time."""
        most = PAGES_AT_ONCE if self.budget is None else PAGES_WITHIN_LIMIT
        return min(most, self.pool.threads)

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
        tuned: What was found out about the bundle on this device.
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
    tuned: Found
    cpus: tuple[int, ...] | None
    shape: Shape | None
    limit: int | None
    max_image_pixels: int | None

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        stages: Stages,
        provider: str | Mapping[str, str],
        options: RuntimeOptions,
        *,
        threads: int | None,
        cpus: tuple[int, ...] | None,
        shape: Shape | None,
        limit: int | None,
        max_image_pixels: int | None,
    ) -> Opening:
        """Apply a caller's choices to a bundle.

        Args:
            bundle: The opened bundle.
            stages: As the attribute.
            provider: As for `Placement`.
            options: Further options of the caller.
            threads: As the attribute; None for the number that was tuned, or else the usual one.
            cpus: As the attribute.
            shape: As the attribute.
            limit: As the attribute; None for the bundle's.
            max_image_pixels: As the attribute.

        Raises:
            ValueError: A provider is unknown, or the bundle lacks a stage that `provider` names.
            TypeError: `provider` is neither a name nor a mapping.
        """
        everything, profile = bundle.manifest.stages.present, bundle.manifest.profile
        if limit is None and profile is not None:
            limit = profile.memory_limit
        # TensorRT's engines fit the shapes that the caller's options leave, in all stages.
        placement = Placement.for_bundle(
            provider,
            options,
            path=bundle.path,
            graphs_digest=graphs_digest({**everything, **stages.present}, bundle.manifest.files),
            stages=everything,
            shipped_engines=bundle.shipped_engines,
        )
        present = stages.present
        several = any(stage.variants for stage in present.values())
        tuned = Found()
        if placement.leaves_a_choice(present) or (several and not isinstance(options.variant, str)):
            tuned = load(bundle, options)
        if (entry := tuned.entry) is not None and provider == AUTO and options.variant is None:
            # These numbers were measured with all stages as they were tuned.
            threads = threads or entry.threads
            batch = entry.batch if options.batch is None else options.batch
            placement = replace(placement, options=replace(options, batch=batch))
        return cls(
            path=bundle.path.absolute(),
            digest=bundle.digest,
            stages=stages,
            placement=placement,
            threads=threads or usable_threads(cpus, profile),
            tuned=tuned,
            cpus=cpus,
            shape=shape,
            limit=limit,
            max_image_pixels=max_image_pixels,
        )

    @property
    def tuned_stages(self) -> Mapping[str, TunedStage]:
        """What was found out on this device, by stage."""
        return NOTHING if self.tuned.entry is None else self.tuned.entry.stages

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
                    tuned=self.tuned_stages,
                )
            else:
                opened = open_stages(
                    bundle,
                    self.stages,
                    placement=self.placement,
                    pool=pool,
                    shape=self.shape,
                    tuned=self.tuned_stages,
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
        # The same graphs, too: another process may have tuned the device since. The providers that
        # can be opened here have no options that tuning adds.
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
    shape: Shape | None,
    tuned: Mapping[str, TunedStage],
) -> tuple[OpenStages, MemoryBudget]:
    """Open stages so that they, and what they read, stay below a memory limit.

    Args:
        limit: The memory limit in bytes.
        bundle: Holds the graphs.
        stages: Which stages to open, with their settings.
        placement: The execution providers that are wanted.
        pool: The CPU threads.
        shape: The shape of regions to find; None for the bundle's.
        tuned: What was found out on this device, by stage.

    Returns:
        The open stages, and what the limit leaves for their runs and for pictures.

    Raises:
        MemoryLimitError: The limit is too low for the bundle.
        EdgeOCRError: As for `open_stages`.
    """
    import_libraries(stages)
    name = printable(bundle.manifest.name)
    expected = expected_stages(bundle, stages, placement, tuned)
    budget = MemoryBudget(limit, run_sizes(expected), graph_bytes(bundle, expected), name=name)
    with _errors_explained(budget, name):
        placement = replace(placement, arena_limit=budget.arena_bytes)
        opened = open_stages(
            bundle, stages, placement=placement, pool=pool, shape=shape, tuned=tuned
        )
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

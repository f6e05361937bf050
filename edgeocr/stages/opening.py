"""Open the stages of a bundle together, and say how much memory they need."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, get_args

from .. import orient, recognize, resize
from ..bundle import manifest
from ..bundle.bundle import Bundle
from ..bundle.image_stages import DETECTIONS
from ..bundle.manifest import Profile, Stages
from ..bundle.postprocess_settings import Shape
from ..detect import Detector, with_shape
from ..device.cpus import available_threads
from ..errors import StageMissingError, printable
from ..layout import READING_ORDERS
from ..orient import Orienter
from ..page_stages import network
from ..page_stages.orientation import PageOrienter
from ..page_stages.unwarping import Unwarper
from ..recognize import Recognizer
from ..runtime.onnx_runtime import import_onnxruntime
from ..runtime.placement import Placement
from ..runtime.run_sizes import RunSizes
from ..runtime.start import all_on_cpu
from ..runtime.threads import ThreadPool, all_of
from ..spot import Spotter
from ..variants.choice import Choice, pins
from ..variants.taking import first_choice, take

if TYPE_CHECKING:
    from ..tuned.record import TunedStage

Stage: TypeAlias = PageOrienter | Unwarper | Detector | Orienter | Recognizer | Spotter
Present = TypeVar("Present", Detector, Recognizer)
# Bytes per pixel of a copy of a picture.
COPY_BYTES = 3
# What is known about the stages of a bundle that wasn't tuned on this device.
NOTHING: Mapping[str, TunedStage] = MappingProxyType({})


@dataclass(frozen=True)
class OpenStages:
    """The open stages of a bundle; None for a stage that it lacks.

    Attributes:
        bundle_name: Name of the bundle, for errors.
        choices: Which graph was taken in each stage, and why, by stage.
        several: The stages that have several graphs.
    """

    bundle_name: str
    page_orientation: PageOrienter | None = None
    unwarping: Unwarper | None = None
    detection: Detector | None = None
    orientation: Orienter | None = None
    recognition: Recognizer | None = None
    spotting: Spotter | None = None
    choices: Mapping[str, Choice] = field(default_factory=dict)
    several: Collection[str] = ()

    @property
    def by_name(self) -> dict[str, Stage]:
        """The stages that the bundle has, by name."""
        stages: dict[str, Stage | None] = {
            "page_orientation": self.page_orientation,
            "unwarping": self.unwarping,
            "detection": self.detection,
            "orientation": self.orientation,
            "recognition": self.recognition,
            "spotting": self.spotting,
        }
        return {name: stage for name, stage in stages.items() if stage is not None}

    @property
    def copies_bytes(self) -> int:
        """Bytes per pixel of a picture's copies while it is read: turned upright, flattened."""
        return COPY_BYTES * (1 if self.unwarping is None else 2)

    @property
    def skipped_providers(self) -> tuple[str, ...]:
        """Why "auto" did not use a better provider, one reason each."""
        reasons = (each.skipped_providers for each in self.choices.values())
        return tuple(dict.fromkeys(reason for each in reasons for reason in each))

    @property
    def variants(self) -> dict[str, str]:
        """The precision of the graph that was taken in each stage that has several."""
        return {name: self.choices[name].variant for name in self.choices if name in self.several}

    @property
    def variant_reasons(self) -> dict[str, str]:
        """Which graph was taken and why, and why not others, in words.

        For each stage that has several graphs, or that something was found out about by tuning.
        """
        return {name: str(choice) for name, choice in self.choices.items() if choice.notable}

    @property
    def engine_folders(self) -> list[Path]:
        """Folders in which TensorRT's engines are kept."""
        folders = {stage.session.engine_folder for stage in self.by_name.values()}
        return sorted(folder for folder in folders if folder is not None)

    def finding(self, shape: Shape | None) -> OpenStages:
        """Return these stages, set to find regions of a shape; None for the shape they find.

        Raises:
            ValueError: There is no such shape, or the bundle's algorithm can't find it.
        """
        check_shape(shape)
        if self.spotting is not None:
            check_spotted(shape)
        if shape is None or self.detection is None:
            return self
        return replace(self, detection=self.detection.finding(shape))

    @property
    def detector(self) -> Detector:
        """The detection stage.

        Raises:
            StageMissingError: The bundle has none.
        """
        return self._present(self.detection, "detection")

    @property
    def recognizer(self) -> Recognizer:
        """The recognition stage.

        Raises:
            StageMissingError: The bundle has none.
        """
        return self._present(self.recognition, "recognition")

    def _present(self, stage: Present | None, name: str) -> Present:
        if stage is None:
            raise StageMissingError(
                f"the bundle {self.bundle_name!r} has no {name} stage, only "
                f"{', '.join(self.by_name)}"
            )
        return stage


def open_bundle(
    bundle: str | os.PathLike[str] | Bundle | None,
    key: str | os.PathLike[str] | bytes | None = None,
    digest: str | None = None,
) -> Bundle:
    """Open a bundle, or check the signature and the digest of one that is open.

    The graphs of stages that have several stay on disk until one is chosen.

    Args:
        bundle: Path of a bundle, an opened bundle, or None for the one in the package.
        key: The public key that the bundle must be signed with; None accepts unsigned bundles.
        digest: The digest that the bundle must have; None accepts any.
    """
    if bundle is None:
        return Bundle.default(require_signature=key, expect_digest=digest, all_graphs=False)
    if not isinstance(bundle, Bundle):
        return Bundle.open(bundle, require_signature=key, expect_digest=digest, all_graphs=False)
    if digest is not None:
        bundle.check_digest(digest)
    if key is not None:
        bundle.check_signature(key)
    return bundle


def check_options(threads: int | None, shape: str | None, reading_order: str) -> None:
    """Check arguments of `OCR` that don't depend on the bundle.

    Raises:
        ValueError: One of them has an impossible value.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    check_shape(shape)
    if reading_order not in READING_ORDERS:
        allowed = ", ".join(map(repr, READING_ORDERS))
        raise ValueError(f"reading_order must be one of {allowed}, not {reading_order!r}")


def check_shape(shape: str | None) -> None:
    """Raise `ValueError` for an unknown shape of regions."""
    if shape is not None and shape not in get_args(Shape):
        raise ValueError(f"shape must be 'quad' or 'polygon', not {shape!r}")


def check_spotted(shape: Shape | None) -> None:
    """Raise `ValueError` for a shape of regions that spotting can't find."""
    if shape == "quad":
        raise ValueError("PGNet finds polygons only: use shape='polygon'")


def usable_threads(cpus: Sequence[int] | None, profile: Profile | None) -> int:
    """Return the number of CPU threads where the caller sets none.

    It is the number of the chosen CPUs. Without a choice it is the number of CPUs that the process
    may keep busy, limited by the number in the bundle's profile.
    """
    if cpus is not None:
        return len(cpus)
    available = available_threads()
    return available if profile is None else min(available, profile.threads or available)


def open_stages(
    bundle: Bundle,
    stages: Stages,
    *,
    placement: Placement,
    pool: ThreadPool,
    shape: Shape | None,
    tuned: Mapping[str, TunedStage] = NOTHING,
) -> OpenStages:
    """Open stages of a bundle.

    Args:
        bundle: Holds the graphs.
        stages: Which stages to open, with their settings.
        placement: The execution providers that are wanted.
        pool: The CPU threads.
        shape: The shape of regions to find; None for the bundle's.
        tuned: What was found out on this device, by stage.

    Raises:
        GraphError: ONNX Runtime can't load one of the graphs.
        ProviderUnavailableError: A provider does not start.
        ValueError: The bundle can't find regions of the wanted shape, or lacks a variant that the
            caller wants.
    """
    pinned = pins(bundle.manifest.stages.present, placement.options.variant)

    def open_one(name: str, stage: manifest.Stage) -> tuple[Stage, Choice]:
        def open_graph(single: manifest.Stage, placement: Placement) -> Stage:
            opened = open_stage(name, single, bundle, placement=placement, pool=pool, shape=shape)
            opened.session.forget_graph(bundle.reader(single.graph))
            return opened

        return take(name, stage, placement, tuned.get(name), pinned.get(name), open_graph)

    openers = {name: partial(open_one, name, stage) for name, stage in stages.present.items()}
    # ONNX Runtime optimizes a graph in one thread, so several graphs are opened side by side. Not
    # within a memory limit, because each graph takes twice its size for a moment; and not on other
    # providers, whose libraries are loaded and whose output is captured for one graph at a time.
    side_by_side = placement.arena_limit is None and all_on_cpu(placement, openers)
    found = all_of(openers, pool.threads if side_by_side else 1)
    opened: dict[str, Any] = {name: stage for name, (stage, _) in found.items()}
    return OpenStages(
        printable(bundle.manifest.name),
        choices={name: choice for name, (_, choice) in found.items()},
        several=[name for name, stage in stages.present.items() if stage.variants],
        **opened,
    )


def expected_stages(
    bundle: Bundle,
    stages: Stages,
    placement: Placement,
    tuned: Mapping[str, TunedStage] = NOTHING,
) -> Stages:
    """Reduce each stage to the graph that `open_stages` tries first.

    Raises:
        ValueError: The bundle lacks a variant that the caller wants.
    """
    pinned = pins(bundle.manifest.stages.present, placement.options.variant)
    expected: dict[str, Any] = {
        name: first_choice(name, stage, placement, tuned.get(name), pinned.get(name))
        for name, stage in stages.present.items()
        if stage.variants
    }
    return replace(stages, **expected)


def open_stage(
    name: str,
    stage: manifest.Stage,
    bundle: Bundle,
    *,
    placement: Placement,
    pool: ThreadPool,
    shape: Shape | None = None,
) -> Stage:
    """Open a stage with its own graph.

    Args:
        name: The stage's name.
        stage: The stage with its settings.
        bundle: Holds the graph.
        placement: The execution providers that are wanted.
        pool: The CPU threads.
        shape: As for `open_stages`.

    Raises:
        EdgeOCRError, ValueError: As for `open_stages`.
    """
    graph = bundle.read(stage.graph)
    if isinstance(stage, manifest.Recognition):
        return Recognizer(stage, graph, bundle.characters, placement=placement, pool=pool)
    if isinstance(stage, manifest.Orientation):
        return Orienter(stage, graph, placement=placement, pool=pool)
    if isinstance(stage, manifest.PageOrientation):
        return PageOrienter(stage, graph, placement=placement, pool=pool)
    if isinstance(stage, manifest.Unwarping):
        return Unwarper(stage, graph, placement=placement, pool=pool)
    if isinstance(stage, manifest.Spotting):
        check_spotted(shape)
        return Spotter(stage, graph, bundle.characters, placement=placement, pool=pool)
    assert isinstance(stage, DETECTIONS)
    found = stage if shape is None else with_shape(stage, shape)
    return Detector(found, graph, placement=placement, pool=pool)


def wanted_stages(
    stages: Stages, max_pixels: int | None, used: Mapping[str, bool], *, restore_spaces: bool
) -> Stages:
    """Return the stages of a bundle with the settings that a caller wants.

    Args:
        stages: The stages as the manifest describes them.
        max_pixels: The most pixels of one run of detection; None for the bundle's.
        used: Whether to use each stage that a page can be read without, by name.
        restore_spaces: Whether to put spaces where the recognition network has read none.
    """
    stages = resize.limited_stages(stages, max_pixels)
    unused: Any = {name: None for name, wanted in used.items() if not wanted}
    stages = replace(stages, **unused)
    if not restore_spaces and stages.recognition is not None:
        stages = replace(stages, recognition=replace(stages.recognition, spaces="kept"))
    return stages


def run_sizes(stages: Stages) -> list[RunSizes]:
    """Return how large the runs of stages are, before they are opened."""
    sizes = [
        resize.run_sizes(stage.resize, stage.activation_bytes)
        for stage in (stages.detection, stages.spotting)
        if stage is not None
    ]
    sizes += [
        network.run_sizes(stage)
        for stage in (stages.page_orientation, stages.unwarping)
        if stage is not None
    ]
    if stages.orientation is not None:
        sizes.append(orient.run_sizes(stages.orientation))
    if stages.recognition is not None:
        sizes.append(recognize.run_sizes(stages.recognition))
    return sizes


def graph_bytes(bundle: Bundle, stages: Stages) -> int:
    """Return the total size of the stages' own graphs, in bytes."""
    return sum(bundle.manifest.files[each.graph].size for each in stages.present.values())


def import_libraries(stages: Stages) -> None:
    """Import the libraries that reading needs, so that their memory is counted from the start."""
    import_onnxruntime()
    if stages.detection is not None or stages.spotting is not None:
        import pyclipper  # noqa: F401
        import shapely  # noqa: F401

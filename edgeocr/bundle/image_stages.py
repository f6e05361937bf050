"""The settings of the stages that see whole images: how they are resized, and how decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from .fields import Range
from .postprocess_settings import (
    CTSettings,
    DBSettings,
    EASTSettings,
    FCESettings,
    PSESettings,
    SASTSettings,
)
from .stage import Pixels, Side, Stage, Step


@dataclass(frozen=True)
class Resize:
    """The size at which detection or spotting sees an image.

    Attributes:
        limit: The rule. "min" enlarges an image whose shorter side has fewer than `limit_side`
            pixels until it has that many. "max" shrinks an image whose longer side has more until
            it has that many. "long" and "short" scale an image so that its longer or its shorter
            side has that many. "height" enlarges an image by `enlarge`, or scales it to a height of
            `limit_side` if that is less.
        limit_side: The side that `limit` refers to, in pixels.
        max_pixels: The most pixels that an image has after that, whatever its proportions.
        multiple: Both sides are rounded to a multiple of this, the network's total stride.
        rounding: Whether sides are rounded to the nearest multiple or up.
        enlarge: The factor of the rule "height"; the other rules ignore it.
        sizes: The only input sizes, each [height, width], on execution providers that want a fixed
            set of shapes. An image that was sized by the rule is padded to the smallest size that
            holds it, or scaled down if none does. An empty list means that there is no such set.
    """

    limit: Literal["min", "max", "long", "short", "height"]
    limit_side: Side
    max_pixels: Pixels
    multiple: Step
    rounding: Literal["nearest", "up"] = "nearest"
    enlarge: Annotated[float, Range(0.1, 10)] = 1.0
    sizes: list[list[Side]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ImageStage(Stage):
    """Settings of the stages that see whole images.

    Each algorithm adds `postprocess`, the numbers of its post-processing.

    Attributes:
        resize: The size at which the network sees an image.
    """

    resize: Resize

    @property
    def schema(self) -> int:
        """The oldest schema that has these settings, or the oldest that is still written."""
        return 5 if self.resize.limit == "short" else super().schema


@dataclass(frozen=True, kw_only=True)
class DBDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm DB.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `probability` [N, H, W].
    """

    algorithm: Literal["DB"]
    postprocess: DBSettings


@dataclass(frozen=True, kw_only=True)
class EASTDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm EAST.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `score` [N, h, w] and `geometry`
    [N, 8, h, w].
    """

    algorithm: Literal["EAST"]
    postprocess: EASTSettings


@dataclass(frozen=True, kw_only=True)
class SASTDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm SAST.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `tcl` [N, h, w], `border` [N, 4, h, w],
    `tvo` [N, 8, h, w] and `tco` [N, 2, h, w].
    """

    algorithm: Literal["SAST"]
    postprocess: SASTSettings


@dataclass(frozen=True, kw_only=True)
class PSEDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm PSE.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `kernels` [N, 7, h, w], logits.
    """

    algorithm: Literal["PSE"]
    postprocess: PSESettings

    @property
    def schema(self) -> int:
        """The oldest schema that has these settings."""
        return 5


@dataclass(frozen=True, kw_only=True)
class FCEDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm FCE.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `level_8`, `level_16` and
    `level_32` [N, 26, h, w], whose sides are these parts of the input's.
    """

    algorithm: Literal["FCE"]
    postprocess: FCESettings

    @property
    def schema(self) -> int:
        """The oldest schema that has these settings."""
        return 5


@dataclass(frozen=True, kw_only=True)
class CTDetection(ImageStage):
    """Settings of the stage `detection` with the algorithm CT (CentripetalText).

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `kernel_and_offsets` [N, 3, h, w].
    """

    algorithm: Literal["CT"]
    postprocess: CTSettings

    @property
    def schema(self) -> int:
        """The oldest schema that has these settings."""
        return 5


Detection: TypeAlias = (
    DBDetection | EASTDetection | SASTDetection | PSEDetection | FCEDetection | CTDetection
)
# The same as a tuple, for `isinstance`.
DETECTIONS = (
    DBDetection, EASTDetection, SASTDetection, PSEDetection, FCEDetection, CTDetection,
)  # fmt: skip

"""Run the detection or spotting network on a picture, at the size that suits the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Detection, Resize, Spotting, Stages
from .images import Image
from .postprocess.geometry import Float32
from .postprocess.maps import STRIDE
from .runtime.job import Job
from .runtime.outputs import Output, checked
from .runtime.placement import Placement
from .runtime.run_sizes import RunSizes
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool
from .tiling.tiles import Grid, Place, grid

# The strides of FCE's three levels of maps.
FCE_STRIDES = (8, 16, 32)
# Height and width of a photograph in landscape, whose size warms up a stage that takes any shape.
USUAL = (1200, 1600)
# The smallest share of its pixels at which detection is of use: it still finds large text.
LEAST_SHARE = 1 / 6


@dataclass(frozen=True)
class Resized:
    """An image as a network sees it.

    Attributes:
        pixels: uint8 [H, W, 3], the network's input.
        height: Rows of `pixels`, from the top, that show the image; the rest repeats its edge.
        width: Columns of `pixels`, from the left, that show the image.
        scale: float32 [2], factors that turn x and y in `pixels` into x and y in the image.
    """

    pixels: Image
    height: int
    width: int
    scale: Float32

    def crop_map(self, output: NDArray[Any]) -> NDArray[Any]:
        """Cut a network's output [..., H', W'] to the part [..., h', w'] that shows the image."""
        rows, columns = (
            part * side // whole
            for part, side, whole in zip(
                (self.height, self.width), output.shape[-2:], self.pixels.shape, strict=False
            )
        )
        return output[..., :rows, :columns]


class PictureStage:
    """A stage whose network is given whole pictures: the base of `Detector` and `Spotter`.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are.
        max_pixels: The largest number of pixels that a picture has in the network's input.
    """

    def __init__(
        self,
        name: Literal["detection", "spotting"],
        stage: Detection | Spotting,
        graph: bytes,
        outputs: Sequence[Output],
        *,
        placement: Placement,
        pool: ThreadPool,
    ) -> None:
        """Open the stage.

        Args:
            name: The stage's name.
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            outputs: The graph's outputs, in the order in which `maps` returns them. Axes named H
                and W have the sides of the input, those named h and w a quarter of them, and h8
                and w8, for example, an eighth.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not a graph of this stage.
            ProviderUnavailableError: The provider does not start.
        """
        self._name, self._outputs = name, outputs
        self.run_sizes = run_sizes(stage.resize, stage.activation_bytes)
        self.session = Session(
            graph,
            _job(name, stage.resize, stage.providers, stage.precision),
            [output.name for output in outputs],
            placement=placement,
            threads=pool.threads,
            pages=pool,
        )
        sizes = [[height, width] for _, height, width, _ in self.session.shapes]
        self._resize = replace(stage.resize, sizes=sizes)

    @property
    def max_pixels(self) -> int:
        """The largest number of pixels that a picture has in the network's input."""
        return self._resize.max_pixels

    def limit_pixels(self, pixels: int) -> str | None:
        """Give the network no more than this many pixels from now on.

        Returns:
            What has changed, as a sentence, or None if no picture had more pixels anyway.
        """
        if pixels >= self.max_pixels:
            return None
        self._resize = limited(self._resize, pixels)
        limited_job = _job(self._name, self._resize, None)
        self.session.restrict_shapes(limited_job.shapes, limited_job.usual_shape)
        return f"a run of {self._name} sees {pixels} pixels at most"

    def maps(self, image: Image, watch: Stopwatch) -> tuple[list[NDArray[Any]], Float32]:
        """Run the network on an image.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time of each step.

        Returns:
            The graph's outputs without their first axis, cut to the part that shows the image, and
            the factors [2] that turn x and y in the network's input into x and y in the image.

        Raises:
            GraphError: The network failed, or returned something else than maps of the right size.
        """
        with watch("resize"):
            resized = resize(image, self._resize, fixed=self.session.fixed_shapes)
        with watch(self._name):
            outputs = self._run(resized.pixels)
        with watch("postprocess"):
            return [resized.crop_map(output[0]) for output in outputs], resized.scale

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width at which `maps` shows the network such an image."""
        inside = network_size(height, width, self._resize)
        return fixed_size(*inside, self._resize)[0] if self.session.fixed_shapes else inside

    def tiles(self, place: Place) -> Grid:
        """Return the tiles in which `stitched` runs the network on a place."""
        return grid(place.height, place.width, self._resize, fixed=self.session.fixed_shapes)

    def stitched(self, image: Image, place: Place, watch: Stopwatch) -> NDArray[np.uint8]:
        """Run the network, whose only output is a map, on overlapping tiles of a place.

        Args:
            image: uint8 [H, W, 3] BGR.
            place: The place, and the scale at which the network sees it.
            watch: Records the time of each step.

        Returns:
            255 times the map, uint8 [height, width of the place at its scale].

        Raises:
            GraphError: As for `maps`.
        """
        joined = np.zeros((place.height, place.width), np.uint8)
        for tile in self.tiles(place).tiles(place):
            with watch("resize"):
                pixels = tile.cut(image, place)
            with watch(self._name):
                (output,) = self._run(pixels)
            with watch("postprocess"):
                tile.paste(output[0], joined)
        return joined

    def _run(self, pixels: Image) -> list[NDArray[Any]]:
        """Run the network on an input and check its outputs."""
        height, width = pixels.shape[:2]
        sides: dict[str, int | range] = {"H": height, "W": width}
        for name, stride in (("", STRIDE), *((str(each), each) for each in FCE_STRIDES)):
            sides[f"h{name}"], sides[f"w{name}"] = _part(height, stride), _part(width, stride)
        return checked(self._name, self._outputs, self.session.run(pixels[None]), sides)


def _part(side: int, stride: int) -> range:
    """Return the sides that a map may have whose pixels stand for `stride` pixels of the input."""
    return range(side // stride, -(-side // stride) + 1)


def _job(stage: str, rule: Resize, preferred: Sequence[str] | None, precision: str = "fp32") -> Job:
    """Describe the session of a stage whose network is given whole pictures."""
    shapes = [(1, height, width, 3) for height, width in rule.sizes]
    return Job(stage, "image", (1, *network_size(*USUAL, rule), 3), shapes, preferred, precision)


def in_image(
    points: Float32, scale: Float32, image: Image, corner: tuple[int, int] = (0, 0)
) -> Float32:
    """Convert points of the network's input to points of the image, and clip them to it.

    Args:
        points: float32 [..., 2], x and y.
        scale: float32 [2], the factors of x and y.
        image: uint8 [H, W, 3].
        corner: Where in the image the network's input begins, x and y.
    """
    last = np.array(image.shape[1::-1], np.float32) - 1
    return np.asarray(np.clip(points * scale + np.array(corner, np.float32), 0, last), np.float32)


def run_sizes(rule: Resize, activation_bytes: int) -> RunSizes:
    """Return the sizes of the runs of a stage whose network is given whole pictures."""
    least = round(rule.max_pixels * LEAST_SHARE)
    return RunSizes("pictures", least, rule.max_pixels, activation_bytes)


def limited(rule: Resize, max_pixels: int) -> Resize:
    """Return the rule with another `max_pixels`.

    The rule keeps those of its fixed sizes that lie within the limit. If none does, the largest
    square within the limit takes their place.
    """
    within = [size for size in rule.sizes if math.prod(size) <= max_pixels]
    side = max(1, math.isqrt(max_pixels) // rule.multiple) * rule.multiple
    square = [[side, side]] if rule.sizes else []
    return replace(rule, max_pixels=max_pixels, sizes=within or square)


def limited_stages(stages: Stages, max_pixels: int | None) -> Stages:
    """Return the stages with the caller's `max_pixels` in detection and spotting.

    Args:
        stages: The stages of a bundle.
        max_pixels: The most pixels at which a picture is detected or spotted; None keeps the
            bundle's.

    Raises:
        ValueError: `max_pixels` is less than the smallest input of the network.
    """
    if max_pixels is None:
        return stages
    found = {
        name: stage
        for name in ("detection", "spotting")
        if (stage := getattr(stages, name)) is not None
    }
    least = max([1, *(stage.resize.multiple**2 for stage in found.values())])
    if max_pixels < least:
        raise ValueError(f"max_pixels must be at least {least}, not {max_pixels}")
    changed: Any = {
        name: replace(stage, resize=limited(stage.resize, max_pixels))
        for name, stage in found.items()
    }
    return replace(stages, **changed)


def resize(image: Image, rule: Resize, *, fixed: bool = False) -> Resized:
    """Resize an image to the network's input.

    Args:
        image: uint8 [H, W, 3].
        rule: How to choose the size.
        fixed: Pad the image to one of the rule's fixed sizes.
    """
    height, width = image.shape[:2]
    inside = outside = network_size(height, width, rule)
    if fixed:
        inside, outside = fixed_size(*inside, rule)
    pixels = cv2.resize(image, inside[::-1]).astype(np.uint8, copy=False)
    if outside != inside:
        below, right = outside[0] - inside[0], outside[1] - inside[1]
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
    scale = np.array([width / inside[1], height / inside[0]], np.float32)
    return Resized(pixels, *inside, scale)


def network_size(height: int, width: int, rule: Resize) -> tuple[int, int]:
    """Return the height and width of the network's input for an image of this height and width."""
    scale = min(_scale(height, width, rule), math.sqrt(rule.max_pixels / (height * width)))
    round_to = math.ceil if rule.rounding == "up" else round

    def rounded(side: float) -> int:
        # PaddleOCR makes a side a whole number of pixels before it rounds it to a multiple. For CT,
        # the only network with the rule "short", that is the nearest whole number; for all others
        # the fraction is cut off.
        whole = int(side + 0.5 if rule.limit == "short" else side)
        return max(rule.multiple, round_to(whole / rule.multiple) * rule.multiple)

    sides = [rounded(height * scale), rounded(width * scale)]
    # Rounding may have lengthened the short side of a strip considerably: shorten its long side.
    longer = int(sides[1] > sides[0])
    most = rule.max_pixels // sides[1 - longer] // rule.multiple * rule.multiple
    sides[longer] = max(rule.multiple, min(sides[longer], most))
    return sides[0], sides[1]


def fixed_size(height: int, width: int, rule: Resize) -> tuple[tuple[int, int], tuple[int, int]]:
    """Choose one of the rule's fixed sizes for an image of this height and width.

    Returns:
        The image's (height, width) within the input, and the (height, width) of the input: the
        smallest fixed size that holds the image, or else the one for which the image has to be
        scaled down the least.
    """
    holding = [size for size in rule.sizes if size[0] >= height and size[1] >= width]
    if holding:
        high, wide = min(holding, key=math.prod)
        return (height, width), (high, wide)

    def fit(size: list[int]) -> float:
        return min(size[0] / height, size[1] / width)

    high, wide = max(rule.sizes, key=lambda size: (fit(size), -math.prod(size)))
    scale, step = fit([high, wide]), rule.multiple
    inside = [max(step, int(side * scale) // step * step) for side in (height, width)]
    return (inside[0], inside[1]), (high, wide)


def _scale(height: int, width: int, rule: Resize) -> float:
    short, long = sorted((height, width))
    if rule.limit == "long":
        return rule.limit_side / long
    if rule.limit == "short":
        return rule.limit_side / short
    if rule.limit == "height":
        return min(rule.enlarge, rule.limit_side / height)
    if rule.limit == "min" and short < rule.limit_side:
        return rule.limit_side / short
    if rule.limit == "max" and long > rule.limit_side:
        return rule.limit_side / long
    return 1.0

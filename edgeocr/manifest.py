"""The manifest of a bundle: what the runtime has to know of each stage, as typed values.

`parse` turns the decoded JSON into a `Manifest` and refuses what this version can't run:
an unknown schema or algorithm, a missing or unknown field, a value of the wrong type. The
error names the field by its path, for example `stages.detection.resize.multiple`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from . import typed
from .errors import BundleError
from .typed import Range

SCHEMA = 1

Positive: TypeAlias = Annotated[int, Range(1)]
Natural: TypeAlias = Annotated[int, Range(0)]
Grey: TypeAlias = Annotated[int, Range(0, 255)]
Share: TypeAlias = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Resize:
    """How an image is sized for detection.

    limit, limit_side: "min" enlarges an image until its shorter side has `limit_side` pixels,
        "max" shrinks it until its longer side has; an image within the limit keeps its size.
    max_pixels: after that it has at most this many pixels, whatever its proportions.
    multiple: both sides are rounded to a multiple of this, the network's total stride.
    """

    limit: Literal["min", "max"]
    limit_side: Positive
    max_pixels: Positive
    multiple: Positive


@dataclass(frozen=True)
class DBSettings:
    """Numbers of DB's post-processing (Liao et al. 2019), see `postprocess.db`."""

    threshold: Share
    box_threshold: Share
    unclip_ratio: Annotated[float, Range(0, 10)]
    max_candidates: Positive
    dilation: bool
    score: Literal["box", "polygon"]
    shape: Literal["quad", "polygon"]


@dataclass(frozen=True)
class Detection:
    """Stage `detection`: image uint8 [N, H, W, 3] BGR in, the algorithm's maps out."""

    algorithm: Literal["DB"]
    graph: str
    model: str
    resize: Resize
    postprocess: DBSettings


@dataclass(frozen=True)
class Orientation:
    """Stage `orientation`: crops uint8 [N, height, width, 3] in, `probability` [N, classes] out.

    degrees: what each class says of the crop's rotation, multiples of 90.
    threshold: a crop is turned when its class has at least this probability.
    padding: the grey value that fills what the text does not; the network saw zero after
        normalization.
    """

    algorithm: Literal["CLS"]
    graph: str
    model: str
    height: Positive
    width: Positive
    padding: Grey
    degrees: list[int]
    threshold: Share


@dataclass(frozen=True)
class Charset:
    """The classes of a recognition network: `file` has one character a line, in class order.

    classes: how many classes the network has, the blank included.
    blank: the class that CTC drops; the file's characters take the other classes in order.
    """

    file: str
    classes: Annotated[int, Range(2)]
    blank: Natural


@dataclass(frozen=True)
class Recognition:
    """Stage `recognition`: crops uint8 [N, height, W, 3] in, `indices` and `scores` [N, T] out.

    max_width: a crop keeps its proportions up to this width in pixels.
    margin, min_width: the input is at least `margin` pixels wider than the text and at least
        `min_width` wide, because the networks were trained on lines that end before the picture
        does; `padding` is the grey value of what is added on the right.
    multiple: input widths are a multiple of this, the network's stride.
    width: the only input width that the network takes, as spatial transformers (TPS) do. A longer
        line is squeezed into it, a shorter one padded; the widths above don't matter then.
    minimum_score: a line whose mean character score is lower is left out of a page.
    """

    algorithm: Literal["CTC"]
    graph: str
    model: str
    height: Positive
    min_width: Positive
    max_width: Positive
    margin: Natural
    padding: Grey
    multiple: Positive
    charset: Charset
    minimum_score: Share
    width: Positive | None = None


@dataclass(frozen=True)
class Stages:
    """What a page goes through; a bundle may come without orientation."""

    detection: Detection
    recognition: Recognition
    orientation: Orientation | None = None


@dataclass(frozen=True)
class File:
    """One file of the bundle beside the manifest."""

    sha256: str
    size: Natural


@dataclass(frozen=True)
class SourceFile:
    """A published file that a stage was made of."""

    name: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Check:
    """Whether a graph computes what its original computes, or the reason why nobody looked."""

    status: Literal["passed", "not run"]
    reason: str | None = None
    reference: str | None = None
    inputs: list[list[int]] | None = None
    max_abs_difference_at_most: float | None = None
    tolerance: float | None = None

    def __str__(self) -> str:
        if self.status == "not run":
            return f"not run, {self.reason}"
        return f"passed, at most {self.max_abs_difference_at_most:g} from {self.reference}"


@dataclass(frozen=True)
class Origin:
    """Where a stage's weights came from and what was done to them."""

    stage: Literal["detection", "orientation", "recognition"]
    model: str
    title: str
    authors: str
    licence: str
    format: str
    files: list[SourceFile]
    translator: str
    parity: dict[str, Check]


@dataclass(frozen=True)
class Manifest:
    """The whole manifest. `provenance` and `made_by` are for people: the runtime ignores them."""

    schema: int
    name: str
    description: str
    stages: Stages
    files: dict[str, File]
    made_by: dict[str, str]
    provenance: list[Origin]


def parse(data: object) -> Manifest:
    """Decoded manifest.json → `Manifest`; raises `BundleError` that names the offending field."""
    if not isinstance(data, dict) or not isinstance(data.get("schema"), int):
        raise BundleError("manifest.json has no schema number: this is no edgeocr bundle")
    if data["schema"] != SCHEMA:
        raise BundleError(
            f"the bundle has schema {data['schema']}, this edgeocr reads schema {SCHEMA}: "
            + (
                "upgrade edgeocr"
                if data["schema"] > SCHEMA
                else "freeze the bundle again with the converters of this version"
            )
        )
    try:
        manifest = typed.parse(Manifest, data)
    except typed.FieldError as error:
        raise BundleError(f"manifest.json: {error}") from None
    stages = manifest.stages
    charset = stages.recognition.charset
    if charset.blank >= charset.classes:
        raise BundleError("manifest.json: stages.recognition.charset.blank is none of its classes")
    for origin in manifest.provenance:
        if getattr(stages, origin.stage) is None:
            raise BundleError(
                f"manifest.json: provenance of a stage that is not there, {origin.stage}"
            )
    named = [stages.detection.graph, stages.recognition.graph, charset.file]
    if stages.orientation is not None:
        named.append(stages.orientation.graph)
        degrees = stages.orientation.degrees
        if len(degrees) < 2 or any(turn % 90 for turn in degrees):
            raise BundleError(
                "manifest.json: stages.orientation.degrees must be two or more multiples of 90, "
                f"it is {degrees}"
            )
    for name in named:
        if name not in manifest.files:
            raise BundleError(f"manifest.json names {name!r} for a stage but not among its files")
    return manifest

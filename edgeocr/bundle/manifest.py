"""The manifest of a bundle: what the runtime has to know of each stage, as typed values.

`parse` turns the decoded JSON into a `Manifest` and refuses what this version can't run:
an unknown schema or algorithm, a missing or unknown field, a value of the wrong type. The
error names the field by its path, for example `stages.detection.resize.multiple`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from ..errors import BundleError
from ..version import __version__
from . import fields as typed
from .fields import Range
from .provenance import Accuracy, Origin, Precision

# 1: edgeocr 0.1. 2, since 0.2: precision, memory, profile, requires, what was done and measured.
# All that 2 has more may be missing, so a manifest of schema 1 is one of schema 2.
SCHEMA = 2
OLDEST_SCHEMA = 1
# The first edgeocr that reads `SCHEMA`, which a bundle of it says.
REQUIRES = "0.2.0"

Positive: TypeAlias = Annotated[int, Range(1)]
Natural: TypeAlias = Annotated[int, Range(0)]
Grey: TypeAlias = Annotated[int, Range(0, 255)]
Share: TypeAlias = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Resize:
    """How an image is sized for detection or spotting.

    limit, limit_side: "min" enlarges an image until its shorter side has `limit_side` pixels,
        "max" shrinks it until its longer side has; an image within the limit keeps its size.
        "long" scales it so that its longer side has. "height" enlarges it by `enlarge`, or scales
        it to a height of `limit_side` where that is less.
    max_pixels: after that it has at most this many pixels, whatever its proportions.
    multiple: both sides are rounded to a multiple of this, the network's total stride: to the
        nearest one, or up.
    sizes: [height, width] of the only inputs on execution providers that want few shapes: what the
        rule gives is padded to the smallest that holds it, or scaled down where none does. Empty
        for no such set.
    """

    limit: Literal["min", "max", "long", "height"]
    limit_side: Positive
    max_pixels: Positive
    multiple: Positive
    rounding: Literal["nearest", "up"] = "nearest"
    enlarge: Annotated[float, Range(0.1, 10)] = 1.0
    sizes: list[list[Positive]] = field(default_factory=list)


@dataclass(frozen=True)
class DBSettings:
    """Numbers of DB's post-processing (Liao et al. 2019), see `postprocess.db`; `score` is for
    quads.
    """

    threshold: Share
    box_threshold: Share
    unclip_ratio: Annotated[float, Range(0, 10)]
    max_candidates: Positive
    dilation: bool
    score: Literal["box", "polygon"]
    shape: Literal["quad", "polygon"]


@dataclass(frozen=True)
class EASTSettings:
    """Numbers of EAST's post-processing (Zhou et al. 2017), see `postprocess.east`."""

    score_threshold: Share
    cover_threshold: Share
    nms_threshold: Share


@dataclass(frozen=True)
class SASTSettings:
    """Numbers of SAST's post-processing (Wang et al. 2019), see `postprocess.sast`."""

    score_threshold: Share
    nms_threshold: Share
    sample_points: Annotated[int, Range(2)]
    expand_scale: Annotated[float, Range(0.1, 10)]
    shrink_ratio_of_width: Annotated[float, Range(0, 10)]
    shape: Literal["quad", "polygon"]


@dataclass(frozen=True)
class PGNetSettings:
    """Numbers of PGNet's post-processing (Wang et al. 2021), see `postprocess.pgnet`."""

    score_threshold: Share
    expand_scale: Annotated[float, Range(0.1, 10)]
    shrink_ratio_of_width: Annotated[float, Range(0, 10)]
    minimum_points: Annotated[int, Range(2)]
    minimum_characters: Natural
    gather: Literal["points", "align"] = "points"


@dataclass(frozen=True)
class DBDetection:
    """Stage `detection`: image uint8 [N, H, W, 3] BGR in, `probability` [N, H, W] out.

    Here and in the other stages:
    providers: execution providers that "auto" tries, in this order, instead of all that there may
        be.
    precision: what the graph's weights and most of its operators are in.
    activation_bytes: what a run needs in memory beside the weights, for each pixel of its input,
        as far as the graph says it; 0 where it is unknown.
    """

    algorithm: Literal["DB"]
    graph: str
    model: str
    resize: Resize
    postprocess: DBSettings
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


@dataclass(frozen=True)
class EASTDetection:
    """Stage `detection`: image in, `score` [N, h, w] and `geometry` [N, 8, h, w] out."""

    algorithm: Literal["EAST"]
    graph: str
    model: str
    resize: Resize
    postprocess: EASTSettings
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


@dataclass(frozen=True)
class SASTDetection:
    """Stage `detection`: image in, `tcl` [N, h, w], `border` [N, 4, h, w], `tvo` [N, 8, h, w] and
    `tco` [N, 2, h, w] out.
    """

    algorithm: Literal["SAST"]
    graph: str
    model: str
    resize: Resize
    postprocess: SASTSettings
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


Detection: TypeAlias = DBDetection | EASTDetection | SASTDetection


@dataclass(frozen=True)
class Orientation:
    """Stage `orientation`: crops uint8 [N, height, width, 3] in, `probability` [N, classes] out.

    degrees: what each class says of the crop's rotation, multiples of 90.
    threshold: a crop is turned when its class has at least this probability.
    padding: the grey value that fills what the text does not; the network saw zero after
        normalization.
    stretch: crops are stretched to the input instead, whatever their proportions, as PP-LCNet's
        classifiers want it.
    batches: the only numbers of crops in a run on execution providers that want few shapes.
    """

    algorithm: Literal["CLS"]
    graph: str
    model: str
    height: Positive
    width: Positive
    padding: Grey
    degrees: list[int]
    threshold: Share
    stretch: bool = False
    batches: list[Positive] = field(default_factory=list)
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


@dataclass(frozen=True)
class Charset:
    """The classes of a network that reads: `file` has one character a line, in class order.

    classes: how many classes the network has, those included that are no characters:
    blank: the class that CTC drops;
    begin, end: the classes that attention and SRN have instead.
    The file's characters take the other classes in order.
    """

    file: str
    classes: Annotated[int, Range(2)]
    blank: Natural | None = None
    begin: Natural | None = None
    end: Natural | None = None

    @property
    def special(self) -> list[int]:
        """The classes that are no characters, in order."""
        return sorted(each for each in (self.blank, self.begin, self.end) if each is not None)


@dataclass(frozen=True)
class Recognition:
    """Stage `recognition`: crops uint8 [N, height, W, 3] in, `indices` and `scores` [N, T] out.

    max_width: a crop keeps its proportions up to this width in pixels.
    margin, min_width: the input is at least `margin` pixels wider than the text and at least
        `min_width` wide, because the networks were trained on lines that end before the picture
        does; `padding` is the grey value of what is added on the right.
    multiple: input widths are a multiple of this, the network's stride.
    width: the only input width that the network takes, as spatial transformers (TPS) and SRN do. A
        longer line is squeezed into it, a shorter one padded; the widths above don't matter then.
    stretch_widths: a line is not kept in proportion but stretched to the first of these that is at
        least as wide as it, or squeezed to the last, as SRN was trained.
    minimum_score: a line whose mean character score is lower is left out of a page.
    widths, batches: the only input widths, and numbers of crops in a run, on execution providers
        that want few shapes: lines are padded to the next of them. Empty for no such set.
    """

    algorithm: Literal["CTC", "Attention", "SRN"]
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
    stretch_widths: list[Positive] | None = None
    widths: list[Positive] = field(default_factory=list)
    batches: list[Positive] = field(default_factory=list)
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


@dataclass(frozen=True)
class Spotting:
    """Stage `spotting`, detection and recognition in one: image uint8 [N, H, W, 3] BGR in, `tcl`
    [N, h, w], `border` [N, 4, h, w], `direction` [N, 2, h, w] and `characters` [N, classes, h, w]
    out.
    """

    algorithm: Literal["PGNet"]
    graph: str
    model: str
    resize: Resize
    postprocess: PGNetSettings
    charset: Charset
    providers: list[str] | None = None
    precision: Precision = "fp32"
    activation_bytes: Natural = 0


@dataclass(frozen=True)
class Stages:
    """What a page goes through: detection, perhaps orientation, and recognition; or spotting alone.

    A bundle with detection only, or with recognition only, does that and can't read pages.
    """

    detection: Detection | None = None
    orientation: Orientation | None = None
    recognition: Recognition | None = None
    spotting: Spotting | None = None

    @property
    def reading(self) -> Recognition | Spotting | None:
        """The stage that has a charset."""
        return self.recognition or self.spotting


@dataclass(frozen=True)
class File:
    """One file of the bundle beside the manifest."""

    sha256: str
    size: Natural


@dataclass(frozen=True)
class Profile:
    """Settings for a class of device, where the caller says nothing else. What a profile sets of a
    stage (sizes, widths, providers) is in the stage.

    threads: CPU threads; None for as many as the process may keep busy.
    memory_limit: bytes that the process may take, as `OCR(memory_limit=…)`; None for no limit.
    """

    name: str
    threads: Positive | None = None
    memory_limit: Positive | None = None


@dataclass(frozen=True)
class Manifest:
    """The whole manifest. The runtime ignores `made_by`, `provenance` and `accuracy`.

    requires: the oldest edgeocr that can read the bundle; empty in schema 1.
    """

    schema: int
    name: str
    description: str
    stages: Stages
    files: dict[str, File]
    made_by: dict[str, str]
    provenance: list[Origin]
    requires: str = ""
    profile: Profile | None = None
    accuracy: Accuracy | None = None


def parse(data: object) -> Manifest:
    """Decoded manifest.json → `Manifest`; raises `BundleError` that names the offending field, and
    for a schema that this version can't read says which version can.
    """
    if not isinstance(data, dict) or type(data.get("schema")) is not int:
        raise BundleError("manifest.json has no schema number: this is no edgeocr bundle")
    if not OLDEST_SCHEMA <= data["schema"] <= SCHEMA:
        raise BundleError(_other_schema(data["schema"], data.get("requires")))
    from . import checks as manifest_checks  # it knows these types

    try:
        manifest = typed.parse(Manifest, data)
    except typed.FieldError as error:
        raise BundleError(f"manifest.json: {error}") from None
    for problem in manifest_checks.problems(manifest):
        raise BundleError(f"manifest.json: {problem}")
    return manifest


def _other_schema(schema: int, requires: object) -> str:
    found = (
        f"the bundle has schema {schema}, edgeocr {__version__} reads schema "
        f"{OLDEST_SCHEMA} to {SCHEMA}"
    )
    if schema < OLDEST_SCHEMA:
        return f"{found}: freeze the bundle again with the converters of this version"
    newer = isinstance(requires, str) and requires
    needed = f"edgeocr {requires!s:.20} or newer" if newer else "a newer edgeocr"
    return f"{found}: it needs {needed}: upgrade edgeocr"

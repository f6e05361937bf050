"""The types of a bundle's manifest: everything that the runtime must know about each stage.

`parse.parse` makes them from decoded JSON. docs/bundle-format.md specifies the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from ..runtime.engine_key import EngineKey
from . import limits
from .fields import Natural, Positive, Range, Share
from .image_stages import CTDetection as CTDetection
from .image_stages import DBDetection as DBDetection
from .image_stages import Detection as Detection
from .image_stages import EASTDetection as EASTDetection
from .image_stages import FCEDetection as FCEDetection
from .image_stages import ImageStage as ImageStage
from .image_stages import PSEDetection as PSEDetection
from .image_stages import Resize as Resize
from .image_stages import SASTDetection as SASTDetection
from .page_stages import PageOrientation as PageOrientation
from .page_stages import PageStage as PageStage
from .page_stages import Unwarping as Unwarping
from .postprocess_settings import PGNetSettings
from .provenance import Accuracy, Origin
from .stage import Grey, Side, Step
from .stage import Stage as Stage
from .stage import Variant as Variant

# The schemas that this version reads. Every field that a newer schema adds has a default, so all
# schemas use these types. Freezing writes the oldest schema of `REQUIRES` that has all fields of a
# bundle, and the first edgeocr that reads it: edgeocr 0.1 wrote schema 1, schema 3 adds the
# `variants` of a stage, and the `loss` and the `weights` of an origin, schema 4 the `engines`, and
# schema 5 charsets with `ignored` classes or with an end but no begin, the `interpolation` of
# recognition, detection with PSE, FCE and CT, the rule "short" of `Resize`, and the stages that
# prepare a page.
SCHEMA = 5
OLDEST_SCHEMA = 1
REQUIRES = {2: "0.2.0", 3: "0.3.0", 4: "0.3.0", 5: "0.3.0"}


@dataclass(frozen=True, kw_only=True)
class CropStage(Stage):
    """Settings of the stages that see crops of text lines.

    Attributes:
        height: The height of the input in pixels.
        padding: The grey value that fills the input where the crop doesn't reach. In training, the
            networks saw zero there after normalization.
        batches: The only numbers of crops in a run, ascending, on execution providers that want a
            fixed set of shapes. An empty list means that there is no such set.
    """

    height: Side
    padding: Grey
    batches: list[Positive] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Orientation(CropStage):
    """Settings of the stage `orientation`, which finds crops that are not upright.

    The graph takes `crops` uint8 [N, height, width, 3] BGR and gives `probability` [N, classes].

    Attributes:
        width: The width of the input in pixels.
        degrees: The rotation of the crop that each class stands for, in multiples of 90.
        threshold: The least probability of its class at which a crop is turned.
        stretch: Whether crops are stretched to the input whatever their proportions, as PP-LCNet's
            classifiers want them, instead of padded.
    """

    algorithm: Literal["CLS"]
    width: Side
    degrees: list[Annotated[int, Range(-360, 360)]]
    threshold: Share
    stretch: bool = False


@dataclass(frozen=True)
class Charset:
    """The classes of a network that reads.

    Attributes:
        file: The name of a UTF-8 file in the bundle with one character per line. The characters
            take, in order, the classes that are not special.
        classes: The number of the network's classes, including special ones.
        blank: The special class of CTC, which means "no character here".
        begin: The special class of Attention and SRN that stands for the start of a text; None for
            networks with Attention that have no such class.
        end: The special class of Attention and SRN that stands for the end of a text.
        ignored: The special classes of Attention that stand for no character and don't end a text,
            such as padding.
    """

    file: str
    classes: Annotated[int, Range(2)]
    blank: Natural | None = None
    begin: Natural | None = None
    end: Natural | None = None
    ignored: list[Natural] = field(default_factory=list)

    @property
    def special(self) -> list[int]:
        """The classes that stand for no character, ascending."""
        numbers = (self.blank, self.begin, self.end, *self.ignored)
        return sorted(each for each in numbers if each is not None)

    @property
    def skipped(self) -> list[int]:
        """The classes of Attention and SRN that stand for no character and don't end a text."""
        return [*([] if self.begin is None else [self.begin]), *self.ignored]

    @property
    def schema(self) -> int:
        """The oldest schema that can say this, or the oldest that is still written."""
        without_begin = self.end is not None and self.begin is None
        return 5 if self.ignored or without_begin else min(REQUIRES)


@dataclass(frozen=True, kw_only=True)
class Recognition(CropStage):
    """Settings of the stage `recognition`, which reads the text line in each crop.

    The graph takes `crops` uint8 [N, height, W, 3] BGR and gives `indices` and `scores` [N, T].

    Attributes:
        min_width: The least width of the input in pixels.
        max_width: The width in pixels of the widest line that is read as a whole.
        margin: The least number of pixels by which the input is wider than the text, on the right:
            the networks were trained on lines that end before the picture does.
        multiple: Input widths are a multiple of this, the network's stride.
        charset: The network's classes.
        minimum_score: A line whose mean character score is lower is left out of a page.
        width: The only input width of a network that takes just one (those with a TPS, and SRN).
            A longer line is squeezed into it and a shorter one padded; `min_width`, `max_width` and
            `margin` don't matter then.
        stretch_widths: The widths to which a line is stretched whatever its proportions, ascending
            to `width`: the first that is at least as wide as the line, or the last (SRN).
        widths: The only input widths, ascending, on execution providers that want a fixed set of
            shapes; lines are padded to the next of them. An empty list means that there is no such
            set.
        visual_order: Whether the characters of right-to-left scripts come out as they stand in the
            picture from left to right, so that they have to be put into logical order.
        spaces: Whether the network has learned to read the spaces between words ("read"), or drops
            many of them ("found"; CTC only). Spaces are added where the pixels show them: far more
            in the second case. "kept" leaves them as the network read them.
        interpolation: How a line is resized to the input: as the network's training did it.
    """

    algorithm: Literal["CTC", "Attention", "SRN"]
    min_width: Side
    max_width: Side
    margin: Annotated[int, Range(0, limits.SIDE)]
    multiple: Step
    charset: Charset
    minimum_score: Share
    width: Side | None = None
    stretch_widths: list[Side] | None = None
    widths: list[Side] = field(default_factory=list)
    visual_order: bool = False
    spaces: Literal["read", "found", "kept"] = "read"
    interpolation: Literal["linear", "cubic", "lanczos"] = "linear"

    @property
    def schema(self) -> int:
        """The oldest schema that can say this, or the oldest that is still written."""
        return max(self.charset.schema, min(REQUIRES) if self.interpolation == "linear" else 5)


@dataclass(frozen=True, kw_only=True)
class Spotting(ImageStage):
    """Settings of the stage `spotting`, which detects and reads lines with one network.

    The graph takes `image` uint8 [N, H, W, 3] BGR and gives `tcl` [N, h, w], `border` [N, 4, h, w],
    `direction` [N, 2, h, w] and `characters` [N, classes, h, w].

    Attributes:
        charset: The network's classes.
    """

    algorithm: Literal["PGNet"]
    postprocess: PGNetSettings
    charset: Charset


@dataclass(frozen=True)
class Stages:
    """The stages of a bundle.

    A page goes through page orientation and unwarping if there are such stages; then through
    detection, orientation if there is one, and recognition, or through spotting. A bundle with only
    detection or only recognition can't read pages. The fields are the stages, None for those that
    the bundle doesn't have.
    """

    page_orientation: PageOrientation | None = None
    unwarping: Unwarping | None = None
    detection: Detection | None = None
    orientation: Orientation | None = None
    recognition: Recognition | None = None
    spotting: Spotting | None = None

    @property
    def present(self) -> dict[str, Stage]:
        """The stages that the bundle has, by name, in the order in which a page meets them."""
        return {name: stage for name, stage in vars(self).items() if stage is not None}

    @property
    def reading(self) -> Recognition | Spotting | None:
        """The stage that reads text and therefore has a charset."""
        return self.recognition or self.spotting


@dataclass(frozen=True)
class File:
    """The manifest's entry for one of the other files of the bundle.

    Attributes:
        sha256: The hash of the content, in hexadecimal.
        size: The number of bytes.
    """

    sha256: str
    size: Natural


@dataclass(frozen=True)
class Profile:
    """Settings for a class of devices, which apply where the caller sets nothing else.

    Attributes:
        name: The name of the profile, for example "raspberry-pi-4".
        threads: The number of CPU threads; None means as many as the process may keep busy.
        memory_limit: The most bytes that the process may hold; None sets no limit.
    """

    name: str
    threads: Positive | None = None
    memory_limit: Positive | None = None


@dataclass(frozen=True)
class Manifest:
    """A whole manifest.

    Attributes:
        schema: The version of the format, from `OLDEST_SCHEMA` to `SCHEMA`.
        name: The name of the bundle.
        description: What the bundle is for, in a sentence.
        stages: What the runtime must know about each stage.
        files: Hash and size of every file of the bundle except manifest and signature, by name.
        made_by: The versions of the programs that made the bundle, by name. For people only.
        provenance: Where each stage came from and what was done to it. For people only.
        requires: The oldest edgeocr that reads the bundle; empty in schema 1.
        profile: Settings for the class of devices that the bundle was made for.
        accuracy: What was measured when the bundle was frozen. For people only.
        variant_accuracy: The same for the stages' variants, by precision. For people only.
        engines: The kinds of devices that the bundle has TensorRT engines for. Each has a folder of
            files, see `engines.folder`.
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
    variant_accuracy: dict[str, Accuracy] = field(default_factory=dict)
    engines: list[EngineKey] = field(default_factory=list)

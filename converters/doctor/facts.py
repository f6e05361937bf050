"""The facts that `python -m converters doctor` collects, as dataclasses.

The names of the fields are the keys of `--json FILE`. What could not be found out is None or empty;
`Facts.faults` and `Facts.not_done` say why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..catalog.entries import Algorithm

# The error of an attempt that would change nothing.
UNCHANGED = "makes no change"


@dataclass(frozen=True)
class Folder:
    """What lies in the folder.

    Attributes:
        path: The folder.
        format: "paddle-legacy", "paddle-pir" or "onnx".
        files: The size in bytes of each file of the network, and of its inference.yml.
        written_by: The program that wrote the network, where the file states it.
        operators: How often each of Paddle's operators occurs.
    """

    path: str
    format: str
    files: dict[str, int]
    written_by: str | None = None
    operators: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """What kind of network it is.

    Attributes:
        name: Its name.
        task: The stage of a bundle that it is for.
        algorithm: How its outputs are decoded.
        known_by: How this is known.
        classes: The number of classes of its output; None if it doesn't read or leaves this open.
    """

    name: str
    task: str
    algorithm: Algorithm
    known_by: str
    classes: int | None


@dataclass(frozen=True)
class Listed:
    """A list of characters, compared with the network's classes.

    Attributes:
        source: The file.
        characters: How many characters it lists.
        special: The numbers of the blank class and of those that begin and end a text.
        space: Whether a class for the space follows the listed characters.
        space_assumed: Whether only the network's number of classes says so.
        classes: How many classes these make together.
        scripts: How many of its letters belong to each script, the most frequent first.
        twice: Characters that are listed more than once.
        white: Entries that are white space, as code points, with the numbers of their lines; an
            empty line is "empty".
        long: Entries that are longer than one character.
        byte_order_mark: Whether the file begins with one.
    """

    source: str
    characters: int
    special: dict[str, int]
    space: bool
    space_assumed: bool
    classes: int
    scripts: dict[str, int]
    twice: list[str]
    white: dict[str, list[int]]
    long: list[str]
    byte_order_mark: bool


@dataclass(frozen=True)
class Seen:
    """How the network sees a picture.

    Attributes:
        colour: The order of the channels.
        normalization: What is done to each pixel, in words.
        known_by: Where colour and normalization are known from.
        graph: The sizes of the graph's input, "?" for open ones.
        stated: The height and width that the settings state, in pixels; None for open ones.
        rule: How a picture is brought to its size, in words.
        multiple: The number of pixels that open sizes must be a multiple of.
    """

    colour: str
    normalization: str
    known_by: str
    graph: str
    stated: tuple[int | None, int | None]
    rule: str
    multiple: int


@dataclass(frozen=True)
class Compared:
    """A comparison of two graphs, or programs, that should compute the same.

    Attributes:
        what: What is compared.
        passed: Whether the differences are within their limits.
        words: The result, in words.
    """

    what: str
    passed: bool
    words: str


@dataclass(frozen=True)
class Beside:
    """The text of a picture of a line, as labelled and as read.

    Attributes:
        picture: The picture.
        label: The labelled text; None without labels.
        edgeocr: What edgeocr reads.
        score: How sure edgeocr is, from 0 to 1.
        paddle: What Paddle Inference reads with PaddleOCR's preparation; None if it wasn't run.
    """

    picture: str
    label: str | None
    edgeocr: str
    score: float
    paddle: str | None


@dataclass(frozen=True)
class Found:
    """How many regions are found in a picture.

    Attributes:
        picture: The picture.
        edgeocr: The regions that edgeocr finds.
        paddle: Those of Paddle Inference with PaddleOCR's preparation; None if it wasn't run.
        common: How many of them are at the place of one of edgeocr's; None if Paddle wasn't run.
        labelled: The labelled regions, without those marked as illegible; None without labels.
        matched: How many of these edgeocr finds; None without labels.
    """

    picture: str
    edgeocr: int
    paddle: int | None = None
    common: int | None = None
    labelled: int | None = None
    matched: int | None = None


@dataclass(frozen=True)
class Attempt:
    """A way to use the network that was tried on the pictures.

    Attributes:
        change: The cause of wrong readings that the attempt corrects, as a clause; "" for the
            folder's own settings.
        advice: What to do if this is the cause.
        score: The mean score of the readings, from 0 to 1.
        right: The number of pictures whose label is read exactly; None without labels.
        gained: How many of these are misread with the folder's own settings.
        lost: How many are misread, but read correctly with the folder's own settings.
        error: Why the network doesn't run in this way; None if it does.
    """

    change: str
    advice: str
    score: float = 0.0
    right: int | None = None
    gained: int = 0
    lost: int = 0
    error: str | None = None


@dataclass(frozen=True)
class Pictures:
    """What the network makes of the user's pictures.

    Attributes:
        source: The folder.
        labels: The format of the labels; None if there are none.
        number: How many pictures, or labelled lines of pictures, were used.
        left_out: How many others were not used.
        unknown: Characters of the labels that the dictionary lacks.
        lines: The readings of pictures of lines.
        regions: The regions that a detector finds.
        attempts: The ways in which the network was used, the folder's own first.
        best: The indices in `attempts` of those that together explain the labels best.
        explained: How many pictures are read correctly with all of these; None without
            labels, and for a detector.
    """

    source: str
    labels: str | None
    number: int
    left_out: int = 0
    unknown: str = ""
    lines: list[Beside] = field(default_factory=list)
    regions: list[Found] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    explained: int | None = None


@dataclass(frozen=True)
class Facts:
    """All facts.

    Attributes:
        folder: What lies in the folder.
        kind: What kind of network it is.
        listed: Its characters.
        seen: How it sees pictures.
        compared: The graphs beside each other and beside Paddle Inference.
        pictures: What it makes of the user's pictures.
        faults: What stopped a part of the examination: each says what is wrong and what to do.
        not_done: Parts that were left out, with the reason.
        same_classes: Published models with as many classes.
    """

    folder: Folder | None = None
    kind: Kind | None = None
    listed: Listed | None = None
    seen: Seen | None = None
    compared: list[Compared] = field(default_factory=list)
    pictures: Pictures | None = None
    faults: list[str] = field(default_factory=list)
    not_done: list[str] = field(default_factory=list)
    same_classes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as tables and lists."""
        return asdict(self)

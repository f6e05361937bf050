"""The user's pictures: lines to read, or pages to find lines in, with labels if there are any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from edgeocr import images
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.crops import Crop, crop_region
from edgeocr.errors import DatasetError, ImageError
from edgeocr.images import Image
from edgeocr.postprocess.geometry import enclosing
from edgeocr.results.lines import Region

from ..accuracy.datasets import folder as datasets
from ..accuracy.datasets.pictures import is_picture
from ..accuracy.labels import LabelledPages, LabelledWord, LabelledWords

# The most lines that are used: enough to tell causes apart, and read in a minute by a large network
# on a small machine.
MOST_LINES = 100
# The most pages that are used: a large detector takes seconds for each, and Paddle runs it three
# times.
MOST_PAGES = 10
T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """A picture of a line, or a labelled line of a picture.

    Attributes:
        name: The picture, with the number of the line if it is one of several.
        crop: The line.
        label: What it says; None without labels.
    """

    name: str
    crop: Crop
    label: str | None


@dataclass(frozen=True)
class Page:
    """A picture with lines.

    Attributes:
        name: The picture.
        image: The decoded picture.
        labels: Its labelled lines; None without labels.
    """

    name: str
    image: Image
    labels: Sequence[LabelledLine] | None


Item = TypeVar("Item", Line, Page)
# The name of a picture, and what decodes it.
Source: TypeAlias = tuple[str, Callable[[], Item]]


@dataclass(frozen=True)
class Material(Generic[Item]):
    """Those of the user's pictures that are used.

    Attributes:
        labels: The format of the labels; None if there are none.
        items: The lines or pages.
        left_out: How many others there are.
        unreadable: The names of pictures that should have been used but can't be read, each with
            the reason.
    """

    labels: str | None
    items: list[Item]
    left_out: int
    unreadable: list[str]


def lines(folder: Path) -> Material[Line]:
    """Return the lines to read: pictures of lines, or the labelled lines of pictures.

    Raises:
        DatasetError: There are no pictures, none can be read, or a label is wrong.
    """
    found: list[Source[Line]] = []
    kind = None
    for each in _datasets(folder):
        kind = each.kind
        if isinstance(each, LabelledWords):
            found += [(word.name, partial(_of_word, word)) for word in each.words]
        else:
            found += [
                (f"{path.name}, line {number}", partial(_of_page, path, number, label))
                for path, labelled in each.pictures.items()
                for number, label in enumerate(labelled, 1)
                if label.care and label.text
            ]
    if kind is None:
        found = [(path.name, partial(_of_picture, path)) for path in _pictures(folder)]
    return _decoded(folder, kind, found, MOST_LINES)


def pages(folder: Path) -> Material[Page]:
    """Return the pages to find lines in.

    Raises:
        DatasetError: There are no pictures, none can be read, a label is wrong, or the labels are
            of single lines.
    """
    found: list[Source[Page]] = []
    kind = None
    for each in _datasets(folder):
        kind = each.kind
        if isinstance(each, LabelledWords):
            raise DatasetError(
                folder, "these are pictures of single lines; a detector needs whole pages"
            )
        for path, labelled in each.pictures.items():
            found.append((path.name, partial(_page, path, labelled)))
    if kind is None:
        found = [(path.name, partial(_page, path, None)) for path in _pictures(folder)]
    return _decoded(folder, kind, found, MOST_PAGES)


def _decoded(
    folder: Path, kind: str | None, found: Sequence[Source[Item]], most: int
) -> Material[Item]:
    """Decode the pictures that are used; leave out those that can't be read."""
    chosen = _spread(found, most)
    items: list[Item] = []
    unreadable: list[str] = []
    for name, decode in chosen:
        try:
            items.append(decode())
        except ImageError as error:
            # What an error proposes after its colon is for reading with edgeocr.
            reason = str(error).removeprefix(f"{folder / name}: ").split(": ")[0]
            unreadable.append(f"{name}: {reason}")
    if not items:
        why = unreadable[0] if unreadable else "no label has a text"
        raise DatasetError(folder, f"no picture in it can be used ({why})")
    return Material(kind, items, len(found) - len(items), unreadable)


def _datasets(folder: Path) -> Sequence[LabelledPages | LabelledWords]:
    """Return the labelled sets of a folder; none if it has no labels in a known format."""
    if folder.is_file() and is_picture(folder):
        return []
    if folder.is_dir() and not any(kind.recognizes(folder) for kind in datasets.KINDS.values()):
        return []
    return datasets.read(folder)


def _pictures(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    found = sorted(path for path in folder.rglob("*") if path.is_file() and is_picture(path))
    if not found:
        raise DatasetError(folder, "there are no pictures in it")
    return found


def _spread(found: Sequence[T], most: int) -> Sequence[T]:
    """Return at most `most` of the sources, spread evenly over all of them."""
    if len(found) <= most:
        return found
    return [found[i * len(found) // most] for i in range(most)]


def _of_word(word: LabelledWord) -> Line:
    return _line(word.name, images.load(word.content()), word.text)


def _of_page(path: Path, number: int, label: LabelledLine) -> Line:
    return Line(f"{path.name}, line {number}", _cut(path, label), label.text)


def _of_picture(path: Path) -> Line:
    return _line(path.name, images.load(path), None)


def _page(path: Path, labels: Sequence[LabelledLine] | None) -> Page:
    return Page(path.name, images.load(path), labels)


def _line(name: str, image: Image, label: str | None) -> Line:
    height, width = image.shape[:2]
    return Line(Path(name).name, Crop(height, width, lambda: image), label)


def _cut(path: Path, label: LabelledLine) -> Crop:
    polygon = label.polygon.astype("float32")
    (quad,) = enclosing([polygon])
    return crop_region(images.load(path), Region(quad, 1.0, polygon))

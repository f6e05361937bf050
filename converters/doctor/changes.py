"""The common causes of wrong readings, each as a change to the way in which a network is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from edgeocr.bundle.manifest import Recognition

from ..catalog.entries import Normalize
from ..graph.interface import Interface
from ..model.families import HALF, IMAGENET
from ..model.page_yml import SCALED
from .ways import Apply, Way

# Heights in pixels that PaddleOCR's recognizers were trained with.
HEIGHTS = (32, 48, 64)
# The width in pixels that PaddleOCR's recognizers are trained with, by their height.
WIDTHS = {32: 320, 48: 320, 64: 256}
# Normalizations that networks are trained with, by what they make of the pixels, in words. The last
# one leaves pixels as they are.
NORMALIZATIONS: Mapping[str, Normalize] = {
    "normalized with mean and std 0.5": HALF,
    "normalized with ImageNet's mean and std": IMAGENET,
    "scaled to values from 0 to 1": SCALED,
    "left at values from 0 to 255": Normalize("BGR", [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], 1.0),
}


@dataclass(frozen=True)
class Change:
    """A common cause of wrong readings, and the change that corrects it.

    Attributes:
        group: What is changed; changes of the same group exclude each other.
        name: The cause, as a clause, such as "red and blue are swapped".
        advice: What to do if this is the cause.
        apply: Makes the change; returns None where it makes no difference or doesn't apply.
    """

    group: str
    name: str
    advice: str
    apply: Apply


def changes(
    interface: Interface, dictionaries: Mapping[str, tuple[str, ...]] | None = None
) -> list[Change]:
    """Return the changes to try, the likeliest first.

    Args:
        interface: The plain graph's interface.
        dictionaries: Further dictionaries: the character of each class, by the name of the file.
    """
    found = [*_dictionaries(dictionaries or {}), _blank(), *_shifts(), _space()]
    if interface.image.shape[1] != 1:
        found += [_colour(), *_normalizations()]
    if interface.image.shape[2] is None:
        found += [_height(height) for height in HEIGHTS]
    return [*found, *_widths(interface)]


def _dictionaries(given: Mapping[str, tuple[str, ...]]) -> Iterator[Change]:
    for name, symbols in given.items():

        def apply(way: Way, symbols: tuple[str, ...] = symbols) -> Way | None:
            return _other(way, replace(way, symbols=symbols))

        yield Change(
            "characters",
            f"the characters are those of {name}",
            f"pass --charset {name} to convert, or --dictionary {name} to freeze",
            apply,
        )


def _shifts() -> Iterator[Change]:
    for by, name, advice in (
        (
            1,
            "the dictionary has a line too many at its beginning",
            "look for a name of the blank, or an empty line, before the first character",
        ),
        (
            -1,
            "the dictionary lacks a line at its beginning",
            "take the file that the network was trained with",
        ),
    ):

        def apply(way: Way, by: int = by) -> Way | None:
            special = set(way.stage.charset.special)
            places = [k for k in range(len(way.symbols)) if k not in special]
            symbols = [""] * len(way.symbols)
            for place, k in enumerate(places):
                if 0 <= place + by < len(places):
                    symbols[k] = way.symbols[places[place + by]]
            return _other(way, replace(way, symbols=tuple(symbols)))

        yield Change("characters", name, advice, apply)


def _space() -> Change:
    def apply(way: Way) -> Way | None:
        """Let the last class that has no character be the space."""
        special = set(way.stage.charset.special)
        empty = [k for k, each in enumerate(way.symbols) if not each and k not in special]
        if not empty or " " in way.symbols:
            return None
        symbols = list(way.symbols)
        symbols[empty[-1]] = " "
        return replace(way, symbols=tuple(symbols))

    return Change(
        "space",
        "the last class is the space",
        "the network was trained with use_space_char: true; set it in inference.yml",
        apply,
    )


def _blank() -> Change:
    def apply(way: Way) -> Way | None:
        charset = way.stage.charset
        if charset.blank is None:
            return None
        last = charset.classes - 1
        characters = [each for k, each in enumerate(way.symbols) if k != charset.blank]
        blank = last if charset.blank == 0 else 0
        characters.insert(blank, "")
        stage = replace(way.stage, charset=replace(charset, blank=blank))
        return replace(way, stage=stage, symbols=tuple(characters))

    return Change(
        "blank",
        "the blank is the last class instead of the first",
        "the network was not trained by PaddleOCR's CTC, whose blank is class 0: move the last row "
        "of the weights of its last layer to the front before you export it",
        apply,
    )


def _colour() -> Change:
    def apply(way: Way) -> Way | None:
        if way.normalize.colour == "GREY":
            return None
        return replace(way, normalize=_swapped(way.normalize))

    return Change(
        "colour",
        "red and blue are swapped",
        "set DecodeImage.img_mode in inference.yml to the other order (BGR or RGB)",
        apply,
    )


def _swapped(normalize: Normalize) -> Normalize:
    """Swap red and blue; mean and std keep their order, as they do in PaddleOCR."""
    return replace(normalize, colour="RGB" if normalize.colour == "BGR" else "BGR")


def _normalizations() -> Iterator[Change]:
    for name, normalize in NORMALIZATIONS.items():

        def apply(way: Way, normalize: Normalize = normalize) -> Way | None:
            if way.normalize.colour == "GREY":
                return None
            found = replace(normalize, colour=way.normalize.colour)
            return _other(way, replace(way, normalize=found))

        yield Change(
            "normalization",
            f"pixels have to be {name}",
            f"set NormalizeImage in inference.yml to mean {normalize.mean}, std {normalize.std}, "
            f"scale {'1./255.' if normalize.scale != 1 else '1.'}",
            apply,
        )


def _height(height: int) -> Change:
    def apply(way: Way) -> Way | None:
        stage = way.stage
        scale = height / stage.height
        width = None if stage.width is None else round(stage.width * scale)
        least = round(stage.min_width * scale)
        changed = replace(stage, height=height, min_width=least, width=width)
        return _other(way, replace(way, stage=changed))

    return Change(
        "height",
        f"lines have to be {height} pixels high",
        f"set the height in RecResizeImg.image_shape of inference.yml to {height}",
        apply,
    )


def _widths(interface: Interface) -> Iterator[Change]:
    fixed = interface.image.shape[3]

    def stretched(way: Way) -> Way | None:
        stage = way.stage
        if stage.stretch_widths is not None and stage.stretch_widths == [stage.width]:
            return None
        width = fixed or stage.width or WIDTHS.get(stage.height, 320)
        return replace(way, stage=_fixed(stage, width, [width]))

    def padded(way: Way) -> Way | None:
        stage = way.stage
        if stage.stretch_widths is None:
            return None
        return replace(way, stage=replace(stage, stretch_widths=None))

    yield Change(
        "width",
        "every line has to be stretched to one width",
        "the network was trained with padding: False; set it in RecResizeImg of inference.yml",
        stretched,
    )
    yield Change(
        "width",
        "lines have to keep their proportions and be padded",
        "the network was trained with padding: True; set it in RecResizeImg of inference.yml",
        padded,
    )


def _fixed(stage: Recognition, width: int, stretched: list[int]) -> Recognition:
    return replace(
        stage, width=width, min_width=width, max_width=width, margin=0, stretch_widths=stretched
    )


def of_pictures(own: Normalize) -> Iterator[tuple[str, str, Normalize]]:
    """Yield the changes to a detector's input: the cause, what to do, and the normalization."""
    if own.colour == "GREY":
        return
    swapped = _colour()
    yield swapped.name, swapped.advice, _swapped(own)
    for normalize, change in zip(NORMALIZATIONS.values(), _normalizations(), strict=True):
        found = replace(normalize, colour=own.colour)
        if found != own:
            yield change.name, change.advice, found


def _other(way: Way, changed: Way) -> Way | None:
    return None if changed == way else changed

"""Folders of the trained CRNN that are wrong in one way, and words that it reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from converters.paddle.program import Program
from tests.support.paths import TRAINED_EXPORTS
from tests.trained import pages, words

CHARACTERS = list(pages.CAPITALS)
# Other words than those of the training.
SEED = 2026
Settings = dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A wrong folder.

    Attributes:
        what: What is wrong with it, in words.
        change: Changes the inference.yml.
        cause: A part of the sentence with which the cause is named.
        prepare: Changes the network in the folder, so that the setting matters.
        words: Draws the words and returns the labels of their pictures.
        arguments: Arguments of the command.
    """

    what: str
    change: Callable[[Settings], None]
    cause: str
    prepare: Callable[[Path], None] = lambda folder: None
    words: Callable[[Path, int], None] = lambda folder, number: draw(folder, number)
    arguments: Sequence[str] = ()


def right(folder: Path, prepare: Callable[[Path], None] = lambda folder: None) -> Path:
    """Write the folder as it was exported."""
    shutil.copytree(TRAINED_EXPORTS / "crnn", folder)
    prepare(folder)
    return folder


def wrong(folder: Path, case: Wrong) -> Path:
    """Write a wrong folder."""
    right(folder, case.prepare)
    file = folder / "inference.yml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    case.change(settings)
    file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")
    return folder


def draw(
    folder: Path,
    number: int,
    *,
    lengths: tuple[int, int] = (4, 7),
    label: Callable[[str], str] = str,
    colour: Callable[[words.Crop], words.Crop] = lambda crop: crop,
) -> None:
    """Draw words and write them with a rec_gt.txt."""
    folder.mkdir()
    rows = []
    for i, word in enumerate(words.clean(number, SEED, lengths)):
        cv2.imwrite(str(folder / f"{i:03}.png"), colour(word.crop))
        rows.append(f"{i:03}.png\t{label(word.text)}")
    (folder / "rec_gt.txt").write_text("\n".join(rows) + "\n", "utf-8")


def characters(listed: Sequence[str], **more: Any) -> Callable[[Settings], None]:
    """Return a change of the characters."""

    def change(settings: Settings) -> None:
        settings["PostProcess"] |= {"character_dict": list(listed), **more}

    return change


def preparation(**operators: Mapping[str, Any]) -> Callable[[Settings], None]:
    """Return a change of the preparation's operators, by name."""

    def change(settings: Settings) -> None:
        listed = settings["PreProcess"]["transform_ops"]
        for name, fields in operators.items():
            found = [item for item in listed if name in item]
            if found:
                found[0][name] |= fields
            else:
                listed.insert(1, {name: dict(fields)})

    return change


def sees_only_red(folder: Path) -> None:
    """Let the network look at the red of BGR alone, with the weight of all three channels."""

    def change(program: Program) -> None:
        first = next(op for op in program.operators if op.type == "conv2d")
        (name,) = first.input("Filter")
        weights = program.parameters[name]
        changed = np.zeros_like(weights)
        changed[:, 2] = weights.sum(axis=1)
        program.parameters[name] = changed

    _rewrite(folder, change)


def blank_is_last(folder: Path) -> None:
    """Let the blank be the network's last class."""

    def change(program: Program) -> None:
        classes = len(CHARACTERS) + 1
        for name, values in program.parameters.items():
            if values.shape[-1] == classes:
                program.parameters[name] = np.ascontiguousarray(np.roll(values, -1, axis=-1))

    _rewrite(folder, change)


def red_ink(crop: words.Crop) -> words.Crop:
    """Return a word in cyan on white, whose ink is dark in red alone."""
    grey = crop.min(axis=2)
    return np.stack([np.full_like(grey, 255), np.full_like(grey, 255), grey], axis=2)


def _rewrite(folder: Path, change: Callable[[Program], None]) -> None:
    files = folder / "inference.pdmodel", folder / "inference.pdiparams"
    program = Program.read(*files)
    change(program)
    program.write(*files)


SPACED = "Z"  # the character that stands for the space in the network with a class for it
CASES: dict[str, Wrong] = {
    "another first line": Wrong(
        "the dictionary lacks its first line, and has another one at its end",
        characters([*CHARACTERS[1:], "?"]),
        "lacks a line at its beginning",
    ),
    "a line too many": Wrong(
        "the dictionary has the blank's name in its first line, and lacks its last one",
        characters(["blank", *CHARACTERS[:-1]]),
        "a line too many at its beginning",
    ),
    "a missing line": Wrong(
        "the dictionary lacks the M, and has another character at its end",
        characters([*(each for each in CHARACTERS if each != "M"), "?"]),
        "lacks a line before class 23",
    ),
    "another order": Wrong(
        "the dictionary has the letters before the digits",
        characters(CHARACTERS[10:] + CHARACTERS[:10]),
        "or in another order",
    ),
    "small letters": Wrong(
        "the dictionary has small letters",
        characters("".join(CHARACTERS).lower()),
        "characters are capital letters",
    ),
    "no space": Wrong(
        "the network has a class for the space, use_space_char is false",
        characters(CHARACTERS[:-1]),
        "the last class is the space",
        words=lambda folder, number: draw(
            folder, 3 * number, label=lambda text: text.replace(SPACED, " ")
        ),
    ),
    "Arabic": Wrong(
        "the dictionary is one of 161 Arabic characters",
        characters([chr(0x600 + i) for i in range(0x20, 0x20 + 161)]),
        "it is another network's",
    ),
    "height 48": Wrong(
        "the height is that of another network",
        preparation(RecResizeImg={"image_shape": [3, 48, 320]}),
        "48 pixels in height, but the graph takes 32",
    ),
    "RGB": Wrong(
        "red and blue are swapped",
        preparation(DecodeImage={"img_mode": "RGB"}),
        "red and blue are swapped",
        prepare=sees_only_red,
        words=lambda folder, number: draw(folder, number, colour=red_ink),
    ),
    "scale 1": Wrong(
        "pixels are not divided by 255",
        preparation(
            NormalizeImage={"mean": [0.0] * 3, "std": [1.0] * 3, "scale": 1.0, "order": "hwc"}
        ),
        "have to be normalized with mean and std 0.5",
    ),
    "blank last": Wrong(
        "the network's blank is its last class",
        lambda settings: None,
        "the blank is the last class",
        prepare=blank_is_last,
    ),
}

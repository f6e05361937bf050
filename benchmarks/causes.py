"""Make folders that are wrong in one way each; show what that costs and what the doctor says."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from converters.catalog import entries as catalog
from converters.doctor.examination import examine_folder
from converters.doctor.reading import Request
from tests.support import wrong_folders
from tests.support.wrong_folders import CASES, Wrong

from . import machine

WORDS = 100
HEADER = (
    "| What is wrong | Right | Wrong | With the change | The doctor names it |\n"
    "|---|--:|--:|--:|---|"
)


@dataclass(frozen=True)
class Row:
    """A row of the table; its fields are the keys of the result file.

    Attributes:
        wrong: What is wrong with the folder.
        words: The number of words.
        right: The percentage of them that is read right with the sound folder.
        misread: The percentage that is read right with the wrong folder; None if it can't be used.
        explained: The percentage with the change that the doctor proposes; None if it was found
            without reading.
        cause: The sentence that names the cause; "" if none does.
    """

    wrong: str
    words: int
    right: float
    misread: float | None
    explained: float | None
    cause: str

    def __str__(self) -> str:
        """Return the row in Markdown."""
        figures = (
            "" if each is None else f"{each:.0f} %"
            for each in (self.right, self.misread, self.explained)
        )
        return f"| {self.wrong} | {' | '.join(figures)} | {'yes' if self.cause else 'no'} |"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Examine each wrong folder, and print the table."""
    rows = []
    print(HEADER)
    for case in CASES.values():
        rows.append(_row(case))
        print(rows[-1], flush=True)
    if options.json is not None:
        outcome = {"machine": machine.describe(), "rows": [asdict(row) for row in rows]}
        options.json.write_text(
            json.dumps(outcome, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def _row(case: Wrong) -> Row:
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as name:
        folder, pictures = Path(name), Path(name) / "words"
        case.words(pictures, WORDS)
        entries = catalog.load()
        # The sound folder has the same network with an inference.yml that fits it.
        expected = _share(
            Request(wrong_folders.right(folder / "right", case.prepare), pictures), entries
        )
        found = examine_folder(
            Request(wrong_folders.wrong(folder / "wrong", case), pictures), entries
        )
        shown = found.facts.pictures
        cause = next((each for each in found.problems if case.cause in each), "")
        misread = explained = None
        if shown is not None and shown.attempts[0].right is not None:
            misread = 100 * shown.attempts[0].right / shown.number
            if shown.best and shown.explained is not None:
                explained = 100 * shown.explained / shown.number
        # Only what doesn't depend on the temporary folder is recorded.
        return Row(
            case.what, WORDS, expected, misread, explained, cause.replace(f"{folder}/wrong/", "")
        )


def _share(request: Request, entries: catalog.Catalog) -> float:
    """Return the percentage that is read right with the changes that explain the labels."""
    shown = examine_folder(request, entries).facts.pictures
    assert shown is not None and shown.explained is not None
    return 100 * shown.explained / shown.number

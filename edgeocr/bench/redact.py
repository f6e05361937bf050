"""Remove folders from messages, so that a result that is published names no user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from .cell import Cell
from .result import BenchResult, SourceFailure


def published(result: BenchResult, names: Mapping[str, str], paths: Iterable[str]) -> BenchResult:
    """Return a result without any folder, so that it can be published.

    Args:
        result: The result; the failed pictures of its cells are named by their paths.
        names: The name of each picture, by its path.
        paths: Other paths that messages may contain.
    """
    known = [*names, *paths]

    def cell(each: Cell) -> Cell:
        if each.not_measured is not None:
            reason = without_folders(each.not_measured.reason, known)
            return replace(each, not_measured=replace(each.not_measured, reason=reason))
        assert each.measured is not None
        failed = [
            replace(one, image=names[one.image], error=without_folders(one.error, known))
            for one in each.measured.failed
        ]
        return replace(each, measured=replace(each.measured, failed=failed))

    bundles = {
        name: replace(
            bundle,
            reference=replace(
                bundle.reference, error=without_folders(bundle.reference.error, known)
            ),
        )
        if bundle.reference.error is not None
        else bundle
        for name, bundle in result.bundles.items()
    }
    failed = [
        SourceFailure(each.name, without_folders(each.error, known)) for each in result.failed
    ]
    return replace(
        result, bundles=bundles, cells=[cell(each) for each in result.cells], failed=failed
    )


def without_folders(text: str, known: Iterable[str] = ()) -> str:
    """Shorten absolute paths in a text to their last part.

    Args:
        text: A message.
        known: Paths to shorten even where they contain blanks, which no pattern can tell from the
            end of a path.

    Returns:
        The message with file names only.
    """
    for path in sorted({str(Path(each)) for each in known}, key=len, reverse=True):
        for spelling in (str(Path(path).absolute()), path):
            text = text.replace(spelling, Path(path).name or spelling)
    # Relative paths, words with a slash, and what follows the colon of a URL are kept.
    text = re.sub(r"(?<![\w./])(?!(?<=:)//)/(?:[^\s:'\",;()/]+/)+(?=[^\s/])", "", text)
    return re.sub(r"\b[A-Za-z]:\\(?:[^\s:'\",;()\\]+\\)+", "", text)

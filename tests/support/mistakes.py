"""Folders with the mistakes that users make, for the tests of `convert`."""

import re
from collections.abc import Callable
from pathlib import Path

READER = "PP-OCRv6_tiny_rec"  # 38 classes: 36 characters, the space and the blank
PLAIN_READER = "rec_mv3_none_none_ctc"  # 37 classes, no inference.yml
ATTENTION = "rec_mv3_tps_bilstm_att"  # 38 classes
FORMS = ("legacy", "pir")


def settings(folder: Path, change: Callable[[str], str]) -> Path:
    """Change the inference.yml of a folder, and return the folder."""
    path = folder / "inference.yml"
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    return folder


def without_characters(number: int) -> Callable[[str], str]:
    """Return a change that removes the last characters of a dictionary."""

    def change(text: str) -> str:
        found = re.search(r"(?<=character_dict:\n)(?:  - .*\n)+", text)
        assert found is not None
        kept = found[0].splitlines(keepends=True)[:-number]
        return text[: found.start()] + "".join(kept) + text[found.end() :]

    return change

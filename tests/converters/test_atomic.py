"""Files that are replaced as a whole."""

from pathlib import Path

import pytest

from converters.atomic import replacing


@pytest.mark.parametrize("before", [None, "old"])
def test_file_appears_once_it_is_complete(before: str | None, tmp_path: Path):
    path = tmp_path / "file.txt"
    if before is not None:
        path.write_text(before)
    with replacing(path) as partial:
        partial.write_text("new")
        assert (path.read_text() if path.exists() else None) == before
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_file_stays_as_it_was_if_writing_fails(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"), replacing(path) as partial:
        partial.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]

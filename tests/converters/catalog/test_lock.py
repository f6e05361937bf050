"""Test models.lock, the hashes of files whose publishers state none."""

import pytest

from converters.catalog.lock import Lock
from converters.errors import FetchError

A, B = "a" * 64, "b" * 64


def test_hashes_are_kept_by_url(tmp_path):
    lock = Lock(tmp_path / "models.lock")
    assert lock.get("https://x/a.tar") is None
    lock.remember("https://x/b.tar", B)
    lock.remember("https://x/a.tar", A)
    assert Lock(tmp_path / "models.lock").get("https://x/a.tar") == A
    assert lock.get("https://x/b.tar") == B
    lines = lock.path.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        f"{A}  https://x/a.tar",
        f"{B}  https://x/b.tar",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["models.lock"]


@pytest.mark.parametrize("line", ["abc  https://x", f"{A} https://x", f"{A}  two words", "<<<<<<<"])
def test_error_names_the_line_that_has_another_form(tmp_path, line):
    (tmp_path / "models.lock").write_text(f"# head\n\n{line}\n")
    with pytest.raises(FetchError, match=r"models\.lock, line 3: expected a sha256"):
        Lock(tmp_path / "models.lock").get("https://x")

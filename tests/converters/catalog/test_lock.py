"""Test models.lock, the hashes of files whose publishers state none."""

import pytest

from converters.catalog.lock import Lock
from converters.errors import FetchError
from tests.support import at_once

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


def test_no_line_is_lost_if_processes_write_at_once(tmp_path):
    code = "for i in range(20):\n    lock.remember(f'https://x/{sys.argv[1]}/{i}.tar', 'a' * 64)\n"
    imports = (
        "from pathlib import Path\n"
        "from converters.catalog.lock import Lock\n"
        "lock = Lock(Path(sys.argv[2]))"
    )
    at_once.run(4, imports, code, tmp_path / "models.lock")
    lock = Lock(tmp_path / "models.lock")
    missing = [
        f"{p}/{i}" for p in range(4) for i in range(20) if not lock.get(f"https://x/{p}/{i}.tar")
    ]
    assert missing == []
    assert [path.name for path in tmp_path.iterdir()] == ["models.lock"]


def test_hash_that_another_process_recorded_is_not_replaced(tmp_path):
    lock = Lock(tmp_path / "models.lock")
    lock.remember("https://x/a.tar", A)
    with pytest.raises(FetchError, match=rf"models\.lock: {A} is recorded for https://x/a\.tar"):
        lock.remember("https://x/a.tar", B)
    assert lock.get("https://x/a.tar") == A


def test_lock_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "models.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(FetchError, match=r"models\.lock: not UTF-8"):
        Lock(tmp_path / "models.lock").get("https://x")

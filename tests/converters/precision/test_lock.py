"""Test precision.lock, the nodes that were left out of int8 when they were first measured."""

import pytest

from converters.errors import PrecisionError
from converters.precision.lock import PrecisionLock
from tests.support import at_once


def test_no_choice_is_lost_if_processes_write_at_once(tmp_path):
    code = (
        "for i in range(10):\n"
        "    lock.remember(f'{sys.argv[1]}/{i}'.encode(), 'pictures', 'net', [f'node{i}'])\n"
    )
    imports = (
        "from pathlib import Path\n"
        "from converters.precision.lock import PrecisionLock\n"
        "lock = PrecisionLock(Path(sys.argv[2]))"
    )
    at_once.run(4, imports, code, tmp_path / "precision.lock")
    lock = PrecisionLock(tmp_path / "precision.lock")
    for process in range(4):
        for i in range(10):
            assert lock.get(f"{process}/{i}".encode(), "pictures") == [f"node{i}"]
    assert [path.name for path in tmp_path.iterdir()] == ["precision.lock"]


def test_choice_that_was_recorded_first_holds(tmp_path):
    lock = PrecisionLock(tmp_path / "precision.lock")
    assert lock.remember(b"graph", "pictures", "net", ["first"]) == ["first"]
    assert lock.remember(b"graph", "pictures", "net", ["second"]) == ["first"]
    assert lock.get(b"graph", "pictures") == ["first"]


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"a": 1}', '{"a": {"left_out": "node"}}', "[" * 100000]
)
def test_damaged_file_is_refused(tmp_path, text):
    (tmp_path / "precision.lock").write_text(text)
    with pytest.raises(PrecisionError, match=r"precision\.lock is damaged"):
        PrecisionLock(tmp_path / "precision.lock").get(b"graph", "pictures")

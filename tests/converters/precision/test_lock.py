"""Test precision.lock, the nodes that were left out of int8 when they were first measured."""

import pytest

from converters.errors import PrecisionError
from converters.precision.lock import Choice, PrecisionLock
from edgeocr.bundle.provenance import Interval, Loss
from tests.support import at_once


def test_no_choice_is_lost_if_processes_write_at_once(tmp_path):
    code = (
        "for i in range(10):\n"
        "    graphs = [f'{sys.argv[1]}/{i}'.encode()]\n"
        "    choice = Choice({'recognition': [f'node{i}']}, {})\n"
        "    lock.remember(graphs, 'pictures', 'net', choice)\n"
    )
    imports = (
        "from pathlib import Path\n"
        "from converters.precision.lock import Choice, PrecisionLock\n"
        "lock = PrecisionLock(Path(sys.argv[2]))"
    )
    at_once.run(4, imports, code, tmp_path / "precision.lock")
    lock = PrecisionLock(tmp_path / "precision.lock")
    for process in range(4):
        for i in range(10):
            found = lock.get([f"{process}/{i}".encode()], "pictures")
            assert found == Choice({"recognition": [f"node{i}"]}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["precision.lock"]


def test_choice_that_was_recorded_first_holds(tmp_path):
    lock = PrecisionLock(tmp_path / "precision.lock")
    loss = Loss("set", "0" * 64, 4, 20, 4, *[Interval(0.25, -0.5, 1.0)] * 3)
    first = Choice({"recognition": ["first"]}, {"recognition": loss, "all": loss})
    second = Choice({"detection": ["second"]}, {})
    assert lock.remember([b"graph"], "pictures", "net", first) == first
    assert lock.remember([b"graph"], "pictures", "net", second) == first
    assert lock.get([b"graph"], "pictures") == first
    assert lock.get([b"graph", b"other"], "pictures") is None
    assert lock.get([b"graph"], "others") is None


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"a": 1}',
        '{"a": {"left_out": {}}}',
        '{"a": {"left_out": {"recognition": "node"}, "losses": {}}}',
        '{"a": {"left_out": {}, "losses": {"all": {"data": "set"}}}}',
        "[" * 100000,
    ],
)
def test_damaged_file_is_refused(tmp_path, text):
    (tmp_path / "precision.lock").write_text(text)
    with pytest.raises(PrecisionError, match=r"precision\.lock is damaged"):
        PrecisionLock(tmp_path / "precision.lock").get([b"graph"], "pictures")

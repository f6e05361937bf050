"""Test that a campaign finds planted faults and goes on after them, and that all targets work."""

import importlib.util

import pytest

from edgeocr.errors import EdgeOCRError
from tests.fuzz import campaign, targets

ENGINES = [
    "mutation",
    pytest.param(
        "atheris",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("atheris") is None, reason="atheris is not installed"
        ),
    ),
]


@pytest.mark.stress
@pytest.mark.parametrize("engine", ENGINES)
def test_each_planted_fault_is_found(tmp_path, monkeypatch, engine):
    monkeypatch.setattr(campaign, "SECONDS", 1)
    done = campaign.run("planted", 150, 120, tmp_path, 0, engine)
    assert done >= 150  # atheris reads the inputs to begin with as well
    titles = {path.read_text().splitlines()[0] for path in tmp_path.glob("*.txt")}
    assert titles == {
        "planted: KeyError in planted.py, read",
        "planted: MemoryError in planted.py, read",
        "planted: ends the process with SIGABRT",
        "planted: takes more than 1 s",
    }
    assert all(path.with_suffix(".bin").read_bytes() for path in tmp_path.glob("*.txt"))


@pytest.mark.parametrize("name", targets.NAMES)
def test_inputs_to_begin_with_are_read_or_refused(name):
    target = targets.load(name)
    fine = 0
    for content in target.seeds()[:10]:
        try:
            target.read(content)
            fine += 1
        except EdgeOCRError:
            pass
    assert fine


def test_shares_are_those_of_all_targets():
    assert set(targets.SHARES) == set(targets.NAMES) and sum(targets.SHARES.values()) == 1000

"""The README's Python runs as it stands."""

import re
from pathlib import Path

import pytest

from converters.catalog import entries as catalog
from edgeocr import OCR

ROOT = Path(__file__).parent.parent


def test_the_example(monkeypatch, capsys, labels):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(example.splitlines()) <= 10
    monkeypatch.chdir(ROOT)
    exec(example, {})
    printed = capsys.readouterr().out
    assert all(line.text in printed for line in OCR().read("tests/images/sample.jpg").lines)
    assert "missing.jpg failed" in printed


@pytest.mark.parametrize("name", ["decoders", "shapes", "systems"])
def test_tables_are_the_results(name):
    table = (ROOT / "benchmarks" / "results" / f"{name}.md").read_text("utf-8")
    assert table in (ROOT / "README.md").read_text("utf-8")


def test_the_peers_are_the_results():
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = (ROOT / "benchmarks" / "results" / "peers.md").read_text("utf-8").splitlines()
    table = [row for row in rows if row.startswith("|")]
    assert len(table) > 5 and "\n".join(table) in readme


def test_the_profiles_are_those_of_the_catalogue():
    """What each sets stands in its row."""
    rows = [row.split("|") for row in (ROOT / "README.md").read_text("utf-8").splitlines()]
    of = {row[1].strip(" `"): "".join(row[2:]) for row in rows if len(row) > 3}
    for profile in catalog.load().profiles.values():
        row = of[profile.name]
        for value in (profile.memory_limit, profile.max_pixels, profile.threads):
            assert value is None or str(value) in row.replace(" ", "")
        for values in (profile.providers, profile.batches):
            assert values is None or ", ".join(map(str, values)) in row


def test_every_command_is_in_the_table():
    table = (ROOT / "README.md").read_text("utf-8")
    for command in (
        "read",
        "detect",
        "recognize",
        "warm",
        "bench",
        "doctor",
        "bundle show",
        "bundle verify",
        "bundle unpack",
        "bundle diff",
        "bundle keygen",
    ):
        assert f"| `edgeocr {command}" in table
    for command in ("list", "fetch", "convert", "freeze"):
        assert f"| `python -m converters {command}" in table
    for command in (
        "accuracy",
        "breakdown",
        "compare",
        "decoders",
        "pages",
        "peers",
        "regress",
        "shapes",
        "spikes",
        "systems",
    ):
        assert f"| `python -m benchmarks {command}" in table

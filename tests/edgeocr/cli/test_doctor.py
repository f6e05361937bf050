"""`edgeocr doctor` as a user types it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edgeocr.cli.main import main
from edgeocr.doctor import examination
from tests.support.machines import healthy_facts


def test_doctor_prints_findings_and_exits_with_1_for_problems(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = examination.conclude(healthy_facts())
    asked: list[str | None] = []

    def examine(bundle: str | None) -> examination.Examination:
        asked.append(bundle)
        return found

    monkeypatch.setattr(examination, "examine", examine)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("\nNo problems found.\n")
    found = replace(found, hints=["slow: hurry"])
    assert main(["doctor", "--bundle", "a.edgeocr"]) == 0
    assert capsys.readouterr().out.endswith("\nHints\n  - slow: hurry\n")
    found = replace(found, problems=["broken: fix it"])
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == ["broken: fix it"]
    assert asked == [None, "a.edgeocr", None]
    assert main(["doctor"]) == 1
    assert "\nProblems\n  - broken: fix it\n\nHints\n" in capsys.readouterr().out

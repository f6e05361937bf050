"""Capturing what native libraries write, without losing what others write meanwhile."""

from __future__ import annotations

import os
import tempfile

import pytest

from edgeocr.runtime.captured_output import captured_output


def test_output_of_a_failing_block_is_captured_and_dropped(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="error"), captured_output() as captured:
        os.write(2, b"native words\n")
        print("printed words")
        assert captured() == "native words\nprinted words\n"
        raise ValueError("error")
    os.write(2, b"after")
    assert capfd.readouterr() == ("", "after")


def test_output_of_a_block_that_succeeds_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_output():
        os.write(2, b"a log's line\n")
        print("printed words")
    assert capfd.readouterr() == ("printed words\n", "a log's line\n")


def test_only_stdout_is_captured_without_a_folder_for_temporary_files(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError("read-only")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with captured_output() as captured:
        os.write(2, b"native words")
        print("printed words")
        assert captured() == "printed words\n"
    assert capfd.readouterr().err == "native words"

"""What native libraries write is kept while a provider starts, and nobody else's words are lost."""

from __future__ import annotations

import os
import tempfile

import pytest

from edgeocr.runtime.captured_output import captured_words


def test_words_are_given_and_kept_when_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="error"), captured_words() as said:
        os.write(2, b"native words\n")
        print("printed words")
        assert said() == "native words\nprinted words\n"
        raise ValueError("error")
    os.write(2, b"after")
    assert capfd.readouterr() == ("", "after")


def test_words_of_others_come_when_nothing_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_words():
        os.write(2, b"a log's line\n")
        print("printed words")
    assert capfd.readouterr() == ("printed words\n", "a log's line\n")


def test_without_a_folder_for_temporary_files(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError("read-only")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with captured_words() as said:
        os.write(2, b"native words")
        print("printed words")
        assert said() == "printed words\n"
    assert capfd.readouterr().err == "native words"

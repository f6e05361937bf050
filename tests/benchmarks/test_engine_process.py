"""An engine in a process that stays open."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.engine_process import EngineError, EngineProcess
from tests.support.engines import REQUEST, SQUARE, stub_engine


def test_process_reads_pictures_until_it_is_told_to_end(tmp_path: Path) -> None:
    with EngineProcess(stub_engine(tmp_path), {**REQUEST, "packages": ["numpy"]}) as process:
        one, two = (process.read(Path(f"{name}.jpg")) for name in ("one", "zwölf"))
        ending = process.finish()
    assert [each["lines"] for each in (one, two)] == [
        [{"text": text, "polygon": SQUARE}] for text in ("one", "zwölf")
    ]
    assert one["wall_s"] < 1
    assert set(ending["versions"]) == {"numpy"}
    assert ending["peak_rss_mib"] is None or ending["peak_rss_mib"] > 1


def test_error_quotes_what_the_process_printed(tmp_path: Path) -> None:
    with EngineProcess(stub_engine(tmp_path), REQUEST) as process:
        with pytest.raises(EngineError) as error:
            process.read(Path("broken.jpg"))
        message = str(error.value)
        assert message.startswith("stub: the worker ended with exit code 1 and printed:")
        assert "loading small\n" in message
        assert message.endswith("this picture is broken")
        with pytest.raises(EngineError):
            process.read(Path("next.jpg"))


def test_leaving_ends_the_process(tmp_path: Path) -> None:
    with EngineProcess(stub_engine(tmp_path), REQUEST) as process:
        process.read(Path("one.jpg"))
        child = process._process
        assert child.poll() is None
    assert child.poll() is not None


def test_a_process_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with EngineProcess(stub_engine(tmp_path), REQUEST, 0.5) as process:
        with pytest.raises(EngineError, match=r"^stub: the worker did not finish within 0\.5 s$"):
            process.read(Path("endless.jpg"))
        assert process._process.poll() is not None

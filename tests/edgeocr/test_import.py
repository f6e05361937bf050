"""`import edgeocr` loads nothing heavy and offers its public names."""

from __future__ import annotations

import subprocess
import sys

import edgeocr

HEAVY = {"PIL", "cv2", "numpy", "onnx", "onnxruntime", "paddle", "pyclipper", "shapely", "yaml"}


def fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_importing_loads_nothing_heavy() -> None:
    loaded = fresh("import sys, edgeocr; print(*sorted(m.split('.')[0] for m in sys.modules))")
    assert "edgeocr" in loaded.split()
    assert not HEAVY & set(loaded.split())


def test_reading_needs_neither_onnx_nor_paddle_nor_pillow() -> None:
    loaded = fresh(
        "import sys, numpy, edgeocr\n"
        "edgeocr.OCR(provider='cpu').read(numpy.full((64, 64), 255, numpy.uint8))\n"
        "print(*sorted(m.split('.')[0] for m in sys.modules))"
    ).split()
    assert "onnxruntime" in loaded
    assert not {"PIL", "onnx", "paddle", "paddle2onnx", "yaml", "converters"} & set(loaded)


def test_reading_imports_nothing_that_it_does_not_need() -> None:
    loaded = fresh(
        "import sys, numpy, edgeocr\n"
        "edgeocr.OCR(provider='cpu').read(numpy.full((64, 64), 255, numpy.uint8))\n"
        "print(*sorted(sys.modules))"
    ).split()
    assert "edgeocr.runtime.session" in loaded
    # The embedded bundle's graphs are known, and nothing was tuned.
    unneeded = {"edgeocr.graphs.check", "edgeocr.tuned.record", "edgeocr.writers.pdf"}
    assert not (unneeded | {"subprocess", "tempfile"}) & set(loaded)


def test_every_public_name_can_be_imported() -> None:
    assert set(dir(edgeocr)) == set(edgeocr.__all__)
    for name in edgeocr.__all__:
        assert getattr(edgeocr, name) is not None
    assert not hasattr(edgeocr, "no_such_name")


def test_all_errors_are_edgeocr_errors() -> None:
    errors = [getattr(edgeocr, name) for name in edgeocr.__all__ if name.endswith("Error")]
    assert len(errors) > 5
    # Reading that was given up is what its caller wished, and no fault.
    assert [each for each in errors if not issubclass(each, edgeocr.EdgeOCRError)] == [
        edgeocr.StoppedError
    ]

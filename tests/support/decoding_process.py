"""Load image files in a process of its own, with a limit of memory, and measure what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

# The most bytes of addresses that the process may have.
MEMORY = 3 << 30
# Prints for each file, as JSON, the shape of its pixels or the error, and by how many bytes the
# physical memory of the process grew at most.
LOAD = """
import json, resource, sys, time
from pathlib import Path
asked = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (asked["memory"], asked["memory"]))
from edgeocr import EdgeOCRError, images
from edgeocr.decoding.limits import Limits
from edgeocr.memory.limit import release_unused
def held(name):
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) << 10 for row in rows if row.startswith(name))
images.load(asked["first"])
for path in asked["paths"]:
    release_unused()  # what glibc keeps would hide what is taken anew
    Path("/proc/self/clear_refs").write_text("5")
    before, start, shape, error = held("VmRSS"), time.monotonic(), None, None
    try:
        shape = images.load(path, limits=Limits(asked["pixels"])).shape
    except EdgeOCRError as raised:
        error = str(raised)
    except BaseException as raised:
        error = f"untyped: {raised!r}"
    print(json.dumps({"shape": shape, "error": error, "peak": held("VmHWM") - before,
                      "seconds": time.monotonic() - start}), flush=True)
"""


def load_all(paths: Sequence[Path], first: Path, *, pixels: int | None) -> list[Mapping[str, Any]]:
    """Load files one after the other.

    Args:
        paths: The files.
        first: A good picture, loaded before, so that what libraries allocate once is not measured.
        pixels: The limit of pixels.

    Returns:
        For each file "shape" or "error", "peak" in bytes, and "seconds".
    """
    asked = {
        "paths": [str(path) for path in paths],
        "first": str(first),
        "pixels": pixels,
        "memory": MEMORY,
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(asked)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(row) for row in done.stdout.splitlines()]

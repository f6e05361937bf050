"""Read pictures within a memory limit in a process of its own, and measure what it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Takes what is asked as JSON, and prints what was read, the peak and the budget as JSON.
READ = """
import json, os, resource, sys
from pathlib import Path
asked = json.loads(sys.argv[1])
if asked["rlimit"]:
    name, number = asked["rlimit"]
    resource.setrlimit(getattr(resource, name), (number, number))
if asked["cgroup"]:
    Path(asked["cgroup"], "cgroup.procs").write_text(str(os.getpid()))
from edgeocr import OCR, EdgeOCRError, MemoryLimitError, RuntimeOptions
def page(result):
    if isinstance(result, EdgeOCRError):
        return {"error": str(result), "needed": getattr(result, "needed", None)}
    quads = [line.quad.tolist() for line in result.lines]
    return {"text": result.text, "size": [result.width, result.height], "quads": quads}
try:
    runtime = RuntimeOptions(fixed_shapes=asked["fixed_shapes"])
    ocr = OCR(asked["bundle"], provider="cpu", threads=2, runtime=runtime,
              memory_limit=asked["limit"])
    results = list(ocr.read_many(asked["pictures"]))
    pages = [page(each) for each in results]
    budget = [ocr.memory_budget.run_bytes, ocr.memory_budget.picture_bytes]
    drawn = [ocr.draw(*pair).shape for pair in zip(asked["pictures"], results) if asked["draw"]]
except MemoryLimitError as error:
    pages, budget, drawn = [page(error)], None, []
rows = Path("/proc/self/status").read_text().splitlines()
peak = next(int(row.split()[1]) << 10 for row in rows if row.startswith("VmHWM"))
print(json.dumps({"pages": pages, "peak": peak, "budget": budget, "drawn": drawn}))
"""


def read_within(
    limit: int | str,
    bundle: Path,
    pictures: Sequence[str],
    *,
    rlimit: tuple[str, int] | None = None,
    cgroup: Path | None = None,
    fixed_shapes: bool | None = None,
    draw: bool = False,
) -> Mapping[str, Any]:
    """Read pictures with a new `OCR` in a new process.

    Args:
        limit: The memory limit of the `OCR`.
        bundle: Path of the bundle.
        pictures: Paths of the pictures.
        rlimit: Name and value in bytes of a limit that the system sets on the process.
        cgroup: Folder of the control group that the process joins.
        fixed_shapes: As in `RuntimeOptions`.
        draw: Also draw what was found.

    Returns:
        "pages": for each picture its text, size and quads, or its error and the bytes needed; if
        the bundle can't be opened, only that error. "peak": bytes of physical memory that the
        process held at most. "budget": bytes for runs and for pictures. "drawn": shapes of the
        drawings.
    """
    asked = {
        "limit": limit,
        "bundle": str(bundle),
        "pictures": list(pictures),
        "rlimit": rlimit,
        "cgroup": cgroup and str(cgroup),
        "fixed_shapes": fixed_shapes,
        "draw": draw,
    }
    done = subprocess.run(
        [sys.executable, "-c", READ, json.dumps(asked)],
        capture_output=True,
        text=True,
        # OpenBLAS reserves memory for each of its threads.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result

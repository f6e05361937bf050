"""The process that tries a bundle: it limits itself, runs the bundle and prints the result."""

from __future__ import annotations

import json
import math
from pathlib import Path

from ..bundle.bundle import Bundle
from ..errors import BundleError
from ..ocr import OCR
from ..runtime.options import RuntimeOptions
from ..stages.opening import import_libraries

PICTURE = Path(__file__).parents[1] / "samples" / "sample.jpg"
# Seconds of CPU time beyond the limit, so that the parent, which also counts waiting, ends the
# process first and this limit only matters if the parent is gone.
_GRACE = 2


def main(bundle: str, digest: str, seconds: float, memory: int) -> None:
    """Try a bundle and print one line of JSON, `{"error": null}` or `{"error": "the reason"}`.

    Args:
        bundle: Path of the bundle.
        digest: The digest that it had when the caller opened it.
        seconds: The most seconds of CPU time.
        memory: The most bytes of memory beside those that are in use by now.
    """
    error: str | None = None
    try:
        opened = Bundle.open(bundle)
        if opened.digest != digest:
            raise BundleError(f"{bundle}: the bundle was changed after it was opened")
        import_libraries(opened.manifest.stages)
        limit(seconds, memory)
        run(opened)
    except MemoryError as fault:
        error = f"MemoryError: {fault}"
    except Exception as fault:
        error = f"{type(fault).__name__}: {fault}"
    print()
    print(json.dumps({"error": error}))


def limit(seconds: float, memory: int) -> None:
    """Limit this process's CPU time, memory and files, where the system can."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return  # not Linux
    in_use = pages * resource.getpagesize()
    for name, value in (
        (resource.RLIMIT_AS, in_use + memory),
        (resource.RLIMIT_CPU, math.ceil(seconds) + _GRACE),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        highest = resource.getrlimit(name)[1]
        if highest != resource.RLIM_INFINITY:
            value = min(value, highest)
        resource.setrlimit(name, (value, value))


def run(bundle: Bundle) -> None:
    """Run every graph of a bundle once, and what follows the networks, on the CPU.

    Raises:
        EdgeOCRError: A stage doesn't open or doesn't run with one of its graphs.
    """
    stages = bundle.manifest.stages.present.values()
    if not any(stage.variants for stage in stages):
        run_variant(bundle, None)
    else:
        for variant in dict.fromkeys(name for stage in stages for name in stage.graphs):
            run_variant(bundle, variant)


def run_variant(bundle: Bundle, variant: str | None) -> None:
    """Run every stage once, with its graph of this name if it has several."""
    options = RuntimeOptions(variant=variant)
    with OCR(bundle, provider="cpu", threads=1, runtime=options) as ocr:
        ocr.warm_up()
        if "recognition" not in ocr.stages and "spotting" not in ocr.stages:
            if "detection" in ocr.stages:
                ocr.detect(str(PICTURE))
        elif "detection" not in ocr.stages and "spotting" not in ocr.stages:
            ocr.recognize([str(PICTURE)])
        else:
            ocr.read(str(PICTURE))

"""The process of a cell: it opens an `OCR` as it is told, and does what it is asked to.

Started as `python -m benchmarks.proof.child` by `cell_process`. Each line of the standard input is
a JSON object whose member "do" names a method of `Actions`; the other members are its arguments.
It is answered by `{"done": …}`, or by `{"error": …, "unavailable": …}` if it can't be done. This
module needs only what edgeocr needs, so it also runs in the environments of other versions of ONNX
Runtime.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeocr import OCR

# The modules whose packages affect results.
MODULES = ("onnxruntime", "numpy", "cv2")


def main() -> None:
    """Answer the requests of the standard input until it ends."""
    # Libraries print to file descriptor 1. The answers get a copy of it, and whatever libraries
    # print goes to standard error.
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(2, 1)
        from edgeocr.errors import EdgeOCRError, ProviderUnavailableError

        actions = Actions()
        for row in sys.stdin:
            request = json.loads(row)
            try:
                answer = {"done": getattr(actions, request.pop("do"))(**request)}
            except EdgeOCRError as error:
                unavailable = isinstance(error, ProviderUnavailableError)
                answer = {"error": str(error), "unavailable": unavailable}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


class Actions:
    """What the process can be asked to do."""

    def __init__(self) -> None:
        """Begin without an `OCR`."""
        self._opened: OCR | None = None
        self._pages: Iterator[NDArray[np.uint8]] | None = None

    @property
    def _ocr(self) -> OCR:
        assert self._opened is not None, "the first request is to open"
        return self._opened

    def open(
        self,
        bundle: str | None,
        provider: str,
        options: dict[str, dict[str, str]],
        fp16: bool,
        variant: str | None,
        fixed_shapes: bool | None,
        engines: str | None,
        threads: int | None,
    ) -> dict[str, Any]:
        """Open an `OCR`, and return how long that took and what each stage runs on."""
        begin = perf_counter()
        from edgeocr import OCR, RuntimeOptions

        self._opened = OCR(
            bundle,
            provider=provider,
            threads=threads,
            runtime=RuntimeOptions(
                provider_options=options,
                fp16=fp16,
                variant=variant,
                fixed_shapes=fixed_shapes,
                engine_cache=engines,
            ),
        )
        return {
            "seconds": perf_counter() - begin,
            "providers": self._ocr.providers,
            "skipped": list(self._ocr.skipped_providers),
        }

    def warm_up(self) -> float:
        """Warm up, and return how long that took."""
        begin = perf_counter()
        self._ocr.warm_up()
        return perf_counter() - begin

    def read(self, path: str) -> dict[str, Any]:
        """Read a picture, and return its lines and how long it took, also by stage."""
        begin = perf_counter()
        page = self._ocr.read(path)
        milliseconds = 1000 * (perf_counter() - begin)
        lines = [line.to_dict() for line in page.lines]
        return {"ms": milliseconds, "stages_ms": page.milliseconds, "lines": lines}

    def read_pages(self, number: int) -> list[float]:
        """Read the next pages of random sizes, and return the milliseconds of each."""
        from ..spikes import pages

        if self._pages is None:
            self._pages = pages(1 << 30)
        times = []
        for page in islice(self._pages, number):
            begin = perf_counter()
            self._ocr.read(page)
            times.append(1000 * (perf_counter() - begin))
        return times

    def record(self, pictures: Sequence[str], folder: str, most: int) -> dict[str, int]:
        """Read pictures, and keep what the networks are given.

        Args:
            pictures: Paths of the pictures.
            folder: Gets a file STAGE-NUMBER.npy, uint8 [N, H, W, 3], for each kept input.
            most: How many inputs to keep of each stage.

        Returns:
            How many inputs were kept of each stage.
        """
        import numpy as np

        seen: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in self._ocr.stages}
        for name, stage in self._ocr.stages.items():
            stage.session.observer = lambda batch, kept=seen[name]: kept.append(batch.copy())
        for picture in pictures:
            self._ocr.read(picture)
        for name, batches in seen.items():
            self._ocr.stages[name].session.observer = None
            # Evenly over all pictures, so that no picture has them all.
            places = np.linspace(0, len(batches) - 1, min(most, len(batches))).astype(int)
            seen[name] = [batches[place] for place in dict.fromkeys(places.tolist())]
            for number, batch in enumerate(seen[name]):
                np.save(Path(folder, f"{name}-{number}.npy"), batch)
        return {name: len(batches) for name, batches in seen.items()}

    def run_inputs(self, inputs: str, outputs: str) -> dict[str, int]:
        """Run the networks on recorded inputs, and keep the outputs.

        Args:
            inputs: The folder that `record` has filled.
            outputs: Gets a file STAGE-NUMBER.npz with all outputs of each run.

        Returns:
            How many inputs of each stage were run. Those of a shape that this provider isn't given
            are left out.
        """
        import numpy as np

        ran = {}
        for name, stage in self._ocr.stages.items():
            session, number = stage.session, 0
            for path in sorted(Path(inputs).glob(f"{name}-*.npy")):
                batch = np.load(path)
                if session.fixed_shapes and batch.shape not in session.shapes:
                    continue
                np.savez(Path(outputs, path.stem + ".npz"), *session.run(batch))
                number += 1
            ran[name] = number
        return ran

    def held(self, gpu: bool) -> dict[str, int | None]:
        """Return what the process holds: resident bytes, descriptors, threads, bytes of the GPU.

        Args:
            gpu: Whether to ask for the GPU's memory, which takes a process.
        """
        from edgeocr.bench.process_memory import gpu_bytes, peak_rss_bytes
        from edgeocr.memory.limit import release_unused, resident_bytes

        release_unused()
        return {
            "rss": resident_bytes(),
            "peak": peak_rss_bytes(),
            "descriptors": _entries("/proc/self/fd"),
            "threads": _entries("/proc/self/task"),
            "gpu": gpu_bytes() if gpu else None,
        }

    def versions(self) -> dict[str, str]:
        """Return the versions of the packages that affect results."""
        return versions()


def versions() -> dict[str, str]:
    """Return the versions of the installed packages that affect results."""
    from importlib.metadata import packages_distributions, version

    owners = packages_distributions()
    names = {name for module in MODULES for name in owners.get(module, ())}
    return {name: version(name) for name in sorted(names)}


def _entries(folder: str) -> int | None:
    """Return how many entries a folder has; None on systems without it."""
    path = Path(folder)
    return len(list(path.iterdir())) if path.is_dir() else None


if __name__ == "__main__":
    main()

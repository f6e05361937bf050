"""Where TensorRT's engines and timing caches are kept, and what they are good for.

An engine takes minutes to build and fits one graph, one kind of GPU and one version of each
library. So each such set has a folder of its own, whose name is a digest of all of these;
`key.json` in it says them in clear. A stage that has been warmed up has a file `STAGE.warm` there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import EdgeOCRError

SUFFIX = ".engines"
# Of a digest, in a folder's name.
DIGITS = 12


def place(bundle: Path, chosen: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder that holds engines: the chosen one, else `NAME.engines` beside a bundle
    `NAME.edgeocr` or NAME where that is, else one in the user's cache; None for a user without a
    home.
    """
    if chosen is not None:
        return Path(chosen)
    beside = bundle.parent / (bundle.name.removesuffix(".edgeocr") + SUFFIX)
    if beside.is_dir():
        return beside
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(cache) / "edgeocr" / "engines"


def any_of(place: Path, bundle: str) -> bool:
    """Whether there are engines of a bundle, for whatever GPU and versions."""
    return any(place.glob(f"{bundle[:DIGITS]}-*"))


def key(
    bundle: str, gpu: tuple[str, str], versions: Mapping[str, str], options: Any
) -> dict[str, Any]:
    """What engines depend on.

    bundle: the bundle's digest; it settles graphs and shapes.
    gpu: its name and compute capability.
    versions: of onnxruntime, cuda and tensorrt.
    options: the provider options that change the engine.
    """
    return {
        "bundle": bundle,
        "gpu": gpu[0],
        "compute": gpu[1],
        "versions": dict(sorted(versions.items())),
        "options": options,
    }


class Engines:
    """The folder of one key below `place`."""

    def __init__(self, place: Path, key: Mapping[str, Any]) -> None:
        text = json.dumps(key, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        gpu = re.sub(r"[^0-9A-Za-z]+", "-", str(key["gpu"])).strip("-").lower()
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.folder = place / f"{key['bundle'][:DIGITS]}-{gpu}-{digest[:DIGITS]}"
        self._text = text

    def prepare(self) -> Path:
        """Make the folder; raises `EdgeOCRError` where that can't be done."""
        if not (self.folder / "key.json").is_file():
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / "key.json").write_text(self._text, encoding="utf-8")
            except OSError as error:
                raise EdgeOCRError(
                    f"{self.folder}: TensorRT's engines can't be kept here ({error.strerror}): "
                    "choose another folder with cache= or --cache"
                ) from error
        return self.folder

    def is_warm(self, stage: str) -> bool:
        """Whether the stage's engines have been built."""
        return (self.folder / f"{stage}.warm").is_file()

    def mark_warm(self, stage: str) -> None:
        """Remember that the stage's engines have been built, where that can be written."""
        with suppress(OSError, EdgeOCRError):
            (self.prepare() / f"{stage}.warm").touch()

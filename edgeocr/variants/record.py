"""What was measured on a device, kept in a file beside the bundle or in the user's cache.

A record only says which graphs of a bundle run and which is faster. One that is missing, damaged,
of another device or out of date is ignored, and one that can't be written is done without.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..bundle.bundle import Bundle
from ..bundle.fields import FieldError, parse
from ..bundle.strict_json import decode
from ..device import machine
from ..device.cpus import has_bf16
from ..errors import EdgeOCRError
from ..outputs.replacement import write_file
from ..runtime.onnx_runtime import import_onnxruntime
from ..runtime.options import RuntimeOptions
from ..version import __version__
from .choice import Measurement

logger = logging.getLogger(__name__)

SCHEMA = 1
# The threads that a graph is measured on: lines are recognized on one each.
THREADS = 1
# Hexadecimal digits of a digest that are a part of a file's name.
DIGITS = 12
# A record of four stages with three graphs each has less than a kilobyte, or some of them if each
# graph fails: an error has at most 1000 characters.
MOST_BYTES = 1 << 16


@dataclass(frozen=True)
class Key:
    """Everything that what is measured depends on.

    Attributes:
        bundle: The bundle's digest.
        cpu: The name of the CPU or board.
        features: The CPU's features for int8 and float16, since Arm's CPUs may have no name.
        onnxruntime: The version of ONNX Runtime.
        edgeocr: The version of edgeocr, which sets the sessions' options.
        threads: The threads that a graph was measured on.
        bf16: Whether matrices are multiplied in bfloat16, where the CPU can do that.
        provider_options: The caller's options for the provider "cpu".
    """

    bundle: str
    cpu: str
    features: list[str]
    onnxruntime: str
    edgeocr: str
    threads: int
    bf16: bool
    provider_options: dict[str, str]

    @classmethod
    def of_this_device(cls, bundle: str, options: RuntimeOptions) -> Key:
        """Return the key for a bundle's digest and a caller's options on this device."""
        given = options.provider_options.get("cpu", {})
        return cls(
            bundle=bundle,
            cpu=machine.describe().cpu,
            features=[name for name, has in machine.cpu_features().items() if has],
            onnxruntime=import_onnxruntime().__version__,
            edgeocr=__version__,
            threads=THREADS,
            bf16=options.bf16 and has_bf16(),
            provider_options={name: str(given[name]) for name in sorted(given)},
        )

    @property
    def name(self) -> str:
        """The beginning of a digest of the key, which tells files of several devices apart."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True)
class Record:
    """The content of a file.

    Attributes:
        schema: The version of the file's format.
        key: What the rest depends on.
        stages: What was measured, by stage.
    """

    schema: int
    key: Key
    stages: dict[str, Measurement]


def paths(bundle: Path, key: Key) -> Iterator[Path]:
    """Yield where a record may be: beside the bundle, and in the user's cache.

    Nothing is kept beside the bundle that comes with the package.
    """
    if bundle.name in ("", ".."):  # the working folder, for one: a record in it would damage it
        bundle = bundle.resolve()
    if bundle != Bundle.default_path():
        yield bundle.parent / f"{bundle.name.removesuffix('.edgeocr')}.variants-{key.name}.json"
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # a user without a home folder
        return
    yield Path(cache) / "edgeocr" / "variants" / f"{key.name}.json"


def load(bundle: Path, key: Key) -> tuple[Path, dict[str, Measurement]] | None:
    """Return what was measured with a key, by stage, and its file; None without a usable record."""
    for path in paths(bundle, key):
        try:
            if not path.is_file():
                continue
            with path.open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
            record = parse(Record, decode(content, path.name))
        except (OSError, EdgeOCRError, FieldError) as error:
            logger.info("%s is ignored: %s", path, error)
            continue
        times = [time for each in record.stages.values() for time in each.milliseconds.values()]
        if (
            len(content) <= MOST_BYTES
            and record.schema == SCHEMA
            and record.key == key
            and all(math.isfinite(time) and time > 0 for time in times)
        ):
            return path, record.stages
        logger.info("%s is ignored: it isn't a record of this bundle on this device", path)
    return None


def save(bundle: Path, key: Key, stages: Mapping[str, Measurement]) -> Path | None:
    """Keep what was measured, by stage, at the first place that can be written to.

    Returns:
        The file; None if there is no such place.
    """
    record = Record(SCHEMA, key, dict(stages))
    content = (json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n").encode()
    for path in paths(bundle, key):
        try:
            if path.parent != bundle.parent:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, content)
        except (OSError, EdgeOCRError) as error:
            logger.info("what was measured can't be kept: %s", error)
        else:
            return path
    return None

"""The digest of a bundle, compared with the one that a caller expects, and that of its graphs.

A bundle's digest is the sha256 of the bytes of manifest.json, in hexadecimal. The manifest contains
the sha256 of every other file that is used, so the digest stands for all of them, and it is the
same for a bundle as a folder and as a file. It doesn't cover signature.json, which signs the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from ..errors import BundleError
from .manifest import File, ImageStage, Stage

# The fields of a stage for crops that its input shapes follow from.
SHAPE_FIELDS = ("batches", "height", "width", "widths")


def normalized(digest: str) -> str:
    """Check a digest that a caller gives, and return it in lower case.

    Raises:
        TypeError: It is not a str.
        ValueError: It doesn't have 64 hexadecimal digits.
    """
    if not isinstance(digest, str):
        raise TypeError(f"a digest must be a str, not {type(digest).__name__}")
    if not re.fullmatch("[0-9a-fA-F]{64}", digest):
        raise ValueError(
            f"a digest has 64 hexadecimal digits, as `edgeocr bundle verify` prints them, "
            f"unlike {digest[:80]!r}"
        )
    return digest.lower()


def check_digest(actual: str, expected: str) -> None:
    """Check that a bundle has the expected digest, in lower case.

    Raises:
        BundleError: It has another one.
    """
    if actual != expected:
        raise BundleError(
            f"not the expected bundle: its digest is {actual}, but {expected} is expected"
        )


def graphs_digest(stages: Mapping[str, Stage], files: Mapping[str, File]) -> str:
    """Compute the digest of what TensorRT engines are built from: graphs and input shapes.

    Unlike the bundle's digest it stays the same when engines are added to the bundle.

    Args:
        stages: The bundle's stages by name, with the input shapes that a caller leaves of theirs.
        files: The bundle's files by name.

    Returns:
        A sha256 in hexadecimal.
    """
    built_from = {
        name: {
            "graphs": {each: files[graph].sha256 for each, graph in stage.graphs.items()},
            "shapes": (
                stage.resize.sizes
                if isinstance(stage, ImageStage)
                else {field: getattr(stage, field, None) for field in SHAPE_FIELDS}
            ),
        }
        for name, stage in stages.items()
    }
    return hashlib.sha256(json.dumps(built_from, sort_keys=True).encode()).hexdigest()

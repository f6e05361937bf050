"""Compare the digest of a bundle with the one that a caller expects.

A bundle's digest is the sha256 of the bytes of manifest.json, in hexadecimal. The manifest contains
the sha256 of every other file that is used, so the digest stands for all of them, and it is the
same for a bundle as a folder and as a file. It doesn't cover signature.json, which signs the same
bytes.
"""

from __future__ import annotations

import re

from ..errors import BundleError


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

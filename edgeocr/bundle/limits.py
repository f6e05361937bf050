"""What a bundle may hold at most, so that opening one takes bounded memory and time.

All limits are far above what real bundles need: the largest manifest so far has 9 kB, the largest
charset 18 708 characters and 75 kB, and the largest graph of a bundle of models.toml has 21.1 MB.
docs/bundle-format.md states them.
"""

from __future__ import annotations

import re

from ..errors import BundleError

# The number of files, manifest and signature included, and the bytes of a file's name.
FILES = 1000
NAME_BYTES = 255
# Sizes in bytes: of the manifest, the signature, a graph, the file with the characters, any other
# file such as a licence, a file of TensorRT's engines, and a whole bundle, packed or not.
MANIFEST_BYTES = 256 << 10
SIGNATURE_BYTES = 1 << 12
GRAPH_BYTES = 1 << 30
CHARSET_BYTES = 4 << 20
OTHER_BYTES = 16 << 20
ENGINE_BYTES = 1 << 30
BUNDLE_BYTES = 2 << 30
# The kinds of devices that a bundle may have TensorRT engines for.
ENGINE_DEVICES = 64
# In the manifest: levels of nesting, characters of a string, and the absolute value of an integer,
# up to which every JSON reader is exact (RFC 8259, section 6).
NESTING = 16
STRING = 4096
INTEGER = (1 << 53) - 1
# The code points of one character of the charset; the longest character of a published dictionary
# has 13.
CHARACTER = 64
# A side of a network's input, the step between its sides, and the pixels of an input, over all
# pictures or crops in it; and the points that a decoder samples on a center line.
SIDE = (1 << 15) - 1
STEP = 1 << 10
INPUT_PIXELS = 1 << 27
POINTS = 1000

# Characters that no string of a bundle may have, because they steer a terminal or change the order
# in which the text around them is shown: C0 without tab and line feed, DEL, C1, and the
# embeddings, overrides and isolates of the bidirectional algorithm; also lone surrogates, which
# can't be written as UTF-8. Joiners, soft hyphens, zero-width spaces, directional marks and the
# ideographic space are in published dictionaries and are allowed.
STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def check_number(count: int) -> None:
    """Check the number of files, or of folders.

    Raises:
        BundleError: There are too many.
    """
    if count > FILES:
        raise BundleError(f"more than {FILES} files or folders: a bundle has no more")


def check_size(name: str, size: int, most: int) -> None:
    """Check the number of bytes of a file.

    Raises:
        BundleError: There are more than `most`.
    """
    if size > most:
        raise BundleError(f"{name} has {size} bytes; {most} are allowed")


def check_total(size: int) -> None:
    """Check the number of bytes of a whole bundle.

    Raises:
        BundleError: There are too many.
    """
    if size > BUNDLE_BYTES:
        raise BundleError(
            f"{size / (1 << 30):.1f} GiB: a bundle has no more than {BUNDLE_BYTES >> 30} GiB"
        )

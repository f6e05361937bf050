"""Read the characters of a bundle: the text that each class of its network stands for."""

from __future__ import annotations

from ..errors import BundleError
from . import limits
from .manifest import Charset


def characters(charset: Charset, content: bytes) -> list[str]:
    """Return the text of each class, in class order; empty for special classes.

    Args:
        charset: What the manifest says about the classes.
        content: The charset's file.

    Raises:
        BundleError: The file is not UTF-8, its characters don't make the network's classes, or one
            of them is too long or would steer a terminal that prints it.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"{charset.file} is not UTF-8: {error}") from None
    found = text.removesuffix("\n").split("\n")
    if steering := limits.STEERING.search(text):
        line = text.count("\n", 0, steering.start()) + 1
        raise BundleError(
            f"{charset.file}: line {line} has the control character U+{ord(steering[0]):04X}, "
            "which texts must not have"
        )
    if longest := next((each for each in found if len(each) > limits.CHARACTER), None):
        raise BundleError(
            f"{charset.file}: {longest[:20]!r}… has {len(longest)} code points; a character has "
            f"{limits.CHARACTER} at most"
        )
    count = len(found)
    if count + len(charset.special) != charset.classes:
        raise BundleError(
            f"{charset.file}: {count} characters and {len(charset.special)} special classes don't "
            f"make the {charset.classes} classes of the network"
        )
    special, each = set(charset.special), iter(found)
    return ["" if number in special else next(each) for number in range(charset.classes)]

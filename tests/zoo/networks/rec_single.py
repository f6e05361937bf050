"""What the recognizers of single words have in common: inference.yml and the classes."""

from __future__ import annotations

import string
from typing import Any

CHARACTERS = string.digits + string.ascii_lowercase
# The formats beside which their inference.yml is kept.
FORMATS = ("legacy", "pir")


def settings(
    decoder: str,
    encoder: dict[str, Any],
    resize: dict[str, Any],
    characters: list[str] | None = None,
    *,
    colour: str = "BGR",
    keys: tuple[str, ...] = ("image", "label", "length"),
) -> dict[str, Any]:
    """Return the inference.yml that PaddleOCR writes beside a recognizer of single words.

    Args:
        decoder: The name of the post-processing.
        encoder: The transform that encodes labels, with its settings.
        resize: The transform that resizes pictures, with its settings.
        characters: Content of the dictionary; None if the configuration names no dictionary, which
            stands for digits and lower-case letters.
        colour: The order of the channels in which pictures are loaded.
        keys: What the pipeline of the training keeps.
    """
    post: dict[str, Any] = {"name": decoder}
    if characters is not None:
        post["character_dict"] = characters
    decode = {"DecodeImage": {"img_mode": colour, "channel_first": False}}
    transforms = [decode, encoder, resize, {"KeepKeys": {"keep_keys": list(keys)}}]
    return {"PreProcess": {"transform_ops": transforms}, "PostProcess": post}

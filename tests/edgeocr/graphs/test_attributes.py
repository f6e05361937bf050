"""The limits of a node's attributes."""

from __future__ import annotations

import pytest

from edgeocr.graphs.attributes import problem
from edgeocr.graphs.limits import MAX_TEXT


@pytest.mark.parametrize("text", [b"x" * MAX_TEXT, b"\xff" * MAX_TEXT, b"'" * MAX_TEXT])
def test_a_text_may_be_as_long_alone_as_in_a_list(text: bytes) -> None:
    assert problem("mode", text) == problem("activations", (text, text)) == ""
    for longer in (text + b"x", (text, text + b"x")):
        assert "out of its range" in problem("activations", longer)

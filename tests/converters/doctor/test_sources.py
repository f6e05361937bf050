"""What the doctor says about a network's input."""

from __future__ import annotations

import typing

import pytest

from converters.doctor import sources
from edgeocr.bundle.image_stages import Resize


@pytest.mark.parametrize("limit", typing.get_args(typing.get_type_hints(Resize)["limit"]))
def test_every_rule_of_a_detector_names_the_side_that_it_scales(limit):
    said = sources.rule({"resize": {"limit": limit, "limit_side": 640, "max_pixels": 3200000}})

    assert "640 pixels" in said
    assert any(side in said for side in ("the short side", "the long side", "the height"))

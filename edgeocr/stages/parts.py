"""Divide regions that run over several columns of text or cells of a table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..crops import Crop
from ..postprocess.geometry import Float32, enclosing
from ..results.lines import Reading, Region

# The number of points on each of the two long sides of a curved part's polygon.
PLACES = 7


def parts_of(
    region: Region, crop: Crop, reading: Reading
) -> Iterator[tuple[Region, Crop, Reading]]:
    """Yield the parts of a region: the region, the crop and the reading of each.

    Args:
        region: The region.
        crop: The crop in which it was read, turned or not.
        reading: What was read in the crop. If it has no parts, the region stays as it is.
    """
    if not reading.parts:
        yield region, crop, reading
    for part in reading.parts:
        place = _outlined(region, crop, part.begin, part.end)
        yield place, crop.part(part.begin, part.end), part.reading


def _outlined(region: Region, crop: Crop, begin: int, end: int) -> Region:
    """Return the region of some columns of a crop."""
    columns = np.linspace(begin, end, PLACES if crop.curved else 2, dtype=np.float32)
    upper, lower = (
        crop.in_image(np.stack([columns, np.full_like(columns, y)], axis=1))
        for y in (0, crop.height)
    )
    outline = np.concatenate([upper, lower[::-1]])
    quad = enclosing([outline])[0] if crop.curved else outline
    polygon = None if region.polygon is None else outline
    return Region(_begun_like(quad, region.quad), region.score, polygon)


def _begun_like(quad: Float32, other: Float32) -> Float32:
    """Return a quad that begins at the same corner as another one of about the same direction."""
    sides = np.roll(quad, -1, axis=0) - quad
    top = other[1] - other[0] + other[2] - other[3]
    return np.roll(quad, -int(np.argmax(sides @ top)), axis=0)

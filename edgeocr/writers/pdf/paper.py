"""How large the page of a picture is."""

from __future__ import annotations

POINTS_PER_INCH = 72
# DEFAULT is the number of pixels per inch of a picture whose file states none. Cameras and
# screenshot programs write 72 or 96 without having measured anything, so a resolution below LEAST
# counts as not stated.
DEFAULT, LEAST, MOST = 150.0, 100.0, 4800.0
# Rows of a fax are half as dense as its columns, so one of the two may be below LEAST.
LEAST_OF_BOTH = 50.0
# The longest and the shortest side of a page that PDF readers accept, in points (ISO 32000-1,
# annex C).
LONGEST, SHORTEST = 14_400.0, 3.0


def size_in_points(
    width: int, height: int, resolution: tuple[float, float] | None
) -> tuple[float, float]:
    """Return the width and height of a page in points.

    Args:
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        resolution: Pixels per inch across and down the picture, as its file says; None if it
            doesn't say it.
    """
    across, down = resolution if _is_credible(resolution) and resolution else (DEFAULT, DEFAULT)
    sides = width * POINTS_PER_INCH / across, height * POINTS_PER_INCH / down
    factor = min(1.0, LONGEST / max(sides))
    return max(SHORTEST, sides[0] * factor), max(SHORTEST, sides[1] * factor)


def _is_credible(resolution: tuple[float, float] | None) -> bool:
    if resolution is None:
        return False
    low, high = sorted(resolution)
    return low >= LEAST_OF_BOTH and LEAST <= high <= MOST

"""What the maps of detectors show: words, arcs, smooth noise, and stored outputs of tests/zoo."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.paths import ZOO_EXPORTS
from tests.zoo.inputs import stored

Float32 = NDArray[np.float32]


def words(seed: int, number: int, height: int, width: int) -> Float32:
    """Return quads [N, 4, 2] of words, slightly turned and tapered, none of which overlap."""
    random = np.random.RandomState(seed)
    quads = []
    for center, cell in _grid(number, height, width):
        size = cell * random.uniform([0.5, 0.3], [0.8, 0.6])
        angle = np.deg2rad(random.uniform(-12, 12))
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * size
        corners *= random.uniform(0.9, 1, (4, 2))
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        quads.append(corners @ turn + center)
    return np.array(quads, np.float32)


def arcs(seed: int, number: int, height: int, width: int, points: int = 7) -> Float32:
    """Return polygons [N, 2 · points, 2] of words along arcs of up to 110 degrees.

    A polygon follows the upper side in reading direction and the lower side back. A fifth of the
    words are upside down.
    """
    random = np.random.RandomState(seed)
    polygons = []
    for center, cell in _grid(number, height, width):
        turn = np.deg2rad(random.uniform(30, 110)) * random.choice([-1, 1])
        radius = cell[0] * random.uniform(0.35, 0.42) / np.sin(abs(turn) / 2)
        thickness = min(cell[1] * random.uniform(0.22, 0.3), radius / 2)
        angles = np.linspace(-turn / 2, turn / 2, points)
        sign = np.sign(turn)
        middle = radius * (1 + np.cos(turn / 2)) / 2

        def side(reach: float, angles: NDArray[np.float64] = angles) -> NDArray[np.float64]:
            return np.stack([reach * np.sin(angles), -reach * np.cos(angles)], 1)

        outer, inner = (side(radius + offset * thickness / 2) for offset in (1, -1))
        upper, lower = (outer, inner) if sign > 0 else (-inner, -outer)
        shift = [0, middle] if sign > 0 else [0, -middle]
        polygon = np.concatenate([upper, lower[::-1]]) + shift
        if random.uniform() < 0.2:
            polygon = -polygon
        polygons.append(polygon + center)
    return np.array(polygons, np.float32)


def texts(seed: int, number: int, characters: str) -> list[str]:
    """Return words of 3 to 6 characters, some with the same character twice in a row."""
    random = np.random.RandomState(seed)
    found = []
    for _ in range(number):
        word = random.choice(list(characters), random.randint(3, 7))
        word[1] = word[random.randint(2)]
        found.append("".join(word))
    return found


def field(random: np.random.RandomState, channels: int, height: int, width: int) -> Float32:
    """Return smooth noise [height / 4, width / 4, channels] of about unit variance."""
    coarse = random.standard_normal((height // 32 + 2, width // 32 + 2, channels))
    size = width // 4, height // 4
    smooth = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return smooth.astype(np.float32).reshape(*size[::-1], channels)


def score_field(random: np.random.RandomState, height: int, width: int) -> Float32:
    """Return scores [height / 4, width / 4] between 0 and 1 that change smoothly."""
    score = 1 / (1 + np.exp(-3 * field(random, 1, height, width)[..., 0]))
    return np.asarray(score, np.float32)


def quad_field(
    random: np.random.RandomState,
    height: int,
    width: int,
    half_size: tuple[float, float],
    noise: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return quads whose size and shape change smoothly from pixel to pixel.

    Args:
        random: The random numbers.
        height: Height of the picture.
        width: Width of the picture.
        half_size: Half of a quad's usual width and height.
        noise: By how much its corners stray.

    Returns:
        Half of each quad's width and height [height / 4, width / 4, 2], and the offsets to the
        pixel from the corners [height / 4, width / 4, 8]: x and y of each, clockwise from the top
        left.
    """
    half = np.exp(0.4 * field(random, 2, height, width)) * half_size
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    offsets = (half[:, :, None] * signs).reshape(*half.shape[:2], 8)
    return half, offsets + noise * field(random, 8, height, width)


def of_zoo(network: str) -> Iterator[dict[int, Float32]]:
    """Yield the maps that Paddle Inference returned for a network of tests/zoo.

    Each run gives the maps of its first picture by their number of channels.
    """
    for _, outputs in stored(ZOO_EXPORTS / network / "outputs.npz"):
        yield {output.shape[1]: output[0] for output in outputs}


def rounded(array: NDArray[np.floating], digits: int = 3) -> Float32:
    """Round so that every version of NumPy and OpenCV gives the same."""
    return np.round(array, digits).astype(np.float32)


def _grid(number: int, height: int, width: int) -> list[tuple[Float32, Float32]]:
    """Return center and size (x, y) of the cells of a grid for `number` words."""
    columns = int(np.ceil(np.sqrt(number)))
    rows = -(-number // columns)
    cell = np.array([width / columns, height / rows])
    return [((np.array([i % columns, i // columns]) + 0.5) * cell, cell) for i in range(number)]

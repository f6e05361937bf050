"""Maps for the decoders of PSE, CT and FCE, drawn from seeds, for the tests and their oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.support.ideal import curved
from tests.support.ideal.curved import Float32
from tests.support.paths import ZOO_EXPORTS
from tests.support.scenes import arcs, field, rounded, words
from tests.zoo.inputs import stored

# PaddleOCR's numbers.
PSE: dict[str, Any] = {"threshold": 0.0, "box_threshold": 0.85, "minimum_area": 16, "scale": 1}
CT: dict[str, Any] = {"score_threshold": 0.88, "minimum_area": 16}
FCE: dict[str, Any] = {
    "strides": [8, 16, 32],
    "score_threshold": 0.3,
    "nms_threshold": 0.1,
    "region_power": 1.0,
    "center_power": 1.0,
}
# The same with lower thresholds, for networks that have learned nothing.
PSE_OF_NOISE = {**PSE, "box_threshold": 0.6}
CT_OF_NOISE = {**CT, "score_threshold": 0.6}


def pictures(enlarged: int = 1) -> Iterator[tuple[str, Float32, int, int]]:
    """Yield name, polygons, height and width of each picture."""
    for seed, number in enumerate((1, 9, 30)):
        size = 128 * (seed + 2) * enlarged, 144 * (seed + 2) * enlarged
        for kind, scene in (("words", words), ("arcs", arcs)):
            yield f"{kind}_{number}", scene(seed, number, *size), *size


def noisy(maps: Float32, seed: int, deviation: float, first: int = 0) -> Float32:
    """Return maps whose values from the map `first` on are off by normal noise."""
    random = np.random.RandomState(seed)
    result = maps.copy()
    result[first:] += random.normal(0, deviation, result[first:].shape)
    return rounded(result)


# Keeps interpolated logits off PSE's threshold, where rounding decides about a pixel.
ASIDE = np.float32(0.0003)


def pse() -> Iterator[tuple[str, Float32, dict[str, Any]]]:
    """Yield name, logits and settings of each case of PSE."""
    for seed, (name, polygons, *size) in enumerate(pictures()):
        maps = curved.pse(polygons, *size)
        yield name, rounded(maps) + ASIDE, PSE
        yield f"{name}_noisy", noisy(maps, seed, 1.0) + ASIDE, PSE
    for seed in range(4):
        random = np.random.RandomState(seed)
        maps = 2 * field(random, 7, 256, 384).transpose(2, 0, 1) - 0.4 * np.arange(7)[:, None, None]
        maps += 2 * field(random, 1, 256, 384)[..., 0]
        yield f"smooth_{seed}", rounded(maps) + ASIDE, PSE_OF_NOISE
    for run, outputs in enumerate(_of_zoo("det_r50_vd_pse")):
        yield f"zoo_{run}", outputs[0], PSE_OF_NOISE


def ct() -> Iterator[tuple[str, Float32, dict[str, Any]]]:
    """Yield name, maps and settings of each case of CT."""
    # CT ignores kernels of fewer than ten pixels, so its texts have to be large; and PaddleOCR's
    # decoder ignores what lies beyond 1 200 pixels, so no picture here is larger.
    for seed, (name, polygons, *size) in enumerate(pictures(2)):
        maps = curved.ct(polygons, *size)
        yield name, rounded(maps), CT
        yield f"{name}_noisy", noisy(maps, seed, 0.3), CT
    for seed in range(4):
        random = np.random.RandomState(seed)
        maps = field(random, 3, 256, 384).transpose(2, 0, 1) * [[[3]], [[1]], [[1]]]
        yield f"smooth_{seed}", rounded(maps), CT_OF_NOISE
    for run, outputs in enumerate(_of_zoo("det_r18_vd_ct")):
        yield f"zoo_{run}", outputs[0], CT_OF_NOISE


def fce() -> Iterator[tuple[str, list[Float32], dict[str, Any]]]:
    """Yield name, levels and settings of each case of FCE."""
    for seed, (name, polygons, *size) in enumerate(pictures()):
        levels = curved.fce(polygons, *size)
        yield name, [rounded(each, 5) for each in levels], FCE
        yield f"{name}_noisy", [noisy(each, seed, 0.05, 4) for each in levels], FCE
    for run, outputs in enumerate(_of_zoo("det_r50_vd_dcn_fce_ctw")):
        yield f"zoo_{run}", outputs, FCE


def _of_zoo(network: str) -> Iterator[list[Float32]]:
    """Yield what Paddle Inference returned for the first picture of each run of a network."""
    for _, outputs in stored(ZOO_EXPORTS / network / "outputs.npz"):
        yield [output[0] for output in outputs]

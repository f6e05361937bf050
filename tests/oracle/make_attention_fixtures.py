"""Write tests/fixtures/attention.npz: how PaddleOCR 2.10 decodes rows of attention and SRN.

Needs the environment of make_fixtures.py. Run it from the root of the checkout:

    oracle/bin/python -m tests.oracle.make_attention_fixtures
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.oracle.reference import sequence_label_decode
from tests.support.paths import FIXTURES

TARGET = FIXTURES / "attention.npz"
ROWS, STEPS, CLASSES = 24, 25, 38
# Where PaddleOCR puts begin and end.
SPECIAL = {"AttnLabelDecode": (0, 37), "SRNLabelDecode": (36, 37)}


def main() -> None:
    """Write the file."""
    arrays: dict[str, Any] = {}
    for name, (begin, end) in SPECIAL.items():
        random = np.random.RandomState(len(name))
        indices = random.randint(0, CLASSES, (ROWS, STEPS)).astype(np.int32)
        indices[indices == end] = begin
        # From no character at all to no end at all; what follows an end is the end again.
        for row, length in zip(indices, [*range(STEPS), STEPS], strict=False):
            row[length:] = end
        # The last rows have something behind their end, which PaddleOCR reads too.
        indices[-4:, 6] = end
        scores = np.round(random.uniform(0.3, 1, indices.shape), 3).astype(np.float32)
        probability = np.zeros((*indices.shape, CLASSES), np.float32)
        np.put_along_axis(probability, indices[..., None], scores[..., None], axis=2)
        decode = sequence_label_decode(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean of nothing
            found = decode({"predict": probability} if name.startswith("SRN") else probability)
        key = name.removesuffix("LabelDecode").lower()
        arrays |= {
            f"{key}_indices": indices,
            f"{key}_scores": scores,
            f"{key}_special": np.array([begin, end]),
            f"{key}_texts": np.array([text for text, _ in found]),
            f"{key}_means": np.array([mean for _, mean in found], np.float32),
        }
        print(name, found)
    np.savez_compressed(TARGET, **arrays)


if __name__ == "__main__":
    main()

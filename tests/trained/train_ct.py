"""Train the zoo's CT on the test pictures, and write its parameters (Paddle 2.6.2, CPU).

Its random weights take nearly a whole picture for one text. These find most of the texts in the
pictures that they were trained on, and are good for nothing else. The parameters belong to both
programs of the network in the zoo.

    python -m tests.trained.train_ct
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paddle
from paddle import nn

from tests.oracle.pictures import read_pictures
from tests.support.ideal import curved
from tests.support.paths import CT_PARAMETERS, IMAGES
from tests.trained.training import Descent, descend, dice, distance, entropy, prepared
from tests.zoo.networks.det_curved import det_r18_vd_ct

PICTURES = ("sample", "poster", "receipt", "badge")
# The shorter side to which PaddleOCR scales a picture for CT, and the multiple of both sides.
SIDE, MULTIPLE = 640, 32
# First the statistics of the batch norms are learned along with the weights, then they stay.
COURSES = ((320, nn.Layer.train), (320, nn.Layer.eval))
RATE = 8e-3
# Weight of the offsets where there is no text. They are zero there.
ASIDE = 0.2


def main() -> None:
    """Train the network and write its parameters."""
    paddle.seed(0)
    given = list(examples())
    with paddle.utils.unique_name.guard():
        network = det_r18_vd_ct("compact")

        def loss_at(step: int) -> Any:
            image, maps, offsets = given[step % len(given)]
            found = network(image)["maps"]
            kernels = nn.functional.sigmoid(found[:, :1])
            regions = dice(kernels, maps[:, :1]) + 3 * entropy(kernels, maps[:, :1])
            return regions + distance(found[:, 1:], maps[:, 1:], offsets)

        for steps, begin in COURSES:
            # With a check after as many steps as there are, none takes place.
            course = Descent(steps, RATE, clip=10.0, checked=steps)
            descend("ct", network, loss_at, lambda: "", course, begin)
        write(network, CT_PARAMETERS)


def examples() -> Iterator[tuple[Any, Any, Any]]:
    """Yield input, maps and the weights of the offsets for each picture."""
    for picture in read_pictures(IMAGES, PICTURES):
        height, width = picture.pixels.shape[:2]
        scale = SIDE / min(height, width)
        rows, columns = (
            -(-int(length * scale + 0.5) // MULTIPLE) * MULTIPLE for length in (height, width)
        )
        # CT sees RGB.
        image = cv2.resize(picture.pixels, (columns, rows))[..., ::-1]
        factors = np.array([columns / width, rows / height], np.float32)
        quads = [quad * factors for quad in picture.quads]
        maps = curved.ct(quads, rows, columns)
        weights = np.where(np.abs(maps[1:]).sum(axis=0, keepdims=True) > 0, 1, ASIDE)
        maps[0] = maps[0] > 0
        yield (
            prepared([np.asarray(image, np.uint8)]),
            paddle.to_tensor(maps[None]),
            paddle.to_tensor(weights[None].astype(np.float32)),
        )


def write(network: nn.Layer, target: Path) -> None:
    """Write the network's parameters as the zoo's export does."""
    declared = [paddle.static.InputSpec([None, 3, -1, -1], "float32")]
    with tempfile.TemporaryDirectory() as folder:
        paddle.jit.save(paddle.jit.to_static(network, input_spec=declared), f"{folder}/inference")
        target.write_bytes(Path(folder, "inference.pdiparams").read_bytes())


if __name__ == "__main__":
    main()

"""Real pictures as inputs on which two graphs are compared."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import images

from ..edge_graph import sizes
from ..graph import share_of_width
from ..graph.interface import Interface, is_ratio
from ..model.network import Network

PICTURE = Path(__file__).parents[2] / "tests" / "images" / "sample.jpg"
# Rows of the picture that show one line of text.
TEXT_ROWS = slice(265, 310)


def probes(network: Network, interface: Interface) -> list[NDArray[np.uint8]]:
    """Return real inputs uint8 [N, H, W, 3] of three shapes, one of them a batch.

    If the graph fixes the size, all have this size, and two are batches. If it fixes the number of
    pictures too, each batch begins with another view of the picture.
    """
    picture = images.load(PICTURE)
    height, width = sizes(interface, network)
    if network.task == "unwarping":
        wanted = [(1, 0, 0), (2, 0, 0)]
    elif network.task in ("detection", "spotting"):
        wanted = [(1, 320, 448), (1, 480, 640), (2, 256, 192)]
        if network.multiple > 32:
            wanted = [(1, 256, 384), (1, 384, 640), (2, 256, 256)]
    elif None not in interface.image.shape[2:]:
        wanted = [(1, 0, 0), (2, 0, 0), (3, 0, 0)]
    else:
        wanted = [(1, 48, 320), (1, 48, 624), (2, 48, 160)]
    if network.task in ("recognition", "orientation"):
        picture = picture[TEXT_ROWS]
    made = []
    for position, (number, high, wide) in enumerate(wanted):
        size = (width or wide, height or high)
        first = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        views = itertools.cycle([first, np.rot90(first, 2), first[:, ::-1]])
        fixed = interface.image.shape[0]
        start = position if fixed else 0
        batch = list(itertools.islice(views, start, start + (fixed or number)))
        stacked = np.ascontiguousarray(np.stack(batch)).astype(np.uint8)
        if any(map(is_ratio, interface.inputs[1:])):
            # Paddle Inference refuses lines that fill the width; see tests/zoo/README.md.
            stacked[:, :, stacked.shape[2] * 3 // 4 :] = share_of_width.PADDING
        made.append(stacked)
    return made

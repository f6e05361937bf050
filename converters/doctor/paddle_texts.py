"""Read lines with Paddle Inference, prepared and decoded as PaddleOCR does it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr.bundle.manifest import Recognition
from edgeocr.crops import Crop
from edgeocr.postprocess import attention, bidi, ctc
from edgeocr.recognize import METHODS

from ..edge_graph import to_edge_outputs, to_plain_inputs
from ..graph.interface import Interface
from ..model.line_resizing import PADDING
from ..model.network import Network
from ..model.paddle_model import PaddleModel
from ..parity import paddle_reference
from .ways import Way

# The most lines that Paddle reads. It takes a second for each, because its process reads every line
# three times, and a few are enough to see whether both agree.
MOST = 30


def texts(
    model: PaddleModel,
    network: Network,
    interface: Interface,
    way: Way,
    crops: Sequence[Crop],
    python: Path | None,
) -> list[str]:
    """Return the text of each line.

    Args:
        model: The Paddle model.
        network: What the network is.
        interface: The plain graph's interface.
        way: The normalization, sizes and characters.
        crops: The lines.
        python: A Python that has Paddle; None for this one.

    Raises:
        PaddleMissingError: There is no Paddle that can run the model.
        ParityError: Paddle failed.
    """
    feeds = [prepared(way, interface, crop) for crop in crops]
    reference = paddle_reference.run(model, feeds, python)
    found = []
    for outputs in reference.outputs:
        edge = to_edge_outputs(outputs, network, interface, 1)
        found += decoded(edge["indices"], edge["scores"], way)
    return found


def prepared(way: Way, interface: Interface, crop: Crop) -> list[NDArray[Any]]:
    """Return the network's inputs for a line as PaddleOCR makes them.

    PaddleOCR pads most lines after it has normalized them, with zeros, where edgeocr pads the
    picture with grey. Where edgeocr pads with black (SRN, SAR, RobustScanner), so does PaddleOCR.

    Args:
        way: The normalization and sizes.
        interface: The plain graph's interface.
        crop: The line.

    Returns:
        The image, float32 [1, C, H, W], and then the inputs that the network has beside it.
    """
    stage = way.stage
    shown, width = widths(stage, crop.width, crop.height)
    method = METHODS[stage.interpolation]
    picture = np.full((1, stage.height, width, 3), stage.padding, np.uint8)
    picture[0, :, :shown] = cv2.resize(crop.pixels, (shown, stage.height), interpolation=method)
    image, *others = to_plain_inputs(picture, way.normalize, interface)
    if stage.padding == PADDING:
        image[..., shown:] = 0
    return [image, *others]


def widths(stage: Recognition, width: int, height: int) -> tuple[int, int]:
    """Compute the widths that PaddleOCR gives a line.

    Args:
        stage: The sizes of the network's input.
        width: The line's width in pixels.
        height: The line's height in pixels.

    Returns:
        The width of the resized line, and that of the input, in pixels.
    """
    natural = math.ceil(stage.height * width / height)
    if stage.stretch_widths is not None:
        steps = stage.stretch_widths
        shown = next((step for step in steps if natural <= step), steps[-1])
        return shown, stage.width or steps[-1]
    if stage.width is not None:
        return min(natural, stage.width), stage.width
    most = int(stage.height * max(stage.min_width / stage.height, width / height))
    return min(natural, most), most


def decoded(indices: NDArray[Any], scores: NDArray[Any], way: Way) -> list[str]:
    """Decode the classes [N, T] of N lines and their probabilities [N, T]."""
    charset = way.stage.charset
    symbols = np.array(way.symbols, object)
    if charset.blank is not None:
        found, _ = ctc.decode(indices, scores, symbols, charset.blank)
    else:
        assert charset.end is not None
        found, _ = attention.decode(
            indices, scores, symbols, end=charset.end, skipped=charset.skipped
        )
    return [bidi.logical_order(each) if way.stage.visual_order else each for each in found]

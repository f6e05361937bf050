"""Decode a detection network that you run yourself, here with ONNX Runtime; any runtime will do.

python examples/decode_your_own_network.py tests/images/sample.jpg
"""

import sys

import cv2
import numpy as np
import onnxruntime

from edgeocr import Bundle
from edgeocr.postprocess import db

image = cv2.imread(sys.argv[1])
if image is None:
    sys.exit(f"{sys.argv[1]}: cannot be read as a picture")

# The network of the embedded bundle: uint8 BGR [N, H, W, 3] in, the probability map [N, H, W] out.
graph = Bundle.default().read("graphs/detection.onnx")
session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
height, width = (side // 32 * 32 for side in image.shape[:2])
small = cv2.resize(image, (width, height))
(probability,) = session.run(["probability"], {"image": small[None]})

quads, scores = db.quads(
    probability[0], threshold=0.25, box_threshold=0.5, unclip_ratio=1.5, max_candidates=1000
)
quads *= np.array([image.shape[1] / width, image.shape[0] / height], np.float32)
for quad, score in zip(quads, scores, strict=True):
    print(f"{score:.2f}", quad.round().astype(int).tolist())

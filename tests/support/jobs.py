"""The job of a detection stage, for tests of the runtime."""

from __future__ import annotations

from edgeocr.runtime.job import Job

# The last shape has proportions that TensorRT is not given.
SHAPES = [(1, 544, 544, 3), (1, 544, 1216, 3), (1, 1216, 544, 3), (1, 288, 3104, 3)]
DETECTION = Job("detection", "image", (1, 544, 736, 3), SHAPES)

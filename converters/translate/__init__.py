"""Translate model folders into plain ONNX graphs.

Both of Paddle's formats go the same way: a PIR program is first brought into the form of a legacy
program (`converters.paddle.pir`), so that one translator serves both.
"""

from .program_graph import OPSET
from .translation import Translation, translate

__all__ = ["OPSET", "Translation", "translate"]

"""Translate model folders into plain ONNX graphs.

Both of Paddle's formats go the same way: a PIR program is first brought into the form of a legacy
program (`converters.paddle.pir`), so that one translator and one set of repairs serve both.
"""

from .translation import Translation, translate

__all__ = ["Translation", "translate"]

"""Read pictures on a Ray cluster: `EdgeOCR` for Ray Data, and `python -m edgeocr.ray SRC DST`.

Importing this package needs neither Ray nor pyarrow; the extra `ray` installs both.
"""

from __future__ import annotations

from .stage import EdgeOCR

__all__ = ["EdgeOCR"]

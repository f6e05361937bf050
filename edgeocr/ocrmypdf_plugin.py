"""A plugin that lets ocrmypdf read with edgeocr: `ocrmypdf --plugin edgeocr.ocrmypdf_plugin`.

ocrmypdf draws the pages of a PDF, calls the methods of `EdgeOCREngine` in its worker processes, and
adds the text that they return to the pages. Tesseract need not be installed.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import OCR, Bundle, EdgeOCRError, Page
from .decoding.limits import Limits
from .device.cpus import usable_cpus
from .images import load
from .version import __version__

try:
    import ocrmypdf
    from ocrmypdf import hookimpl
    from ocrmypdf.exceptions import BadArgsError
    from ocrmypdf.pluginspec import OcrEngine, OrientationConfidence
except ImportError as error:
    raise ImportError('ocrmypdf is not installed: pip install "edgeocr[ocrmypdf]"') from error

if TYPE_CHECKING:
    import argparse

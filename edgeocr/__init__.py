"""edgeocr reads pictures with frozen PaddleOCR bundles on ONNX Runtime.

>>> from edgeocr import OCR
>>> page = OCR().read("photo.jpg")
>>> print(page.text)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    ArrayError,
    BundleError,
    ClosedError,
    DatasetError,
    DocumentError,
    EdgeOCRError,
    EncryptedError,
    FontError,
    ForkedError,
    GraphError,
    ImageError,
    JobError,
    MemoryLimitError,
    MissingLibraryError,
    MoreFramesWarning,
    OutputError,
    ProviderFailedError,
    ProviderUnavailableError,
    SignatureError,
    StageMissingError,
    StoppedError,
    StorageError,
    VideoError,
)
from .version import __version__

if TYPE_CHECKING:
    from .bundle.bundle import Bundle
    from .images import Source
    from .ocr import OCR
    from .page import Detections, Page
    from .results.lines import Block, Character, Line, Reading, Region, Word
    from .runtime.options import RuntimeOptions
    from .runtime.stopping import stoppable
    from .runtime.warm_up import WarmUpResult
    from .tuning.result import Tuning
    from .tuning.tune import tune

# Imported when they are first used: NumPy and OpenCV take longer to import than all the rest.
_LAZY = {
    "OCR": "ocr",
    "Block": "results.lines",
    "Bundle": "bundle.bundle",
    "Character": "results.lines",
    "Detections": "page",
    "Line": "results.lines",
    "Page": "page",
    "Reading": "results.lines",
    "Region": "results.lines",
    "RuntimeOptions": "runtime.options",
    "Source": "images",
    "Tuning": "tuning.result",
    "WarmUpResult": "runtime.warm_up",
    "Word": "results.lines",
    "frames_of": "stages.frames",
    "stoppable": "runtime.stopping",
    "tune": "tuning.tune",
}

__all__ = [
    "OCR",
    "ArrayError",
    "Block",
    "Bundle",
    "BundleError",
    "Character",
    "ClosedError",
    "DatasetError",
    "Detections",
    "DocumentError",
    "EdgeOCRError",
    "EncryptedError",
    "FontError",
    "ForkedError",
    "GraphError",
    "ImageError",
    "JobError",
    "Line",
    "MemoryLimitError",
    "MissingLibraryError",
    "MoreFramesWarning",
    "OutputError",
    "Page",
    "ProviderFailedError",
    "ProviderUnavailableError",
    "Reading",
    "Region",
    "RuntimeOptions",
    "SignatureError",
    "Source",
    "StageMissingError",
    "StoppedError",
    "StorageError",
    "Tuning",
    "VideoError",
    "WarmUpResult",
    "Word",
    "__version__",
    "frames_of",
    "stoppable",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

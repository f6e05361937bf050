"""Answer requests over HTTP: `edgeocr serve` and, from Python, `serve(Options(…))`.

A service is two processes. The *front* (`server.py`, `app.py`) speaks HTTP: it checks, bounds and
queues requests, and never decodes a picture. The *reader* (`reader.py`) has the networks, one `OCR`
for all requests. A picture that crashes a decoder ends the reader only, which the front starts
again.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..errors import MissingLibraryError
from .options import Options, ReaderOptions

if TYPE_CHECKING:
    from .app import create_app
    from .server import Server, serve

# Imported when they are first used: they need the extra `serve`, whose libraries follow by module.
_LAZY = {"Server": "server", "create_app": "app", "serve": "server"}
_LIBRARIES = {
    "fastapi": "FastAPI",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
    "uvicorn": "uvicorn",
}

__all__ = ["Options", "ReaderOptions", "Server", "create_app", "serve"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        for module, library in _LIBRARIES.items():
            if find_spec(module) is None:
                raise MissingLibraryError(library, "serve")
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What a service may be told: how it reads, who may use it, and what it refuses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..bundle.postprocess_settings import Shape
from ..decoding.limits import MAX_IMAGE_PIXELS
from ..documents.options import DPI, TextLayerUse
from ..runtime.options import RuntimeOptions


@dataclass(frozen=True)
class ReaderOptions:
    """How pictures are read; `OCR` describes what is not described here.

    Attributes:
        bundle: Path of a bundle; None for the one in the package.
        provider: The execution provider, or one for each stage.
        threads: CPU threads.
        orientation: Turn lines that are upside down.
        upright: Turn pages upright.
        unwarp: Flatten bent pages.
        shape: The shape of regions where a request asks for none.
        max_pixels: The most pixels of one run of detection.
        max_image_pixels: The most pixels of a picture by its file's header.
        reading_order: "rows", "columns" or "auto".
        restore_spaces: Add spaces between Latin words.
        split_gaps: Cut lines that run over two columns or cells.
        memory_limit: What memory the reader may hold.
        require_signature: Path of the key that the bundle must be signed with.
        expect_digest: The digest that the bundle must have.
        runtime: Options of the execution providers.
        dpi: Pixels per inch at which pages of PDF files are rendered.
        pdf_text: When the text that a page of a PDF file holds is taken.
        warm_up: Run each network before the service is ready, so that the first request is not
            slower than others.
    """

    bundle: str | None = None
    provider: str | Mapping[str, str] = "auto"
    threads: int | None = None
    orientation: bool = True
    upright: bool = True
    unwarp: bool = True
    shape: Shape | None = None
    max_pixels: int | None = None
    max_image_pixels: int | None = MAX_IMAGE_PIXELS
    reading_order: Literal["auto", "rows", "columns"] = "auto"
    restore_spaces: bool = True
    split_gaps: bool = True
    memory_limit: int | str | None = None
    require_signature: str | None = None
    expect_digest: str | None = None
    runtime: RuntimeOptions = field(default_factory=RuntimeOptions)
    dpi: int = DPI
    pdf_text: TextLayerUse = "never"
    warm_up: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON can hold them."""
        data = asdict(self)
        for name, value in data["runtime"].items():
            if isinstance(value, os.PathLike):
                data["runtime"][name] = os.fspath(value)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReaderOptions:
        """Restore what `to_dict` returned."""
        return cls(**{**data, "runtime": RuntimeOptions(**data["runtime"])})

    def for_ocr(self) -> dict[str, Any]:
        """Return the arguments of `OCR`, without the bundle and what is checked when it opens."""
        beside = ("bundle", "require_signature", "expect_digest", "dpi", "pdf_text", "warm_up")
        options = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in options.items() if name not in beside}


@dataclass(frozen=True)
class Options:
    """A service: where it listens, who may use it, and its limits.

    Attributes:
        reader: How pictures are read.
        host: The address to listen on.
        port: The port; 0 for a free one.
        token_file: A file with the token that requests have to bring; None for no token.
        allow_anyone: Listen on an address that other machines reach, without a token.
        allowed_hosts: Names by which the service may be called, beside those of this machine, where
            it has no token. Browsers are kept from calling it by other names, see `access.py`.
        tls_certificate: A file with the certificate, and those that sign it, in PEM.
        tls_key: A file with the certificate's key in PEM; None if it is in the same file.
        queue: How many requests may wait while others are read.
        max_body: The most bytes of a request.
        max_files: The most files of a request.
        max_pages: The most pages and frames of all files of a request together.
        timeout: Seconds that a request may wait and be read.
        body_timeout: Seconds in which a request's body must arrive, and its answer be taken.
        head_timeout: Seconds in which a request's head must arrive.
        drain: Seconds that requests get to be answered when the service ends.
        stop_grace: Seconds that the reader gets to give up a request; after them it is killed.
        max_connections: The most connections at a time.
        access_log: Whether each request is logged (`edgeocr.serve.access`, level INFO).
    """

    reader: ReaderOptions = field(default_factory=ReaderOptions)
    host: str = "127.0.0.1"
    port: int = 8000
    token_file: Path | None = None
    allow_anyone: bool = False
    allowed_hosts: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    queue: int = 16
    max_body: int = 20_000_000
    max_files: int = 16
    max_pages: int = 100
    timeout: float = 60.0
    body_timeout: float = 30.0
    head_timeout: float = 10.0
    drain: float = 30.0
    stop_grace: float = 10.0
    max_connections: int = 512
    access_log: bool = False

    def __post_init__(self) -> None:
        """Check the limits.

        Raises:
            ValueError: One of them has an impossible value.
        """
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be from 0 to 65535, not {self.port}")
        if self.queue < 0:
            raise ValueError(f"queue must be at least 0, not {self.queue}")
        for name in ("max_body", "max_files", "max_pages", "max_connections"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("timeout", "body_timeout", "head_timeout", "stop_grace"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if not self.drain >= 0:
            raise ValueError(f"drain must be at least 0, not {self.drain}")
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("tls_key needs tls_certificate")

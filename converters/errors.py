"""Errors of the converters; all are `EdgeOCRError`s."""

from __future__ import annotations

from edgeocr.errors import EdgeOCRError


class ConverterError(EdgeOCRError):
    """Anything that stops a conversion; the message says which file or node, and what to do."""


class CatalogError(ConverterError):
    """models.toml is wrong, or has no entry of that name."""


class FetchError(ConverterError):
    """A file can't be had from any of its sources, or is not the file that was published."""


class ModelFormatError(ConverterError):
    """A folder holds no model that can be translated."""


class TranslationError(ConverterError):
    """A translator failed, crashed, or gave a graph that doesn't load."""


class ParityError(ConverterError):
    """A graph doesn't compute what its original computes."""


class PrecisionError(ConverterError):
    """A bundle loses more by a lower precision than is allowed, or gains nothing."""

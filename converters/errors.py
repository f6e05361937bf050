"""Errors that stop a conversion or the freezing of a bundle; each is an `EdgeOCRError`."""

from __future__ import annotations

from edgeocr.errors import EdgeOCRError


class ConverterError(EdgeOCRError):
    """A conversion can't go on; the message names the file or node and says what to do."""


class CatalogError(ConverterError):
    """models.toml is invalid, or has no entry of the requested name."""


class FetchError(ConverterError):
    """A file can't be fetched from any of its locations, or differs from what was published."""


class ModelFormatError(ConverterError):
    """A folder holds no model that can be translated."""


class TranslationError(ConverterError):
    """A network can't be translated, or its graph doesn't load or run."""


class ParityError(ConverterError):
    """A graph doesn't compute what its original computes."""


class PrecisionError(ConverterError):
    """A lower precision costs a bundle more accuracy than is allowed, or saves nothing."""

"""The errors of a service, and the HTTP status of every error."""

from __future__ import annotations

from typing import Any

from ..errors import (
    ClosedError,
    ImageError,
    MemoryLimitError,
    MissingLibraryError,
    StageMissingError,
)


class ServiceError(Exception):
    """An answer that reports an error; it ends a request and never reaches a caller in Python.

    Attributes:
        status: The HTTP status of the answer.
        retry_after: Seconds after which the request may be sent again; None if that is no use.
        source: The name of the file at fault, if it is a single one.
    """

    status: int = 500
    retry_after: int | None = None
    source: str | None = None


class RequestError(ServiceError):
    """The request can't be understood: it is empty, or no proper multipart."""

    status = 400


class UnauthorizedError(ServiceError):
    """The request brings no token, or a wrong one."""

    status = 401


class ForbiddenError(ServiceError):
    """The request comes from a page of another site, or calls the service by an unknown name."""

    status = 403


class BodyTimeoutError(ServiceError):
    """The body did not arrive in time."""

    status = 408


class TooLargeError(ServiceError):
    """The request has too many bytes, files or pages."""

    status = 413


class MediaTypeError(ServiceError):
    """The body is compressed, or of another kind of multipart than form-data."""

    status = 415


class ParameterError(ServiceError):
    """A parameter of the request has an impossible value."""

    status = 422


class InternalError(ServiceError):
    """A fault of edgeocr, which the service has logged."""

    def __init__(self) -> None:
        """Create the error; its details are in the log only."""
        super().__init__("edgeocr failed: the log of the service says how")


class ReaderDiedError(ServiceError):
    """The reader died, and died again, while it read this request."""


class BusyError(ServiceError):
    """All places of the queue are taken."""

    status = 503

    def __init__(self, places: int, retry_after: int) -> None:
        """Create the error.

        Args:
            places: The number of places.
            retry_after: Seconds after which a place will be free.
        """
        super().__init__(
            f"all {places} places are taken: send the request again in {retry_after} s"
        )
        self.retry_after = retry_after


class NotReadyError(ServiceError):
    """The service is not ready to answer this, or no longer."""

    status = 503
    retry_after = 1


class TimeLimitError(ServiceError):
    """The request could not be answered in the time that it may take."""

    status = 504


def status_of(error: BaseException) -> int:
    """Return the HTTP status for an error that reading raised."""
    if isinstance(error, ServiceError):
        return error.status
    if isinstance(error, MemoryLimitError):
        return 413
    if isinstance(error, MissingLibraryError):
        return 415
    if isinstance(error, ClosedError):
        return 503
    if isinstance(error, (ImageError, StageMissingError)):
        return 422
    return 500


def body_of(kind: str, message: str, source: str | None = None) -> dict[str, Any]:
    """Return the body of an answer that reports an error.

    Args:
        kind: The name of the error's class.
        message: What is wrong.
        source: The name of the file at fault, if it is a single one.
    """
    return {"error": {"type": kind, "message": message, "source": source}}

"""What `/openapi.json` says beside what follows from the code: bodies, answers and examples."""

from __future__ import annotations

from typing import Any

from ..writers.formats import DOCUMENTS, FORMATS

DESCRIPTION = """
Read text from pictures and PDF files. The body of a request is one file, or several as
multipart/form-data; names of files are labels. An error is
`{"error": {"type": …, "message": …, "source": …}}`, where source is the file at fault or null.
"""
# What tests/images/badge.jpg is answered with, shortened to one line.
QUAD = [[227.27, 244.28], [497.77, 261.34], [492.44, 342.25], [221.93, 325.19]]
PROVIDERS = {"detection": "cpu", "orientation": "cpu", "recognition": "cpu"}
PAGE = {
    "source": "-",
    "width": 720,
    "height": 640,
    "lines": [{"text": "现磨咖啡", "score": 0.9998, "quad": QUAD}],
    "milliseconds": {"load": 3.3, "detection": 31.3, "recognition": 4.9, "layout": 1.5},
    "providers": PROVIDERS,
    "blocks": [{"lines": [0], "quad": QUAD}],
    "rotation": 0,
    "frames": 1,
}
DETECTIONS = {
    "source": "-",
    "width": 720,
    "height": 640,
    "regions": [{"score": 0.9036, "quad": QUAD}],
    "milliseconds": {"load": 3.3, "detection": 31.3, "layout": 1.5},
    "providers": PROVIDERS,
    "frames": 1,
}
READING = {"source": "-", "text": "现磨咖啡", "score": 0.9998}

_ERRORS = {
    400: ("RequestError", "the body is empty: send the bytes of a picture or of a PDF file"),
    401: ("UnauthorizedError", "the token is missing or wrong"),
    403: ("ForbiddenError", "pages of other sites must not use this service"),
    408: ("BodyTimeoutError", "the body did not arrive within 30 s"),
    413: ("TooLargeError", "the body has more than 20000000 bytes"),
    415: ("MediaTypeError", "send the body without Content-Encoding"),
    422: ("ImageError", "-: the file is no picture that edgeocr can read"),
    500: ("ReaderDiedError", "-: the process that reads was killed by SIGSEGV, twice"),
    503: ("BusyError", "all 18 places are taken: send the request again in 3 s"),
    504: ("TimeLimitError", "the request was still being read after 60 s, its limit"),
}


def _error(status: int) -> dict[str, Any]:
    kind, message = _ERRORS[status]
    example = {"error": {"type": kind, "message": message, "source": None}}
    schema = {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "message": {"type": "string"},
                    "source": {"type": ["string", "null"]},
                },
            }
        },
    }
    answer: dict[str, Any] = {
        "description": kind,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    if status == 503:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answer


def _answers(content: dict[str, Any], *errors: int) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": "The result", "content": content},
        **{status: _error(status) for status in errors},
    }


_BINARY = {"type": "string", "format": "binary"}
_BODY = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": _BINARY},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": _BINARY}},
            }
        },
    },
}
_TEXT = {"schema": {"type": "string"}}


def _reading(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "responses": _answers(content, *_ERRORS),
        "openapi_extra": {"requestBody": _BODY},
        "tags": ["reading"],
    }


_DOCUMENTS = {FORMATS[name].media_type.partition(";")[0]: _TEXT for name in DOCUMENTS}
READ = _reading({**_DOCUMENTS, "application/json": {"example": PAGE}})
DETECT = _reading({"application/json": {"example": DETECTIONS}})
RECOGNIZE = _reading({"application/json": {"example": READING}})
BUNDLE: dict[str, Any] = {
    "responses": _answers({"application/json": {}}, 401, 403, 503),
    "tags": ["state"],
}
HEALTH: dict[str, Any] = {
    "responses": _answers({"application/json": {"example": {"status": "alive"}}}),
    "tags": ["state"],
}
READY: dict[str, Any] = {
    "responses": _answers({"application/json": {"example": {"status": "ready"}}}, 503),
    "tags": ["state"],
}
METRICS: dict[str, Any] = {
    "responses": _answers({"text/plain": _TEXT}, 401, 403),
    "tags": ["state"],
}

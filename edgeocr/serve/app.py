"""The application: the paths of a service, as FastAPI and OpenAPI describe them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import PurePath
from typing import Annotated, Any, Literal, cast

from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..bundle.postprocess_settings import Shape
from ..errors import excerpt
from ..version import __version__
from ..writers.formats import DOCUMENTS, FORMATS
from . import dispatch, openapi
from .bodies import File
from .errors import NotReadyError, ParameterError, ServiceError
from .gate import Gate, answer_to, error_response
from .metrics import CONTENT_TYPE
from .options import Options
from .service import Service

# The types of the files of the page at `/`, which are in `edgeocr/serve/page/`, by their endings.
PAGE_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; media-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}
ENDPOINTS = frozenset(
    {
        "/",
        *("/v1/read", "/v1/detect", "/v1/recognize", "/v1/bundle"),
        *("/healthz", "/readyz", "/metrics", "/openapi.json"),
    }
)
# What FastAPI's own errors are called, by status.
KINDS = {404: "NotFoundError", 405: "MethodNotAllowedError"}
NAME = Field(None, description="What results and errors call the file, if it is the whole body")
SHAPE = Field(None, description="The shape of regions; by default the service's")


class _Parameters(BaseModel):
    """The parameters in the URL; an unknown one is an error."""

    model_config = ConfigDict(extra="forbid")


class ReadParameters(_Parameters):
    """The parameters of `/v1/read`."""

    format: Literal[DOCUMENTS] = Field("json", description="The format of the document")  # type: ignore[valid-type]
    words: bool = Field(False, description="Give each line its words")
    characters: bool = Field(False, description="Give each line its words and characters")
    shape: Shape | None = SHAPE
    name: str | None = NAME


class DetectParameters(_Parameters):
    """The parameters of `/v1/detect`."""

    shape: Shape | None = SHAPE
    name: str | None = NAME


class RecognizeParameters(_Parameters):
    """The parameters of `/v1/recognize`."""

    name: str | None = NAME


def create_app(
    options: Options | None = None, on_failure: Callable[[Service], None] | None = None
) -> FastAPI:
    """Create the application, which any ASGI server can run.

    Its lifespan starts and ends the reader. `edgeocr.serve.serve` adds limits of connections and
    of slow heads, which an application can't set, and ends in order when a signal arrives.

    Args:
        options: What the service is told; what concerns its address has no effect here.
        on_failure: Called with the service when no reader can be started.

    Raises:
        EdgeOCRError: The token can't be read.
        MissingLibraryError: The extra `serve` is not installed.
    """
    options = options or Options()
    service = Service(options, lambda: on_failure(service) if on_failure is not None else None)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="edgeocr",
        version=__version__,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.service = service
    app.add_middleware(
        Gate,
        access=service.access,
        metrics=service.metrics,
        endpoints=ENDPOINTS,
        access_log=options.access_log,
    )
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    _add_reading(app, service)
    _add_state(app, service)
    _add_page(app)
    return app


def _add_reading(app: FastAPI, service: Service) -> None:
    most = service.options.max_pages

    @app.post("/v1/read", **openapi.READ)
    async def read(request: Request, query: Annotated[ReadParameters, Query()]) -> Response:
        """Find and read all lines of pictures and PDF files."""

        def wanted(files: list[File]) -> dispatch.Request:
            return dispatch.Request(
                "read", files, query.format, query.words, query.characters, query.shape, most
            )

        return await _answer(service, request, query.name, query.format, wanted)

    @app.post("/v1/detect", **openapi.DETECT)
    async def detect(request: Request, query: Annotated[DetectParameters, Query()]) -> Response:
        """Find the regions with text, without reading them."""

        def wanted(files: list[File]) -> dispatch.Request:
            return dispatch.Request("detect", files, shape=query.shape, max_pages=most)

        return await _answer(service, request, query.name, "json", wanted)

    @app.post("/v1/recognize", **openapi.RECOGNIZE)
    async def recognize(
        request: Request, query: Annotated[RecognizeParameters, Query()]
    ) -> Response:
        """Read pictures that hold one upright line each."""

        def wanted(files: list[File]) -> dispatch.Request:
            return dispatch.Request("recognize", files, max_pages=most)

        return await _answer(service, request, query.name, "json", wanted)


async def _answer(
    service: Service,
    request: Request,
    name: str | None,
    format_: str,
    make: Callable[[list[File]], dispatch.Request],
) -> Response:
    given = [parameter for parameter, _ in request.query_params.multi_items()]
    if len(set(given)) < len(given):
        raise ParameterError("a parameter is given more than once")
    answer = await service.answer(request, name, make)
    headers = {"EdgeOCR-Failed": str(answer.failed)} if answer.failed else {}
    return Response(answer.document, 200, headers, FORMATS[format_].media_type)


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/v1/bundle", **openapi.BUNDLE)
    async def bundle() -> Response:
        """Describe the bundle that the service reads with."""
        if service.dispatcher.bundle is None:
            raise NotReadyError(service.why_not_ready() or "")
        return _json(service.dispatcher.bundle)

    @app.get("/healthz", **openapi.HEALTH)
    async def healthz() -> Response:
        """Tell that the process lives."""
        return _json({"status": "alive"})

    @app.get("/readyz", **openapi.READY)
    async def readyz() -> Response:
        """Tell whether the service can answer at once."""
        if (reason := service.why_not_ready()) is not None:
            raise NotReadyError(reason)
        return _json({"status": "ready"})

    @app.get("/metrics", **openapi.METRICS)
    async def metrics() -> Response:
        """Show the service's figures in the text format of Prometheus."""
        if service.dispatcher.bundle is not None:
            service.metrics.describe(service.dispatcher.bundle)
        return Response(service.metrics.text(), 200, media_type=CONTENT_TYPE)


def _add_page(app: FastAPI) -> None:
    # Read now, so that no path in a request is ever opened.
    files = {
        file.name: (file.read_bytes(), media_type)
        for file in (resources.files(__package__) / "page").iterdir()
        if (media_type := PAGE_TYPES.get(PurePath(file.name).suffix)) is not None
    }

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return page("index.html")

    @app.get("/page/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        return page(name)

    def page(name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        content, media_type = files[name]
        return Response(content, 200, PAGE_HEADERS, media_type)


def _json(content: Any) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Response(body, 200, media_type="application/json")


async def _service_error(request: Request, error: Exception) -> Response:
    return answer_to(cast(ServiceError, error))


async def _http_error(request: Request, error: Exception) -> Response:
    fault = cast(HTTPException, error)
    kind = KINDS.get(fault.status_code, "RequestError")
    message = excerpt(f"{request.method} {request.scope['path']}: {fault.detail}")
    return error_response(fault.status_code, kind, message, headers=fault.headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    faults = [
        f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}"
        for fault in cast(RequestValidationError, error).errors()
    ]
    return error_response(422, "ParameterError", excerpt("; ".join(faults)))

"""`edgeocr serve`: answer requests over HTTP."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import (
    add_engine_arguments,
    add_picture_arguments,
    add_provider_argument,
    ocr_arguments,
    positive,
)
from .documents import add_pdf_arguments
from .log import log_to_stderr
from .reading_arguments import add_reading_arguments

if TYPE_CHECKING:
    from ..serve.options import Options


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from ..serve.options import Options

    default = Options()
    command.add_argument(
        "--host",
        default=default.host,
        metavar="ADDRESS",
        help=f"the address to listen on; default: {default.host}, which only this machine reaches",
    )
    command.add_argument(
        "--port",
        type=_port,
        default=default.port,
        metavar="N",
        help=f"the port; 0: a free one, which is printed; default: {default.port}",
    )
    command.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="requests must bring the token in this file (Authorization: Bearer TOKEN)",
    )
    command.add_argument(
        "--allow-anyone",
        action="store_true",
        help="listen on an address that other machines reach, without a token",
    )
    command.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name by which the service may be called where it has no token; may be "
        "repeated",
    )
    command.add_argument(
        "--tls-certificate",
        type=Path,
        metavar="FILE",
        help="serve HTTPS with this certificate, in PEM, followed by those that sign it",
    )
    command.add_argument(
        "--tls-key", type=Path, metavar="FILE", help="the certificate's key, if it is elsewhere"
    )
    command.add_argument(
        "--queue",
        type=_number,
        default=default.queue,
        metavar="N",
        help="how many requests may wait while others are read; more are answered with 503; "
        f"default: {default.queue}",
    )
    command.add_argument(
        "--max-body",
        type=_size,
        default=default.max_body,
        metavar="SIZE",
        help="the most bytes of a request, such as 20MB; default: 20MB",
    )
    for name, what in (
        ("max-files", "files of a request"),
        ("max-pages", "pages and frames of all files of a request"),
        ("max-connections", "connections at a time"),
    ):
        value = getattr(default, name.replace("-", "_"))
        command.add_argument(
            f"--{name}",
            type=positive,
            default=value,
            metavar="N",
            help=f"the most {what}; default: {value}",
        )
    for name, what in (
        ("timeout", "that a request may wait and be read"),
        ("body-timeout", "in which the body of a request must arrive, and its answer be taken"),
        ("head-timeout", "in which the head of a request must arrive"),
        ("drain", "that requests get to be answered when the service is told to end"),
    ):
        value = getattr(default, name.replace("-", "_"))
        command.add_argument(
            f"--{name}",
            type=_seconds,
            default=value,
            metavar="SECONDS",
            help=f"seconds {what}; default: {value:g}",
        )
    command.add_argument(
        "--access-log", action="store_true", help="print a line for each request to standard error"
    )
    command.add_argument(
        "--no-warm-up",
        action="store_true",
        help="be ready at once; the first requests take longer",
    )
    _add_reading_arguments(command)


def _add_reading_arguments(command: argparse.ArgumentParser) -> None:
    add_engine_arguments(command)
    add_provider_argument(command)
    add_picture_arguments(command)
    add_reading_arguments(command)
    add_pdf_arguments(command)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal asks to end.

    Returns:
        0.

    Raises:
        EdgeOCRError: The address, the token, the certificate, the bundle or the provider does not
            work, or the extra `serve` is not installed.
        SystemExit: With code 2, after printing the usage, for wrong arguments.
    """
    from ..serve import serve

    try:
        chosen = _options(options)
        with log_to_stderr("edgeocr", prefix="edgeocr: "):
            serve(chosen)
    except ValueError as error:
        options.parser.error(str(error))
    return 0


def _options(options: argparse.Namespace) -> Options:
    """Return what the service is told.

    Raises:
        ValueError: An option has an impossible value.
    """
    from ..serve.options import Options, ReaderOptions

    reader = ReaderOptions(
        bundle=options.bundle,
        **ocr_arguments(options),
        require_signature=options.require_signature,
        expect_digest=options.expect_digest,
        dpi=options.dpi,
        pdf_text=options.pdf_text,
        warm_up=not options.no_warm_up,
    )
    return Options(
        reader=reader,
        host=options.host,
        port=options.port,
        token_file=options.token_file,
        allow_anyone=options.allow_anyone,
        allowed_hosts=tuple(options.allowed_host),
        tls_certificate=options.tls_certificate,
        tls_key=options.tls_key,
        queue=options.queue,
        max_body=options.max_body,
        max_files=options.max_files,
        max_pages=options.max_pages,
        timeout=options.timeout,
        body_timeout=options.body_timeout,
        head_timeout=options.head_timeout,
        drain=options.drain,
        max_connections=options.max_connections,
        access_log=options.access_log,
    )


def _port(text: str) -> int:
    return _number(text, 65535)


def _number(text: str, most: int = 1_000_000) -> int:
    if not text.isdecimal() or len(text) > 20 or int(text) > most:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {most}, not {text:.20}")
    return int(text)


def _size(text: str) -> int:
    from ..memory.limit import parse

    try:
        size = parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not size:
        raise argparse.ArgumentTypeError(f"must be a size above 0, such as 20MB, not {text:.20}")
    return size


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"must be seconds from 0 to 86400, not {text:.20}")
    return seconds

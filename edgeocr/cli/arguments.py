"""Arguments that several commands have, and how their texts are read."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import EdgeOCRError


def add_engine_arguments(command: argparse.ArgumentParser) -> None:
    """What reads, and how; on what, `add_provider_argument` asks."""
    command.add_argument("--bundle", help="bundle to use; default: the one in the package")
    add_signature_argument(command)
    command.add_argument(
        "--provider-option",
        type=_provider_option,
        action="append",
        default=[],
        metavar="NAME:OPTION=VALUE",
        help="an option of ONNX Runtime's for a provider, as in cuda:device_id=1; repeatable",
    )
    command.add_argument(
        "--fp16", action="store_true", help="allow lower precision where the provider can"
    )
    command.add_argument(
        "--cache",
        metavar="DIR",
        help="folder with TensorRT's engines; default: NAME.engines beside a bundle NAME.edgeocr, "
        "where there is one, else in the user's cache",
    )
    command.add_argument(
        "--threads", type=positive, help="CPU threads; default: as many as are allowed here"
    )
    command.add_argument(
        "--memory-limit",
        type=_memory_limit,
        metavar="SIZE",
        help="what the process may hold in memory, as in 300MB, 300MiB or 1.5GB; default: the "
        "bundle's; none for no limit",
    )
    command.add_argument(
        "--max-pixels",
        type=_pixels,
        metavar="N",
        help="pixels that a picture is detected at, at most; default: the bundle's",
    )
    command.add_argument("--cpus", metavar="LIST", help="CPUs to run on, as in 4-7 or 0,2")


def add_signature_argument(command: argparse.ArgumentParser) -> None:
    """Whose bundles are taken."""
    command.add_argument(
        "--require-signature",
        metavar="KEY.pub",
        help="refuse a bundle that is not signed by this key, a public one in PEM",
    )


def add_provider_argument(command: argparse.ArgumentParser) -> None:
    """On what it reads."""
    command.add_argument(
        "--provider",
        type=_provider,
        default="auto",
        metavar="NAME",
        help="execution provider: auto (the default) takes the best that works here; cpu, cuda, "
        "tensorrt, openvino, …; or one for each stage, as in detection=cuda,recognition=cpu",
    )


def engine_options(options: argparse.Namespace) -> dict[str, Any]:
    """What the arguments say, as `OCR` takes it. Raises `EdgeOCRError` for what is no CPU."""
    from ..device import cpus

    try:
        chosen = None if options.cpus is None else cpus.parse(options.cpus)
    except ValueError as error:
        raise EdgeOCRError(str(error)) from None
    by_provider: dict[str, dict[str, str]] = {}
    for name, option, value in options.provider_option:
        by_provider.setdefault(name, {})[option] = value
    return {
        "provider_options": by_provider,
        "fp16": options.fp16,
        "cache": options.cache,
        "threads": options.threads,
        "require_signature": options.require_signature,
        "cpus": chosen,
        "memory_limit": options.memory_limit,
        "max_pixels": options.max_pixels,
    }


def _provider(text: str) -> str | dict[str, str]:
    from ..runtime.providers import check_provider_choice

    pairs = [part.strip().partition("=") for part in text.split(",")]
    by_stage = "=" in text
    if by_stage and not all(stage and name for stage, _, name in pairs):
        raise argparse.ArgumentTypeError(f"must be as in detection=cuda,recognition=cpu: {text!r}")
    try:
        for name in [name for _, _, name in pairs] if by_stage else [text]:
            check_provider_choice(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    chosen = {stage: name for stage, _, name in pairs}
    if by_stage and len(chosen) < len(pairs):
        raise argparse.ArgumentTypeError(f"names a stage twice: {text!r}")
    return chosen if by_stage else text


def _provider_option(text: str) -> tuple[str, str, str]:
    name, colon, rest = text.partition(":")
    option, equals, value = rest.partition("=")
    if not (_provider(name) and colon and option and equals):
        raise argparse.ArgumentTypeError(f"must be as in cuda:device_id=1, not {text!r}")
    return name, option, value


def _memory_limit(text: str) -> int | None:
    from ..memory.limit import parse

    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _pixels(text: str) -> int:
    """Of at least 64 × 64, which every network takes."""
    return _whole(text, 4096, 1 << 30)


def positive(text: str) -> int:
    """A whole number from 1 to a million."""
    return _whole(text, 1, 1_000_000)


def _whole(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or len(text) > 20 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {least} to {most}, not {text:.20}"
        )
    return int(text)

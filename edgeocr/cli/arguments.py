"""The arguments that several commands share, and how their texts are parsed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..decoding.limits import MAX_IMAGE_PIXELS
from ..errors import EdgeOCRError
from ..outputs.guard import OutputGuard

if TYPE_CHECKING:
    from ..ocr import OCR
    from ..runtime.options import RuntimeOptions

# The smallest --max-pixels: 64 × 64, which every network accepts.
LEAST_PIXELS = 4096


def add_engine_arguments(
    command: argparse.ArgumentParser, *, tunes: bool = False, pins_graphs: bool = True
) -> None:
    """Declare which bundle a command uses, and how it runs.

    Args:
        command: The command's parser.
        tunes: Whether the command itself finds out what is right on this device.
        pins_graphs: Whether the caller may choose the graphs of stages that have several.
    """
    command.add_argument(
        "--bundle", metavar="PATH", help="bundle to use; default: the one in the package"
    )
    command.add_argument(
        "--fp16", action="store_true", help="allow lower precision where the provider supports it"
    )
    command.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="CPU threads to use; default: the bundle's number, or as many as are available",
    )
    command.set_defaults(variant=None)
    if pins_graphs:
        command.add_argument(
            "--variant",
            type=_variant,
            metavar="NAME",
            help="the graph to take in stages that have several: fp32, int8 or fp16, or one for "
            "each stage, such as recognition=int8; default: the one that suits this device best",
        )
    if not tunes:
        command.add_argument(
            "--untuned",
            action="store_true",
            help="ignore what edgeocr tune and edgeocr warm have found out on this device",
        )
    add_common_engine_arguments(command)


def add_common_engine_arguments(command: argparse.ArgumentParser) -> None:
    """Declare those engine arguments that `bench` has for all cells of its matrix, too."""
    add_signature_argument(command)
    add_digest_argument(command)
    command.add_argument(
        "--provider-option",
        type=_provider_option,
        action="append",
        default=[],
        metavar="NAME:OPTION=VALUE",
        help="option of an execution provider of ONNX Runtime, such as cuda:device_id=1; "
        "may be repeated",
    )
    command.add_argument(
        "--engine-cache",
        metavar="DIR",
        help="the only folder with TensorRT engines; default: the bundle, NAME.engines beside it "
        "if it exists, else a folder in the user's cache",
    )
    command.add_argument(
        "--memory-limit",
        type=_memory_limit,
        metavar="SIZE",
        help="the most memory that the process may hold, such as 300MB, 300MiB or 1.5GB; default: "
        "the bundle's limit; none: no limit",
    )
    command.add_argument(
        "--max-pixels",
        type=_pixels,
        metavar="N",
        help="the most pixels at which a picture is detected; default: the bundle's number",
    )
    command.add_argument(
        "--cpus", type=_cpus, metavar="LIST", help="CPUs to run on, such as 4-7 or 0,2 (Linux)"
    )


def add_signature_argument(command: argparse.ArgumentParser) -> None:
    """Declare the key that a bundle must be signed with."""
    command.add_argument(
        "--require-signature",
        metavar="KEY.pub",
        help="reject a bundle that is not signed by this key (a public key in PEM format)",
    )


def add_digest_argument(command: argparse.ArgumentParser) -> None:
    """Declare the digest that a bundle must have."""
    command.add_argument(
        "--expect-digest",
        type=_digest,
        metavar="SHA256",
        help="reject a bundle with another digest; `edgeocr bundle verify` prints the digest",
    )


def add_overwrite_argument(command: argparse.ArgumentParser) -> None:
    """Declare the permission to replace files that edgeocr did not write."""
    command.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files even if nothing in them shows that edgeocr wrote them; what the "
        "command reads is never replaced",
    )


def add_provider_argument(command: argparse.ArgumentParser) -> None:
    """Declare the execution provider that a command runs on."""
    command.add_argument(
        "--provider",
        type=_provider,
        default="auto",
        metavar="NAME",
        help="execution provider: auto (the default) takes the best that works here; cpu, cuda, "
        "tensorrt, openvino, …; or one for each stage, such as detection=cuda,recognition=cpu",
    )


def add_picture_arguments(command: argparse.ArgumentParser) -> None:
    """Declare how large pictures may be."""
    command.add_argument(
        "--max-image-pixels",
        type=_image_pixels,
        default=MAX_IMAGE_PIXELS,
        metavar="N",
        help="the most pixels that a picture may have by its file's header; larger ones are "
        f"refused before they are decoded; default: {MAX_IMAGE_PIXELS}; none: no limit",
    )


def protected(options: argparse.Namespace, sources: Iterable[str]) -> OutputGuard:
    """Return a guard that protects what a command reads from being written to.

    Args:
        options: The parsed arguments of a command that has the shared ones; `bundle` may be a list.
        sources: Paths of the pictures; "-" stands for standard input, which may be a file.
    """
    from ..bundle.bundle import Bundle

    guard = OutputGuard(overwrite=options.overwrite)
    for source in sources:
        if source == "-" and sys.stdin is not None:
            with suppress(OSError, ValueError):  # it has no descriptor, as in tests
                guard.protect(sys.stdin.fileno(), "one of the sources")
        else:
            guard.protect(source, "one of the sources")
    for bundle in options.bundle if isinstance(options.bundle, list) else [options.bundle]:
        guard.protect(bundle or Bundle.default_path(), "the bundle")
    if options.require_signature is not None:
        guard.protect(options.require_signature, "the key")
    return guard


def open_ocr(options: argparse.Namespace) -> OCR:
    """Open the `OCR` that the options ask for.

    Args:
        options: The parsed arguments of a command that has the shared ones.

    Raises:
        EdgeOCRError: If the bundle or the provider does not work.
        SystemExit: With code 2, after printing the usage, if the options contradict the bundle.
    """
    from ..ocr import OCR

    try:
        return OCR(
            options.bundle,
            **ocr_arguments(options),
            require_signature=options.require_signature,
            expect_digest=options.expect_digest,
        )
    except EdgeOCRError:
        raise
    except (TypeError, ValueError) as error:
        parser: argparse.ArgumentParser = options.parser
        parser.error(str(error))


def ocr_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `OCR` that the options ask for, without those about the bundle.

    Args:
        options: The parsed arguments of a command, which may lack some of the shared ones.

    Raises:
        ValueError: An option of a provider can't be used.
    """
    return {
        "provider": options.provider,
        "threads": options.threads,
        "orientation": not getattr(options, "no_orientation", False),
        "upright": not getattr(options, "no_upright", False),
        "unwarp": not getattr(options, "no_unwarp", False),
        "shape": getattr(options, "shape", None),
        "max_pixels": options.max_pixels,
        "max_image_pixels": getattr(options, "max_image_pixels", MAX_IMAGE_PIXELS),
        "reading_order": getattr(options, "reading_order", "auto"),
        "restore_spaces": not getattr(options, "no_restore_spaces", False),
        "split_gaps": not getattr(options, "no_split_gaps", False),
        "memory_limit": options.memory_limit,
        "runtime": runtime_options(options),
    }


def runtime_options(options: argparse.Namespace) -> RuntimeOptions:
    """Return how ONNX Runtime is to run the networks.

    Raises:
        ValueError: An option of a provider can't be used.
    """
    from ..runtime.options import RuntimeOptions

    return RuntimeOptions(
        provider_options=provider_options(options),
        fp16=options.fp16,
        engine_cache=options.engine_cache,
        cpus=options.cpus,
        variant=options.variant,
        tuned=not getattr(options, "untuned", False),
    )


def provider_options(options: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Return the options of execution providers, by provider and name."""
    by_provider: dict[str, dict[str, str]] = {}
    for provider, option, value in options.provider_option:
        by_provider.setdefault(provider, {})[option] = value
    return by_provider


def positive(text: str) -> int:
    """Parse a whole number from 1 to a million."""
    return _whole_number(text, 1, 1_000_000)


def output_file(text: str) -> Path:
    """Parse the path of a file to write, whose folder must exist."""
    path = Path(text)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent} to write {path} to")
    return path


def provider_list(text: str) -> list[str]:
    """Parse names of execution providers or "auto", separated by commas; drop repeated ones."""
    return [_provider_name(name) for name in listed(text)]


def number_list(text: str) -> list[int]:
    """Parse whole numbers from 1 to a million, separated by commas; drop repeated ones."""
    return [positive(number) for number in listed(text)]


def listed(text: str) -> list[str]:
    """Split a text at its commas, and drop repeated words."""
    return list(dict.fromkeys(word.strip() for word in text.split(",")))


def _provider(text: str) -> str | dict[str, str]:
    return _by_stage(text, _provider_name, "detection=cuda,recognition=cpu")


def _variant(text: str) -> str | dict[str, str]:
    return _by_stage(text, _variant_name, "detection=fp32,recognition=int8")


def _by_stage(text: str, parse: Callable[[str], str], example: str) -> str | dict[str, str]:
    """Parse a name, or one for each stage as in the example."""
    if "=" not in text:
        return parse(text)
    chosen: dict[str, str] = {}
    for part in text.split(","):
        stage, _, name = part.strip().partition("=")
        if not stage or not name:
            raise argparse.ArgumentTypeError(f"must be written like {example}, not {text!r}")
        if stage in chosen:
            raise argparse.ArgumentTypeError(f"names the stage {stage} twice: {text!r}")
        chosen[stage] = parse(name)
    return chosen


def _variant_name(text: str) -> str:
    from ..runtime.options import check_variant

    return _checked(text, check_variant)


def _provider_name(text: str) -> str:
    from ..runtime.providers import check_provider_choice

    return _checked(text, check_provider_choice)


def _checked(text: str, check: Callable[[str], None]) -> str:
    try:
        check(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _provider_option(text: str) -> tuple[str, str, str]:
    name, colon, rest = text.partition(":")
    option, equals, value = rest.partition("=")
    if not (colon and option and equals):
        raise argparse.ArgumentTypeError(f"must be written like cuda:device_id=1, not {text!r}")
    return _provider_name(name), option, value


def _digest(text: str) -> str:
    from ..bundle.digest import normalized

    try:
        return normalized(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _memory_limit(text: str) -> int | None:
    from ..memory.limit import parse

    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _cpus(text: str) -> tuple[int, ...]:
    from ..device.cpus import parse

    try:
        return parse(text)
    except (EdgeOCRError, ValueError) as error:  # EdgeOCRError: a system without affinity
        raise argparse.ArgumentTypeError(str(error)) from None


def _pixels(text: str) -> int:
    return _whole_number(text, LEAST_PIXELS, 1 << 30)


def _image_pixels(text: str) -> int | None:
    return None if text.lower() == "none" else _whole_number(text, 1, 1 << 50)


def _whole_number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or len(text) > 20 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {least} to {most}, not {text:.20}"
        )
    return int(text)

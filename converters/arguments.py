"""The arguments of `python -m converters`."""

from __future__ import annotations

import argparse
import re
import shutil
import typing
from pathlib import Path
from typing import Any

from edgeocr.bundle.provenance import Precision

from .catalog import entries as catalogs
from .npu.targets import TARGETS


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog="python -m converters",
        description="Convert PaddleOCR models to edge graphs and freeze them into bundles.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser(
        "list", help="list the models, bundles and profiles of models.toml"
    )
    listing.add_argument("--task", choices=typing.get_args(catalogs.Task))
    listing.add_argument(
        "--language", metavar="CODE", help="a language code such as en, ja or zh-Hant"
    )
    listing.add_argument("--size", choices=typing.get_args(catalogs.Size))
    listing.add_argument("--format", choices=["paddle-legacy", "paddle-pir", "onnx"])
    fetch = commands.add_parser("fetch", help="fetch models into the cache and check their SHA-256")
    fetch.add_argument(
        "names", nargs="*", metavar="NAME", help="models of models.toml; default: all"
    )
    _add_convert(commands)
    verify = commands.add_parser(
        "verify", help="compare what convert wrote with Paddle Inference on the original"
    )
    verify.add_argument("output", type=Path, metavar="OUT/", help="the folder that convert wrote")
    verify.add_argument(
        "--against",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder with the Paddle model that was converted",
    )
    _add_paddle_python(verify)
    _add_doctor(commands)
    _add_npu(commands)
    freeze = commands.add_parser("freeze", help="make a bundle: one of models.toml or your own")
    freeze.add_argument(
        "bundle",
        nargs="?",
        metavar="BUNDLE",
        help="a bundle of models.toml; or name each stage's model",
    )
    for task in catalogs.STAGES:
        freeze.add_argument(
            f"--{task.replace('_', '-')}",
            metavar="MODEL",
            help="the stage's model: NAME of models.toml, DIR with an inference.yml, or NAME=DIR",
        )
    _add_output(freeze, "PATH", "NAME.edgeocr for one file, any other path for a new folder")
    freeze.add_argument(
        "--charset",
        action="append",
        default=[],
        metavar="WHAT",
        help="read only these characters: digits, ascii, latin, a language such as de or zh-Hans, "
        "@FILE with the characters, or the characters themselves (as chars:… where they could be "
        "a name); repeatable; default: all that the network knows",
    )
    _add_space(
        freeze.add_argument_group("characters of your own network"),
        "--dictionary",
        help="the dictionary that the recognition (or spotting) network was trained with, one "
        "character per line, where the model's own inference.yml or models.toml has another one",
    )
    freeze.add_argument(
        "--precision",
        choices=typing.get_args(Precision),
        default="fp32",
        help="the precision that graphs compute in; default: fp32",
    )
    freeze.add_argument(
        "--variants",
        type=_variants,
        default=(),
        metavar="LIST",
        help="keep several graphs of each stage that gains from them, of which a device takes the "
        "one that suits it: fp32,int8 or fp32,fp16 or fp32,int8,fp16",
    )
    freeze.add_argument(
        "--weights",
        choices=["fp32", "fp16"],
        default="fp32",
        help="what the file stores weights in: fp16 halves it, and computes in fp32 as before; "
        "default: fp32",
    )
    freeze.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="for --precision int8: a folder of pictures like those that will be read",
    )
    freeze.add_argument(
        "--accuracy",
        type=Path,
        metavar="DIR",
        help="a folder with a Label.txt; the manifest records what the bundle reads of it",
    )
    freeze.add_argument(
        "--max-loss",
        type=_points,
        metavar="POINTS",
        help="points of Hmean (hundredths) that a lower precision may lose on pictures that it was "
        "not chosen with; default: 0.5",
    )
    freeze.add_argument(
        "--profile",
        metavar="NAME",
        help="settings of models.toml for a class of device, such as raspberry-pi; "
        "`python -m converters list` shows what they set",
    )
    freeze.add_argument(
        "--sign",
        type=Path,
        metavar="KEY",
        help="the private key to sign the bundle with: NAME.key of `edgeocr bundle keygen NAME`",
    )
    triton = commands.add_parser(
        "triton", help="write a bundle as a model repository of Triton Inference Server"
    )
    triton.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's file or folder")
    _add_output(triton, "MODEL_REPOSITORY", "a new or empty folder")
    triton.add_argument(
        "--name",
        default="edgeocr",
        help="the model that reads pictures; its networks are called NAME_STAGE; default: edgeocr",
    )
    triton.add_argument(
        "--device", choices=["cpu", "gpu"], default="cpu", help="where networks run; default: cpu"
    )
    for name, default, what in (
        ("instances", 1, "copies of each network on each device"),
        ("readers", 2, "pictures that are read at a time"),
        ("threads", 1, "CPU threads of each run of a network"),
    ):
        triton.add_argument(
            f"--{name}",
            type=_positive,
            default=default,
            metavar="N",
            help=f"{what}; default: {default}",
        )
    triton.add_argument(
        "--tensorrt", action="store_true", help="let TensorRT run the networks, with --device gpu"
    )
    triton.add_argument(
        "--variant",
        choices=typing.get_args(Precision),
        default="fp32",
        help="the graph of stages that have several; default: fp32",
    )
    return whole


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor", help="check a folder with a network, and say why it would read wrongly"
    )
    doctor.add_argument("folder", type=Path, metavar="DIR", help="the folder with the network")
    doctor.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="pictures, or a picture: of lines for a recognition network, of pages for a detector; "
        "with labels (rec_gt.txt, Label.txt and others), common causes of wrong readings are found",
    )
    doctor.add_argument(
        "--charset",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a dictionary: the first one replaces the folder's own, further ones are tried; "
        "repeatable",
    )
    doctor.add_argument(
        "--algorithm",
        type=_algorithm,
        metavar="NAME",
        help="the network's algorithm, where no inference.yml says it; as for convert",
    )
    doctor.add_argument(
        "--ignore-yml", action="store_true", help="ignore the folder's inference.yml"
    )
    doctor.add_argument(
        "--json", type=Path, metavar="FILE", help="also write all facts and findings there"
    )
    _add_paddle_python(doctor)


def _add_npu(commands: Any) -> None:
    npu = commands.add_parser(
        "npu",
        help="write a graph of fixed shapes for an NPU's compiler, and report what it may refuse",
    )
    _add_model(npu)
    npu.add_argument("--target", choices=list(TARGETS), required=True, help="the compiler")
    npu.add_argument(
        "--shape",
        action="append",
        type=_shape,
        required=True,
        metavar="[INPUT=]1x3x48x320",
        help="the shape of the image's input, or of the input of that name; repeatable",
    )
    _add_output(
        npu, "OUT/", "a folder, in which npu.onnx, npu.txt and npu.json are written or replaced"
    )
    _add_known(npu)


def _add_convert(commands: Any) -> None:
    convert = commands.add_parser(
        "convert", help="convert one model to plain.onnx, edge.onnx, report.json and report.md"
    )
    _add_model(convert)
    _add_output(
        convert,
        "OUT/",
        "a new folder, or one that an earlier conversion wrote and this one replaces",
    )
    _add_paddle_python(convert)
    _add_known(convert)
    graphs = convert.add_argument_group("the graphs")
    graphs.add_argument(
        "--shape",
        action="append",
        type=_shape,
        default=[],
        metavar="[INPUT=]1x3x48x320",
        help="fix the shape of the image's input, or of the input of that name, and with it every "
        "size in both graphs; repeatable",
    )
    graphs.add_argument(
        "--opset",
        type=int,
        choices=range(13, 22),
        metavar="N",
        help="the version of ONNX's operators, 13 to 21; default: 17, or that of a model in ONNX",
    )
    graphs.add_argument(
        "--fast",
        action="store_true",
        help="measure no times, compare both graphs on a single batch, and not with Paddle",
    )


def _add_output(command: argparse.ArgumentParser, metavar: str, help: str) -> None:
    command.add_argument("-o", "--output", type=Path, required=True, metavar=metavar, help=help)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "model",
        metavar="NAME|DIR",
        help="a model of models.toml, a folder, or an archive of a folder (.tar, .tar.gz, .tgz)",
    )


def _add_known(command: argparse.ArgumentParser) -> None:
    """Add the options that say what a network is."""
    known = command.add_argument_group("what the network is, where its files don't say it")
    known.add_argument(
        "--as",
        dest="as_entry",
        metavar="NAME",
        help="treat the model in DIR as this one of models.toml",
    )
    known.add_argument(
        "--algorithm",
        type=_algorithm,
        metavar="NAME",
        help=f"the algorithm that the network was trained for: {', '.join(catalogs.TASKS)}",
    )
    known.add_argument(
        "--ignore-yml", action="store_true", help="ignore the inference.yml beside the model"
    )
    _add_space(
        known,
        "--charset",
        "--dictionary",
        help="the dictionary that the network was trained with, one character per line, where "
        "inference.yml is missing or has another one",
    )


def _add_paddle_python(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--paddle-python",
        type=_program,
        metavar="PATH",
        help="a Python that has paddlepaddle; default: this one",
    )


def _add_space(group: Any, *names: str, help: str) -> None:
    """Add the option for a dictionary, and the one for the space after its characters."""
    group.add_argument(*names, dest="dictionary", type=Path, metavar="FILE", help=help)
    group.add_argument(
        "--space",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the network has one more class, the space, after the characters of FILE; "
        "default: what inference.yml says, or else what fits its number of classes",
    )


def _variants(text: str) -> tuple[str, ...]:
    """Parse the precisions of a stage's graphs; return those beside fp32, GPUs' first."""
    names = [name.strip() for name in text.split(",")]
    known = typing.get_args(Precision)
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(
            f"unknown precision {unknown[0]!r:.40}; choose from {', '.join(known)}"
        )
    if "fp32" not in names or len(set(names)) < max(2, len(names)):
        raise argparse.ArgumentTypeError(
            f"must be fp32, which every device can run, and others: fp32,int8 for example, "
            f"not {text!r:.40}"
        )
    return tuple(name for name in known if name in names and name != "fp32")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return int(text)


def _points(text: str) -> float:
    """Parse points of Hmean."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 100, not {text!r:.40}")
    return value


def _program(text: str) -> Path:
    """Return the path of a program that can be run."""
    if shutil.which(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r:.200} can't be run: there is no such program")
    return Path(text)


def _algorithm(text: str) -> str:
    """Return the algorithm of a name in capital or small letters."""
    names = {name.casefold(): name for name in (*catalogs.TASKS, *catalogs.IMPOSSIBLE)}
    name = names.get(text.casefold())
    if name in catalogs.IMPOSSIBLE:
        raise argparse.ArgumentTypeError(f"{name}: {catalogs.IMPOSSIBLE[name]}")
    if name is None:
        raise argparse.ArgumentTypeError(
            f"must be one of {', '.join(catalogs.TASKS)}, not {text!r:.40}"
        )
    return name


def _shape(text: str) -> tuple[str | None, tuple[int, ...]]:
    """Parse a shape, with the name of its input before it if there is one."""
    name, separator, sizes = text.rpartition("=")
    if not re.fullmatch(r"[1-9]\d{0,8}(x[1-9]\d{0,8})*", sizes) or (separator and not name):
        raise argparse.ArgumentTypeError(
            f"must be sizes such as 1x3x48x320, with the input's name before them as in "
            f"x=1x3x48x320 if it isn't the image's, not {text!r:.60}"
        )
    return name or None, tuple(map(int, sizes.split("x")))

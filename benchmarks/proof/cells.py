"""The cells: the providers, precisions and options that the claims are tried with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edgeocr.runtime.providers import PROVIDERS

# The searches for convolution algorithms that ONNX Runtime's CUDA provider offers.
SEARCHES = ("EXHAUSTIVE", "HEURISTIC", "DEFAULT")
SEARCH_OPTION = "cudnn_conv_algo_search"
# Where OpenVINO stands in for CUDA, its performance hints stand in for the searches. The first one
# is its default.
HINTS = ("LATENCY", "THROUGHPUT", "CUMULATIVE_THROUGHPUT")
STAND_INS = ("openvino",)


@dataclass(frozen=True)
class Setup:
    """The arguments of `OCR` that differ between cells.

    Attributes:
        provider: The execution provider, or "auto".
        options: ONNX Runtime's options for each provider.
        fp16: Whether lower precision is allowed.
        variant: The graph to take in stages that have several; None for the device's choice.
        fixed_shapes: Whether inputs are padded to the bundle's shapes; None for the provider's
            default.
        cache: Name of the folder in which engines are kept, and from which they are taken; None
            if the cell has none.
    """

    provider: str
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    fp16: bool = False
    variant: str | None = None
    fixed_shapes: bool | None = None
    cache: str | None = None


@dataclass(frozen=True)
class Cell:
    """One way of running the networks.

    Attributes:
        name: Its name in tables.
        setup: How to open an `OCR`.
        reduced: Whether it computes in lower precision than float32.
        builds: Whether it builds something that is kept, which takes long.
        missing: Why it can't be tried on this kind of machine; None if it can.
    """

    name: str
    setup: Setup
    reduced: bool = False
    builds: bool = False
    missing: str | None = None


@dataclass(frozen=True)
class SearchCell:
    """A search for convolution algorithms, with or without recorded runs.

    Attributes:
        search: The search.
        recorded: Whether runs are recorded as CUDA graphs.
        cell: How it runs.
    """

    search: str
    recorded: bool
    cell: Cell


@dataclass(frozen=True)
class Cells:
    """All cells of a proof.

    Attributes:
        plain: The CPU as edgeocr runs it, in float32.
        reference: The same with inputs padded as for a GPU.
        main: The GPU as edgeocr runs it by default.
        parity: Cells in float32 whose texts and maps must equal the CPU's.
        reduced: Cells in lower precision.
        searches: The searches for convolution algorithms, and what edgeocr sets.
        chosen: The search that edgeocr sets.
        engines: Cells that build engines.
        others: Further cells whose speed is measured.
    """

    plain: Cell
    reference: Cell
    main: Cell
    parity: tuple[Cell, ...]
    reduced: tuple[Cell, ...]
    searches: tuple[SearchCell, ...]
    chosen: str
    engines: tuple[Cell, ...]
    others: tuple[Cell, ...]


def cells_for(stand_in: str | None, variants: Sequence[str]) -> Cells:
    """Return the cells of a proof.

    Args:
        stand_in: The provider in the GPU's place; None for a GPU.
        variants: The precisions of the bundle's graphs; empty if no stage has several.

    Raises:
        ValueError: The provider can't stand in for a GPU.
    """
    if stand_in is None:
        return _on_nvidia(variants)
    if stand_in == "openvino":
        return _on_openvino(variants)
    raise ValueError(f"{stand_in!r} can't stand in for a GPU: choose {' or '.join(STAND_INS)}")


def _on_nvidia(variants: Sequence[str]) -> Cells:
    fp32 = _fp32(variants)
    main = Cell("cuda fp32", Setup("cuda", variant=fp32))
    tensorrt = Cell("tensorrt fp32", Setup("tensorrt", variant=fp32, cache="fp32"), builds=True)
    half = replace(
        tensorrt,
        name="tensorrt fp16",
        setup=replace(tensorrt.setup, fp16=True, cache="fp16"),
        reduced=True,
    )
    rtx = Cell("tensorrt-rtx fp32", Setup("tensorrt-rtx", variant=fp32))
    tf32 = Cell("cuda TF32", replace(main.setup, fp16=True), reduced=True)
    searches = [
        SearchCell(search, recorded, _cuda(fp32, search, recorded))
        for recorded in (True, False)
        for search in SEARCHES
    ]
    return Cells(
        *_cpu(fp32),
        main,
        parity=(main, tensorrt, rtx),
        reduced=(tf32, half, *_graphs("cuda", variants)),
        searches=tuple(searches),
        chosen=PROVIDERS["cuda"].options[SEARCH_OPTION],
        engines=(tensorrt, half),
        others=(tensorrt, half, rtx),
    )


def _cuda(variant: str | None, search: str, recorded: bool) -> Cell:
    options = {SEARCH_OPTION: search, "enable_cuda_graph": str(int(recorded))}
    name = f"cuda {search}, {'with' if recorded else 'without'} CUDA graphs"
    return Cell(name, Setup("cuda", {"cuda": options}, variant=variant))


def _on_openvino(variants: Sequence[str]) -> Cells:
    fp32 = _fp32(variants)
    main = Cell("openvino fp32", _openvino(fp32))
    cached = Cell("openvino fp32, cached", replace(main.setup, cache="fp32"), builds=True)
    half = Cell(
        "openvino bf16", _openvino(fp32, {"INFERENCE_PRECISION_HINT": "bf16"}), reduced=True
    )
    nvidia = [
        Cell(f"{name} {precision}", Setup(name), reduced=precision == "fp16", missing=_NVIDIA)
        for name, precision in (
            ("tensorrt", "fp32"),
            ("tensorrt", "fp16"),
            ("tensorrt-rtx", "fp32"),
        )
    ]
    searches = [
        SearchCell(
            hint, False, Cell(f"openvino {hint}", _openvino(fp32, {"PERFORMANCE_HINT": hint}))
        )
        for hint in HINTS
    ]
    searches += [
        SearchCell(each, recorded, replace(_cuda(fp32, each, recorded), missing=_NVIDIA))
        for recorded in (True, False)
        for each in SEARCHES
    ]
    return Cells(
        *_cpu(fp32),
        main,
        parity=(main, *(each for each in nvidia if not each.reduced)),
        reduced=(half, *(each for each in nvidia if each.reduced), *_graphs("openvino", variants)),
        searches=tuple(searches),
        chosen=HINTS[0],
        engines=(cached, *nvidia[:2]),
        others=(half, *nvidia),
    )


_NVIDIA = "it needs an NVIDIA GPU"


def _openvino(variant: str | None, config: dict[str, str] | None = None) -> Setup:
    options: dict[str, str] = {"device_type": "CPU"}
    if config:
        options["load_config"] = json.dumps({"CPU": config})
    return Setup("openvino", {"openvino": options}, variant=variant)


def _cpu(variant: str | None) -> tuple[Cell, Cell]:
    setup = Setup("cpu", variant=variant)
    padded = replace(setup, fixed_shapes=True)
    return Cell("cpu fp32", setup), Cell("cpu fp32, padded", padded)


def _fp32(variants: Sequence[str]) -> str | None:
    return "fp32" if "fp32" in variants else None


def _graphs(provider: str, variants: Sequence[str]) -> list[Cell]:
    """Return a cell for each graph of lower precision that the bundle has, and the CPU's."""
    options: dict[str, Any] = {"openvino": {"device_type": "CPU"}} if provider == "openvino" else {}
    return [
        Cell(
            f"{name}, {variant} graph",
            Setup(name, options if name == provider else {}, variant=variant, fixed_shapes=True),
            reduced=True,
        )
        for variant in variants
        if variant != "fp32"
        for name in ("cpu", provider)
    ]

"""Write a bundle as a model repository of NVIDIA's Triton Inference Server.

Each network becomes a model of Triton's ONNX Runtime backend, with the interface that the edge
graph has. One more model, of the Python backend, takes the bytes of a picture and does what `OCR`
does, with the other models in place of ONNX Runtime.
"""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NoReturn

import onnx

from edgeocr import OCR, Bundle, RuntimeOptions
from edgeocr.bundle import archive
from edgeocr.runtime.job import Shape
from edgeocr.version import __version__

from ..errors import ConverterError
from .text_format import Symbol, Value, text_of

logger = logging.getLogger(__name__)

# Triton's names for the types of tensors that edge graphs have.
TYPES: Mapping[int, Symbol] = {
    onnx.TensorProto.UINT8: Symbol("TYPE_UINT8"),
    onnx.TensorProto.INT32: Symbol("TYPE_INT32"),
    onnx.TensorProto.INT64: Symbol("TYPE_INT64"),
    onnx.TensorProto.FLOAT: Symbol("TYPE_FP32"),
    onnx.TensorProto.FLOAT16: Symbol("TYPE_FP16"),
}
# The value of `cudnn_conv_algo_search` that stands for HEURISTIC, as edgeocr's own provider has it:
# the default searches anew for each new shape of an input.
HEURISTIC = "1"


@dataclass(frozen=True)
class Plan:
    """How a model repository is made.

    Attributes:
        name: Name of the model that reads pictures; the networks are called NAME_STAGE.
        device: Where the networks run.
        instances: How many copies of each network Triton holds on each device.
        readers: How many pictures are read at a time, each in a process of the Python backend.
        threads: CPU threads of each run of a network.
        tensorrt: Let TensorRT run what it can of the networks, on GPUs.
        variant: The graph to take in stages that have several, by its precision; the stage's own
            graph where there is none of this precision.
    """

    name: str = "edgeocr"
    device: Literal["cpu", "gpu"] = "cpu"
    instances: int = 1
    readers: int = 2
    threads: int = 1
    tensorrt: bool = False
    variant: str = "fp32"


@dataclass(frozen=True)
class Network:
    """A network of the bundle, as a model of Triton.

    Attributes:
        stage: The stage's name.
        model: The model's name.
        content: The ONNX file.
        precision: The precision of the graph.
        warm_up: The shapes that the model runs before it is ready.
    """

    stage: str
    model: str
    content: bytes
    precision: str
    warm_up: Sequence[Shape]
    graph: onnx.GraphProto = field(init=False)

    def __post_init__(self) -> None:
        """Parse the ONNX file."""
        object.__setattr__(self, "graph", onnx.load_from_string(self.content).graph)

    @property
    def input(self) -> str:
        """Name of the graph's only input."""
        return str(self.graph.input[0].name)


def write(bundle: Bundle, target: Path, plan: Plan = Plan()) -> list[str]:
    """Write a model repository; the same bundle and plan give the same bytes.

    Args:
        bundle: The bundle.
        target: A new or empty folder. It appears when all its models are complete.
        plan: How the repository is made.

    Returns:
        The names of the models.

    Raises:
        ConverterError: The target exists, or the plan contradicts the bundle.
    """
    _check(target, plan)
    networks = _networks(bundle, plan)
    models = {network.model: _network_files(network, bundle, plan) for network in networks}
    models[plan.name] = _reader_files(networks, bundle, plan)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        draft = Path(temporary) / target.name
        for model, contents in models.items():
            for name, content in contents.items():
                path = draft / model / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        archive.write(bundle.files(), draft / plan.name / "1" / "bundle.edgeocr")
        if target.is_dir():
            target.rmdir()
        draft.rename(target)
    return list(models)


def _check(target: Path, plan: Plan) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConverterError(f"{target}: this exists; remove it or choose another folder")
    if not re.fullmatch(r"\w[\w.-]*", plan.name):
        raise ConverterError(
            f"{plan.name!r:.80} is no name of a model: use letters, digits, dots, - and _"
        )
    if plan.tensorrt and plan.device != "gpu":
        raise ConverterError("TensorRT runs on GPUs only: add --device gpu")


def _networks(bundle: Bundle, plan: Plan) -> list[Network]:
    """Return the networks of a bundle, with the shapes that `OCR` gives them."""
    on_gpu = plan.device == "gpu"
    stages = {name: stage for name, stage in vars(bundle.manifest.stages).items() if stage}
    if "recognition" not in stages and "spotting" not in stages:
        raise ConverterError(f"the bundle {bundle.manifest.name!r} has no stage that reads")
    taken = {
        name: plan.variant if plan.variant in stage.graphs else stage.precision
        for name, stage in stages.items()
    }
    options = RuntimeOptions(
        networks=_nothing_runs, fixed_shapes=on_gpu, variant=taken, tuned=False
    )
    networks = []
    with OCR(bundle, threads=1, runtime=options) as ocr:
        for name, stage in ocr.stages.items():
            session = stage.session
            usual = [] if session.usual_shape is None else [session.usual_shape]
            networks.append(
                Network(
                    name,
                    f"{plan.name}_{name}",
                    bundle.read(stages[name].graphs[taken[name]]),
                    taken[name],
                    session.shapes if on_gpu else usual,
                )
            )
    return networks


def _nothing_runs(*_: object) -> NoReturn:
    raise AssertionError("no picture is read here")


def _network_files(network: Network, bundle: Bundle, plan: Plan) -> dict[str, bytes]:
    def tensor(value: onnx.ValueInfoProto) -> dict[str, Value]:
        type_ = value.type.tensor_type
        dims = [each.dim_value or -1 for each in type_.shape.dim]
        return {
            "name": value.name,
            "data_type": TYPES[type_.elem_type],
            "dims": dims,
        }

    config: dict[str, Value] = {
        "name": network.model,
        "backend": "onnxruntime",
        "default_model_filename": "model.onnx",
        # `OCR` has put crops together already. Triton would join runs into batches of other sizes:
        # on CPUs they take longer, and on GPUs each new shape does.
        "max_batch_size": 0,
        "input": [tensor(network.graph.input[0])],
        "output": [tensor(output) for output in network.graph.output],
        "instance_group": [_instances(plan.instances, plan.device)],
        "model_warmup": [_warm_up(network, shape) for shape in network.warm_up],
        **_acceleration(network, plan),
        "parameters": _parameters(
            {
                "intra_op_thread_count": str(plan.threads),
                **({"cudnn_conv_algo_search": HEURISTIC} if plan.device == "gpu" else {}),
            }
        ),
    }
    note = f"the stage {network.stage} in {network.precision}"
    return {"config.pbtxt": _file(config, bundle, note), "1/model.onnx": network.content}


def _acceleration(network: Network, plan: Plan) -> dict[str, Value]:
    if not plan.tensorrt:
        return {}
    accelerator: Value = {
        "name": "tensorrt",
        "parameters": [
            {"key": "precision_mode", "value": "FP32"},
            {"key": "trt_engine_cache_enable", "value": "1"},
            {"key": "trt_engine_cache_path", "value": f"/tmp/edgeocr-engines/{network.model}"},
        ],
    }
    return {
        "optimization": {"execution_accelerators": {"gpu_execution_accelerator": [accelerator]}}
    }


def _reader_files(networks: Sequence[Network], bundle: Bundle, plan: Plan) -> dict[str, bytes]:
    named = {each.stage: {"model": each.model, "input": each.input} for each in networks}
    text: dict[str, Value] = {"data_type": Symbol("TYPE_STRING"), "dims": [1]}
    config: dict[str, Value] = {
        "name": plan.name,
        "backend": "python",
        "max_batch_size": 0,
        "input": [
            {"name": "image", **text},
            {"name": "words", "data_type": Symbol("TYPE_BOOL"), "dims": [1], "optional": True},
        ],
        "output": [{"name": "text", **text}, {"name": "json", **text}],
        "instance_group": [_instances(plan.readers, "cpu")],
        "parameters": _parameters(
            {
                "bundle_digest": bundle.digest,
                "fixed_shapes": "true" if plan.device == "gpu" else "false",
                "networks": json.dumps(named),
                "variants": json.dumps({each.stage: each.precision for each in networks}),
            }
        ),
    }
    model = files(__package__).joinpath("model.py").read_bytes()
    return {"config.pbtxt": _file(config, bundle, "reads pictures"), "1/model.py": model}


def _instances(count: int, device: str) -> dict[str, Value]:
    return {"count": count, "kind": Symbol(f"KIND_{device.upper()}")}


def _warm_up(network: Network, shape: Shape) -> dict[str, Value]:
    return {
        "name": "x".join(map(str, shape)),
        "batch_size": 1,
        "inputs": {
            "key": network.input,
            "value": {"data_type": Symbol("TYPE_UINT8"), "dims": list(shape), "zero_data": True},
        },
    }


def _parameters(values: Mapping[str, str]) -> list[Value]:
    return [{"key": key, "value": {"string_value": value}} for key, value in values.items()]


def _file(config: Mapping[str, Any], bundle: Bundle, note: str) -> bytes:
    head = (
        f"# {note}\n# bundle: {json.dumps(bundle.manifest.name)}, {bundle.digest}\n"
        f"# written by edgeocr {__version__}\n"
    )
    return (head + text_of(config)).encode()

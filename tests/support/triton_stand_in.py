"""What Triton's Python backend gives a model, in this process: its classes, and networks to call.

A call of another model runs that model's ONNX file of the same repository with ONNX Runtime.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime


@dataclass(frozen=True)
class Tensor:
    """A named array."""

    named: str
    array: Any

    def name(self) -> str:
        return self.named

    def as_numpy(self) -> Any:
        return self.array


class TritonError(Exception):
    """An error of a response."""

    def message(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Response:
    """What a model answers."""

    output_tensors: Sequence[Tensor] = ()
    error: TritonError | None = None


class Called:
    """The response of a called model."""

    def __init__(self, tensors: Sequence[Tensor], problem: str = "") -> None:
        self.tensors, self._problem = tensors, problem

    def has_error(self) -> bool:
        return bool(self._problem)

    def error(self) -> TritonError:
        return TritonError(self._problem)


@dataclass(frozen=True)
class Request:
    """A request to a model."""

    tensors: Sequence[Tensor]

    @classmethod
    def of(cls, image: bytes, **more: Any) -> Request:
        """Make the request of a client."""
        image_tensor = Tensor("image", np.array([image], np.object_))
        return cls([image_tensor, *(Tensor(name, np.array([v])) for name, v in more.items())])


@dataclass
class StandIn:
    """A repository whose model is loaded in this process.

    Attributes:
        folder: The repository.
        calls: The shape of the input of each call of a network, by the network's model.
    """

    folder: Path
    calls: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    problem: str = ""

    def model(self, parameters: dict[str, str], name: str = "edgeocr") -> Any:
        """Load a model as the Python backend does, with the parameters of its configuration."""
        path = self.folder / name / "1" / "model.py"
        spec = importlib.util.spec_from_file_location("model_of_triton", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["triton_python_backend_utils"] = self._utilities()
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules["triton_python_backend_utils"]
        loaded = module.TritonPythonModel()
        values = {key: {"string_value": value} for key, value in parameters.items()}
        loaded.initialize(
            {
                "model_config": json.dumps({"parameters": values}),
                "model_repository": str(self.folder / name),
                "model_version": "1",
            }
        )
        return loaded

    def _utilities(self) -> ModuleType:
        sessions: dict[str, onnxruntime.InferenceSession] = {}

        class InferenceRequest:
            def __init__(_, model_name, inputs, requested_output_names, preferred_memory):
                _.name, _.inputs, _.outputs = model_name, inputs, requested_output_names

            def exec(_):
                if self.problem:
                    return Called([], self.problem)
                (given,) = _.inputs
                self.calls.append((_.name, given.array.shape))
                if _.name not in sessions:
                    path = self.folder / _.name / "1" / "model.onnx"
                    sessions[_.name] = onnxruntime.InferenceSession(path)
                found = sessions[_.name].run(_.outputs, {given.name(): given.array})
                return Called([Tensor(n, a) for n, a in zip(_.outputs, found, strict=True)])

        def find(tensors: Sequence[Tensor], name: str) -> Tensor | None:
            return next((tensor for tensor in tensors if tensor.name() == name), None)

        module: Any = ModuleType("triton_python_backend_utils")
        module.Tensor, module.TritonError = Tensor, TritonError
        module.InferenceRequest = InferenceRequest
        module.InferenceResponse = lambda output_tensors=(), error=None: Response(
            output_tensors, error
        )
        module.PreferredMemory = lambda kind: kind
        module.TRITONSERVER_MEMORY_CPU = 0
        module.get_input_tensor_by_name = lambda request, name: find(request.tensors, name)
        module.get_output_tensor_by_name = lambda response, name: find(response.tensors, name)
        return module

"""Read pictures as `edgeocr.OCR` does, with networks that Triton runs as models of their own.

`python -m converters triton` has written this file. Triton's Python backend imports it, in an
environment that has edgeocr.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from edgeocr import OCR, EdgeOCRError, RuntimeOptions


class TritonPythonModel:
    """A model from the bytes of a picture to its lines."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the bundle; its networks are the models that the parameter `networks` names."""
        parameters = json.loads(args["model_config"])["parameters"]
        settings = {name: each["string_value"] for name, each in parameters.items()}
        self._networks = json.loads(settings["networks"])
        bundle = Path(args["model_repository"], args["model_version"], "bundle.edgeocr")
        self._ocr = OCR(
            bundle,
            expect_digest=settings["bundle_digest"],
            threads=1,  # the backend wants its calls from the thread that calls `execute`
            runtime=RuntimeOptions(
                networks=self._run,
                fixed_shapes=settings["fixed_shapes"] == "true",
                variant=json.loads(settings["variants"]),
                tuned=False,
            ),
        )

    def finalize(self) -> None:
        """Close the bundle."""
        self._ocr.close()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer requests; one that fails has no effect on the others."""
        return [self._response(request) for request in requests]

    def _response(self, request: Any) -> Any:
        try:
            page = self._ocr.read(_input(request, "image"), words=bool(_input(request, "words")))
        except EdgeOCRError as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        outputs = {"text": page.to_text(), "json": page.to_json()}
        return pb_utils.InferenceResponse(
            [
                pb_utils.Tensor(name, np.array([value.encode()], np.object_))
                for name, value in outputs.items()
            ]
        )

    def _run(self, stage: str, batch: Any, outputs: Sequence[str]) -> list[Any]:
        network = self._networks[stage]
        response = pb_utils.InferenceRequest(
            model_name=network["model"],
            inputs=[pb_utils.Tensor(network["input"], batch)],
            requested_output_names=list(outputs),
            preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU),
        ).exec()
        if response.has_error():
            raise EdgeOCRError(f"{network['model']}: {response.error().message()}")
        return [pb_utils.get_output_tensor_by_name(response, name).as_numpy() for name in outputs]


def _input(request: Any, name: str) -> Any:
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else tensor.as_numpy().reshape(-1)[0]

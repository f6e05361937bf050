"""Test model repositories with Triton's own schema, and with a real server on the CPU.

The package nvidia-pytriton has the server with its Python backend, and not the ONNX Runtime
backend: models of the Python backend, which run the same ONNX files, stand in for the networks.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.triton.repository import Plan, write
from edgeocr import OCR, Bundle
from tests.support.paths import EMBEDDED_BUNDLE, ROOT
from tests.support.systems import bundle as trained

pytestmark = pytest.mark.triton
# Longer than the server takes to start on a slow machine.
PATIENCE = 120
NETWORK = """
import json
from pathlib import Path

import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        path = Path(args["model_repository"], args["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(path)
        self.input = config["input"][0]["name"]
        self.outputs = [each["name"] for each in config["output"]]

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        batch = pb_utils.get_input_tensor_by_name(request, self.input).as_numpy()
        found = self.session.run(self.outputs, {self.input: batch})
        tensors = [pb_utils.Tensor(n, a) for n, a in zip(self.outputs, found)]
        return pb_utils.InferenceResponse(tensors)
"""


def parsed(path: Path) -> Any:
    """Parse a configuration; a field that the schema lacks is an error."""
    from google.protobuf import text_format
    from tritonclient.grpc import model_config_pb2

    return text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())


@pytest.mark.parametrize(
    "plan",
    [Plan(), Plan("reader", "gpu", instances=2), Plan(device="gpu", tensorrt=True)],
    ids=["cpu", "gpu", "tensorrt"],
)
@pytest.mark.parametrize("name", ["embedded", "trained PGNet", "trained EAST, RARE"])
def test_configurations_fit_the_schema(tmp_path: Path, name: str, plan: Plan) -> None:
    bundle = Bundle.open(EMBEDDED_BUNDLE) if name == "embedded" else trained(name)
    for model in write(bundle, tmp_path / "models", plan):
        folder = tmp_path / "models" / model
        config = parsed(folder / "config.pbtxt")
        assert config.name == model
        assert config.max_batch_size == 0
        assert (folder / "1" / (config.default_model_filename or "model.py")).is_file()
        for tensor in (*config.input, *config.output):
            assert tensor.data_type and all(side > 0 or side == -1 for side in tensor.dims)
        for warm_up in config.model_warmup:
            (given,) = warm_up.inputs.items()
            assert given[0] == config.input[0].name
            for side, allowed in zip(given[1].dims, config.input[0].dims, strict=True):
                assert side > 0 and allowed in (side, -1)
        on_gpu = config.backend == "onnxruntime" and plan.device == "gpu"
        assert config.instance_group[0].kind == (1 if on_gpu else 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real server; return its address for gRPC."""
    folder = tmp_path_factory.mktemp("server")
    for model in write(Bundle.open(EMBEDDED_BUNDLE), folder / "models"):
        path = folder / "models" / model / "config.pbtxt"
        text = path.read_text("utf-8")
        if 'backend: "onnxruntime"' in text:
            text = text.replace('backend: "onnxruntime"', 'backend: "python"')
            path.write_text(text.replace('"model.onnx"', '"model.py"'), "utf-8")
            (path.parent / "1" / "model.py").write_text(NETWORK, "utf-8")
    spec = importlib.util.find_spec("pytriton")  # importing it needs further packages
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    found = package / "tritonserver"
    backend = folder / "backends" / "python"
    shutil.copytree(found / "backends" / "python", backend)
    stub = found / "python_backend_stubs" / "{}.{}".format(*sys.version_info[:2])
    shutil.copy(stub / "triton_python_backend_stub", backend)
    (backend / "triton_python_backend_stub").chmod(0o755)
    port = free_port()
    libraries = [package.parent / "nvidia_pytriton.libs", sysconfig.get_config_var("LIBDIR")]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [
                str(found / "bin" / "tritonserver"),
                f"--model-repository={folder / 'models'}",
                f"--backend-directory={folder / 'backends'}",
                "--allow-http=false",
                "--allow-metrics=false",
                "--grpc-address=127.0.0.1",
                f"--grpc-port={port}",
            ],
            # The backend finds this environment by the first `python3` in PATH.
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_ready(f"127.0.0.1:{port}", process, folder / "log.txt")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import tritonclient.grpc

    client = tritonclient.grpc.InferenceServerClient(address)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if client.is_server_ready():
                return
        except tritonclient.grpc.InferenceServerException:
            pass
        assert process.poll() is None and time.monotonic() < end, log.read_text("utf-8", "replace")
        time.sleep(0.2)


def read(address: str, picture: bytes) -> dict[str, Any]:
    import tritonclient.grpc

    image = tritonclient.grpc.InferInput("image", [1], "BYTES")
    image.set_data_from_numpy(np.array([picture], np.object_))
    client = tritonclient.grpc.InferenceServerClient(address)
    answer = client.infer("edgeocr", [image]).as_numpy("json")
    return dict(json.loads(answer[0]))


@pytest.mark.parametrize("name", ["sample.jpg", "poster.jpg"])
def test_server_reads_as_an_ocr_does(server: str, pictures: Path, ocr: OCR, name: str) -> None:
    picture = (pictures / name).read_bytes()
    assert read(server, picture)["lines"] == ocr.read(picture).to_dict()["lines"]


def test_broken_picture_is_an_error_and_the_next_one_is_read(server: str, pictures: Path) -> None:
    import tritonclient.grpc

    with pytest.raises(tritonclient.grpc.InferenceServerException, match="not a picture"):
        read(server, b"no picture")
    assert read(server, (pictures / "badge.jpg").read_bytes())["lines"]


def test_this_checkout_is_tested() -> None:
    """The server imports edgeocr from the environment, not from the working directory."""
    import edgeocr

    source = (ROOT / "edgeocr" / "runtime" / "elsewhere.py").read_text("utf-8")
    assert source == (Path(edgeocr.__file__).parent / "runtime" / "elsewhere.py").read_text("utf-8")

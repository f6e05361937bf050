"""Convert published weights through the PIR format, in which no registry has them.

These tests need Paddle 3.
"""

import shutil
import subprocess
import sys

import pytest

from converters.edge_graph import to_plain_inputs
from converters.graph.runner import onnx_runner
from converters.model.paddle_model import identify
from converters.parity import paddle_reference
from converters.parity.probes import probes
from converters.translate import translate
from tests.zoo.rounding import excess, shares

# Paddle reads a legacy program and writes it as a PIR program.
TO_PIR = """
import sys
import paddle
from paddle.base import core, libpaddle

paddle.enable_static()
executor = paddle.static.Executor(paddle.CPUPlace())
program, _, _ = paddle.static.load_inference_model(sys.argv[1], executor)
pir = libpaddle.pir.translate_to_pir(program.desc)
core.serialize_pir_program(pir, sys.argv[2], 1, True, False, True)
"""


@pytest.mark.pir
@pytest.mark.parametrize(
    "name", ["PP-OCRv4_mobile_det", "PP-OCRv4_mobile_rec", "ch_ppocr_mobile_v2.0_cls"]
)
def test_published_weights_give_paddles_outputs_through_pir(tmp_path, v4, v4_folders, name):
    source = v4_folders[name]
    command = [sys.executable, "-c", TO_PIR, str(source / "inference")]
    done = subprocess.run(
        [*command, str(tmp_path / "inference.json")],
        env={"FLAGS_enable_pir_api": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    shutil.copy(source / "inference.pdiparams", tmp_path)
    model = identify(tmp_path)
    assert model.format == "paddle-pir"
    run = onnx_runner(translate(model).plain, None)
    _, legacy = v4(name)
    network, interface = legacy.network, legacy.interface
    feeds = [
        to_plain_inputs(batch, network.normalize, interface) for batch in probes(network, interface)
    ]
    # The PIR program has no operator for its input, so Paddle runs the original instead.
    reference = paddle_reference.run(legacy.model, feeds, None)
    ours, expected, moved = (
        [outputs[0] for outputs in each]
        for each in ([run(feed) for feed in feeds], reference.outputs, reference.nudged)
    )
    assert excess(ours, expected, shares(moved, expected)) is None

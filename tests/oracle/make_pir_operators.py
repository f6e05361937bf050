"""Write tests/fixtures/pir_operators.npz: small PIR programs with Paddle Inference's outputs.

Needs paddlepaddle 3.3.1. From the root of the checkout:

    python -m tests.oracle.make_pir_operators [NAME...]

With names it writes nothing and shows the operators of these cases. tests/fixtures/README.md says
what the file holds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracle import pir_case
from tests.oracle.pir_case import Case, Input, Run
from tests.support.paths import FIXTURES

TARGET = FIXTURES / "pir_operators.npz"


def weights(layer: Any) -> None:
    """Replace a layer's weights by random numbers as coarse as the inputs, positive variances."""
    for name, value in layer.state_dict().items():
        rng = np.random.RandomState(zlib.crc32(name.encode()))
        drawn = rng.uniform(0.5 if "variance" in name else -1, 1.5, value.shape)
        value.set_value((np.round(drawn * 16) / 16).astype("float32"))


def save(make: Any, inputs: tuple[Input, ...], stem: Path) -> None:
    """Export what `make` returns."""
    import paddle

    made = make()

    class Exported(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.made = made

        def forward(self, given):
            return self.made(*given)

    layer = Exported()
    layer.eval()
    weights(layer)
    spec = [paddle.static.InputSpec(item.declared, item.dtype) for item in inputs]
    exported = paddle.jit.to_static(layer, input_spec=[spec], full_graph=True)
    paddle.jit.save(exported, str(stem))


def infer(stem: Path, runs: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Run a program with Paddle Inference without optimisations, and return its outputs."""
    from paddle import inference

    parameters = stem.with_suffix(".pdiparams")  # left out where there are none
    config = inference.Config(f"{stem}.json", str(parameters) if parameters.is_file() else "")
    config.disable_gpu()
    config.disable_mkldnn()
    config.switch_ir_optim(False)
    config.disable_glog_info()
    predictor = inference.create_predictor(config)
    results = []
    for values in runs:
        for name, value in zip(predictor.get_input_names(), values, strict=True):
            predictor.get_input_handle(name).copy_from_cpu(value)
        predictor.run()
        names = predictor.get_output_names()
        results.append([predictor.get_output_handle(name).copy_to_cpu() for name in names])
    return results


def export(name: str, make: Any, inputs: tuple[Input, ...]) -> Case:
    """Export a case and run it, twice where a size varies."""
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "inference"
        save(make, inputs, stem)
        varies = any(size < 0 for item in inputs for size in item.shape)
        given = [
            [item.value(f"{name} {index}", run) for index, item in enumerate(inputs)]
            for run in range(1 + varies)
        ]
        outputs = infer(stem, given)
        parameters = stem.with_suffix(".pdiparams")
        return Case(
            name,
            json.loads(stem.with_suffix(".json").read_text()),
            parameters.read_bytes() if parameters.is_file() else b"",
            [Run(*run) for run in zip(given, outputs, strict=True)],
        )


def main() -> None:
    """Write the file, or show the operators of the cases that the command line names."""
    parser = argparse.ArgumentParser(description="Export small PIR programs with their outputs.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    wanted = parser.parse_args().names
    # Both have to be set before Paddle is imported. With one thread results repeat.
    os.environ["FLAGS_enable_pir_api"] = "1"  # noqa: SIM112
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tests.oracle.pir_cases import activations, arithmetic, indexing, layers, shapes

    cases, failed = [], []
    for module in (layers, activations, arithmetic, shapes, indexing):
        for name, (make, inputs) in module.CASES.found.items():
            if wanted and name not in wanted:
                continue
            try:
                cases.append(export(name, make, inputs))
            except Exception as error:
                failed.append(f"{name}: {str(error).strip().splitlines()[-1]}")
                continue
            if wanted:
                print(name, json.dumps(cases[-1].operations, indent=1))
    if failed:
        sys.exit("\n".join(["Paddle refused:", *failed]))
    if not wanted:
        pir_case.save(TARGET, cases)
        print(f"{len(cases)} cases, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

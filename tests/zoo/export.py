"""Export the networks with Paddle 2.6.2 (legacy) or 3 (PIR), and store what Paddle Inference says.

python -m tests.zoo.export --format legacy|pir --output DIR [--width compact|full]
                           [--weights spread|initial] [NAME...]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.zoo import networks
from tests.zoo.inputs import flat, inputs
from tests.zoo.network import Network

TOLERANCE = 1e-4


def known() -> dict[str, Network]:
    found: dict[str, Network] = {}
    for module in pkgutil.iter_modules(networks.__path__):
        content = importlib.import_module(f"{networks.__name__}.{module.name}")
        found.update(getattr(content, "NETWORKS", {}))
    return found


def nested(entry: Any, values: Any, leaf: Any) -> Any:
    """Nest values, taken one after the other, like `Network.inputs`."""
    if isinstance(entry[1], str):
        return leaf(next(values))
    return [nested(one, values, leaf) for one in entry]


def arranged(network: Network, values: Any, leaf: Any) -> list[Any]:
    each = iter(values)
    return [nested(entry, each, leaf) for entry in network.inputs]


def save(name: str, network: Network, width: Any, weights: str, folder: Path) -> None:
    """Export a network with random weights as PaddleOCR does."""
    import paddle

    from tests.zoo.weights import fill

    paddle.seed(0)
    with paddle.utils.unique_name.guard():
        layer = network.build(width)
    layer.eval()
    for part in layer.sublayers():
        if hasattr(part, "rep") and not part.is_repped:
            part.rep()
    example = inputs(name, network.inputs, (16, *network.probes[0][1:]))
    examples = arranged(network, example, paddle.to_tensor)
    if weights == "spread":
        fill(layer, name, examples, rounded=width == "compact")

    def declared(entry: Any) -> Any:
        shape, dtype = entry
        return paddle.static.InputSpec(shape=list(shape), dtype=dtype)

    layer = paddle.jit.to_static(
        layer, input_spec=arranged(network, flat(network.inputs), declared)
    )
    folder.mkdir(parents=True, exist_ok=True)
    paddle.jit.save(layer, str(folder / "inference"))
    (folder / "inference.pdiparams.info").unlink(missing_ok=True)


def strip_callstacks(program: Path) -> None:
    """Remove the call stacks of the operators, which are most of a legacy program."""
    from paddle.base.proto import framework_pb2

    description = framework_pb2.ProgramDesc()
    description.ParseFromString(program.read_bytes())
    for operator in (operator for block in description.blocks for operator in block.ops):
        kept = [attribute for attribute in operator.attrs if attribute.name != "op_callstack"]
        del operator.attrs[:]
        operator.attrs.extend(kept)
    program.write_bytes(description.SerializeToString())


def infer(program: Path, given: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Return the outputs of Paddle Inference without its optimizations."""
    from paddle import inference

    config = inference.Config(str(program), str(program.with_suffix(".pdiparams")))
    config.disable_gpu()
    config.switch_ir_optim(False)
    config.disable_glog_info()
    if hasattr(config, "disable_mkldnn"):
        config.disable_mkldnn()
    config.set_cpu_math_library_num_threads(1)
    predictor = inference.create_predictor(config)
    results = []
    for values in given:
        for key, value in zip(predictor.get_input_names(), values, strict=True):
            predictor.get_input_handle(key).copy_from_cpu(value)
        predictor.run()
        names = predictor.get_output_names()
        results.append([predictor.get_output_handle(key).copy_to_cpu() for key in names])
    return results


def check(name: str, results: list[list[np.ndarray]]) -> None:
    """Exit if an output hardly varies, since that would hide faults of a conversion."""
    for output in (output for outputs in results for output in outputs):
        if not np.isfinite(output).all():
            sys.exit(f"{name}: an output is not finite")
        if output.dtype.kind == "f" and output.std() < 1e-3 * np.abs(output).max():
            sys.exit(f"{name}: an output of the shape {output.shape} is constant")


def compare(name: str, results: list[list[np.ndarray]], path: Path) -> None:
    """Exit unless the results are the stored ones."""
    worst = 0.0
    with np.load(path) as file:
        if sum(key.startswith("output_") for key in file) != sum(map(len, results)):
            sys.exit(f"{name}: another number of outputs than in {path}")
        for probe, outputs in enumerate(results):
            for index, output in enumerate(outputs):
                other = file[f"output_{probe}_{index}"]
                if other.shape != output.shape:
                    sys.exit(f"{name}: output of {output.shape}, stored {other.shape}")
                difference = np.abs(output.astype(np.float64) - other).max()
                worst = max(worst, difference / max(np.abs(other).max(), 1e-9))
    print(f"{name}: differs from the stored outputs by {worst:.1e} of the largest value")
    if worst > TOLERANCE:
        sys.exit(f"{name}: differs from {path}")


def export(name: str, network: Network, form: str, width: Any, weights: str, output: Path) -> None:
    folder = output / name / form
    save(name, network, width, weights, folder)
    if form == "pir" and network.settings is not None:
        import yaml

        text = yaml.dump(network.settings, default_flow_style=False, allow_unicode=True)
        (folder / "inference.yml").write_text(text, "utf-8")
    program = folder / ("inference.json" if form == "pir" else "inference.pdmodel")
    if form == "legacy":
        strip_callstacks(program)
    results = infer(program, [inputs(name, network.inputs, shape) for shape in network.probes])
    if weights == "spread":
        check(name, results)
    path = output / name / "outputs.npz"
    if form == "pir" and path.exists():
        return compare(name, results, path)
    arrays: dict[str, Any] = {"inputs": np.array(json.dumps(network.inputs))}
    for probe, (shape, outputs) in enumerate(zip(network.probes, results, strict=True)):
        arrays[f"input_{probe}_shape"] = np.array(shape)
        for index, value in enumerate(outputs):
            arrays[f"output_{probe}_{index}"] = value
    np.savez_compressed(path, **arrays)
    print(f"{name}: {[[value.shape for value in outputs] for outputs in results]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the networks of the tests.")
    parser.add_argument("--format", choices=["legacy", "pir"], required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--width", choices=["compact", "full"], default="compact")
    parser.add_argument(
        "--weights",
        choices=["spread", "initial"],
        default="spread",
        help="spread: all outputs vary; initial: as Paddle starts a training",
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    # Both have to be set before Paddle is imported; a thread only, for results that repeat.
    os.environ["FLAGS_enable_pir_api"] = str(int(arguments.format == "pir"))  # noqa: SIM112
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import paddle

    if paddle.__version__.startswith("2.") != (arguments.format == "legacy"):
        parser.error(f"Paddle {paddle.__version__} does not export {arguments.format}")
    available = known()
    names = arguments.names or sorted(available)
    if unknown := set(names) - set(available):
        parser.error(f"no networks {sorted(unknown)}; there are {sorted(available)}")
    if len(names) == 1:
        (name,) = names
        export(
            name,
            available[name],
            arguments.format,
            arguments.width,
            arguments.weights,
            arguments.output,
        )
        return
    # A process for each, since variables are numbered through the process.
    options = ["--format", arguments.format, "--width", arguments.width]
    options += ["--weights", arguments.weights]
    command = [sys.executable, "-m", "tests.zoo.export", *options, "--output", arguments.output]
    failed = [name for name in names if subprocess.run([*command, name]).returncode]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

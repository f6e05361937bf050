"""Export the networks with Paddle 2.6.2 (legacy) or 3 (PIR), and store Paddle Inference's outputs.

python -m tests.zoo.export --format legacy|pir --output DIR [--width compact|full]
                           [--weights spread|initial] [--no-outputs] [NAME...]
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from converters.parity.paddle_reference import nudged
from tests.zoo import networks
from tests.zoo.inputs import flat, inputs
from tests.zoo.network import Network
from tests.zoo.rounding import excess, shares


def known() -> dict[str, Network]:
    """Return all networks by their names."""
    found: dict[str, Network] = {}
    for module in pkgutil.iter_modules(networks.__path__):
        content = importlib.import_module(f"{networks.__name__}.{module.name}")
        found.update(getattr(content, "NETWORKS", {}))
    return found


def nested(entry: Any, values: Any, leaf: Any) -> Any:
    """Nest what `leaf` makes of each value, one after the other, as `Network.inputs` is nested."""
    if isinstance(entry[-1], str):
        return leaf(next(values))
    return [nested(one, values, leaf) for one in entry]


def arranged(network: Network, values: Any, leaf: Any) -> list[Any]:
    """Nest what `leaf` makes of each value as the inputs of a network are nested."""
    each = iter(values)
    return [nested(entry, each, leaf) for entry in network.inputs]


def save(name: str, network: Network, width: Any, weights: str, folder: Path) -> None:
    """Export a network with random weights as PaddleOCR's export does."""
    import paddle

    from tests.zoo.weights import fill

    paddle.seed(0)
    with paddle.utils.unique_name.guard():
        layer = network.build(width)
    layer.eval()
    for part in layer.sublayers():
        if hasattr(part, "rep") and not part.is_repped:
            part.rep()
    number = flat(network.inputs)[0][0][0] or 16
    example = inputs(name, network.inputs, (number, *network.probes[0][1:]))
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
    """Drop the operators' Python stacks: folders of this machine, and most of a legacy file."""
    from paddle.base.proto import framework_pb2

    description = framework_pb2.ProgramDesc()
    description.ParseFromString(program.read_bytes())
    for operator in (operator for block in description.blocks for operator in block.ops):
        kept = [attribute for attribute in operator.attrs if attribute.name != "op_callstack"]
        del operator.attrs[:]
        operator.attrs.extend(kept)
    program.write_bytes(description.SerializeToString())


def infer(program: Path, given: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Run a program as it stands with Paddle Inference, and return the outputs of each run."""
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
    """End with an error where outputs hardly vary, which would hide faults of a conversion."""
    for output in (output for outputs in results for output in outputs):
        if not np.isfinite(output).all():
            sys.exit(f"{name}: an output is not finite")
        if output.dtype.kind == "f" and output.std() < 1e-3 * np.abs(output).max():
            sys.exit(f"{name}: an output of the shape {output.shape} is constant")


def compare(name: str, made: dict[str, Any], path: Path) -> None:
    """End with an error unless the results are the stored ones, except for rounding."""
    with np.load(path) as file:
        stored = dict(file)
    if wrong := disagreements(made, stored):
        sys.exit(f"{name}: not what is in {path}: {'; '.join(wrong)}")
    print(f"{name}: as in {path}")


def disagreements(made: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """Describe where the contents of one outputs.npz are not those of another.

    Rounding is allowed for, as it was measured on this processor along with `made`.
    """
    if set(made) != set(stored):
        return [f"{sorted(set(made) ^ set(stored))} are in only one of them"]
    exact = ("inputs", "input_")
    wrong = [key for key in made if key.startswith(exact) and (made[key] != stored[key]).any()]
    for key in (key for key in made if key.startswith("rounding_")):
        index = key.removeprefix("rounding_")
        probes = [
            name for name in made if name.startswith("output_") and name.endswith(f"_{index}")
        ]
        one, other = ([each[name] for name in probes] for each in (made, stored))
        if said := excess(one, other, made[key]):
            wrong.append(f"output {index} {said}")
    return wrong


def export(
    name: str,
    network: Network,
    form: str,
    width: Any,
    weights: str,
    output: Path,
    with_outputs: bool = True,
) -> None:
    """Export a network, and store or compare its outputs."""
    folder = output / name / form
    save(name, network, width, weights, folder)
    if form in network.formats and network.settings is not None:
        import yaml

        text = yaml.dump(network.settings, default_flow_style=False, allow_unicode=True)
        (folder / "inference.yml").write_text(text, "utf-8")
    program = folder / ("inference.json" if form == "pir" else "inference.pdmodel")
    if form == "legacy":
        strip_callstacks(program)
    if not with_outputs:
        return
    given = [inputs(name, network.inputs, shape) for shape in network.probes]
    moved = [[nudged(image), *others] for image, *others in given]
    results = infer(program, given + moved)
    results, again = results[: len(given)], results[len(given) :]
    if weights == "spread":
        check(name, results)
    arrays: dict[str, Any] = {"inputs": np.array(json.dumps(network.inputs))}
    for probe, (shape, outputs) in enumerate(zip(network.probes, results, strict=True)):
        arrays[f"input_{probe}_shape"] = np.array(shape)
        for index, value in enumerate(outputs):
            arrays[f"output_{probe}_{index}"] = value
    for index in range(len(results[0])):
        arrays[f"rounding_{index}"] = shares(
            [outputs[index] for outputs in again], [outputs[index] for outputs in results]
        )
    path = output / name / "outputs.npz"
    if form == "pir" and path.exists():
        return compare(name, arrays, path)
    np.savez_compressed(path, **arrays)
    print(f"{name}: {[[value.shape for value in outputs] for outputs in results]}")


def main() -> None:
    """Export the networks that the command line names."""
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
    parser.add_argument(
        "--no-outputs",
        dest="outputs",
        action="store_false",
        help="only the programs and their parameters",
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    # Both have to be set before Paddle is imported. With one thread results repeat.
    os.environ["FLAGS_enable_pir_api"] = str(int(arguments.format == "pir"))  # noqa: SIM112
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import paddle

    if paddle.__version__.startswith("2.") != (arguments.format == "legacy"):
        parser.error(f"Paddle {paddle.__version__} does not export {arguments.format}")
    available = known()
    names = arguments.names or sorted(available)
    if unknown := set(names) - set(available):
        parser.error(f"no networks {sorted(unknown)}; there are {sorted(available)}")
    options = arguments.format, arguments.width, arguments.weights
    rest = arguments.output, arguments.outputs
    # Each network has its own process, because Paddle numbers layers and variables in a process.
    # It is forked, because importing Paddle takes about as long as an export.
    context = multiprocessing.get_context("fork")
    failed = []
    for name in names:
        process = context.Process(target=export, args=(name, available[name], *options, *rest))
        process.start()
        process.join()
        if process.exitcode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    # Paddle lists the variables of a loop in the order of a set of their names. With this seed an
    # export of a network with a loop can be repeated byte by byte; Python reads it when it starts.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.zoo.export", *sys.argv[1:]])
    main()

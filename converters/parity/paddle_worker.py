"""Run Paddle Inference on a folder's inputs.npz and write as_is.npz and optimized.npz.

The arguments are the program, its parameters, the folder, and the number of inputs that are also
run with Paddle's graph passes. The script needs nothing but paddle and numpy; `paddle_reference`
starts it.
"""

import sys
from pathlib import Path

import numpy as np
import paddle
from paddle import inference


def main(graph: str, parameters: str, folder: str, optimized: str) -> None:
    """Run the program as it is, and again after Paddle's graph passes."""
    if graph.endswith(".json") and int(paddle.__version__.split(".")[0]) < 3:
        print(f"paddlepaddle {paddle.__version__} can't read PIR")
        sys.exit(1)
    with np.load(Path(folder) / "inputs.npz") as file:
        inputs = dict(file)
    for kind in ("as_is", "optimized"):
        config = inference.Config(graph, parameters)
        config.disable_gpu()
        config.disable_mkldnn()
        config.switch_ir_optim(kind == "optimized")
        config.disable_glog_info()
        predictor = inference.create_predictor(config)
        names = predictor.get_input_names()
        results = {"version": np.array(paddle.__version__)}
        probe = 0
        while f"{probe}.0" in inputs and (kind == "as_is" or probe < int(optimized)):
            for position, name in enumerate(names):
                handle = predictor.get_input_handle(name)
                handle.copy_from_cpu(inputs[f"{probe}.{position}"])
            predictor.run()
            for position, name in enumerate(predictor.get_output_names()):
                results[f"{probe}.{position}"] = predictor.get_output_handle(name).copy_to_cpu()
            probe += 1
        # Written before the next kind is run: some programs fail with Paddle's graph passes.
        np.savez(Path(folder) / f"{kind}.npz", **results)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])

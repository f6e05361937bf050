"""Build a graph with RKNN-Toolkit2 and run it in its simulator, beside ONNX Runtime.

The argument is the ONNX file. The last line that is printed is a JSON object: `error`, or
`difference`, the largest difference of an output as a share of its largest value. The script needs
rknn-toolkit2 and its own requirements.
"""

import json
import sys
from typing import Any

import numpy as np
import onnxruntime
from rknn.api import RKNN  # type: ignore[import-not-found,unused-ignore]

PLATFORM = "rk3588"


def main(graph: str) -> None:
    """Build and run the graph without quantization, in float16 as the NPU does."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    feeds = [
        rng.uniform(-1, 1, item.shape).astype(np.float32 if "float" in item.type else np.int64)
        for item in session.get_inputs()
    ]
    names = [item.name for item in session.get_inputs()]
    expected = session.run(None, dict(zip(names, feeds, strict=True)))
    rknn = RKNN(verbose=False)
    rknn.config(target_platform=PLATFORM)
    for step, action in (
        ("load_onnx", lambda: rknn.load_onnx(model=graph)),
        ("build", lambda: rknn.build(do_quantization=False)),
        ("init_runtime", rknn.init_runtime),
    ):
        if action() != 0:
            answer({"error": f"{step} failed"})
            return
    got = rknn.inference(inputs=feeds, data_format=["nchw"] * len(feeds))
    worst = max(
        float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(got, expected, strict=True)
    )
    answer({"difference": worst})


def answer(result: dict[str, Any]) -> None:
    """Print the result after what the toolkit has printed."""
    print(flush=True)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as error:  # the toolkit raises whatever its parts raise
        answer({"error": f"{type(error).__name__}: {error!s:.200}"})

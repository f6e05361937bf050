"""Compile a graph for Qualcomm's HTP with onnxruntime-qnn, without a device.

The arguments are the ONNX file and an empty folder. The last line that is printed is a JSON object:
`error`, or `parts`, the number of compiled parts, and `cpu`, the number of nodes of each operator
that stay on the CPU if anything is compiled.
The script needs onnxruntime, onnxruntime-qnn and onnx.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import onnxruntime_qnn  # type: ignore[import-not-found,unused-ignore]

# The HTP of Snapdragon 8 Gen 2.
ARCHITECTURE, MODEL = "73", "43"


def main(graph: str, folder: str) -> None:
    """Compile the graph, and count the parts that were compiled and the nodes that were not."""
    name = onnxruntime_qnn.get_ep_name()
    onnxruntime.register_execution_provider_library(name, onnxruntime_qnn.get_library_path())
    devices = [each for each in onnxruntime.get_ep_devices() if each.ep_name == name]
    target = Path(folder) / "context.onnx"
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("ep.context_enable", "1")
    options.add_session_config_entry("ep.context_file_path", str(target))
    options.add_provider_for_devices(
        devices[:1],
        {
            "backend_path": onnxruntime_qnn.get_qnn_htp_path(),
            "htp_arch": ARCHITECTURE,
            "soc_model": MODEL,
        },
    )
    onnxruntime.InferenceSession(graph, options)
    if not target.is_file():
        answer({"parts": 0, "cpu": {}})
        return
    nodes = Counter(node.op_type for node in onnx.load(target).graph.node)
    parts = nodes.pop("EPContext", 0)
    answer({"parts": parts, "cpu": dict(nodes)})


def answer(result: dict[str, Any]) -> None:
    """Print the result after what the library has printed."""
    print(flush=True)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # ONNX Runtime's exceptions have no common base class
        answer({"error": f"{type(error).__name__}: {error!s:.200}"})

"""Run paddle2onnx's extension module on one legacy model; the cross-check starts this script.

Arguments: the extension's file, the program, the parameters, and the ONNX file to write. The
package paddle2onnx imports Paddle but its extension doesn't, so this script loads the extension by
its file.
"""

import importlib.util
import sys
from pathlib import Path

# The first opset with LayerNormalization; ONNX Runtime reads it since 1.12.
OPSET = 17


def main(extension: str, program: str, parameters: str, target: str) -> None:
    """Translate and write the graph; any failure ends this process."""
    spec = importlib.util.spec_from_file_location("paddle2onnx_cpp2py_export", extension)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    graph: bytes = module.export(
        program,
        parameters,
        OPSET,
        True,  # raise the opset where an operator needs it
        False,  # verbose
        True,  # check the graph with ONNX's checker
        True,  # experimental operators: rnn is one
        True,  # optimize
        {},  # custom operators
        "onnxruntime",
        "",  # int8 calibration file
        "",  # external data file
        False,  # fp16
    )
    if not graph:  # the extension has printed the reason
        sys.exit(1)
    Path(target).write_bytes(graph)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Which versions of ONNX Runtime multiply int8 wrongly, and on which processors."""

from __future__ import annotations

from ..device.cpus import has_vnni

# From the first version on, up to but not including the second one, ONNX Runtime's kernels for AMX
# and VNNI give wrong products: issue 26324 and pull request 27671 of microsoft/onnxruntime. With
# `small` in int8, 28 of 70 lines were read differently on an Intel Xeon with AMX.
WRONG_SINCE, RIGHT_SINCE = (1, 21), (1, 25)
PROBLEM = "ONNX Runtime 1.21 to 1.24 multiplies int8 wrongly on this CPU: install 1.25 or newer"


def is_wrong(version: tuple[int, int]) -> bool:
    """Return whether a version of ONNX Runtime multiplies int8 wrongly on this processor.

    Args:
        version: The major and minor version.
    """
    return WRONG_SINCE <= version < RIGHT_SINCE and has_vnni()

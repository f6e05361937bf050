"""Write tests/fixtures/legacy_operators.npz: single legacy operators with Paddle's results.

Needs paddlepaddle 2.6.2. From the root of the checkout:

    python -m tests.oracle.make_legacy_operators

tests/fixtures/README.md says what the file holds.
"""

from __future__ import annotations

import base64
import sys
import warnings
from typing import Any

import numpy as np

from converters.paddle.files import messages
from tests.oracle import pir_case
from tests.oracle.legacy_cases import CASES, LegacyCase
from tests.oracle.pir_case import Case, Run
from tests.support.paths import FIXTURES

TARGET = FIXTURES / "legacy_operators.npz"
# What the translator doesn't read: it would double the size of the file.
_UNREAD = ("op_callstack", "op_namescope", "op_role", "op_role_var", "op_device", "use_mkldnn",
           "use_cudnn", "with_quant_attr", "mkldnn_data_type")  # fmt: skip


def export(name: str, case: LegacyCase) -> Case:
    """Build the program of one operator and run it, twice where a size varies."""
    import paddle

    runs_of = 1 + any(s < 0 for items in case.inputs.values() for item in items for s in item.shape)
    drawn = [
        {
            slot: [item.value(f"{name} {slot} {index}", run) for index, item in enumerate(items)]
            for slot, items in case.inputs.items()
        }
        for run in range(runs_of)
    ]
    main = paddle.static.Program()
    with paddle.static.program_guard(main):
        block = main.global_block()
        inputs: dict[str, list[Any]] = {}
        for slot, items in case.inputs.items():
            inputs[slot] = [
                paddle.static.data(f"{slot}{index}", item.declared, item.dtype)
                for index, item in enumerate(items)
            ]
        given = {name: paddle.assign(np.asarray(each)) for name, each in case.variables.items()}
        outputs = {
            slot: [
                block.create_var(name=f"{slot.lower()}{i}.out", dtype=kind) for i in range(count)
            ]
            for slot, (count, kind) in case.outputs.items()
        }
        block.append_op(type=case.kind, inputs=inputs, outputs=outputs,
                        attrs=case.attributes | given)  # fmt: skip
    fetched = [
        var for slot, names in outputs.items() if slot not in ("XShape", "Norm") for var in names
    ]
    fed = [var for slot in case.inputs for var in inputs[slot]]
    executor = paddle.static.Executor(paddle.CPUPlace())
    runs = []
    for values in drawn:
        feed = {
            f"{slot}{index}": value
            for slot, items in values.items()
            for index, value in enumerate(items)
        }
        runs.append(Run(list(feed.values()), executor.run(main, feed=feed, fetch_list=fetched)))
    content = paddle.static.serialize_program(fed, fetched, program=main)
    desc = messages()["ProgramDesc"].FromString(content)
    for operator in desc.blocks[0].ops:
        for index in reversed(range(len(operator.attrs))):
            if operator.attrs[index].name in _UNREAD:
                del operator.attrs[index]
    text = base64.b64encode(desc.SerializeToString(deterministic=True)).decode()
    return Case(name, {"desc": text}, b"", runs)


def main() -> None:
    """Write the file."""
    import paddle

    warnings.simplefilter("ignore")
    paddle.enable_static()
    cases, failed = [], []
    for name, case in CASES.items():
        try:
            cases.append(export(name, case))
        except Exception as error:
            failed.append(f"{name}: {' '.join(str(error).split())[-300:]}")
    if failed:
        sys.exit("\n".join(["Paddle refused:", *failed]))
    pir_case.save(TARGET, cases)
    print(f"{len(cases)} cases, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

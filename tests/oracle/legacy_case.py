"""Read the cases of legacy programs, which `make_legacy_operators` writes.

Tests read them with this module, so it does not import Paddle.
"""

from __future__ import annotations

import base64

from converters.paddle.files import messages
from converters.paddle.program import Program
from tests.oracle.pir_case import Case


def program(case: Case) -> Program:
    """Return the program of a case; it has no parameters."""
    desc = messages()["ProgramDesc"].FromString(base64.b64decode(case.graph["desc"]))
    return Program(desc, {})

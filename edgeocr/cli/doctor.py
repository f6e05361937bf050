"""`edgeocr doctor`: print what a bug report needs, what is wrong here, and how to fix it."""

from __future__ import annotations

import argparse
import json


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    command.add_argument("--json", action="store_true", help="print all facts as JSON")
    command.add_argument(
        "--bundle", metavar="PATH", help="bundle to check; default: the one in the package"
    )


def run(options: argparse.Namespace) -> int:
    """Examine the machine and print what was found.

    Returns:
        1 if something is broken, else 0.
    """
    from ..doctor.examination import examine
    from ..doctor.report import report

    examination = examine(options.bundle)
    if options.json:
        print(json.dumps(examination.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(report(examination))
    return 1 if examination.problems else 0

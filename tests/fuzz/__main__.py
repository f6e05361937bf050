"""The command `python -m tests.fuzz TARGET… --inputs N --seconds S`; see tests/README.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz import campaign, targets


def main() -> int:
    """Fuzz targets; return 1 if there are findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="+", choices=[*targets.NAMES, "all"], metavar="TARGET")
    parser.add_argument("--inputs", type=int, default=10_000, help="over all targets")
    parser.add_argument("--seconds", type=float, default=240, help="over all targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), metavar="DIR")
    parser.add_argument("--engine", choices=["atheris", "mutation"], default=campaign.engine())
    parser.add_argument("--read", type=Path, metavar="FILE", help="read this input and do no more")
    options = parser.parse_args()
    names = targets.NAMES if "all" in options.targets else options.targets
    if options.read:
        targets.load(names[0]).read(options.read.read_bytes())
        return 0
    made = "guided by coverage" if options.engine == "atheris" else "mutated blindly"
    print(f"inputs {made}, at most {campaign.MEMORY >> 30} GiB and {campaign.SECONDS} s each")
    rest = sum(targets.SHARES[name] for name in names)
    before = set(options.findings.glob("*.txt"))
    total, left = 0, options.inputs
    end = time.monotonic() + options.seconds
    for name in names:
        # Inputs and time that are left are divided among this target and those after it.
        share = targets.SHARES[name] / rest
        rest -= targets.SHARES[name]
        inputs = round(left * share)
        started = time.monotonic()
        seconds = (end - started) * share
        done = campaign.run(
            name, inputs, max(seconds, 5.0), options.findings, options.seed, options.engine
        )
        print(f"{name:10} {done:6} inputs in {time.monotonic() - started:5.1f} s", flush=True)
        total, left = total + done, left - inputs
    found = sorted(set(options.findings.glob("*.txt")) - before)
    for report in found:
        print(f"{report.with_suffix('.bin')}: {report.read_text('utf-8').splitlines()[0]}")
    print(f"{total} inputs, {len(found)} findings in {options.findings}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Read inputs of one target in this process, which has limits of memory and time.

`campaign` starts it, and starts it anew for the next input if one ends it. Its job comes as JSON.
Each input is written to a file before it is read, so that the one that ends the process is known.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.fuzz import targets
from tests.support import mutants

# The code that a finding is named after: the innermost line of these folders.
OURS = ("/edgeocr/", "/converters/", "/tests/fuzz/targets/")


@dataclass(frozen=True)
class Job:
    """What a worker does.

    Attributes:
        target: The target's name.
        first: The number of the first input, from which it is made.
        last: The number after the last input.
        until: When to end, as `time.time` counts; inputs may be left over then.
        seed: The same seed gives the same inputs, if they are mutated blindly.
        engine: "atheris" is guided by coverage; "mutation" is blind.
        memory: The most bytes of address space that this process may have.
        seconds: The most seconds that an input may take.
        folder: Where `count`, `input` and the corpus of atheris are.
        findings: The folder for findings.
    """

    target: str
    first: int
    last: int
    until: float
    seed: int
    engine: str
    memory: int
    seconds: int
    folder: str
    findings: str


def read(job: Job, target: targets.Target, number: int, content: bytes) -> None:
    """Read an input within the time limit, and keep it if it is a finding."""
    from edgeocr.errors import EdgeOCRError

    folder = Path(job.folder)
    (folder / "input").write_bytes(content)
    (folder / "count").write_text(str(number))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(job.seconds)  # ends the process, also while a native library works
    try:
        target.read(content)
    except EdgeOCRError as error:
        if len(str(error)) > 10_000:
            keep(job, content, "a long message", f"{type(error).__name__}: {str(error)[:500]}")
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if any(part in frame.filename for part in OURS)]
        place = f"{Path(ours[-1].filename).name}, {ours[-1].name}" if ours else "nowhere"
        keep(job, content, f"{type(error).__name__} in {place}", traceback.format_exc())
    finally:
        signal.alarm(0)


def keep(job: Job, content: bytes, title: str, details: str) -> None:
    """Write a finding, unless there is one of that title."""
    name = f"{job.target}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
    report = Path(job.findings, f"{name}.txt")
    if not report.exists():
        Path(job.findings, f"{name}.bin").write_bytes(content)
        report.write_text(f"{job.target}: {title}\n\n{details[-5000:]}", encoding="utf-8")


def mutate(job: Job, target: targets.Target) -> None:
    """Read inputs that are mutated blindly, each from a number."""
    seeds = target.seeds()
    for number in range(job.first, job.last):
        if time.time() > job.until:
            return
        chance = random.Random(f"{job.seed} {job.target} {number}")
        read(job, target, number, mutant(target, chance.choice(seeds), chance))


def mutant(target: targets.Target, content: bytes, chance: random.Random) -> bytes:
    """Change a content as the target does, or as JSON, or as bytes."""
    if own := getattr(target, "mutant", None):
        return bytes(own(content, chance))
    if content.startswith(b"{") and chance.random() < 0.8:
        return mutants.dumped(mutants.of_json(json.loads(content), chance))
    return mutants.of_bytes(content, chance)


def guide(job: Job) -> None:
    """Let atheris make inputs that reach new code."""
    atheris: Any = import_module("atheris")

    from edgeocr.errors import EdgeOCRError

    with atheris.instrument_imports(include=["edgeocr", "converters", "tests.fuzz.targets"]):
        target = targets.load(job.target)
        with contextlib.suppress(EdgeOCRError):
            target.read(target.seeds()[0])  # imports what is imported when it is used
    corpus = Path(job.folder, "corpus")
    corpus.mkdir(exist_ok=True)
    for content in target.seeds():
        (corpus / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    number = job.first - 1

    def one_input(content: bytes) -> None:
        nonlocal number
        number += 1
        read(job, target, number, content)

    limit(job)
    arguments = [
        sys.argv[0],
        f"-runs={job.last - job.first}",
        f"-max_total_time={max(1, int(job.until - time.time()))}",
        f"-seed={job.seed + job.first + 1}",  # a restart makes other inputs
        f"-artifact_prefix={job.folder}/",
        "-max_len=400000",
        "-len_control=0",
        "-rss_limit_mb=0",  # the limit of this process counts
        "-timeout=0",  # libFuzzer would handle the alarm that `read` sets
        # Signals end this process, so that `campaign` sees which one it was.
        *(f"-handle_{name}=0" for name in ("abrt", "segv", "bus", "ill", "fpe", "xfsz")),
        "-verbosity=0",
        "-print_final_stats=0",
        str(corpus),
    ]

    def changed(content: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            return bytes(atheris.Mutate(content, most))
        try:
            return mutant(target, content, chance)[:most]
        except Exception:  # the content, which other changes have made, can't be parsed
            return bytes(atheris.Mutate(content, most))

    atheris.Setup(arguments, one_input, custom_mutator=changed)
    atheris.Fuzz()


def limit(job: Job) -> None:
    """Limit the memory of this process, without core files."""
    resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(arguments: dict[str, Any]) -> None:
    """Do a job."""
    job = Job(**arguments)
    warnings.simplefilter("ignore")
    if job.engine == "atheris":
        guide(job)
        return
    target = targets.load(job.target)
    limit(job)
    mutate(job, target)


def command(job: Job) -> list[str]:
    """Return the command that runs a job in a process of its own."""
    return [sys.executable, "-m", "tests.fuzz.worker", json.dumps(asdict(job))]


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

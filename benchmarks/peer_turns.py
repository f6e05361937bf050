"""Let several engines read the same pictures in turn, one picture after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeAlias

from .busy_cpus import busy_seconds
from .engine_process import OURS, PATIENCE_S, Engine, EngineError, EngineProcess
from .engines.measure import Answer, Ending, Request
from .progress import say

# One reading of each picture, in the order of the pictures.
Round: TypeAlias = Sequence[Answer]


@dataclass(frozen=True)
class Measured:
    """What was measured of several engines, without those that failed.

    Attributes:
        rounds: Engine → its rounds over the pictures.
        endings: Engine → what its process reported at its end.
        cold_starts_s: Engine → seconds from the start of a process to its first text.
        others_cpus: For each round, how many CPUs other processes kept busy, on average; empty if
            unknown. If it is large, the times can't be trusted.
        failures: Peer → why its process failed.
    """

    rounds: Mapping[str, Sequence[Round]]
    endings: Mapping[str, Ending]
    cold_starts_s: Mapping[str, Sequence[float]]
    others_cpus: Sequence[float]
    failures: Mapping[str, str] = field(default_factory=dict)


def turns(engines: Sequence[str], number: int, picture: int) -> list[str]:
    """Return the order in which the engines read a picture in a round.

    The order rotates with each picture and each round, so that no engine is always the first. Every
    other round it is reversed, so that no engine always follows the same one.

    Args:
        engines: Names of the engines.
        number: Number of the round, from 0.
        picture: Number of the picture, from 0.
    """
    first = (number // 2 + picture) % len(engines)
    order = [*engines[first:], *engines[:first]]
    return order[::-1] if number % 2 else order


def measure(
    engines: Sequence[Engine],
    request: Request,
    pictures: Sequence[Path],
    repeat: int,
    starts: int,
    progress: Callable[[str], None] = say,
    patience_s: float = PATIENCE_S,
) -> Measured:
    """Measure cold starts in processes of their own, then rounds in processes that stay open.

    Each engine reads the first picture once before the rounds begin. The cold starts come first:
    those of an engine alternate with those of the others. A peer that fails is left out from then
    on.

    Args:
        engines: The engines.
        request: How they have to set themselves up.
        pictures: The pictures.
        repeat: Number of rounds over the pictures.
        starts: Number of cold starts.
        progress: Is told what has been done.
        patience_s: Seconds that an engine may take for a picture before its process is killed.

    Raises:
        EngineError: edgeocr's process ends too early, or takes too long.
    """
    by_name = {engine.name: engine for engine in engines}
    failures: dict[str, str] = {}

    def left() -> list[str]:
        return [name for name in by_name if name not in failures]

    @contextmanager
    def may_fail(name: str) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            if name == OURS:
                raise
            failures[name] = str(error)
            progress(f"{request['name']}: goes on without {error}")

    cold: dict[str, list[float]] = {name: [] for name in by_name}
    for number in range(starts):
        for name in turns(left(), number, 0):
            with may_fail(name):
                cold[name].append(cold_start(by_name[name], request, pictures[0], patience_s))
    if starts:
        progress(f"{request['name']}: {starts} cold starts of each engine")
    rounds: dict[str, list[list[Answer]]] = {name: [] for name in by_name}
    endings: dict[str, Ending] = {}
    others = []
    with ExitStack() as stack:
        processes = {}
        for name in left():
            process = EngineProcess(by_name[name], request, patience_s)
            processes[name] = stack.enter_context(process)
            with may_fail(name):
                process.read(pictures[0])
        for number in range(repeat):
            answers: dict[str, list[Answer]] = {name: [] for name in left()}
            busy, own, started = busy_seconds(), process_time(), perf_counter()
            for i, picture in enumerate(pictures):
                for name in turns(left(), number, i):
                    with may_fail(name):
                        answers[name].append(processes[name].read(picture))
            if busy is not None and (after := busy_seconds()) is not None:
                worked = sum(cpu_seconds(answer) for each in answers.values() for answer in each)
                rest = after - busy - worked - (process_time() - own)
                others.append(max(0.0, rest / (perf_counter() - started)))
            answers = {name: answers[name] for name in left()}
            for name, each_answer in answers.items():
                rounds[name].append(each_answer)
            progress(f"{request['name']}: round {number + 1} of {repeat}: " + _seconds(answers))
        for name in left():
            with may_fail(name):
                endings[name] = processes[name].finish()
    return Measured(
        {name: rounds[name] for name in left()},
        endings,
        {name: cold[name] for name in left()},
        others,
        failures,
    )


def cold_start(
    engine: Engine, request: Request, picture: Path, patience_s: float = PATIENCE_S
) -> float:
    """Return the seconds from the start of an engine's process to the text of its first picture.

    Raises:
        EngineError: The process ends too early, or takes more seconds than `patience_s`.
    """
    started = perf_counter()
    with EngineProcess(engine, {**request, "rest": False}, patience_s) as process:
        process.read(picture)
        return perf_counter() - started


def cpu_seconds(answer: Answer) -> float:
    """Return the CPU seconds that a picture cost, with those until the engine came to rest."""
    return answer["cpu_s"] + answer["rest_cpu_s"]


def _seconds(answers: Mapping[str, Round]) -> str:
    """Return how long each engine took for a round."""
    return ", ".join(
        f"{name} {sum(answer['wall_s'] for answer in each):.2f} s" for name, each in answers.items()
    )

"""The claims about speed: faster than the CPU, the fastest search, and "auto" never slower."""

from __future__ import annotations

from collections.abc import Sequence

from ..cell_process import OutOfTimeError
from ..cells import Cell, Setup
from ..judgement import CellVerdict, faster, never_slower, search
from ..record import Table
from ..trial import Finding, Trial
from ..turns import Rounds, measure

COLUMNS = ["cell", "median ms", "rounds", "÷ CPU", "least", "most", "verdict"]
# How many cells are open at a time beside the CPU's: each may hold half a gigabyte on the GPU.
AT_ONCE = 3


def try_speed(trial: Trial) -> Finding:
    """Measure all cells beside the CPU; the claim is about what edgeocr uses by default."""
    cells = trial.cells
    groups = [
        [cells.main],
        *(
            [each.cell for each in cells.searches if each.recorded is kind]
            for kind in (True, False)
        ),
        cells.others,
    ]
    parts = [part for group in groups for part in divided(group)]
    rows: list[list[object]] = []
    verdict = CellVerdict(cells.main.name, "not tried", "it was not measured")
    for number, part in enumerate(parts):
        try:
            rounds = measure(trial, cells.plain, part, trial.time.part(len(parts) - number))
        except OutOfTimeError as error:
            late = {c.name: CellVerdict(c.name, "not tried", str(error)) for c in part}
            rounds = Rounds(left_out=late)
        trial.speeds |= rounds.ratios(cells.plain.name)
        own = _verdicts(trial, part, rounds)
        verdict = own.get(cells.main.name, verdict)
        rows += table_rows(rounds, cells.plain, part, own)
    table = Table("Pages, read in turn with the CPU", COLUMNS, rows)
    return Finding.of([verdict], table)


def try_search(trial: Trial) -> Finding:
    """Compare the searches that were measured before."""
    cells = trial.cells
    verdicts, rows = [], []
    for recorded in (True, False):
        ratios = {
            each.search: trial.speeds[each.cell.name]
            for each in cells.searches
            if each.recorded is recorded and each.cell.name in trial.speeds
        }
        words = f"{'with' if recorded else 'without'} recorded runs"
        own = search(cells.chosen, ratios)
        verdicts.append(CellVerdict(f"{own.cell} {words}", own.outcome, own.reason))
        rows += [
            [name, recorded, round(ratio.middle, 3), name == cells.chosen]
            for name, ratio in sorted(ratios.items(), key=lambda item: item[1].middle)
        ]
    columns = ["search", "recorded runs", "÷ CPU", "what edgeocr sets"]
    table = Table(f"Searches with ONNX Runtime {trial.onnxruntime}, fastest first", columns, rows)
    return Finding.of(verdicts, table)


def try_auto(trial: Trial) -> Finding:
    """Measure "auto" beside the CPU, without engines and with those that were built."""
    plain = trial.cells.plain
    autos = [Cell("auto", Setup("auto", variant=plain.setup.variant))]
    built = [cell for cell in trial.cells.engines if not cell.reduced and trial.engine_files(cell)]
    if built and built[0].name not in trial.unready:
        setup = Setup("auto", variant=plain.setup.variant, cache=built[0].setup.cache)
        autos.append(Cell("auto with engines", setup))
    rounds = measure(trial, plain, autos, trial.time)
    own = {
        name: never_slower(name, ratio)
        for name, ratio in rounds.ratios(plain.name).items()
        if name != plain.name
    } | rounds.left_out
    table = Table(
        '"auto", read in turn with the CPU', COLUMNS, table_rows(rounds, plain, autos, own)
    )
    taken = Table(
        "What auto takes",
        ["cell", "stage", "provider"],
        [
            [name, stage, provider]
            for name, providers in rounds.providers.items()
            for stage, provider in providers.items()
        ],
    )
    return Finding.of([own[cell.name] for cell in autos], table, taken)


def divided(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Divide cells into groups that are open at a time; those that can't be tried take no place."""
    present = [cell for cell in cells if cell.missing is None]
    groups = [present[i : i + AT_ONCE] for i in range(0, len(present), AT_ONCE)]
    missing = [cell for cell in cells if cell.missing is not None]
    return [*groups[:-1], [*groups[-1], *missing]] if groups else [missing] if missing else []


def _verdicts(trial: Trial, part: Sequence[Cell], rounds: Rounds) -> dict[str, CellVerdict]:
    return {
        cell.name: faster(cell.name, trial.speeds[cell.name])
        for cell in part
        if cell.name in rounds.answers
    } | rounds.left_out


def table_rows(
    rounds: Rounds, reference: Cell, cells: Sequence[Cell], verdicts: dict[str, CellVerdict]
) -> list[list[object]]:
    """Return a row for the reference, if something was compared with it, and for each cell."""
    rows: list[list[object]] = []
    ratios = rounds.ratios(reference.name)
    for cell in (reference, *cells):
        name = cell.name
        if name not in ratios:
            if name in verdicts:
                rows.append([name, None, None, None, None, None, str(verdicts[name])])
            continue
        ratio = ratios[name]
        rows.append(
            [
                *(name, round(rounds.median_ms(name), 2), len(rounds.answers[name])),
                *(round(each, 3) for each in (ratio.middle, ratio.low, ratio.high)),
                str(verdicts.get(name, "the reference")),
            ]
        )
    return rows

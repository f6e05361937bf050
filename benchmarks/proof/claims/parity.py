"""The claims about parity: the CPU's texts and maps, in float32 and in lower precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeocr.accuracy.agreement import Agreement, agreement
from edgeocr.results.lines import Line

from ..cell_process import CellFailedError, CellUnavailableError, OutOfTimeError
from ..cells import Cell
from ..judgement import CellVerdict, MapDifference, parity
from ..record import Table
from ..trial import Finding, Trial, not_holding

# The most inputs of each network whose outputs are compared.
MOST_INPUTS = 12


@dataclass(frozen=True)
class Reference:
    """What the CPU reads in float32.

    Attributes:
        plain: The lines of each picture, as edgeocr reads them on the CPU.
        padded: The same with inputs padded as for a GPU.
        inputs: The folder with the networks' padded inputs.
        outputs: The folder with the networks' outputs.
    """

    plain: list[list[Line]]
    padded: list[list[Line]]
    inputs: Path
    outputs: Path


def try_parity(trial: Trial) -> Finding:
    """Compare each cell in float32 with the CPU."""
    return _try(trial, trial.cells.parity)


def try_reduced(trial: Trial) -> Finding:
    """Compare each cell in lower precision with the CPU's float32."""
    return _try(trial, trial.cells.reduced)


def _try(trial: Trial, cells: Sequence[Cell]) -> Finding:
    reference = _reference(trial)
    verdicts: list[CellVerdict] = []
    same = agreement_of(reference.plain, reference.padded)
    texts: list[list[object]] = [
        _text_row(trial.cells.reference.name, same, Agreement(), "the reference")
    ]
    maps: list[list[object]] = []
    for cell in cells:
        try:
            if not trial.time.enough:
                raise OutOfTimeError("no time left")
            lines, differences = _compare(trial, cell, reference)
        except (CellFailedError, CellUnavailableError, OutOfTimeError) as error:
            verdict = not_holding(cell, error)
            texts.append([cell.name, None, None, None, None, str(verdict)])
        else:
            padded = agreement_of(reference.padded, lines)
            verdict = parity(cell.name, padded, differences, cell.reduced)
            plain = agreement_of(reference.plain, lines)
            texts.append(_text_row(cell.name, plain, padded, str(verdict)))
            maps += [
                [cell.name, stage, each.inputs, each.largest, each.mean, each.other]
                for stage, each in differences.items()
            ]
        verdicts.append(verdict)
    return Finding.of(
        verdicts,
        Table(
            "Lines of all pictures, beside the CPU's in float32",
            [
                *("cell", "lines of the CPU", "equal to the CPU's"),
                *("equal with the same padding", "mean difference of scores", "verdict"),
            ],
            texts,
        ),
        Table(
            "Outputs of the networks for the same inputs, beside the CPU's in float32",
            [
                *("cell", "stage", "inputs", "largest difference", "mean difference"),
                "share of classes that differ",
            ],
            maps,
        ),
    )


def _text_row(cell: str, plain: Agreement, padded: Agreement, verdict: str) -> list[object]:
    score = round(padded.mean_score_difference, 5) if padded.lines else None
    equal = padded.same if padded.lines else None
    return [cell, plain.lines, plain.same, equal, score, verdict]


def agreement_of(reference: Iterable[list[Line]], other: Iterable[list[Line]]) -> Agreement:
    """Return the agreement over several pictures."""
    pairs = zip(reference, other, strict=True)
    return sum((agreement(one, another) for one, another in pairs), Agreement())


def _reference(trial: Trial) -> Reference:
    """Return what the CPU reads, which is measured once for both claims.

    Raises:
        CellFailedError: The CPU fails, so that nothing can be compared.
    """
    inputs, outputs = trial.folder / "inputs", trial.folder / "outputs"
    if trial.read_by_cpu is None:
        for folder in (inputs, outputs):
            folder.mkdir(exist_ok=True)
        with trial.opened(trial.cells.plain) as process:
            plain = process.read_all(trial.pictures)
        with trial.opened(trial.cells.reference) as process:
            padded = process.read_all(trial.pictures)
            patience = trial.patience_s * len(trial.pictures)
            process.ask(
                "record",
                patience,
                pictures=trial.pictures,
                folder=str(inputs),
                most=MOST_INPUTS,
            )
            process.ask("run_inputs", patience, inputs=str(inputs), outputs=str(outputs))
        trial.read_by_cpu = (plain, padded)
    return Reference(*trial.read_by_cpu, inputs, outputs)


def _compare(
    trial: Trial, cell: Cell, reference: Reference
) -> tuple[list[list[Line]], dict[str, MapDifference]]:
    """Return what a cell reads, and how the outputs of its networks differ from the CPU's."""
    outputs = trial.folder / "-".join(["outputs", *cell.name.replace("/", " ").split()])
    outputs.mkdir()
    with trial.opened(cell) as process:
        lines = process.read_all(trial.pictures)
        process.ask_within(
            "run_inputs",
            max(trial.patience_s, trial.time.left),
            inputs=str(reference.inputs),
            outputs=str(outputs),
        )
    return lines, differences(reference.outputs, outputs)


def differences(reference: Path, other: Path) -> dict[str, MapDifference]:
    """Compare the outputs of networks, stage by stage.

    Args:
        reference: Folder with a file STAGE-NUMBER.npz for each input.
        other: Folder with files of the same names, some of which may be missing.

    Returns:
        The difference of each stage for which there is at least one file in both folders.
    """
    by_stage: dict[str, list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]] = {}
    for path in sorted(other.glob("*.npz")):
        stage = path.stem.rpartition("-")[0]
        with np.load(reference / path.name) as one, np.load(path) as another:
            by_stage.setdefault(stage, []).append((dict(one), dict(another)))
    return {stage: difference(pairs) for stage, pairs in by_stage.items()}


def difference(
    pairs: Sequence[tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]],
) -> MapDifference:
    """Compare the outputs of a network over several inputs.

    Args:
        pairs: For each input, the arrays of the reference and the other ones, by name.
    """
    largest = total = 0.0
    values = wholes = other = 0
    for one, another in pairs:
        for name, expected in one.items():
            found = another[name]
            if found.shape != expected.shape:
                return MapDifference(len(pairs), float("inf"), float("inf"))
            if np.issubdtype(expected.dtype, np.integer):
                wholes += expected.size
                other += int((expected != found).sum())
            elif expected.size:
                apart = np.abs(expected.astype(np.float64) - found)
                largest = max(largest, float(apart.max()))
                total += float(apart.sum())
                values += expected.size
    return MapDifference(
        len(pairs), largest, total / values if values else 0.0, other / wholes if wholes else None
    )

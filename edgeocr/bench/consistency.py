"""Checks of a result of `edgeocr bench` that go beyond the types of single fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..accuracy.agreement import Agreement
from ..bundle.fields import FieldError
from .cell import Cell, Measured, Reference, StreamTurn, stream_throughput, throughput
from .spread import Spread
from .sustained import Sustained, after_heat_up


def check_complete(record: object, complete: object, where: str = "") -> None:
    """Check that a decoded result has every field.

    Args:
        record: The decoded JSON, whose types are right.
        complete: The same with the defaults of absent fields.
        where: The path of the value.

    Raises:
        FieldError: If a field is missing.
    """
    if isinstance(complete, Mapping) and isinstance(record, Mapping):
        for key, value in complete.items():
            path = f"{where}.{key}" if where else key
            if key not in record:
                raise FieldError(f"field {path} is missing")
            check_complete(record[key], value, path)
    elif isinstance(complete, list) and isinstance(record, list):
        for i, (one, other) in enumerate(zip(record, complete, strict=True)):
            check_complete(one, other, f"{where}[{i}]")


def check(
    cells: Sequence[Cell],
    references: Mapping[str, Reference],
    *,
    pictures: int,
    rounds: int,
    labelled: bool,
) -> None:
    """Check that the fields of a result do not contradict each other.

    Args:
        cells: The cells.
        references: The reference of each bundle, by the bundle's name.
        pictures: The number of pictures.
        rounds: The number of rounds.
        labelled: Whether there are labels.

    Raises:
        FieldError: If fields do; the message names one of them.
    """
    for name, reference in references.items():
        _expect(
            (reference.lines is None) != (reference.error is None),
            f"bundles.{name}.reference",
            "must have either lines or an error",
        )
    seen: set[tuple[object, ...]] = set()
    for i, cell in enumerate(cells):
        where = f"cells[{i}]"
        _expect(cell.bundle in references, f"{where}.bundle", "is not in bundles")
        key = (cell.bundle, cell.provider, cell.precision, cell.threads)
        _expect(key not in seen, where, "is the same combination as an earlier one")
        seen.add(key)
        _expect(
            (cell.measured is None) != (cell.not_measured is None),
            where,
            "must have either measured or not_measured",
        )
        if cell.measured is not None:
            where = f"{where}.measured"
            _check_reads(cell.measured, pictures, rounds, where)
            _check_stream(cell.measured.stream, cell.measured.stream_pages_per_second, where)
            _check_agreement(cell.measured.agreement, references[cell.bundle], where)
            _expect(
                (cell.measured.accuracy is not None) == labelled,
                f"{where}.accuracy",
                "must be there exactly if there are labels",
            )
            if cell.measured.sustained is not None:
                _check_sustained(cell.measured.sustained, f"{where}.sustained")


def _check_reads(measured: Measured, pictures: int, rounds: int, where: str) -> None:
    reads = measured.reads_ms
    _expect(
        len(reads) == pictures, f"{where}.reads_ms", f"must have {pictures} lists, one per picture"
    )
    for i, own in enumerate(reads):
        _expect(
            len(own) == rounds,
            f"{where}.reads_ms[{i}]",
            f"must have {rounds} times, one per round",
        )
    times = [ms for own in measured.times_ms for ms in own]
    _expect(bool(times), f"{where}.reads_ms", "must have at least one time")
    _expect(
        measured.page_ms == Spread.of(times), f"{where}.page_ms", "is not the spread of reads_ms"
    )
    _expect(
        measured.pages_per_second == throughput(reads),
        f"{where}.pages_per_second",
        "does not follow from reads_ms",
    )


def _check_stream(turns: Sequence[StreamTurn], pages_per_second: float, where: str) -> None:
    _expect(bool(turns), f"{where}.stream", "must have at least one turn")
    _expect(
        pages_per_second == stream_throughput(turns),
        f"{where}.stream_pages_per_second",
        "does not follow from stream",
    )


def _check_agreement(agreement: Agreement | None, reference: Reference, where: str) -> None:
    where = f"{where}.agreement"
    _expect(
        (agreement is None) == (reference.lines is None),
        where,
        "must be there exactly if the bundle has a reference",
    )
    if agreement is None or reference.lines is None:
        return
    counts = {"lines": agreement.lines, "found": agreement.found, "same": agreement.same}
    for name, count in counts.items():
        _expect(count >= 0, f"{where}.{name}", "must be at least 0")
    _expect(
        agreement.same <= min(agreement.lines, agreement.found),
        f"{where}.same",
        "must be at most lines and at most found",
    )
    _expect(
        0 <= agreement.score_difference <= agreement.same,
        f"{where}.score_difference",
        "must be from 0 to the number of lines that are the same",
    )
    _expect(
        agreement.lines <= reference.lines,
        f"{where}.lines",
        "must be at most the lines of the bundle's reference",
    )


def _check_sustained(sustained: Sustained, where: str) -> None:
    seconds = [sample.seconds for sample in sustained.samples]
    _expect(bool(seconds), f"{where}.samples", "must have at least one sample")
    _expect(
        seconds == sorted(set(seconds)), f"{where}.samples", "must be in the order of their seconds"
    )
    page_ms, pages_per_second = after_heat_up(sustained.samples)
    _expect(sustained.page_ms == page_ms, f"{where}.page_ms", "does not follow from samples")
    _expect(
        sustained.pages_per_second == pages_per_second,
        f"{where}.pages_per_second",
        "does not follow from samples",
    )


def _expect(fulfilled: bool, where: str, complaint: str) -> None:
    if not fulfilled:
        raise FieldError(f"{where} {complaint}")

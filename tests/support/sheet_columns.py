"""Random sheets with columns of running text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.support.sheet_words import han, name, prose
from tests.support.sheets import Random, Sheet, Text, fitted, length, photographed, turned


def columns(
    random: Random,
    count: int,
    widths: Sequence[float] | None = None,
    size: float | None = None,
    left: float = 20,
    top: float = 20,
    lines: tuple[int, int] = (5, 30),
    extras: bool = True,
) -> tuple[list[Text], list[tuple[float, ...]]]:
    """Columns of running text, perhaps with a heading across and figures between."""
    size = size or random.uniform(14, 24)
    widths = widths or [size * random.uniform(9, 22)] * count
    gutter = size * random.uniform(1.2, 3.5)
    pitch = size * random.uniform(1.2, 1.7)
    texts: list[Text] = []
    figures: list[tuple[float, ...]] = []
    whole = sum(widths) + gutter * (count - 1)
    if extras and random.random() < 0.5:
        large = size * random.uniform(1.3, 2.5)
        for line in prose(
            random, large, whole * random.uniform(0.5, 1), int(random.integers(1, 3))
        ):
            middle = random.random() < 0.5
            x = left + (whole - length(line, large)) / 2 * middle
            texts.append(Text(line, x, top + large, large, length(line, large)))
            top += large * 1.3
        top += size * random.uniform(0.5, 1.5)
    number = int(random.integers(*lines))
    x = left
    for j in range(count):
        y = top + size + (0 if random.random() < 0.6 else random.uniform(0, pitch))
        rest = number if j < count - 1 else max(3, int(number * random.uniform(0.4, 1)))
        headed = extras and random.random() < 0.2
        if headed:
            large = size * random.uniform(1, 1.4)
            head = prose(random, large, widths[j] * 0.7, 1)[0].capitalize()
            texts.append(Text(head, x, y, large, length(head, large)))
            y += pitch * random.uniform(1.2, 2)
        gap = int(random.integers(1, rest)) if extras and random.random() < 0.25 else -1
        for i, line in enumerate(prose(random, size, widths[j], rest)):
            if i == gap:
                tall = pitch * random.uniform(2, 7)
                figures.append((x, y - size * 0.6, x + widths[j], y - size * 1.2 + tall))
                y += tall
            texts.append(Text(line, x, y, size, length(line, size)))
            y += pitch
        x += widths[j] + gutter
    return texts, figures


def two_columns(random: Random) -> Sheet:
    """Two equal columns."""
    return sheet_of(random, *columns(random, 2))


def three_columns(random: Random) -> Sheet:
    """Three or four equal columns."""
    return sheet_of(random, *columns(random, int(random.integers(3, 5))))


def unequal_columns(random: Random) -> Sheet:
    """Two or three columns of different widths."""
    size = random.uniform(14, 24)
    widths = [size * random.uniform(8, 28) for _ in range(int(random.integers(2, 4)))]
    return sheet_of(random, *columns(random, len(widths), widths, size))


def newspaper(random: Random) -> Sheet:
    """A title, and below it stories of several columns, one under the other or side by side."""
    size = random.uniform(13, 18)
    width = size * random.uniform(9, 13)
    gutter, pitch = size * random.uniform(1.2, 2.5), size * random.uniform(1.2, 1.5)
    texts: list[Text] = []
    title = " ".join(name(random).upper() for _ in range(int(random.integers(1, 3))))
    large = size * random.uniform(1.8, 3)
    texts.append(Text(title, 20, 20 + large, large, length(title, large)))
    top = 20 + 2 * large

    def story(x: float, y: float, count: int, lines: int) -> float:
        span = count * width + (count - 1) * gutter
        big = size * random.uniform(1.3, 1.9)
        head = prose(random, big, span * random.uniform(0.75, 1), 1)[0].capitalize()
        texts.append(Text(head, x, y + big, big, length(head, big)))
        y += 1.3 * big + size * random.uniform(0.5, 1)
        for j in range(count):
            start = y + size + (random.uniform(0, 0.8) * pitch if random.random() < 0.5 else 0)
            these = lines if j < count - 1 else max(3, lines - int(random.integers(0, 4)))
            for i, line in enumerate(prose(random, size, width, these)):
                texts.append(
                    Text(
                        line, x + j * (width + gutter), start + i * pitch, size, length(line, size)
                    )
                )
        return y + (lines + 1) * pitch

    if random.random() < 0.5:
        for _ in range(int(random.integers(1, 4))):
            top = story(20, top, int(random.integers(2, 4)), int(random.integers(4, 12))) + size
    else:
        first = int(random.integers(1, 3))
        lines = int(random.integers(8, 20))
        story(20, top, first, lines)
        story(20 + first * (width + gutter), top, int(random.integers(1, 3)), lines)
    return sheet_of(random, texts, ())


def sheet_of(random: Random, texts: Sequence[Text], figures: Sequence[tuple[float, ...]]) -> Sheet:
    """Return a sheet, which is a little turned in a third of all cases."""
    made = fitted(texts, random, figures)
    return turned(made, random.normal(0, 2)) if random.random() < 0.33 else made


def columns_seen_from_the_side(random: Random) -> Sheet:
    """Columns or a newspaper in perspective."""
    return photographed(_level_columns(random), random, 0.05)


def skewed_columns(random: Random) -> Sheet:
    """Columns or a newspaper, turned by up to 10 degrees."""
    return turned(_level_columns(random), random.uniform(-10, 10))


def chinese_columns(random: Random) -> Sheet:
    """Two or three columns of Chinese, perhaps under a heading."""
    size = random.uniform(15, 26)
    characters, count = int(random.integers(9, 20)), int(random.integers(2, 4))
    pitch, gutter = size * random.uniform(1.25, 1.7), size * random.uniform(1.2, 3)
    texts: list[Text] = []
    top = 30.0
    if random.random() < 0.5:
        large = size * 1.6
        head = han(random, int(random.integers(4, 10)))
        texts.append(Text(head, 20, top + large, large, large * len(head)))
        top += 2.2 * large
    number = int(random.integers(5, 20))
    for j in range(count):
        y = top + size + random.choice([0, random.uniform(0, pitch)])
        rest = number if j < count - 1 else number - int(random.integers(0, 3))
        for i in range(rest):
            short = random.random() < 0.13
            line = han(random, int(random.integers(2, characters)) if short else characters)
            x = 20 + j * (characters * size + gutter)
            texts.append(Text(line, x, y + i * pitch, size, size * len(line)))
    return fitted(texts, random)


def _level_columns(random: Random) -> Sheet:
    make = (two_columns, three_columns, unequal_columns, newspaper)[int(random.integers(4))]
    return replace(make(random), warp=None)

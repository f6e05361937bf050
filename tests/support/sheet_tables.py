"""Random sheets with rows: tables, forms, price lists and receipts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.support.sheet_words import LABELS, WORDS, han, name, price, prose
from tests.support.sheets import Random, Sheet, Text, fitted, length, photographed, turned


def grid(
    random: Random,
    rows: Sequence[Sequence[str]],
    size: float,
    left: float,
    top: float,
    lefts: Sequence[float],
    pitch: float,
    right_aligned: Sequence[bool] = (),
) -> list[Text]:
    """Place rows of cells; empty cells are left out."""
    found = []
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if cell:
                wide = length(cell, size)
                x = left + lefts[j]
                if right_aligned and right_aligned[j]:
                    x -= wide
                found.append(Text(cell, x, top + i * pitch, size, wide))
    return found


def level_table(random: Random) -> Sheet:
    """A level table of short words and numbers."""
    size = random.uniform(16, 30)
    columns, count = int(random.integers(2, 6)), int(random.integers(3, 16))
    pitch = size * random.uniform(1.25, 2.4)
    numeric = [False] + [bool(random.random() < 0.5) for _ in range(columns - 1)]
    rows = [[price(random) if n else name(random) for n in numeric] for _ in range(count)]
    if random.random() < 0.3:
        rows[-1][1:-1] = [""] * (columns - 2)
    widths = [max(length(row[j], size) for row in rows) for j in range(columns)]
    gaps = [size * random.uniform(1, 8) for _ in range(columns)]
    if columns == 2 and random.random() < 0.5:
        gaps[0] = size * random.uniform(8, 40)
    begin = np.cumsum([0, *[w + g for w, g in zip(widths, gaps, strict=True)]])[:columns].tolist()
    align = [n and bool(random.random() < 0.7) for n in numeric]
    lefts = [x + w * a for x, w, a in zip(begin, widths, align, strict=True)]
    return fitted(grid(random, rows, size, 20, 20 + size, lefts, pitch, align), random)


def form(random: Random) -> Sheet:
    """Labels and their values, perhaps in two pairs of columns, under a heading."""
    size = random.uniform(15, 28)
    pitch = size * random.uniform(1.4, 2.4)
    pairs = 1 if random.random() < 0.7 else 2
    count = int(random.integers(3, 12))
    colon = ":" if random.random() < 0.6 else ""
    longest = random.uniform(8, 18) * size

    def value() -> str:
        kind = random.random()
        if kind < 0.35:
            return name(random)
        if kind < 0.6:
            return (
                f"{random.integers(1, 30)}.{random.integers(1, 13)}.{random.integers(1950, 2030)}"
            )
        if kind < 0.75:
            return str(random.integers(1000, 10**7))
        return prose(random, size, longest, 1)[0].capitalize()

    rows = []
    for _ in range(count):
        cells = []
        for _ in range(pairs):
            cells += [str(random.choice(LABELS)).replace("_", " ") + colon, value()]
        rows.append(cells)
    widths = [max(length(row[j], size) for row in rows) for j in range(2 * pairs)]
    gaps = [size * random.uniform(1, 4) for _ in widths]
    lefts = np.cumsum([0, *[w + g for w, g in zip(widths, gaps, strict=True)]])[
        : 2 * pairs
    ].tolist()
    texts, top = [], 20 + size
    if random.random() < 0.5:
        large = size * random.uniform(1.2, 2)
        head = name(random) + " form"
        texts.append(Text(head, 20, 20 + large, large, length(head, large)))
        top += 2.2 * large
    return fitted(texts + grid(random, rows, size, 20, top, lefts, pitch), random)


def price_list(random: Random) -> Sheet:
    """Names at the left and prices at the right edge, far from each other."""
    size = random.uniform(15, 30)
    count, wide = int(random.integers(4, 22)), random.uniform(300, 1000)
    long_names = random.random() < 0.3
    rows = []
    for _ in range(count):
        text = name(random)
        if long_names:
            text = prose(random, size, min(wide - 6 * size, 22 * size), 1)[0]
        rows.append([text, price(random) if random.random() < 0.7 else name(random)])
    pitch = size * random.uniform(1.25, 2)
    lefts = [0, wide]
    return fitted(grid(random, rows, size, 20, 20 + size, lefts, pitch, [False, True]), random)


def text_table(random: Random) -> Sheet:
    """A table whose cells hold one to four words."""
    size = random.uniform(15, 26)
    columns, small = int(random.integers(2, 5)), random.random() < 0.5

    def cell() -> str:
        words = " ".join(random.choice(WORDS, int(random.integers(1, 5))))
        return words if small else words.capitalize()

    rows = [[cell() for _ in range(columns)] for _ in range(int(random.integers(4, 14)))]
    widths = [max(length(row[j], size) for row in rows) for j in range(columns)]
    ends = np.cumsum([width + size * random.uniform(1.5, 4) for width in widths]).tolist()
    pitch = size * random.uniform(1.3, 2.2)
    return fitted(grid(random, rows, size, 20, 40, [0, *ends], pitch), random)


def chinese_table(random: Random) -> Sheet:
    """A table whose cells hold two to sixteen Chinese characters."""
    size = random.uniform(15, 26)
    longest = random.integers(3, 17, int(random.integers(2, 5)))
    rows = [
        [han(random, int(random.integers(2, most + 1))) for most in longest]
        for _ in range(int(random.integers(4, 14)))
    ]
    ends = np.cumsum(size * (longest + random.uniform(1.2, 4, len(longest)))).tolist()
    pitch = size * random.uniform(1.3, 2.4)
    return fitted(grid(random, rows, size, 20, 40, [0, *ends], pitch), random)


def wrapped_table(random: Random) -> Sheet:
    """A table whose first column has texts of one to three lines."""
    size = random.uniform(15, 24)
    pitch, width = size * random.uniform(1.25, 1.5), size * random.uniform(10, 18)
    second = 20 + width + random.uniform(1.2, 3) * size
    texts, y = [], 40 + size

    def place(text: str, x: float) -> None:
        texts.append(Text(text, x, y, size, length(text, size)))

    for _ in range(int(random.integers(3, 9))):
        first, *rest = prose(random, size, width, int(random.integers(1, 4)))
        place(first.capitalize(), 20)
        place(str(random.integers(1, 200)), second)
        place(price(random), second + 6 * size)
        for line in rest:
            y += pitch
            place(line, 20)
        y += pitch * random.uniform(1, 1.6)
    return fitted(texts, random)


def skewed_table(random: Random) -> Sheet:
    """A table that is turned by 1 to 10 degrees."""
    make = (level_table, form, price_list)[int(random.integers(3))]
    return turned(make(random), random.choice([-1, 1]) * random.uniform(1, 10))


def perspective_table(random: Random) -> Sheet:
    """A table that is photographed from the side."""
    make = (level_table, form, price_list)[int(random.integers(3))]
    return photographed(make(random), random)


def receipt(random: Random) -> Sheet:
    """A receipt: centred lines, items with prices, totals; often a little turned."""
    size = random.uniform(15, 26)
    wide = size * random.uniform(15, 24)
    texts, y = [], 20 + size

    def centred(text: str, large: float) -> None:
        nonlocal y
        long = length(text, large)
        texts.append(Text(text, 20 + (wide - long) / 2, y, large, long))
        y += large * 1.5

    def row(*cells: tuple[str, float, bool]) -> None:
        nonlocal y
        for text, x, right in cells:
            long = length(text, size)
            texts.append(Text(text, 20 + x * wide - right * long, y, size, long))
        y += pitch

    pitch = size * random.uniform(1.25, 1.8)
    centred(name(random) + " Store", size * random.uniform(1, 1.8))
    for _ in range(int(random.integers(1, 4))):
        centred(prose(random, size, wide * random.uniform(0.4, 0.8), 1)[0].upper(), size)
    y += size * random.uniform(0.3, 1.5)
    quantities = random.random() < 0.5
    for _ in range(int(random.integers(2, 12))):
        if quantities:
            row(
                (str(random.integers(1, 10)), 0, False),
                (name(random), 0.12, False),
                (price(random), 1, True),
            )
        else:
            row((name(random), 0, False), (price(random), 1, True))
    y += size * random.uniform(0.3, 1)
    for label in ("Subtotal", "Tax", "TOTAL")[int(random.integers(3)) :]:
        row((label, 0, False), (price(random), 1, True))
    y += size
    centred("THANK YOU", size)
    made = fitted(texts, random)
    return turned(made, random.normal(0, 2)) if random.random() < 0.7 else made

"""Random sheets of every kind that edgeocr/layout puts in order; the same seed gives the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.support.sheet_columns import (
    chinese_columns,
    columns,
    columns_seen_from_the_side,
    newspaper,
    skewed_columns,
    three_columns,
    two_columns,
    unequal_columns,
)
from tests.support.sheet_tables import (
    chinese_table,
    form,
    level_table,
    perspective_table,
    price_list,
    receipt,
    skewed_table,
    text_table,
    wrapped_table,
)
from tests.support.sheet_words import han, name, prose, right_to_left_words
from tests.support.sheets import Random, Sheet, Text, fitted, length, turned


def vertical(random: Random) -> Sheet:
    """Chinese text in columns from the right to the left, perhaps under a horizontal title."""
    size = random.uniform(16, 34)
    pitch = size * random.uniform(1.4, 2)
    count, long = int(random.integers(2, 12)), int(random.integers(6, 20))
    step = size * random.uniform(1, 1.1)
    texts: list[Text] = []
    top = 20.0
    whole = count * pitch
    if random.random() < 0.6:
        large = size * random.uniform(1, 1.8)
        title = han(random, max(2, int(min(long, whole / large) * random.uniform(0.5, 1))))
        x = 20 + (whole - large * len(title)) * random.choice([0, 0.5, 1])
        texts.append(Text(title, max(20.0, x), top + large, large, large * len(title)))
        top += large * random.uniform(1.6, 2.4)
    tiers = 1 if random.random() < 0.75 else 2
    for _ in range(tiers):
        for j in range(count):
            these = (
                long
                if j < count - 1 and random.random() < 0.85
                else int(random.integers(3, long + 1))
            )
            x = 20 + whole - (j + 1) * pitch
            texts.append(Text(han(random, these), x, top, size, these * step, "upright"))
        top += long * step + size * random.uniform(1.8, 3)
    if random.random() < 0.25:
        note = han(random, 6)
        texts.append(Text(note, 20, top + size, size, size * 6))
    return fitted(texts, random)


def right_to_left(random: Random) -> Sheet:
    """Hebrew or Arabic: a column, two columns, or a table, all from the right."""
    words = right_to_left_words(random)
    kind = random.random()
    if kind < 0.6:
        placed, _ = columns(random, 1 if kind < 0.2 else 2, extras=False)
        wide = max(t.x + t.width for t in placed if t.x < 21) - 20
        lines = prose(random, placed[0].size, wide, len(placed), words)
    else:
        placed = list(level_table(random).texts)
        lines = [
            t.text if t.text[0].isdigit() else " ".join(random.choice(words, 1 + (" " in t.text)))
            for t in placed
        ]
    right = max(t.x + t.width for t in placed) + 20
    longest = [length(line, t.size) for line, t in zip(lines, placed, strict=True)]
    # What stood at the left now stands at the right.
    texts = [
        Text(line, right - t.x - long, t.y, t.size, long)
        for line, long, t in zip(lines, longest, placed, strict=True)
    ]
    return fitted(texts, random)


def side_label(random: Random) -> Sheet:
    """A paragraph or a table, and a line beside it that runs up or down the edge."""
    size = random.uniform(15, 26)
    if random.random() < 0.6:
        pitch = size * random.uniform(1.3, 2.2)
        lines = prose(random, size, size * random.uniform(14, 30), int(random.integers(4, 16)))
        body = [
            Text(s, 90, 40 + (i + 1) * pitch, size, length(s, size)) for i, s in enumerate(lines)
        ]
    else:
        made = level_table(random)
        body = [Text(t.text, t.x + 70, t.y + 20, t.size, t.width) for t in made.texts]
        size = body[0].size
    top, bottom = body[0].y - size, body[-1].y
    small = size * random.uniform(0.8, 1.2)
    label = f"{name(random)} copy {random.integers(1, 99)}"
    long = length(label, small)
    y = max(4.0, top + (bottom - top - long) * random.uniform(0, 1))
    way = "turned" if random.random() < 0.5 else "turned back"
    if random.random() < 0.6:
        x = 90 - small * random.uniform(1.8, 3)
        return fitted([Text(label, x, y, small, long, way), *body], random)
    x = max(t.x + t.width for t in body) + small * random.uniform(0.8, 2)
    return fitted([*body, Text(label, x, y, small, long, way)], random)


def steep(random: Random) -> Sheet:
    """A table, a form or columns, turned by 10 to 43 degrees."""
    make = (level_table, form, receipt, two_columns, three_columns)[int(random.integers(5))]
    level = replace(make(random), warp=None)
    return turned(level, random.choice([-1, 1]) * random.uniform(10, 43))


def slanting_vertical(random: Random) -> Sheet:
    """Vertical text, turned by up to 4 degrees."""
    return turned(vertical(random), random.uniform(-4, 4))


KINDS: dict[str, Callable[[Random], Sheet]] = {
    make.__name__: make
    for make in (
        level_table,
        form,
        price_list,
        skewed_table,
        perspective_table,
        receipt,
        two_columns,
        three_columns,
        unequal_columns,
        newspaper,
        vertical,
        right_to_left,
        side_label,
        text_table,
        wrapped_table,
        columns_seen_from_the_side,
        skewed_columns,
        chinese_columns,
        steep,
        slanting_vertical,
        chinese_table,
    )
}

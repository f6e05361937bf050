"""The conclusions of `python -m converters doctor`, drawn from nothing but its `Facts`.

Each one is a sentence that says what is wrong and, after a colon, what to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..catalog.entries import READING
from ..model.dictionary import special_kinds
from .facts import Facts, Listed, Pictures

# The share of pictures that a network reads right when nothing is wrong with its settings.
FINE = 0.9
# A dictionary that differs by more lines is another network's.
FEW_LINES = 4
# How many examples a sentence names.
EXAMPLES = 5
# White space that a dictionary may list on purpose: the space, and the ideographic space of the
# dictionaries of PP-OCRv5.
MEANT = ("U+0020", "U+3000")


def problems(facts: Facts) -> list[str]:
    """Return what makes the network read wrongly or keeps it from being converted."""
    return [
        *facts.faults,
        *_classes(facts),
        *_comparisons(facts),
        *_causes(facts.pictures),
        *_beside_paddle(facts.pictures),
    ]


def hints(facts: Facts) -> list[str]:
    """Return what is unusual or was not examined."""
    listed, pictures = facts.listed, facts.pictures
    return [
        *(_assumed_space(listed) if listed is not None else ()),
        *(_oddities(listed) if listed is not None else ()),
        *(_readings(pictures) if pictures is not None else ()),
        *facts.not_done,
    ]


def _classes(facts: Facts) -> Iterator[str]:
    listed, kind = facts.listed, facts.kind
    if kind is None or kind.task not in READING:
        return
    if listed is None and not facts.faults:  # a faulty inference.yml may have the characters
        yield (
            "no file says which characters the network's classes stand for: name the dictionary "
            "that it was trained with (--charset FILE)"
        )
    if listed is None or kind.classes in (listed.classes, None):
        return
    counted = f"{listed.characters} characters{' + space' if listed.space else ''}"
    parts = " + ".join([counted, *special_kinds(kind.algorithm)])
    says = (
        f"{listed.source} accounts for {listed.classes} classes ({parts}), but the network "
        f"has {kind.classes}"
    )
    if kind.algorithm != "CTC" and kind.classes == listed.characters + listed.space + 1:
        yield (
            f"{says}, as CTC would have: if the network was trained with CTC, set "
            "PostProcess.name in inference.yml to CTCLabelDecode"
        )
        return
    missing = kind.classes - listed.classes
    if missing == 1 and not listed.space:
        yield (
            f"{says}: if the network was trained with use_space_char: true, set that in "
            "inference.yml; otherwise the dictionary lacks a line, so compare it with that of the "
            "training"
        )
    elif missing == -1 and listed.space:
        yield (
            f"{says}: if the network was trained without a space, set use_space_char: false in "
            "inference.yml; otherwise the dictionary has a line too many, so compare it with that "
            "of the training"
        )
    elif abs(missing) <= FEW_LINES < listed.characters:
        lines = "a line" if abs(missing) == 1 else f"{abs(missing)} lines"
        what = f"lacks {lines}" if missing > 0 else f"has {lines} too many, such as an empty one"
        yield f"{says}: the dictionary {what}; compare it with that of the training"
    else:
        like = f" (as many as {', '.join(facts.same_classes[:3])})" if facts.same_classes else ""
        letters = ", ".join(f"{number} {name}" for name, number in listed.scripts.items())
        yield (
            f"{says}{like}; the dictionary's letters are {letters or 'none'}, so it is another "
            "network's: name the one that the network was trained with (--charset FILE)"
        )


def _comparisons(facts: Facts) -> Iterator[str]:
    for each in facts.compared:
        if not each.passed:
            yield (
                f"{each.what}: {each.words}: the converter is at fault; report it with the network"
            )


def _causes(pictures: Pictures | None) -> Iterator[str]:
    """Name the causes that explain why labelled pictures are misread."""
    if pictures is None or not pictures.best:
        return
    own, best = pictures.attempts[0], [pictures.attempts[place] for place in pictures.best]
    cause = " and ".join(each.change for each in best)
    advice = "; ".join(each.advice for each in best)
    if pictures.regions:
        yield (
            f"{cause}; with this corrected, Hmean is {best[0].score:.3f} instead of "
            f"{own.score:.3f}: {advice}"
        )
    elif pictures.explained is not None and own.right is not None:
        yield (
            f"{cause}; with this corrected, {_share(pictures.explained, pictures.number)} are "
            f"read correctly instead of {own.right}: {advice}"
        )


def _beside_paddle(pictures: Pictures | None) -> Iterator[str]:
    if pictures is None:
        return
    asked = [line for line in pictures.lines if line.paddle is not None]
    other = [line for line in asked if line.paddle != line.edgeocr]
    if len(other) > max(1, len(asked) // 10):
        line = other[0]
        yield (
            f"Paddle Inference reads {len(other)} of {len(asked)} lines differently, such as "
            f"{line.paddle!r} instead of {line.edgeocr!r} in {line.picture}: compare the height "
            "and width with those of the training"
        )
    found = [each for each in pictures.regions if each.paddle is not None]
    theirs = sum(each.paddle or 0 for each in found)
    common = sum(each.common or 0 for each in found)
    if common < FINE * theirs:
        yield (
            f"edgeocr finds only {common} of the {theirs} regions in Paddle Inference's maps: "
            "report it with the network"
        )


def _assumed_space(listed: Listed) -> Iterator[str]:
    if listed.space and listed.space_assumed:
        yield (
            f"{listed.source} has one character fewer than the network has classes for characters, "
            "so the last class is taken for the space: if the network was trained without "
            "use_space_char, the dictionary lacks a line"
        )


def _oddities(listed: Listed) -> Iterator[str]:
    where = listed.source
    if listed.byte_order_mark:
        yield (
            f"{where} begins with a byte order mark, which PaddleOCR takes for a part of its first "
            "character: save it without"
        )
    if listed.twice:
        examples = ", ".join(map(repr, listed.twice[:EXAMPLES]))
        yield (
            f"{where} lists {len(listed.twice)} characters twice, such as {examples}: the network "
            "has a class for each; keep them unless the training's dictionary has them once"
        )
    for name, numbers in listed.white.items():
        if name not in MEANT or len(numbers) > 1:
            what = "an empty line" if name == "empty" else f"white space ({name})"
            lines = ", ".join(map(str, numbers[:EXAMPLES]))
            yield (
                f"{where} has {what} as a character in line {lines}: keep it only if the "
                "training's dictionary has it"
            )
    if listed.long:
        examples = ", ".join(map(repr, listed.long[:EXAMPLES]))
        yield (
            f"{where} has {len(listed.long)} entries of several characters, such as {examples}: a "
            "dictionary has one character per line"
        )


def _readings(pictures: Pictures) -> Iterator[str]:
    if pictures.unknown:
        number, shown = len(pictures.unknown), pictures.unknown[: 4 * EXAMPLES]
        yield (
            f"the labels have {number} {'character' if number == 1 else 'characters'} that the "
            f"dictionary lacks ({shown}): if the network was trained on them, the dictionary is "
            "not that of the training"
        )
    if not pictures.attempts or pictures.regions:
        return
    own = pictures.attempts[0]
    if own.right is None and pictures.best:
        best = [pictures.attempts[place] for place in pictures.best]
        yield (
            f"perhaps {' and '.join(each.change for each in best)}, since the network is surer of "
            f"its readings with this corrected (mean score {best[0].score:.2f} instead of "
            f"{own.score:.2f}): label a few pictures to be certain"
        )
    elif own.right is not None and not pictures.best and own.right < FINE * pictures.number:
        yield (
            f"only {_share(own.right, pictures.number)} are read correctly, and no common cause "
            "explains it: look at the readings below; the network may need more training"
        )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} pictures ({100 * part / max(whole, 1):.1f} %)"

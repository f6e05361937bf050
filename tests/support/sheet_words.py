"""Words and lines of text to fill random sheets with."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.sheets import Random, length


def _split(words: str) -> list[str]:
    return words.split()


WORDS = _split(
    """
    river rises hills flows past small towns before reaches sea near old harbour where boats are
    built sold every spring fishermen from coast who pay silver north market garden quiet window
    yellow letter morning evening street bridge winter summer travel people city water light the
    of and a to in is was for with on that by it at which their were has this but not they often
    paper company system largest between through another country history important government
    """
)
NAMES = _split(
    """
    Honey Barley Celery Parsley Cherry Yearly Daily Weekly Hourly Monthly Italy Germany Turkey
    Norway Apple Pear Oak_board Brass_hinge Wood_screw Varnish Sandpaper Large_jug Tiny_key
    Heavy_stay Empty_tray Green_tea Black_coffee Orange_juice Rye_bread Butter Sugar Flour Egg
    Paint_brush Door_handle Ceiling_lamp Copper_wire Rubber_gloves Paper_clips Yoghurt Gypsum
    """
)
LABELS = _split(
    """
    Name Address City Country Phone E-mail Date_of_birth Order_number Invoice_date Customer_no.
    Delivery Payment_terms Quantity Passport_no. Nationality Occupation Employer Reference Type
    """
)
HAN = (
    "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得"
    "可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二"
    "无同么经法当起与好看学进种将还分此心前面又定见只主没公从"
)
HEBREW = "אבגדהוזחטיכלמנסעפצקרשת"
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"


def name(random: Random) -> str:
    """Return a name of a thing or place."""
    return str(random.choice(NAMES)).replace("_", " ")


def price(random: Random, most: float = 200) -> str:
    """Return an amount of money with two decimals."""
    return f"{random.uniform(0.05, most):.2f}"


def prose(
    random: Random, size: float, width: float, lines: int, words: Sequence[str] = WORDS
) -> list[str]:
    """Return lines of running text that fill a width."""
    found: list[str] = []
    line = ""
    sentence = 0
    while len(found) < lines:
        word = str(random.choice(words))
        if sentence == 0:
            word = word.capitalize()
        sentence = (sentence + 1) % int(random.integers(6, 18))
        if sentence == 0:
            word += "."
        if line and length(f"{line} {word}", size) > width:
            found.append(line)
            line = ""
            if random.random() < 0.08 and len(found) < lines:  # the last line of a paragraph
                found.append(str(random.choice(words)) + ".")
        line = f"{line} {word}".strip()
    return found[:lines]


def han(random: Random, count: int) -> str:
    """Return Chinese characters."""
    return "".join(random.choice(list(HAN), count))


def right_to_left_words(random: Random) -> list[str]:
    """Return words of Hebrew or of Arabic letters."""
    letters = list(HEBREW if random.random() < 0.5 else ARABIC)
    return ["".join(random.choice(letters, random.integers(2, 8))) for _ in range(60)]

"""Test which source a network is known by, and what is said about a user's dictionary."""

import dataclasses
import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from converters.catalog import entries as catalog
from converters.catalog.entries import Catalog, Entry, SourceFile
from converters.errors import ConverterError
from converters.model import dictionary, known, network
from converters.model.declaration import declaration
from converters.model.dictionary import Dictionary
from converters.model.known import Statement
from converters.model.network import Network
from converters.model.paddle_model import identify
from tests.support.paths import ZOO_EXPORTS

ENTRIES = catalog.load()
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


def found(
    folder: Path, entries: Catalog = ENTRIES, entry: Entry | None = None, **said: Any
) -> Network | None:
    """Return what is known about the model in a folder before it is translated."""
    shown, notes = with_notes(folder, entries, entry, **said)
    assert notes == []
    return shown


def with_notes(
    folder: Path, entries: Catalog = ENTRIES, entry: Entry | None = None, **said: Any
) -> tuple[Network | None, list[str]]:
    """Return the same with the notes on what is unusual."""
    model = identify(folder)
    return known.known(folder, model, declaration(model), entries, entry, Statement(**said))


def published(name: str, folder: Path) -> Entry:
    """Return the entry of that name, as if its publisher had published this model's files."""
    files = [
        SourceFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "https://h")
        for path in identify(folder).files
    ]
    return dataclasses.replace(ENTRIES.model(name), files=files, contents="inference")


def test_sources_take_precedence_in_their_order():
    folder = ZOO_EXPORTS / "PP-OCRv5_mobile_det" / "pir"
    entry = ENTRIES.model("det_r50_vd_db")
    by_name = found(folder, entry=entry)
    assert by_name is not None
    assert (by_name.name, by_name.known_by) == ("det_r50_vd_db", network.BY_NAME)
    by_hash = found(folder, Catalog({"x": published("ch_det_mv3_db", folder)}, {}))
    assert by_hash is not None and by_hash.published
    assert (by_hash.name, by_hash.known_by) == ("ch_det_mv3_db", network.BY_HASH)
    by_settings = found(folder)
    assert by_settings is not None
    assert (by_settings.name, by_settings.known_by) == ("PP-OCRv5_mobile_det", "its inference.yml")
    assert found(folder, ignore_settings=True) is None
    stated = found(folder, ignore_settings=True, algorithm="DB")
    assert stated is not None and stated.known_by.startswith("--algorithm; normalization as in")


def test_dictionary_of_the_user_gives_the_number_of_classes(tmp_path):
    path = tmp_path / "keys.txt"
    path.write_text("\n".join(LETTERS), "utf-8")
    folder = ZOO_EXPORTS / "rec_mv3_none_none_ctc" / "legacy"
    for name, entry in (("CTC", None), (None, ENTRIES.model("rec_mv3_none_none_ctc_v2.0"))):
        stated = found(folder, entry=entry, algorithm=name, dictionary=Dictionary(path))
        assert stated is not None and stated.classes == 37


def test_dictionary_of_the_user_replaces_that_of_an_entry(tmp_path):
    """A fine-tune of a published network with the same number of classes reads other letters."""
    path = tmp_path / "keys.txt"
    path.write_text("אבגדהוזחטיךכלםמןנסעףפץצקרש0123456789"[:36].replace("", "\n").strip(), "utf-8")
    folder = shutil.copytree(ZOO_EXPORTS / "rec_mv3_none_none_ctc" / "legacy", tmp_path / "mine")
    entry = ENTRIES.model("rec_mv3_none_none_ctc_v2.0")
    made = known.resolved(entry, folder, declaration(identify(folder)), Dictionary(path), [])
    assert made.charset is not None and made.charset.file == str(path)
    assert made.stage["charset"] == {"classes": 37, "blank": 0} and made.stage["visual_order"]
    assert "visual_order" not in entry.stage
    detector = ENTRIES.model("det_mv3_db")
    with pytest.raises(ConverterError, match="a network for DB is for detection and has no char"):
        known.resolved(detector, folder, declaration(identify(folder)), Dictionary(path), [])


def test_space_that_only_the_numbers_show_is_told(tmp_path):
    """A dictionary that lacks a line fits a network without a space just as well."""
    path = tmp_path / "keys.txt"
    path.write_text("\n".join(LETTERS[:-1]), "utf-8")
    folder = ZOO_EXPORTS / "rec_mv3_none_none_ctc" / "legacy"
    _, notes = with_notes(folder, algorithm="CTC", dictionary=Dictionary(path))
    (note,) = notes
    assert note.startswith(f"{path}: the last class is taken for the space") and "lacks a" in note
    assert found(folder, algorithm="CTC", dictionary=Dictionary(path, space=True)) is not None


def test_list_that_paddleocr_takes_without_a_dictionary_is_told(tmp_path):
    mine = shutil.copytree(ZOO_EXPORTS / "PP-OCRv6_tiny_rec" / "pir", tmp_path / "mine")
    settings = mine / "inference.yml"
    text = settings.read_text("utf-8")
    settings.write_text(re.sub(r"  character_dict:\n(  - .*\n)+", "", text), "utf-8")
    _, notes = with_notes(mine)
    (note,) = notes
    assert note.startswith(
        f"{settings} has no character_dict: digits and small letters and the space are read; "
    )


@pytest.mark.parametrize(
    ("content", "listed", "said"),
    [
        ("a\nb\n", ["a", "b"], []),
        ("a\r\nb\r\n", ["a", "b"], []),
        ("\u3000\na\n \n\t\n", ["\u3000", "a", " ", "\t"], []),
        ("\ufeffa\nb\n", ["a", "b"], ["it begins with a byte order mark, which was left out"]),
        ("a\n\nb\n\n", ["a", "", "b", ""], ["lines 2, 4 are empty: a class that reads as nothing"]),
        ("a\n\nb\n", ["a", "", "b"], ["line 2 is empty: a class that reads as nothing"]),
        ("ab\nc\n", ["ab", "c"], ["line 1 is longer than a character, as 'ab' is: one class each"]),
        ("a\nb\na\n", ["a", "b", "a"], ["'a' (U+0061) is listed 2 times, in lines 1, 3"]),
        ("a\n\u3000\nb\n\u3000\n", ["a", "\u3000", "b", "\u3000"], ["(U+3000) is listed 2 times"]),
    ],
)
def test_dictionary_is_read_exactly_and_its_oddities_are_told(tmp_path, content, listed, said):
    path = tmp_path / "keys.txt"
    path.write_bytes(content.encode())
    got = dictionary.characters(tmp_path, catalog.CharsetSource("keys.txt", space=False))
    assert got == listed
    told = dictionary.oddities(path, got)
    assert len(told) == len(said)
    for one, expected in zip(told, said, strict=True):
        assert one.startswith(f"{path}: ") and expected in one


@pytest.mark.parametrize(
    ("algorithm", "number", "classes", "space"),
    [
        ("CTC", 96, 97, False),
        ("CTC", 95, 97, True),
        ("Attention", 36, 38, False),
        ("SRN", 35, 38, True),
        ("PGNet", 36, 37, False),
        ("CTC", 5, None, True),
        ("SRN", 5, None, False),
    ],
)
def test_space_is_found_by_the_number_of_classes(algorithm, number, classes, space):
    assert dictionary.has_space("it", number, algorithm, classes) is space
    assert dictionary.has_space("it", number, algorithm, classes, space) is space
    if classes is not None:
        with pytest.raises(ConverterError, match=f"{number} characters .*{classes} classes = "):
            dictionary.has_space("it", number, algorithm, classes, not space)


def test_arabic_dictionary_on_a_network_of_6625_classes_names_both_sizes():
    message = (
        "arabic_dict.txt has 161 characters; the network has 6625 classes = 6624 + blank, or 6623 "
        r"\+ space \+ blank"
    ).replace("+ blank,", r"\+ blank,")
    with pytest.raises(ConverterError, match=message):
        dictionary.has_space("arabic_dict.txt", 161, "CTC", 6625)

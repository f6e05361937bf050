"""Test what `--charset` asks for, with the dictionaries of the bundles and of PaddleOCR."""

import string

import pytest

from converters.catalog import entries as catalog
from converters.charset import languages
from converters.charset.selection import choose, codes
from converters.errors import ConverterError
from edgeocr import Bundle

TINY = [character for character in Bundle.default().characters if character]
# The characters of other languages, as PP-OCR's dictionaries have some of them.
LATIN = [*string.printable[:95], *"ÀÁÄÅÇÉÑÖÜßàáäåçéñöüıİşŞğĞ", "Å", "…", "„", "“", "€"]


def chosen(*requests: str, network: list[str] = TINY) -> str:
    return "".join(choose(requests, network, "PP-OCRv6_tiny_rec"))


def test_ready_sets_have_their_characters():
    assert chosen("digits") == string.digits
    assert sorted(chosen("ascii")) == sorted(string.printable[:95])
    latin = chosen("latin")
    assert set(latin) > {*string.printable[:95], *"ÄßéŁőÞ€”“°½"}
    assert not set(latin) & set("中αΩＡａ○Ⅳ\u3000\u212b")


@pytest.mark.parametrize(
    ("code", "has", "has_not"),
    [
        ("de", "äÄöÖüÜßzZ09 .€“”", "éÉłα中"),
        ("fr", "éÉœŒçÇÿŸ« »€", "äßñ"),
        ("tr", "ığİĞşŞwQ@", "äéß"),
        ("pl", "łŁżŻ", "äé"),
        ("zh-Hans", "中国汉字。，０（）9Az ", "éαカ"),
    ],
)
def test_languages_have_letters_digits_and_punctuation(code, has, has_not):
    found = set(chosen(code))
    assert found >= set(has)
    assert not found & set(has_not)


def test_requests_are_joined_in_the_networks_order():
    assert chosen("chars:BA", "digits", "-0") == "-0123456789AB"
    assert chosen("0123456789ABCDEF-") == "-0123456789ABCDEF"
    assert chosen("chars:digits") == "dgist"
    assert chosen("chars:DE") == "DE" and chosen("ABC") == "ABC"
    twice = ["a", "b", "a"]
    assert choose(["chars:a"], twice, "it") == ["a"]


def test_spaces_are_kept_only_where_a_request_contains_them(tmp_path):
    assert " " not in chosen("digits") and " " not in chosen("chars:AB")
    assert " " in chosen("chars:A B") and " " in chosen("de") and " " in chosen("ascii")
    dictionary = tmp_path / "dict.txt"
    dictionary.write_text("A\nB\n \n")
    assert chosen(f"@{dictionary}") == "AB "


def test_file_with_a_text_or_dictionary_gives_its_characters(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffNr.\t12\r\nÄ\r\n".encode())
    assert chosen(f"@{path}") == ".12NrÄ"
    path.write_bytes(b"\xff\xfe")
    for wrong in (path, tmp_path / "none.txt"):
        with pytest.raises(ConverterError, match="can't be read as UTF-8 text"):
            chosen(f"@{wrong}")
    path.write_bytes(b"\n\n")
    for request in (f"@{path}", "chars:", ""):
        with pytest.raises(ConverterError, match="it contains no characters"):
            chosen(request)


def test_entries_of_several_code_points_are_kept_when_all_are_wanted():
    network = ["a", "b", "ch", "x\u0301", "x"]
    assert choose(["chars:abch"], network, "it") == ["a", "b", "ch"]
    assert choose(["chars:x\u0301"], network, "it") == ["x\u0301", "x"]
    with pytest.raises(ConverterError, match=r"\(U\+0301\)"):
        choose(["chars:x\u0301"], ["x"], "it")
    with pytest.raises(ConverterError, match=r"it knows c \(U\+0063\) only as part of ch \(U.*all"):
        choose(["chars:ac"], network, "it")


def test_missing_characters_are_named():
    with pytest.raises(ConverterError) as error:
        chosen("ru")
    assert str(error.value).startswith(
        "PP-OCRv6_tiny_rec does not know what --charset ru asks for: Ё (U+0401), А (U+0410), "
    )
    assert "З (U+0417), И (U+0418) and 56 more. Take another model" in str(error.value)
    with pytest.raises(ConverterError, match=r": Ș \(U\+0218\), ș \(U\+0219\), Ț .* Take"):
        chosen("ro")
    with pytest.raises(ConverterError, match=r"it lacks 170 of the 171 kana, such as ぁ あ"):
        chosen("ja")
    with pytest.raises(
        ConverterError, match=r"does not read zh-Hant: it lacks \d+ of the 5401 hanzi of Big5"
    ):
        chosen("zh-Hant")


def test_error_names_a_character_that_looks_the_same():
    network = [each for each in LATIN if each != "Å"] + ["\u212b"]
    with pytest.raises(ConverterError, match=r"Å \(U\+00C5; it has \u212b, U\+212B, which looks"):
        chosen("sv", network=network)


@pytest.mark.parametrize(
    ("request_", "hint"),
    [
        ("digit", "did you mean digits"),
        ("zh", "did you mean zh-Hans, zh-Hant"),
        ("zh-hans", "did you mean zh-Hans"),
        ("ZH-HANT", "did you mean zh-Hant"),
        ("DE", r"did you mean de\? .* write chars:DE"),
        ("Latin", "did you mean latin"),
        ("German", "write chars:German"),
        ("xx", r"nor a language of models\.toml\. The sets are digits, ascii, latin"),
        ("A-Z", "write chars:A-Z"),
        ("A-Za-z0-9", "write chars:A-Za-z0-9"),
        ("abq", "doesn't know the letters of this language"),
    ],
)
def test_misspelt_name_is_not_taken_for_characters(request_, hint):
    with pytest.raises(ConverterError, match=hint):
        chosen(request_)


def test_national_standards_allow_a_few_missing_characters():
    """The numbers of characters are those that the national standards state."""
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    network = [*string.digits, *syllables[: -len(syllables) // 10], " "]
    assert len(choose(["ko"], network, "it")) == len(network)
    with pytest.raises(ConverterError, match=r"it lacks \d+ of the 2350 syllables of KS X 1001"):
        choose(["ko"], [*string.digits, *syllables[:6000]], "it")
    ideographs = [*string.digits, *map(chr, range(0x4E00, 0x9FA6))]
    kana = [*map(chr, range(0x3041, 0x3097)), *map(chr, range(0x30A1, 0x30FB)), "ー", "々"]
    for code, number in (("zh-Hans", 6763), ("zh-Hant", 13051), ("ja", 2965 + 3390)):
        found = choose([code], [*ideographs, *kana], "it")
        assert sum(0x4E00 <= ord(each) < 0xA000 for each in found) == number
    with pytest.raises(ConverterError, match="of the 171 kana"):
        choose(["ja"], ideographs, "it")


def test_every_language_of_models_toml_is_known_or_listed_as_unknown():
    listed = {code for entry in catalog.load().models.values() for code in entry.languages}
    assert listed == {*codes(), *languages.unlisted()}
    assert len(languages.unlisted()) < 25


def test_unicodes_set_notation_is_parsed():
    assert languages.exemplars(r"[aä b {dž} \- \u064B]") == set("aäbdž-\u064b")
    assert languages.exemplars("[a-c ‐‑ x-z]") == set("abc‐‑xyz")
    assert languages.exemplars(r"[\- \[ \\ \u0041-\u0043]") == set("-[\\ABC")


def test_letters_of_a_language_come_from_cldrs_fields():
    described = {
        "exemplarCharacters": "[a ß ı \u064b {oʻ} \u200d]",
        "index": "[A Ş *]",
        "numbers": "[0 \u200e]",
        "punctuation": "[. ·]",
    }
    found = languages.letters_of(described)
    assert found.letters == "AIOaoßıŞ"  # ß has no capital of one character
    assert found.others == "*.0·ʻ\u064b"
    assert languages.letters_of({}) == languages.Letters("", "")

"""What `--charset` means, for the dictionaries that the bundles and PaddleOCR have."""

import string

import pytest

from converters.catalog import entries as catalog
from converters.charset import letters
from converters.charset.character_sets import choose, languages
from converters.errors import ConverterError
from edgeocr import Bundle

TINY = [character for character in Bundle.default().characters if character]
# The characters of other languages, as PP-OCR's dictionaries have some of them.
LATIN = [*string.printable[:95], *"ÀÁÄÅÇÉÑÖÜßàáäåçéñöüıİşŞğĞ", "Å", "…", "„", "“", "€"]


def chosen(*requests: str, network: list[str] = TINY) -> str:
    return "".join(choose(requests, network, "PP-OCRv6_tiny_rec"))


def test_ready_sets():
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


def test_requests_are_united_in_the_networks_order():
    assert chosen("chars:BA", "digits", "-0") == "-0123456789AB"
    assert chosen("0123456789ABCDEF-") == "-0123456789ABCDEF"
    assert chosen("chars:digits") == "dgist"
    assert chosen("chars:DE") == "DE" and chosen("ABC") == "ABC"
    twice = ["a", "b", "a"]
    assert choose(["chars:a"], twice, "it") == ["a"]


def test_spaces_are_kept_where_they_are_wanted(tmp_path):
    assert " " not in chosen("digits") and " " not in chosen("chars:AB")
    assert " " in chosen("chars:A B") and " " in chosen("de") and " " in chosen("ascii")
    dictionary = tmp_path / "dict.txt"
    dictionary.write_text("A\nB\n \n")
    assert chosen(f"@{dictionary}") == "AB "


def test_a_file_is_a_text_or_a_dictionary(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffNr.\t12\r\nÄ\r\n".encode())
    assert chosen(f"@{path}") == ".12NrÄ"
    path.write_bytes(b"\xff\xfe")
    for wrong in (path, tmp_path / "none.txt"):
        with pytest.raises(ConverterError, match="can't be read as UTF-8 text"):
            chosen(f"@{wrong}")
    path.write_bytes(b"\n\n")
    for request in (f"@{path}", "chars:", ""):
        with pytest.raises(ConverterError, match="no characters in it"):
            chosen(request)


def test_entries_of_several_code_points_are_kept_when_all_are_wanted():
    network = ["a", "b", "ch", "x\u0301", "x"]
    assert choose(["chars:abch"], network, "it") == ["a", "b", "ch"]
    assert choose(["chars:x\u0301"], network, "it") == ["x\u0301", "x"]
    with pytest.raises(ConverterError, match=r"\(U\+0301\)"):
        choose(["chars:x\u0301"], ["x"], "it")
    with pytest.raises(ConverterError, match=r"it knows c \(U\+0063\) only as part of ch \(U.*all"):
        choose(["chars:ac"], network, "it")


def test_what_the_network_lacks_is_named():
    with pytest.raises(ConverterError) as error:
        chosen("ru")
    assert str(error.value).startswith(
        "PP-OCRv6_tiny_rec does not know what --charset ru asks for: Ё (U+0401), А (U+0410), "
    )
    assert "З (U+0417), И (U+0418) and 56 more. Take another model" in str(error.value)
    with pytest.raises(ConverterError, match=r": Ș \(U\+0218\), ș \(U\+0219\), Ț .* Take"):
        chosen("ro")
    with pytest.raises(ConverterError, match=r"of the 171 kana it lacks 170, such as ぁ あ"):
        chosen("ja")
    with pytest.raises(ConverterError, match=r"does not read zh-Hant: of the 5401 hanzi of Big5"):
        chosen("zh-Hant")


def test_the_same_look_is_pointed_out():
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
        ("DE", r"did you mean de\? .* say chars:DE"),
        ("Latin", "did you mean latin"),
        ("German", "say chars:German"),
        ("xx", "no language of models.toml. The sets are digits, ascii, latin"),
        ("A-Z", "say chars:A-Z"),
        ("A-Za-z0-9", "say chars:A-Za-z0-9"),
        ("abq", "letters of this language are not known here"),
    ],
)
def test_what_looks_like_a_name_is_not_taken_for_characters(request_, hint):
    with pytest.raises(ConverterError, match=hint):
        chosen(request_)


def test_large_sets_leave_out_what_the_network_lacks():
    """Numbers of characters that the national standards say."""
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    network = [*string.digits, *syllables[: -len(syllables) // 10], " "]
    assert len(choose(["ko"], network, "it")) == len(network)
    with pytest.raises(ConverterError, match="of the 2350 syllables of KS X 1001 it lacks"):
        choose(["ko"], [*string.digits, *syllables[:6000]], "it")
    ideographs = [*string.digits, *map(chr, range(0x4E00, 0x9FA6))]
    kana = [*map(chr, range(0x3041, 0x3097)), *map(chr, range(0x30A1, 0x30FB)), "ー", "々"]
    for code, number in (("zh-Hans", 6763), ("zh-Hant", 13051), ("ja", 2965 + 3390)):
        found = choose([code], [*ideographs, *kana], "it")
        assert sum(0x4E00 <= ord(each) < 0xA000 for each in found) == number
    with pytest.raises(ConverterError, match="of the 171 kana"):
        choose(["ja"], ideographs, "it")


def test_every_language_of_the_catalogue_is_known_or_said_not_to_be():
    codes = {code for entry in catalog.load().models.values() for code in entry.languages}
    assert codes == {*languages(), *letters.unlisted()}
    assert len(letters.unlisted()) < 25


def test_sets_in_unicodes_notation():
    assert letters.exemplars(r"[aä b {dž} \- \u064B]") == set("aäbdž-\u064b")
    assert letters.exemplars("[a-c ‐‑ x-z]") == set("abc‐‑xyz")
    assert letters.exemplars(r"[\- \[ \\ \u0041-\u0043]") == set("-[\\ABC")


def test_letters_of_a_language():
    described = {
        "exemplarCharacters": "[a ß ı \u064b {oʻ} \u200d]",
        "index": "[A Ş *]",
        "numbers": "[0 \u200e]",
        "punctuation": "[. ·]",
    }
    found = letters.of_language(described)
    assert found.letters == "AIOaoßıŞ"  # ß has no capital of one character
    assert found.others == "*.0·ʻ\u064b"
    assert letters.of_language({}) == letters.Letters("", "")

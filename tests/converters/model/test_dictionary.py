"""Test reading the character lists that come with published models."""

from pathlib import Path

import pytest

from converters.catalog.entries import CharsetSource
from converters.errors import ModelFormatError
from converters.model import dictionary as charset

YML = """\
PostProcess:
  name: CTCLabelDecode
  character_dict:
  - a
  - ''''
  - 'no'
"""


def read(folder: Path, name: str, content: str, space: bool = False) -> list[str]:
    (folder / name).write_bytes(content.encode())
    return charset.characters(folder, CharsetSource(name, space))


def test_dictionary_has_one_character_per_line(tmp_path):
    assert read(tmp_path, "d.txt", "a\nb\n") == ["a", "b"]
    assert read(tmp_path, "d.txt", "a\r\nb") == ["a", "b"]
    assert read(tmp_path, "d.txt", "a\n\u2028\n \n", space=True) == ["a", "\u2028", " ", " "]


def test_characters_of_inference_yml_are_read(tmp_path):
    assert read(tmp_path, "inference.yml", YML, space=True) == ["a", "'", "no", " "]


def test_recognizers_without_a_list_read_digits_and_letters(tmp_path):
    """PaddleOCR's decoders have a list of their own."""
    found = read(tmp_path, "inference.yml", "PostProcess:\n  name: VLLabelDecode\n")
    assert found == list("0123456789abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("PostProcess:\n  name: PGPostProcess\n", "PostProcess.character_dict is missing"),
        ("PostProcess:\n  name: DBPostProcess\n", "PostProcess.character_dict is missing"),
        (YML.replace("'no'", "no"), r"PostProcess\.character_dict\[2\] must be a string"),
        (YML.replace("- a", '- "a\\nb"'), "lists a line feed as one"),
        ("PostProcess: [", "not valid YAML"),
    ],
)
def test_inference_yml_without_a_usable_list_is_refused(tmp_path, content, message):
    with pytest.raises(ModelFormatError, match=message):
        read(tmp_path, "inference.yml", content)


def test_special_classes_are_counted():
    assert charset.classes(["a", "b"], {"classes": 3, "blank": 0}) == 3
    assert charset.classes(["a", "b"], {"classes": 4, "begin": 0, "end": 3}) == 4


def test_dictionary_that_is_not_text_or_missing_is_refused(tmp_path):
    source = CharsetSource("dict.txt", False)
    with pytest.raises(ModelFormatError, match=r"dict\.txt: the dictionary is missing"):
        charset.characters(tmp_path, source)
    (tmp_path / "dict.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(ModelFormatError, match=r"dict\.txt: a dictionary must be UTF-8 .* byte 2"):
        charset.characters(tmp_path, source)

"""Manifests that Python's JSON decoder accepts, and that are refused nevertheless."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeocr import Bundle, BundleError
from edgeocr.bundle import limits, strict_json
from tests.support.packing import Files, packed

MANIFEST = "manifest.json"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "the member 'a' twice"),
        ('{"a": NaN}', "NaN is not finite"),
        ('{"a": -Infinity}', "-Infinity is not finite"),
        ('{"a": 1e400}', "1e400 is not finite"),
        (f'{{"a": {"9" * 4000}.0}}', "9999… is not finite"),
        (f'{{"a": {10**30}}}', "is beyond 9007199254740991"),
        (f'{{"a": -{"1" * 400}}}', "the integer -1111111111111111… is beyond"),
        (f'{{"a": {"1" * 100_000}}}', "is beyond"),
        (f"[{2**53}]", "is beyond"),
        ("[" * 17 + "]" * 17, "nested more than 16 levels"),
        ("[" * 900 + "]" * 900, "nested"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 50_000, "nested too deeply"),
        (r'["\ud800"]', "U+D800"),
        (r'{"\udfff": 1}', "U+DFFF"),
        (r'["\u001b[31m"]', "U+001B"),
        ('["\x7f"]', "U+007F"),
        ('["\x9b31m"]', "U+009B"),
        ('["a\u202eb"]', "U+202E"),
        ('["a\u2066b"]', "U+2066"),
        ('["\x1b"]', "not valid JSON"),
        (f'["{"x" * 4097}"]', "a string of 4097 characters"),
        (f'{{"{"x" * 4097}": 1}}', "a string of 4097 characters"),
        ("\ufeff{}", "not valid JSON"),
        ("{}{}", "not valid JSON"),
        ("", "not valid JSON"),
    ],
)
def test_json_that_is_not_plain_is_refused(
    files: Files, tmp_path: Path, text: str, said: str
) -> None:
    files[MANIFEST] = text.encode("utf-8")
    path = packed(files, tmp_path / "a.edgeocr")
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    message = str(caught.value)
    assert said in message and MANIFEST in message and message.startswith(str(path))
    assert message.isprintable() and len(message) < 1100 + len(str(path))


def test_plain_json_is_decoded_as_the_standard_library_does(embedded_files: Files) -> None:
    texts = [
        *("{}", "[]", '"\u3000"', "null", "true", "-0", "0.0", "1E5", "[" * 16 + "]" * 16),
        *(str(2**53 - 1), str(1 - 2**53), '"\\ud83d\\ude00"', f'"{"x" * 4096}"'),
        '{"a": "soft\u00ad hyphen, \u200b\u200c\u200d, \u200e, line\\n, tab\\t", "b": {"a": [1]}}',
        embedded_files[MANIFEST].decode(),
    ]
    for text in texts:
        assert strict_json.decode(text.encode(), MANIFEST) == json.loads(text)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    for content in (b"\xff\xfe{\0}\0", b'"\xed\xa0\x80"', b'"\xc0\x80"', b'["\xff"]'):
        with pytest.raises(BundleError, match="not valid JSON"):
            strict_json.decode(content, MANIFEST)


def test_what_is_refused_in_texts() -> None:
    refused = [chr(code) for code in range(0x110000) if limits.STEERING.match(chr(code))]
    assert len(refused) == 30 + 33 + 5 + 4 + 2048
    allowed = "\t\n \u00ad\u200b\u200c\u200d\u200e\u200f\u2028\u2060\u3000\ufeff"
    assert not set(allowed) & set(refused)

"""Lines are divided into words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeocr.postprocess.words import is_cjk, spans_of_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  ", []),
        ("one", ["one"]),
        (" two  words ", ["two", "words"]),
        ("欢迎光临", ["欢迎光临"]),
        ("欢迎 光临", ["欢迎", "光临"]),
        ("请勿停车NO PARKING", ["请勿停车", "NO", "PARKING"]),
        ("2031年6月14日", ["2031", "年", "6", "月", "14", "日"]),
        ("地址：云杉市", ["地址：云杉市"]),
        ("价格:28元", ["价格:", "28", "元"]),
        ("说“你好”吗", ["说“你好”吗"]),
        ("(注)", ["(注)"]),
        ("¥28.50", ["¥28.50"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("שלום (iPhone 15)", ["שלום", "(iPhone", "15)"]),
        ("a\u3000b", ["a", "b"]),
        ("--", ["--"]),
    ],
)
def test_words_end_at_spaces_and_where_the_script_changes(text: str, words: list[str]) -> None:
    assert [text[begin:end] for begin, end in spans_of_words(text)] == words


@given(st.text(st.sampled_from("ab1 国、：(-é\u3000")))
def test_words_hold_all_characters_but_spaces(text: str) -> None:
    spans = spans_of_words(text)
    assert "".join(text[begin:end] for begin, end in spans) == "".join(text.split())
    assert all(begin < end for begin, end in spans)
    letters = [{is_cjk(c) for c in text[b:e] if c.isalnum() or is_cjk(c)} for b, e in spans]
    assert all(len(scripts) <= 1 for scripts in letters)

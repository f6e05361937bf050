"""Test the shorthands of models.toml: families, language groups, dictionaries, placeholders."""

import copy
from typing import Any

import pytest

from converters.catalog.models_toml import expand, merged
from edgeocr.bundle.fields import FieldError

DATA: dict[str, Any] = {
    "languages": {"nordic": ["sv", "no"], "north": ["nordic", "fi"]},
    "dictionaries": {"d.txt": {"sha256": "unpublished", "source": "https://d"}},
    "families": {
        "base": {"licence": "A", "stage": {"a": 1, "deep": {"x": 1, "y": [1, 2]}}},
        "child": {"family": "base", "stage": {"deep": {"x": 2}}, "base": "https://h/{alias}/"},
        "other": {"stage": {"b": 5}, "licence": "B"},
    },
    "models": {
        "m": {
            "family": ["child", "other"],
            "aliases": ["first", "second"],
            "languages": ["en", "north"],
            "stage": {"deep": {"y": [3]}},
            "charset": {"file": "d.txt"},
            "files": [
                {"name": "{name}.tar", "sha256": "unpublished"},
                {"name": "x", "source": "s"},
            ],
        }
    },
    "bundles": {"b": {"detection": "m"}},
}


def expanded(**changes):
    return expand(merged(copy.deepcopy(DATA), {"models": {"m": changes}}))["models"]["m"]


def test_own_fields_override_those_of_families_and_later_families_override_earlier_ones():
    model = expanded()
    assert model["licence"] == "B"
    assert model["stage"] == {"a": 1, "b": 5, "deep": {"x": 2, "y": [3]}}
    assert model["name"] == "m" and "family" not in model and "base" not in model
    assert expanded(licence="C")["licence"] == "C"


def test_language_groups_become_codes():
    assert expanded()["languages"] == ["en", "sv", "no", "fi"]


def test_missing_fields_of_files_are_filled_in():
    assert expanded()["files"] == [
        {"name": "m.tar", "sha256": None, "source": "https://h/first/m.tar"},
        {"name": "x", "source": "s"},
        {"name": "d.txt", "sha256": None, "source": "https://d"},
    ]


def test_dictionary_that_is_among_the_files_is_not_added():
    data = copy.deepcopy(DATA)
    own = {"name": "d.txt", "sha256": "1", "source": "s"}
    data["models"]["n"] = {**data["models"]["m"], "files": [own]}
    assert expand(data)["models"]["n"]["files"] == [own]


def test_expanding_does_not_change_its_input():
    data = copy.deepcopy(DATA)
    expand(data)
    assert data == DATA


def test_bundles_get_their_names():
    assert expand(copy.deepcopy(DATA))["bundles"] == {"b": {"detection": "m", "name": "b"}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"families": {"base": {"family": "child"}}}, r"base\.family: no family 'child'"),
        ({"families": {"new": {}}}, r"families\.new is not used by any model"),
        ({"languages": {"new": []}}, r"languages\.new is not used by any model"),
        ({"dictionaries": {"new": {}}}, r"dictionaries\.new is not used by any model"),
        ({"families": 3}, "families must be a table of tables"),
        ({"models": {"m": 3}}, "models must be a table of tables"),
        ({"languages": 3}, "languages must be a table"),
        ({"languages": {"new": 3}}, r"languages\.new must be a list of strings"),
        ({"models": {"m": {"family": 3}}}, r"models\.m\.family must be a list of strings"),
        ({"models": {"m": {"languages": [3]}}}, r"models\.m\.languages must be a list of strings"),
        ({"models": {"m": {"aliases": "a"}}}, r"models\.m\.aliases must be a list of strings"),
        ({"modles": {}}, "unknown field modles"),
        (
            {"models": {"m": {"files": [{"sha256": "1"}]}}},
            r"m\.files\[0\] or base: the name is missing",
        ),
        ({"models": {"m": {"base": 3}}}, r"m\.files\[0\] or base"),
    ],
)
def test_mistakes_are_reported_with_the_field(changes, message):
    with pytest.raises(FieldError, match=message):
        expand(merged(copy.deepcopy(DATA), changes))

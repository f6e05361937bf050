"""The rules of docs/architecture.md that a program can check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support import imports
from tests.support.paths import ROOT

PACKAGES = pytest.mark.parametrize("package", imports.LEVELS)
LONGEST_FILE = 400
EMPTY_NAMES = {"utils", "util", "common", "base", "core", "helpers", "helper", "misc", "manager"}


@PACKAGES
def test_every_name_in_the_levels_is_a_module(package: str) -> None:
    levels = [name for level in imports.LEVELS[package] for name in level]
    assert len(levels) == len(set(levels))
    assert set(levels) == {imports.room(module) for module in imports.modules(package)}


@PACKAGES
def test_imports_point_down(package: str) -> None:
    assert list(imports.upward(package, imports.arrows(package))) == []


@PACKAGES
def test_imports_have_no_circles(package: str) -> None:
    assert imports.circles(imports.arrows(package)) == []


def test_edgeocr_imports_neither_converters_nor_their_libraries() -> None:
    strangers = {"converters", "benchmarks", "tests", "onnx", "paddle", "paddle2onnx", "yaml"}
    for path in imports.modules("edgeocr").values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            assert not strangers & {name.split(".")[0] for name in names}, path


def python_files() -> list[Path]:
    folders = ("edgeocr", "converters", "benchmarks", "tests", "examples")
    files = {folder: sorted((ROOT / folder).rglob("*.py")) for folder in folders}
    assert all(files.values()), "a folder has no files"
    return [path for folder in folders for path in files[folder]]


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in python_files()}
    assert {str(path): n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_module_has_an_empty_name() -> None:
    assert [path for path in python_files() if path.stem in EMPTY_NAMES] == []


def test_circles_upward_imports_and_unknown_modules_are_noticed() -> None:
    found = {"edgeocr.page": {"edgeocr.ocr"}, "edgeocr.ocr": {"edgeocr.page"}}
    assert list(imports.upward("edgeocr", found)) == ["edgeocr.page imports edgeocr.ocr"]
    assert set(imports.circles(found)) == {"edgeocr.page", "edgeocr.ocr"}
    strange = {"edgeocr.new": {"edgeocr.page"}}
    assert list(imports.upward("edgeocr", strange)) == ["new has no level"]

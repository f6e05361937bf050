"""The pages' commands run, their links lead somewhere, and what they name exists."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeocr.ray import __main__ as ray_command
from tests.support import docs
from tests.support.docs import Block
from tests.support.paths import ROOT

PAGES = docs.pages()
# Pages about a folder, which stand in that folder: their links are checked, too.
FOLDER_PAGES = [ROOT / "examples" / "README.md"]
for _folder in ("edgeocr", "tests"):
    FOLDER_PAGES += sorted((ROOT / _folder).glob("*/README.md"))
    FOLDER_PAGES += sorted((ROOT / _folder).glob("*/*/README.md"))
# The most lines that a page may have.
LIMITS = {"README.md": 200, "CONTRIBUTING.md": 100, "tests/README.md": 120, "CHANGELOG.md": 400}
DOCS_LIMIT = 250
# Pages whose commands take longer than a second or two.
SLOW = {"benchmarks.md", "bundles.md", "converting.md", "accuracy.md"}
# Options of other programs that the pages name, without a command in front of them.
OCRMYPDF_OPTIONS = {
    "--deskew",
    "--edgeocr-bundle",
    "--edgeocr-provider",
    "--edgeocr-threads",
    "--force-ocr",
    "--jobs",
    "--language",
    "--ocr-engine",
    "--pdf-renderer",
    "--redo-ocr",
    "--rotate-pages",
    "--sidecar",
    "--skip-text",
    "--tesseract-…",
    "--use-threads",
}
# Options of docker and of its subcommands.
DOCKER_OPTIONS = {
    "--build-arg",
    "--gpus",
    "--health-cmd",
    "--platform",
    "--secret",
    "--stop-timeout",
}
OTHER_OPTIONS = (
    OCRMYPDF_OPTIONS
    | DOCKER_OPTIONS
    | {
        "--dist",
        "--durations",
        "--help",
        "--no-deps",
        "--upgrade",
        "--check",
    }
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def marked(*infos: str) -> list[object]:
    return [
        pytest.param(block, id=block.place, marks=[pytest.mark.slow] if page.name in SLOW else [])
        for page in PAGES
        if page.exists()
        for block in docs.blocks(page)
        if block.info in infos
    ]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder like the checkout, and an environment in which `edgeocr` is a command."""
    folder = tmp_path_factory.mktemp("docs") / "checkout"
    commands = docs.make_work_folder(folder)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    return folder, {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(folder),
        "EDGEOCR_CACHE": str(folder / ".cache"),
        "COLUMNS": "80",
    }


@pytest.mark.stress
@pytest.mark.parametrize("block", marked("sh test"))
def test_shell_block_runs(block: Block, work: tuple[Path, dict[str, str]]) -> None:
    docs.run_shell(block, *work)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=name_of)
def test_python_blocks_run_and_print_what_the_page_says(
    page: Path, work: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work[0])
    variables: dict[str, object] = {"__name__": "__main__"}
    for block in docs.blocks(page):
        if block.info == "python test":
            docs.run_python(block, variables)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_have_known_marks(page: Path) -> None:
    for block in docs.blocks(page):
        assert block.info in docs.MARKS | docs.LANGUAGES, f"{block.place}: {block.info!r}"
        if block.info == "sh test":
            assert "pip install" not in block.content, f"{block.place}: tests install nothing"
            # What an earlier run left there would make the command fail, or hide that it does.
            assert "/tmp/" not in block.content, f"{block.place}: write in the work folder"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page_is_short_enough(page: Path) -> None:
    name = name_of(page)
    limit = LIMITS.get(name, DOCS_LIMIT)
    assert len(page.read_text("utf-8").splitlines()) <= limit, name


@pytest.mark.parametrize("page", [*PAGES, *FOLDER_PAGES], ids=name_of)
def test_internal_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for link in docs.links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            wrong.append(link)
        elif anchor and anchor not in docs.anchors(target):
            wrong.append(f"{link}: there is no such heading")
    assert not wrong, f"{name_of(page)}: {wrong}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_that_a_page_names_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        pytest.skip("it names paths of older versions")
    paths = [
        code
        for code in docs.inline_code(page)
        if re.fullmatch(r"(edgeocr|converters|benchmarks|tests|docs|examples)/[\w./-]*", code)
    ]
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert not missing, f"{name_of(page)}: {missing}"


def test_every_page_of_docs_is_listed_in_its_index() -> None:
    listed = set(docs.links(ROOT / "docs" / "README.md"))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert there <= listed


def test_readme_begins_with_the_two_setup_lines() -> None:
    first = docs.blocks(ROOT / "README.md")[0]
    assert first.info == "sh setup"
    assert first.content.splitlines() == [
        'pip install ".[cpu]" && edgeocr read tests/images/sample.jpg',
        'pip install ".[cpu,test]" && pytest -n 2 --dist loadfile',
    ]


class _Found(Exception):
    """Carries a program's parser out of its main function."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser


def _parser(main: Callable[[], object], arguments: list[str]) -> argparse.ArgumentParser:
    """Return the parser that `main` would parse `arguments` with."""

    def give(self: argparse.ArgumentParser, *_: object, **__: object) -> argparse.Namespace:
        raise _Found(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["program", *arguments])
        patch.setattr(argparse.ArgumentParser, "parse_args", give)
        try:
            main()
        except _Found as found:
            return found.parser
    raise AssertionError("main() parsed no arguments")


def _subcommands(
    parser: argparse.ArgumentParser, prefix: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield prefix, parser
    for group in groups:
        for name, command in group.choices.items():
            yield from _subcommands(command, f"{prefix} {name}")


def _all(
    main: Callable[[], object], arguments: list[str], program: str
) -> list[tuple[str, argparse.ArgumentParser]]:
    return list(_subcommands(_parser(main, arguments), program))


@pytest.fixture(scope="module")
def known_options() -> dict[str, set[str]]:
    """The options of each command and subcommand, as in `edgeocr bundle show`."""
    found: dict[str, set[str]] = {}
    for program, module in (
        ("edgeocr", "edgeocr.cli.main"),
        ("python -m converters", "converters.__main__"),
        ("python -m benchmarks", "benchmarks.__main__"),
    ):
        main = importlib.import_module(module).main
        # Only the command that is named gets its options and its subcommands.
        for name in {each.removeprefix(program).split()[0] for each, _ in _all(main, [], program)}:
            for command, parser in _all(main, [name], program):
                if command.removeprefix(program).split()[0] == name:
                    found[command] = {o for a in parser._actions for o in a.option_strings}
    actions = ray_command.parser()._actions
    found["python -m edgeocr.ray"] = {o for action in actions for o in action.option_strings}
    return found


def _named(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of our programs in a line of shell or a piece of code."""
    for part in re.split(r"&&|\|\||[;|]", text):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:  # an apostrophe in a sentence
            words = part.split()
        if words[:1] == ["edgeocr"]:
            yield words
        elif words[:1] and words[0].endswith("python") and words[1:2] == ["-m"]:
            yield ["python", *words[1:]]


def _commands_named(page: Path) -> Iterator[list[str]]:
    shell = [block.content for block in docs.blocks(page) if block.info.startswith("sh")]
    for content in shell:
        for line in content.replace("\\\n", " ").splitlines():
            yield from _named(line)
    for code in docs.inline_code(page):
        yield from _named(code)


def test_every_subcommand_is_documented(known_options: dict[str, set[str]]) -> None:
    named = [" ".join(words) for page in PAGES for words in _commands_named(page)]
    missing = [
        command
        for command in known_options
        if not any(text == command or text.startswith(f"{command} ") for text in named)
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_that_a_page_names_exist(
    page: Path, known_options: dict[str, set[str]]
) -> None:
    if page.name == "CHANGELOG.md":
        pytest.skip("it names options of older versions")
    wrong = []
    for words in _commands_named(page):
        text = " ".join(words)
        known = [command for command in known_options if f"{text} ".startswith(f"{command} ")]
        start = 3 if words[0] == "python" else 1
        options = {w.partition("=")[0] for w in words[start:] if re.match(r"--?[a-z]", w)}
        if known:
            allowed = known_options[max(known, key=len)]
        elif words[0] == "edgeocr" or words[2:3] in (["converters"], ["benchmarks"]):
            prefix = f"{' '.join(words[:2] if words[0] == 'edgeocr' else words[:4])} "
            groups = [each for each in known_options if f"{each} ".startswith(prefix)]
            if len(words) > (1 if words[0] == "edgeocr" else 3) and not (
                groups or words[-1] in ("…", "COMMAND", "--version") or "|" in text
            ):
                wrong.append(text)
            continue
        else:
            continue
        wrong += [f"{text}: {option}" for option in options - allowed]
    everywhere = set().union(*known_options.values())
    for code in docs.inline_code(page):
        if re.match(r"--[a-z]", code):
            option = re.split(r"[\s=]", code)[0]
            if option not in everywhere | OTHER_OPTIONS:
                wrong.append(code)
    assert not wrong, f"{name_of(page)}: {wrong}"

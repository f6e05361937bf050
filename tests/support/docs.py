"""Read the Markdown pages and run the commands and the Python in their fenced blocks.

The word after a block's language says who runs the block:

- `sh test`: the tests run it, offline, in a work folder that looks like the checkout.
- `sh ci`: .ci/run runs it with `python -m tests.support.docs --ci PAGE…`, because it downloads
  something or takes long.
- `sh setup`: .ci/run runs each line on its own, in a fresh virtual environment.
- `python test`: the tests execute it. The blocks of a page share their variables.

Nobody runs other blocks. A `text` block directly after a block that is run holds its output, where
`…` stands for anything. The output of a shell block may have further lines.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import IMAGES, ROOT

MARKS = {"sh test", "sh ci", "sh setup", "python test"}
# The language alone: such a block is shown and not run.
LANGUAGES = {"", "sh", "python", "text", "toml", "json", "yaml", "mermaid"}

_FENCE = re.compile(r"^( *)```([^`]*)$")
_HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_CODE = re.compile(r"`([^`]+)`")
# Characters that GitHub drops from a heading when it makes the anchor.
_DROPPED = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: The page's path.
        line: The number of the block's first line of content, from 1.
        info: The words after the opening fence, such as `sh test`.
        content: The lines within the fences, each with its line feed.
        expected: The content of the `text` block that follows, or None.
    """

    page: Path
    line: int
    info: str
    content: str
    expected: str | None = None

    @property
    def place(self) -> str:
        """Where the block stands, as in `docs/bundles.md:12`."""
        page = self.page.resolve()
        return f"{page.relative_to(ROOT) if page.is_relative_to(ROOT) else page}:{self.line}"


class BlockError(Exception):
    """A block failed, or its output is not what the page says."""


def pages() -> list[Path]:
    """Return every page that people read: the README, the other pages at the top, and docs/."""
    top = (ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG"))
    return [*top, *sorted((ROOT / "docs").glob("*.md")), ROOT / "tests" / "README.md"]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page; each one knows the `text` block that follows it."""
    found: list[Block] = []
    last_line = 0  # of the previous block, with its closing fence
    for block, last in _fenced(page):
        between = page.read_text("utf-8").splitlines()[last_line : block.line - 2]
        if block.info == "text" and found and not any(line.strip() for line in between):
            before = found[-1]
            found[-1] = Block(before.page, before.line, before.info, before.content, block.content)
        else:
            found.append(block)
        last_line = last
    return found


def _fenced(page: Path) -> Iterator[tuple[Block, int]]:
    """Yield each fenced block with the number of its closing line."""
    start, info, indent, content = 0, "", "", list[str]()
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        match = _FENCE.match(line)
        if match and not start:
            indent, info, start, content = match[1], match[2].strip(), number + 1, []
        elif match and start and not match[2].strip():
            yield Block(page, start, info, "".join(f"{each}\n" for each in content)), number
            start = 0
        elif start:
            content.append(line.removeprefix(indent))
    if start:
        raise BlockError(f"{page}:{start}: the block is not closed")


def prose(page: Path) -> str:
    """Return the page without its fenced blocks."""
    lines = page.read_text("utf-8").splitlines()
    for block, last in _fenced(page):
        for number in range(block.line - 2, last):
            lines[number] = ""
    return "\n".join(lines)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    found: set[str] = set()
    for line in prose(page).splitlines():
        if match := _HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[2])
            base = anchor = _DROPPED.sub("", text.lower()).replace(" ", "-")
            number = 0
            while anchor in found:
                number += 1
                anchor = f"{base}-{number}"
            found.add(anchor)
    return found


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures, as they are written."""
    return _LINK.findall(_INLINE_CODE.sub("", prose(page)).replace("[]", "[ ]"))


def inline_code(page: Path) -> list[str]:
    """Return the pieces of code within a page's sentences and tables."""
    return [code.replace("\\|", "|") for code in _INLINE_CODE.findall(prose(page))]


def make_work_folder(folder: Path) -> Path:
    """Make `folder` look like the checkout, so that what a command writes stays in it.

    Top-level entries are symbolic links, except for the test pictures, which are copies.

    Returns:
        A subfolder with the commands `edgeocr` and `python`, which belongs on the PATH.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for entry in ROOT.iterdir():
        if entry.name not in ("tests", ".git") and not entry.name.startswith(".venv"):
            (folder / entry.name).symlink_to(entry)
    (folder / "tests").mkdir()
    for entry in (ROOT / "tests").iterdir():
        if entry != IMAGES:
            (folder / "tests" / entry.name).symlink_to(entry)
    pictures = folder / "tests" / "images"
    pictures.mkdir()
    for entry in IMAGES.iterdir():
        if entry.is_file():
            (pictures / entry.name).write_bytes(entry.read_bytes())
    commands = folder / ".commands"
    commands.mkdir()
    for name, arguments in {"edgeocr": "-m edgeocr", "python": ""}.items():
        command = commands / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', "utf-8")
        command.chmod(0o755)
    return commands


def run_shell(block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    """Run the commands of a block in one shell and return what they print.

    Args:
        block: The block. Its shell stops at the first command that fails.
        folder: The working directory.
        environment: The environment variables.

    Returns:
        Both outputs of all commands, each command's after a line `$ COMMAND`.

    Raises:
        BlockError: A command failed, or a line of the expected output is missing.
    """
    script = ["set -eo pipefail"]
    for command in _commands(block.content):
        shown = "$ " + command.replace("\\\n", "")
        script += ["printf '%s\\n' '" + shown.replace("'", "'\\''") + "'", command]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise BlockError(f"{block.place}: exit code {done.returncode}\n{done.stdout}")
    if block.expected is not None:
        printed = done.stdout.splitlines()
        for line in filter(str.strip, block.expected.splitlines()):
            if not any(_matches(line, each) for each in printed):
                raise BlockError(f"{block.place}: not printed: {line!r}\n{done.stdout}")
    return done.stdout


def _commands(content: str) -> list[str]:
    """Split a block into commands; a backslash at a line's end continues it."""
    joined = re.findall(r"(?:[^\n]*\\\n)*[^\n]*\n", content)
    return [each.rstrip("\n") for each in joined if each.strip() and not each.startswith("#")]


def run_python(block: Block, variables: dict[str, object]) -> str:
    """Execute a block and return what it prints.

    Args:
        block: The block.
        variables: The global variables, which the blocks of a page share.

    Raises:
        BlockError: The code raised, or the output is not what the page says.
    """
    output = io.StringIO()
    # The empty lines give tracebacks the page's line numbers.
    code = compile("\n" * (block.line - 1) + block.content, str(block.page), "exec")
    with contextlib.redirect_stdout(output):
        try:
            exec(code, variables)
        except Exception as error:
            raise BlockError(f"{block.place}: {type(error).__name__}: {error}") from error
    printed = output.getvalue()
    if block.expected is not None and not _matches(block.expected.strip(), printed.strip()):
        raise BlockError(f"{block.place}: the page says\n{block.expected}\nprinted is\n{printed}")
    return printed


def _matches(expected: str, printed: str) -> bool:
    parts = map(re.escape, expected.rstrip().split("…"))
    return re.fullmatch(".*?".join(parts), printed.rstrip(), re.DOTALL) is not None


def run_marked(paths: Sequence[Path], folder: Path) -> int:
    """Run the `sh ci` blocks of pages in order, print their outputs, and stop at a failure.

    Returns:
        The number of blocks that ran.

    Raises:
        BlockError: A block failed; the message has its place and its output.
    """
    number = 0
    for path in paths:
        for block in blocks(path):
            if block.info == "sh ci":
                print(f"# {block.place}", flush=True)
                print(run_shell(block, folder, os.environ), end="", flush=True)
                number += 1
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the blocks of pages that are marked for CI, in the current folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.docs", description=main.__doc__)
    parser.add_argument("--ci", action="store_true", required=True, help="run the sh ci blocks")
    parser.add_argument("pages", nargs="+", type=Path, metavar="PAGE")
    options = parser.parse_args(arguments)
    try:
        number = run_marked(options.pages, Path.cwd())
    except (BlockError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"# {number} blocks ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())

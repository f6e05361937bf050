"""The extractor of the pages' blocks: what it finds, runs and refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import docs

PAGE = """# A page: `code` and more

```sh ci
echo one
echo 'two  2' \\
  three
```

```text
two … three
```

## A page: code and more

[a link](other.md#here) and `[no](link)`

```sh
not run
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, "utf-8")
    return path


def test_block_knows_its_mark_its_place_and_the_output_that_follows(page: Path) -> None:
    first, second = docs.blocks(page)
    assert (first.info, first.line, first.expected) == ("sh ci", 4, "two … three\n")
    assert (second.info, second.content, second.expected) == ("sh", "not run\n", None)


def test_headings_with_the_same_text_get_numbered_anchors(page: Path) -> None:
    assert docs.anchors(page) == {"a-page-code-and-more", "a-page-code-and-more-1"}


def test_links_in_code_are_not_links(page: Path) -> None:
    assert docs.links(page) == ["other.md#here"]


def test_ci_prints_commands_and_outputs_and_runs_no_other_blocks(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main(["--ci", str(page)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1:] == [
        "$ echo one",
        "one",
        "$ echo 'two  2'   three",
        "two  2 three",
        "# 1 blocks ran",
    ]


def test_ci_stops_at_the_command_that_fails(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page.write_text("```sh ci\ntrue\ncat missing.txt\necho never\n```\n", "utf-8")
    assert docs.main(["--ci", str(page)]) == 1
    error = capsys.readouterr().err
    assert "page.md:2: exit code 1" in error
    assert "$ cat missing.txt" in error and "never" not in error


def test_missing_output_is_an_error(page: Path) -> None:
    page.write_text("```sh ci\necho one\n```\n```text\ntwo\n```\n", "utf-8")
    (block,) = docs.blocks(page)
    with pytest.raises(docs.BlockError, match="not printed: 'two'"):
        docs.run_shell(block, page.parent, os.environ)


def test_python_blocks_share_variables_and_compare_their_output(page: Path) -> None:
    page.write_text(
        "```python test\nx = 2.5\n```\n\n```python test\nprint(x, 'ms')\n```\n\n"
        "```text\n… ms\n```\n\n```python test\nprint(x)\n```\n```text\n3\n```\n",
        "utf-8",
    )
    first, second, third = docs.blocks(page)
    variables: dict[str, object] = {}
    docs.run_python(first, variables)
    assert docs.run_python(second, variables) == "2.5 ms\n"
    with pytest.raises(docs.BlockError, match="the page says"):
        docs.run_python(third, variables)


def test_block_that_is_not_closed_is_an_error(page: Path) -> None:
    page.write_text("```sh\necho one\n", "utf-8")
    with pytest.raises(docs.BlockError, match="not closed"):
        docs.blocks(page)

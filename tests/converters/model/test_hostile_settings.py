"""Test that no value in an inference.yml raises anything but an error that names the file."""

import copy
import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from converters.catalog import entries as catalog
from converters.errors import ConverterError
from converters.model import known
from converters.model.declaration import declaration
from converters.model.paddle_model import identify
from tests.support.paths import ZOO_EXPORTS

ENTRIES = catalog.load()
# One export of each family that has an inference.yml of its own form.
NAMES = (
    "PP-LCNet_x1_0_doc_ori",
    "PP-LCNet_x0_25_textline_ori",
    "UVDoc",
    "PP-OCRv6_tiny_det",
    "det_r18_vd_ct",
    "det_r50_vd_pse",
    "PP-OCRv6_tiny_rec",
    "rec_mtb_nrtr",
    "rec_r31_sar",
    "rec_r45_abinet",
    "rec_resnet_rfl_att",
    "rec_r32_gaspin_bilstm_att",
    "rec_svtrnet",
)
# The tables of the file that are read.
READ = ("PreProcess", "PostProcess")
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**12, 2**62, 1e308, 1e-320, math.nan, math.inf),
    *("", "x", "1e9", "../x", "a" * 500, "\U0001f600"),
    *([], [1], [0, 0, 0], [-1, -1, -1], [1, 2, 3, 4, 5], [[1]], ["x", "y", "z"], [None] * 3),
    *([3, 48, 320], [3, 10**9, 10**9], [10**18] * 3, [3, 48, 48, 10**8], [1.5, 2.5, 3.5]),
    *({}, {"a": 1}, {"name": "CTCLabelDecode"}),
)


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each value in nested tables and lists, but not of single characters."""
    yield place
    if isinstance(value, (dict, list)) and place[-1:] != ("character_dict",):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*place, key))


def changed(tree: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value in a place."""
    if not place:
        return value
    tree = copy.deepcopy(tree)
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return tree


def attempts(name: str, folder: Path, number: int | None) -> None:
    """Put values into an inference.yml, all or a number of them, and read what the network is."""
    mine = shutil.copytree(ZOO_EXPORTS / name / "pir", folder / name)
    path = mine / "inference.yml"
    tree = yaml.safe_load(path.read_text("utf-8"))
    read = [place for place in places(tree) if not place or place[0] in READ]
    wanted = [(place, value) for place in read for value in VALUES]
    if number is not None:
        wanted = random.Random(name).sample(wanted, number)
    model, refused = identify(mine), 0
    declared = declaration(model)
    for place, value in wanted:
        path.write_text(yaml.safe_dump(changed(tree, place, value), allow_unicode=True), "utf-8")
        try:
            known.known(mine, model, declared, ENTRIES)
        except ConverterError as error:
            assert str(path) in str(error) and "\n" not in str(error), (place, value)
            refused += 1
    assert refused


@pytest.mark.parametrize("name", NAMES)
def test_some_values_are_accepted_or_refused_in_a_line(tmp_path, name):
    attempts(name, tmp_path, 12)


@pytest.mark.stress
@pytest.mark.parametrize("name", NAMES)
def test_all_values_are_accepted_or_refused_in_a_line(tmp_path, name):
    attempts(name, tmp_path, None)

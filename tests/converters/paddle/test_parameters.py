"""Test that wrong parameter files are told apart by their shapes and sizes."""

import math
import shutil
from functools import cache
from pathlib import Path

import pytest

from converters.errors import ModelFormatError
from converters.paddle import declared, parameters
from converters.paddle.files import head_bytes, parse
from tests.support.paths import ZOO_EXPORTS
from tests.zoo.names import IN_BOTH, OF_ALGORITHM

NAMES = sorted(OF_ALGORITHM.values())
BOTH = [name for name in NAMES if name in IN_BOTH]
NAME = "rec_mv3_none_none_ctc"
PROGRAMS = {"legacy": "inference.pdmodel", "pir": "inference.json"}
# Words of Python, NumPy and protobuf, which say nothing to a user.
FOREIGN = ("struct", "unpack", "buffer", "Decode", "codec", "Error parsing", "Traceback")


@cache
def declaration(name: str, form: str) -> declared.Declaration:
    read = {"legacy": declared.of_legacy, "pir": declared.of_pir}[form]
    return read(ZOO_EXPORTS / name / form / PROGRAMS[form])


def fault(path: Path, form: str = "legacy", name: str = NAME) -> str:
    with pytest.raises(ModelFormatError) as caught:
        parameters.check(path, declaration(name, form).parameters, PROGRAMS[form])
    said = str(caught.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    assert not any(word in said for word in FOREIGN)
    return said


@pytest.mark.parametrize("form", PROGRAMS)
def test_exports_of_the_zoo_are_whole(form):
    for name in NAMES if form == "legacy" else BOTH:
        folder = ZOO_EXPORTS / name / form
        found = declaration(name, form)
        parameters.check(folder / "inference.pdiparams", found.parameters, PROGRAMS[form])


def test_both_formats_declare_the_same_inputs_and_outputs():
    for name in BOTH:
        legacy, pir = declaration(name, "legacy"), declaration(name, "pir")
        assert (legacy.inputs, legacy.outputs) == (pir.inputs, pir.outputs), name
        assert sorted(legacy.parameters.values()) == sorted(pir.parameters.values()), name


@pytest.mark.parametrize("form", PROGRAMS)
def test_truncated_file_is_told_with_both_sizes(tmp_path, form):
    content = (ZOO_EXPORTS / NAME / form / "inference.pdiparams").read_bytes()
    path = tmp_path / "inference.pdiparams"
    for size in (0, 3, 13, 24, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert f": truncated: {size} of {len(content)} bytes; " in fault(path, form)


@pytest.mark.parametrize("form", PROGRAMS)
@pytest.mark.parametrize("other", ["rec_r34_vd_none_none_ctc", "det_mv3_db", "rec_r50_fpn_srn"])
def test_parameters_of_another_network_are_told(form, other):
    said = fault(ZOO_EXPORTS / other / form / "inference.pdiparams", form)
    assert f"the parameters belong to another network than {PROGRAMS[form]}: parameter" in said
    assert "has the shape [" in said


def test_further_bytes_belong_to_another_network(tmp_path):
    path = shutil.copy(ZOO_EXPORTS / NAME / "legacy" / "inference.pdiparams", tmp_path)
    size = Path(path).stat().st_size
    with Path(path).open("ab") as stream:
        stream.write(b"\0" * 7)
    said = fault(Path(path))
    assert "belong to another network" in said
    assert f"the file has {size + 7} bytes, but the" in said and f"take {size}." in said


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"<html><title>404 not found</title></html>", "fetch or export it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "`git lfs pull` fetches"),
        (b"\x80\x04\x95" + b"\0" * 5000, "fetch or export it again"),
    ],
)
def test_other_file_is_told_by_its_beginning(tmp_path, content, advice):
    path = tmp_path / "inference.pdiparams"
    path.write_bytes(content)
    said = fault(path)
    assert "not a file of Paddle's parameters: it begins with" in said and advice in said


def test_damage_within_the_file_is_told_with_its_place(tmp_path):
    found = declaration(NAME, "legacy").parameters
    content = bytearray((ZOO_EXPORTS / NAME / "legacy" / "inference.pdiparams").read_bytes())
    first = head_bytes("float32", found[min(found)])
    place = len(first) + 4 * math.prod(found[min(found)])
    content[place : place + 12] = b"\xff" * 12
    path = tmp_path / "inference.pdiparams"
    path.write_bytes(content)
    assert (
        f"damaged, or the parameters of another network than inference.pdmodel: at byte {place}"
        in (fault(path))
    )


def test_feed_that_paddle_would_not_write_is_an_error(tmp_path):
    source = ZOO_EXPORTS / NAME / "legacy" / "inference.pdmodel"
    path = tmp_path / "inference.pdmodel"

    def without_output(feed):
        del feed.outputs[:]

    def column_of_another_type(feed):
        next(item for item in feed.attrs if item.name == "col").type = 16

    for change in (without_output, column_of_another_type):
        desc = parse(source)
        change(next(op for op in desc.blocks[0].ops if op.type == "feed"))
        path.write_bytes(desc.SerializeToString())
        with pytest.raises(ModelFormatError, match="inputs and outputs are not as Paddle writes"):
            declared.of_legacy(path)

"""Test that no wrong file, folder, archive or shape passes `convert` without a word."""

import importlib.util
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from converters import convert as conversions
from converters.__main__ import main
from converters.convert import Wanted
from converters.model.known import Statement
from tests.support.mistakes import FORMS, PLAIN_READER, READER, settings
from tests.support.paths import ZOO_EXPORTS
from tests.zoo.converted import ENTRIES


@pytest.mark.parametrize("form", FORMS)
def test_parameters_of_another_network_are_refused_first(folder, refused, form):
    mine = settings(folder(), lambda text: "{") if form == "pir" else folder(form=form)
    other = ZOO_EXPORTS / PLAIN_READER / form / "inference.pdiparams"
    shutil.copy(other, mine)
    assert "belong to another network than inference." in refused(mine)
    (mine / "inference.pdiparams").write_bytes(other.read_bytes()[:100])
    said = refused(mine)
    assert "another network" in said or "truncated: 100 of" in said


def test_programs_of_both_formats_in_one_folder_are_told(folder, refused, caplog):
    """An export with another version of Paddle replaces the parameters, but not the program."""
    mine = folder(PLAIN_READER, "legacy")
    shutil.copy(ZOO_EXPORTS / PLAIN_READER / "pir" / "inference.json", mine)
    conversions.convert(mine, ENTRIES, said=Statement("CTC"), wanted=Wanted(fast=True))
    assert "inference.pdmodel is converted, and not inference.json beside it" in caplog.text
    shutil.copy(folder(to="other") / "inference.json", mine)
    shutil.copy(ZOO_EXPORTS / READER / "pir" / "inference.pdiparams", mine)
    said = refused(mine)
    assert "belong to another network than inference.pdmodel" in said
    assert said.endswith(
        "inference.json is there, too: if it is the newer export, remove inference.pdmodel"
    )


@pytest.mark.parametrize(
    ("form", "program", "operator", "quantized"),
    [
        ("legacy", "inference.pdmodel", b"elementwise_add", b"quantize_linear"),
        ("pir", "inference.json", b"1.conv2d", b"1.fake_quantize_abs_max"),
    ],
)
def test_quantized_network_is_named_as_one(folder, refused, form, program, operator, quantized):
    """PaddleSlim's parameters don't have the shapes that its programs declare."""
    mine = folder(form=form)
    path = mine / program
    content = path.read_bytes()
    assert operator in content
    path.write_bytes(content.replace(operator, quantized))
    (mine / "inference.pdiparams").write_bytes(b"")
    said = refused(mine)
    assert f"{path}: a quantized network: " in said and "network in float32" in said


@pytest.mark.parametrize(
    ("form", "name", "content", "message"),
    [
        ("pir", "inference.json", b"", "inference.json is empty (0 bytes)"),
        ("pir", "inference.json", b"<html>", "inference.json: not a PIR program: it begins with"),
        ("pir", "inference.json", None, "inference.json: not a PIR program: it ends early, or is"),
        ("legacy", "inference.pdmodel", b"", "inference.pdmodel is empty (0 bytes)"),
        ("legacy", "inference.pdmodel", b"<html>", "inference.pdmodel: not a Paddle program"),
        ("legacy", "inference.pdmodel", None, "inference.pdmodel: not a Paddle program"),
    ],
)
def test_damaged_program_is_refused(folder, refused, form, name, content, message):
    mine = folder(form=form)
    path = mine / name
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    assert message in refused(mine)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "mine/net.onnx is empty (0 bytes)"),
        (b"<html>404</html>", "mine/net.onnx: the runtime would refuse its graph: a field"),
    ],
)
def test_damaged_onnx_model_is_refused(tmp_path, refused, content, message):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "net.onnx").write_bytes(content)
    assert message in refused(tmp_path / "mine")


def test_folders_that_hold_no_single_model_are_refused(tmp_path, folder, refused):
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty") == f"{tmp_path}/empty: the folder is empty"
    mine = folder(to="two/inference")
    assert refused(tmp_path / "two").endswith(f"no model in the folder itself; convert {mine}")
    for name in ("det", "rec"):
        for suffix in ("json", "pdiparams"):
            shutil.copy(mine / f"inference.{suffix}", tmp_path / "empty" / f"{name}.{suffix}")
    assert "several models, det.json, rec.json; keep one per folder" in refused(tmp_path / "empty")


def test_outputs_that_cannot_be_written_are_refused_first(tmp_path, folder, monkeypatch, capsys):
    monkeypatch.setattr(conversions, "identify", None)
    mine = folder()
    (tmp_path / "file").write_text("mine")
    for out, message in (
        ("file", "file: this is a file, or lies below one"),
        ("file/below", "file/below: this is a file, or lies below one"),
        ("mine", "mine: the folder holds other files than a conversion's (inference.json,"),
    ):
        assert main(["convert", str(mine), "-o", str(tmp_path / out)]) == 1
        assert message in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("/bin/ls", "/bin/ls is not a Python: name the Python of an environment that has paddle"),
        (sys.executable, f"{sys.executable} is a Python without paddlepaddle: install that into"),
    ],
)
def test_python_without_paddle_is_refused_first(
    tmp_path, folder, monkeypatch, capsys, program, message
):
    monkeypatch.setattr(conversions, "identify", None)
    monkeypatch.setenv("PYTHONPATH", "")
    if importlib.util.find_spec("paddle") and program == sys.executable:
        pytest.skip("this Python has Paddle")
    out = str(tmp_path / "out")
    arguments = ["convert", str(folder()), "-o", out, "--paddle-python", program]
    assert main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"error: --paddle-python: {message}")


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz"])
@pytest.mark.parametrize("inside", ["", "net/", "net/inference/"])
def test_model_is_found_in_an_archive(tmp_path, folder, accepted, suffix, inside):
    archive = tmp_path / f"net.{suffix}"
    with tarfile.open(archive, "w:gz" if "g" in suffix else "w") as tar:
        tar.add(folder(), arcname=f"export/{inside}")
        tar.add(Path(__file__), arcname="export/README.md")
    assert accepted(archive)


def test_errors_name_the_archive(tmp_path, folder, refused):
    archive = tmp_path / "net.tar"
    one = settings(folder(), lambda text: "{")
    for members, message in (
        ({"a": one}, f"{archive}/inference.yml: not valid YAML"),
        ({"a": one, "b": one}, f"{archive}: several models, in a, b; keep one per archive"),
        ({"a": Path(__file__).parent}, f"{archive}: no model here; the folder holds"),
    ):
        with tarfile.open(archive, "w") as tar:
            for name, path in members.items():
                tar.add(path, arcname=name)
        said = refused(archive)
        assert said.startswith(message) and "/edgeocr-" not in said


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("1x3x32x320", "the network's input is ?x3x48x?; only its open sizes (?) can be chosen"),
        ("3x48x320", "the network's input is ?x3x48x?"),
        ("1x1x48x320", "the network's input is ?x3x48x?"),
        ("foo=1x3x48x320", "the network has no input foo; its inputs are x"),
        ("1x3x48x999999999", "the input would have 143999999856 values; at most 50331648 can be"),
        ("999999999x3x48x320", "at most 50331648 can be run"),
    ],
)
def test_shape_that_contradicts_the_network_is_refused(folder, refused, shape, message):
    assert message in refused(folder(), "--shape", shape)


def test_shape_that_contradicts_the_strides_is_refused(folder, refused):
    mine = folder("PP-OCRv6_tiny_det", "pir")
    assert refused(mine, "--shape", "1x3x640x650") == (
        "--shape 1x3x640x650: the width must be a multiple of 32, the strides of networks for DB"
    )
    assert refused(mine, "--shape", "x=1x3x650x640") == (
        "--shape x=1x3x650x640: the height must be a multiple of 32, the strides of networks for DB"
    )
    assert "more than one" in refused(mine, "--shape", "1x3x64x64", "--shape", "1x3x96x96")


@pytest.mark.parametrize(
    ("out", "shape", "message"),
    [
        ("file", "1x3x64x64", "file: this is a file, or lies below one"),
        ("new", "1x3x64x999999968", "at most 50331648 can be run"),
    ],
)
def test_graphs_for_npus_are_refused_before_any_work(
    tmp_path, folder, monkeypatch, capsys, out, shape, message
):
    monkeypatch.setattr(conversions, "identify", None)
    (tmp_path / "file").write_text("mine")
    command = ["npu", str(folder("PP-OCRv6_tiny_det")), "--target", "rknn", "--shape", shape]
    assert main([*command, "-o", str(tmp_path / out)]) == 1
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "mine"]


@pytest.mark.parametrize("shape", ["", "x", "1x3x48x", "0x3x48x320", "1,3", "=1x3", "1x3x4x-1"])
def test_shape_that_is_none_is_wrong_usage(folder, shape):
    with pytest.raises(SystemExit) as caught:
        main(["convert", str(folder()), "-o", "x", "--shape", shape])
    assert caught.value.code == 2

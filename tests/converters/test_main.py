"""python -m converters"""

import shutil

import pytest

from converters import catalog
from converters.__main__ import main


def test_list_shows_every_model_and_bundle(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    entries = catalog.load()
    assert all(name in shown for name in (*entries.models, *entries.bundles))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "nothing"], "no model 'nothing'"),
        (["freeze", "nothing", "-o", "x.edgeocr"], "no bundle 'nothing'"),
        (["convert", "no/such/folder", "-o", "x"], "no such folder, and no model of that name"),
    ],
)
def test_errors_are_one_line_and_exit_1(capsys, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_exits_2():
    with pytest.raises(SystemExit) as caught:
        main(["freeze"])
    assert caught.value.code == 2


def test_convert_by_name_and_by_folder(v4, v4_folders, tmp_path, capsys):
    _, conversion = v4("ch_ppocr_mobile_v2.0_cls")
    assert main(["convert", "ch_ppocr_mobile_v2.0_cls", "-o", str(tmp_path / "a")]) == 0
    folder = tmp_path / "somewhere"
    shutil.copytree(v4_folders["ch_ppocr_mobile_v2.0_cls"], folder)
    assert main(["convert", str(folder), "-o", str(tmp_path / "b")]) == 0
    for name in ("a", "b"):
        assert (tmp_path / name / "plain.onnx").read_bytes() == conversion.plain
        assert (tmp_path / name / "edge.onnx").read_bytes() == conversion.edge
        assert len(list((tmp_path / name).iterdir())) == 2
    assert "parity" in capsys.readouterr().err


def test_an_unknown_model_needs_as(v4, v4_folders, tmp_path, capsys):
    v4("ch_ppocr_mobile_v2.0_cls")
    folder = tmp_path / "trained"
    shutil.copytree(v4_folders["ch_ppocr_mobile_v2.0_cls"], folder)
    with (folder / "inference.pdiparams").open("r+b") as stream:  # other weights, same network
        stream.seek(-4, 2)
        stream.write(b"\0\0\0\0")
    assert main(["convert", str(folder), "-o", str(tmp_path / "out")]) == 1
    assert "--as NAME" in capsys.readouterr().err
    arguments = ["convert", str(folder), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--as", "ch_ppocr_mobile_v2.0_cls"]) == 0
    assert (tmp_path / "out" / "edge.onnx").is_file()

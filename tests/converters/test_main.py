"""python -m converters"""

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from converters.__main__ import main
from converters.catalog import conversions
from converters.catalog import entries as catalog
from converters.catalog.entries import Catalog, Entry, SourceFile
from converters.catalog.fetch import model_folder
from tests.support.paths import ROOT
from tests.zoo.converted import converted
from tests.zoo.names import EXPORTS

ENTRIES = catalog.load()
WRITTEN = ["plain.onnx", "edge.onnx", "report.json", "report.md"]
READER = "rec_mv3_none_none_ctc"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEOCR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with a small recognition network, of which no catalogue knows."""
    converted(READER)  # skips where it can't be translated
    return shutil.copytree(EXPORTS / READER / "legacy", tmp_path / "mine")


@pytest.fixture
def small_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Return three entries whose files are on this machine, except for those of the second."""

    def entry(name: str, folder: Path) -> Entry:
        files = [
            SourceFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.as_uri())
            for path in sorted((EXPORTS / READER / "legacy").iterdir())
        ]
        if not folder.exists():
            files = [dataclasses.replace(file, source="file:///no/such/file") for file in files]
        return dataclasses.replace(
            ENTRIES.model("rec_mv3_none_none_ctc_v2.0"),
            name=name,
            aliases=[f"{name}_alias"],
            files=files,
            contents="inference",
        )

    here = EXPORTS / READER
    entries = [entry("first", here), entry("gone", tmp_path / "no"), entry("last", here)]
    made = Catalog({each.name: each for each in entries}, {})
    monkeypatch.setattr(catalog, "load", lambda: made)
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def report_of(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def recorded(cache: Path) -> dict[str, str]:
    path = cache / "conversions.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def pack(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        tar.add(folder, arcname="net_infer")
    return path


def test_list_shows_every_model_and_bundle(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*ENTRIES.models, *ENTRIES.bundles))


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (["--task", "spotting"], {"e2e_r50_vd_pg"}),
        (
            ["--task", "orientation"],
            {e.name for e in ENTRIES.models.values() if e.algorithm == "CLS"},
        ),
        (["--format", "onnx", "--size", "tiny"], {"PP-OCRv6_tiny_det", "PP-OCRv6_tiny_rec"}),
        (["--format", "onnx", "--task", "spotting"], set()),
    ],
)
def test_list_shows_only_what_the_filters_match(capsys, filters, shown):
    assert main(["list", *filters]) == 0
    words = capsys.readouterr().out.split()
    assert {name for name in ENTRIES.models if name in words} == shown
    assert bool(shown) != ("no model matches" in " ".join(words))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["freeze"],
        ["list", "--task", "reading"],
        ["convert", "x"],
        ["convert", "x", "-o", "y", "--paddle-python", "no/python"],
        ["verify", "x"],
        ["fetch", "--all"],
        ["melt"],
    ],
)
def test_wrong_usage_exits_2(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_fetch_goes_on_after_a_failure(small_catalog, capsys):
    assert main(["fetch"]) == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        str(model_folder(small_catalog.model(name))) for name in ("first", "last")
    ]
    assert "error: gone: inference.pdiparams can't be fetched from any" in shown.err
    assert shown.err.endswith("1 of 3 failed: gone\n")
    assert main(["fetch", "last_alias"]) == 0


@pytest.mark.slow
def test_model_is_converted_by_its_name(small_catalog, cache, tmp_path, capsys):
    converted(READER)
    out = tmp_path / "out"
    assert main(["convert", "first_alias", "-o", str(out)]) == 0
    assert names(out) == sorted(WRITTEN)
    assert capsys.readouterr().out.splitlines() == [str(out / name) for name in WRITTEN]
    made = report_of(out)
    assert (made["network"]["name"], made["network"]["published"]) == ("first", True)
    assert made["network"]["known_by"] == "its name in models.toml"
    assert made["source"]["folder"] == str(model_folder(small_catalog.model("first")))
    assert recorded(cache) == {"first": str(out)}
    assert main(["convert", "gone", "-o", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists() and recorded(cache) == {"first": str(out)}


@pytest.mark.slow
def test_published_files_are_known_in_any_folder(small_catalog, cache, model, tmp_path):
    assert main(["convert", str(model), "-o", str(tmp_path / "out")]) == 0
    made = report_of(tmp_path / "out")
    assert made["network"]["known_by"] == "its sha256 in models.toml"
    assert recorded(cache) == {"first": str(tmp_path / "out")}


@pytest.mark.slow
def test_model_in_a_folder_is_converted(model, cache, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    assert main(["convert", str(model), "-o", str(out)]) == 0
    assert names(out) == sorted(WRITTEN)
    made = report_of(out)
    assert made["network"]["name"] == "mine" and made["source"]["folder"] == str(model)
    assert (out / "plain.onnx").read_bytes() == converted(READER).plain
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [str(out / name) for name in WRITTEN]
    assert "mine: translating inference.pdmodel" in shown.err
    assert "mine: edge graph: passed" in shown.err
    assert recorded(cache) == {}  # nothing of the catalogue


@pytest.mark.slow
def test_converting_again_replaces_the_folder(model, tmp_path):
    out = tmp_path / "out"
    for name in ("first", "second"):
        assert main(["convert", str(shutil.copytree(model, tmp_path / name)), "-o", str(out)]) == 0
        assert report_of(out)["network"]["name"] == name
        assert names(out) == sorted(WRITTEN)


@pytest.mark.slow
def test_model_in_an_archive_is_converted(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = pack(model, tmp_path / "net.tar")
    assert main(["convert", "net.tar", "-o", "out"]) == 0
    made = report_of(tmp_path / "out")
    assert made["network"]["name"] == "net" and made["source"]["folder"] == "net.tar"
    assert (tmp_path / "out" / "plain.onnx").read_bytes() == converted(READER).plain
    assert archive.exists() and "net" not in names(tmp_path)


@pytest.mark.slow
def test_as_converts_with_the_settings_of_the_entry(cache, tmp_path):
    converted(READER)
    folder = str(EXPORTS / READER / "legacy")
    entry = f"{READER}_v2.0"
    out = tmp_path / "out"
    assert main(["convert", folder, "--as", entry, "-o", str(out)]) == 0
    network = report_of(out)["network"]
    assert (network["name"], network["height"], network["width"]) == (entry, 32, None)
    assert network["classes"] == 37 and network["published"] is False
    assert conversions.where(entry) == out


@pytest.mark.slow
def test_as_converts_a_folder_that_is_named_like_a_model(cache, tmp_path, monkeypatch):
    converted("det_mv3_db")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(EXPORTS / "det_mv3_db" / "legacy", tmp_path / "det_mv3_db")
    assert main(["convert", "det_mv3_db", "-o", "out"]) == 1  # the entry, a checkpoint
    assert main(["convert", "det_mv3_db", "--as", "det_mv3_db", "-o", "out"]) == 0
    assert recorded(cache) == {"det_mv3_db": str(tmp_path / "out")}


@pytest.mark.slow
def test_folder_named_like_an_entry_is_not_taken_for_it(cache, tmp_path):
    converted("det_mv3_db")
    folder = shutil.copytree(EXPORTS / "det_mv3_db" / "legacy", tmp_path / "det_mv3_db")
    assert main(["convert", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert report_of(tmp_path / "out")["network"]["name"] == "det_mv3_db"
    assert recorded(cache) == {}


@pytest.mark.slow
def test_checkpoint_converts_once_its_export_is_in_the_cache(cache, tmp_path, capsys):
    converted("det_mv3_db")
    out = tmp_path / "out"
    assert main(["convert", "det_mv3_db", "-o", str(out)]) == 1
    error = capsys.readouterr().err
    folder = cache / "models" / "det_mv3_db"
    assert error.startswith("error: det_mv3_db: only a training checkpoint is")
    assert "tools/export_model.py" in error and str(folder) in error
    assert not out.exists()
    shutil.copytree(EXPORTS / "det_mv3_db" / "legacy", folder)
    assert main(["convert", "det_mv3_db", "-o", str(out)]) == 0
    assert report_of(out)["network"]["known_by"] == "its name in models.toml"
    capsys.readouterr()
    assert main(["list", "--task", "detection"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if " det_mv3_db " in line)
    assert line.endswith(f"converted: {out}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "nothing"], "no model 'nothing'"),
        (["freeze", "nothing", "-o", "x.edgeocr"], "no bundle 'nothing'"),
        (["convert", "no/such/folder", "-o", "x"], "neither a folder nor a model"),
        (["convert", "missing.tar", "-o", "x"], "neither a folder nor a model"),
        (
            ["freeze", "--detection=no/such/folder", "--recognition=mine", "-o", "x.edgeocr"],
            "no/such/folder: there is neither a folder nor a model of that name",
        ),
        (["convert", "broken.tar", "-o", "x"], "broken.tar: it can't be read"),
        (["convert", "empty", "-o", "x"], "empty: the folder is empty"),
        (["convert", "html", "-o", "x"], "html/net.onnx: the runtime would refuse its graph: a f"),
        (["convert", "mine", "--as", "nothing", "-o", "x"], "no model 'nothing'"),
        (
            ["convert", "mine", "--as", "det_mv3_db", "-o", "x"],
            "networks for DB have 1 input",
        ),
        (["convert", "mine", "--as", "ch_rec_mv3_crnn", "-o", "x"], "the network has 37"),
        (["convert", "mine", "-o", "file"], "file"),
        (["verify", "empty", "--against", "mine"], "there is no report.json here"),
    ],
)
def test_errors_are_shown_without_a_traceback(
    capsys, monkeypatch, tmp_path, model, arguments, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.tar").write_bytes(b"<html>404</html>")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "net.onnx").write_bytes(b"<html>404</html>")
    before = names(tmp_path)
    assert main(arguments) == 1
    (error,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    assert message in error
    assert names(tmp_path) == before


@pytest.mark.slow
def test_published_models_convert_by_name_and_by_folder(v4, v4_folders, cache, tmp_path):
    name = "ch_ppocr_mobile_v2.0_cls"
    entry, conversion = v4(name)
    shutil.copytree(v4_folders[name], model_folder(entry))
    folder = shutil.copytree(v4_folders[name], tmp_path / "somewhere")
    for wanted, known_by in ((name, "name"), (str(folder), "sha256")):
        out = tmp_path / known_by
        assert main(["convert", wanted, "-o", str(out)]) == 0
        assert (out / "plain.onnx").read_bytes() == conversion.plain
        assert (out / "edge.onnx").read_bytes() == conversion.edge
        network = report_of(out)["network"]
        assert network["known_by"] == f"its {known_by} in models.toml" and network["published"]
        assert recorded(cache) == {name: str(out)}


@pytest.mark.slow
def test_model_with_other_weights_is_not_the_published_one(v4, v4_folders, cache, tmp_path):
    """The user names the algorithm of a network with other weights, or its entry."""
    name = "ch_ppocr_mobile_v2.0_cls"
    v4(name)
    folder = shutil.copytree(v4_folders[name], tmp_path / "trained")
    with (folder / "inference.pdiparams").open("r+b") as stream:
        stream.seek(-4, 2)
        stream.write(b"\0\0\0\0")
    arguments = ["convert", str(folder), "--algorithm", "CLS", "-o", str(tmp_path / "out")]
    assert main(arguments) == 0
    network = report_of(tmp_path / "out")["network"]
    assert (network["name"], network["published"], network["height"]) == ("trained", False, None)
    assert recorded(cache) == {}
    assert main(["convert", str(folder), "--as", name, "-o", str(tmp_path / "as")]) == 0
    network = report_of(tmp_path / "as")["network"]
    assert (network["name"], network["published"], network["height"]) == (name, False, 48)


def run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = ["-c", code, *arguments] if code else ["-m", "converters", *arguments]
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT)


@pytest.mark.slow
def test_command_runs_in_its_own_process():
    done = run("list", "--task", "spotting")
    assert (done.returncode, done.stderr) == (0, "") and "e2e_r50_vd_pg" in done.stdout
    done = run("convert", "no/such/folder", "-o", "x")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert run("melt").returncode == 2


@pytest.mark.slow
def test_error_for_a_missing_package_says_how_to_install_it():
    code = (
        "import sys; sys.modules['onnx'] = None; from converters.__main__ import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    done = run("convert", "x", "-o", "y", code=code)
    assert done.returncode == 1 and done.stderr.startswith("error: ")
    assert done.stderr.endswith('onnx halted; None in sys.modules: pip install ".[cpu,convert]"\n')
    assert run("list", code=code).returncode == 0

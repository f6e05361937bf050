"""The command that compares engines, with an engine that reads the names of files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import engine_process, environments, inputs, peer_tables, peers, weights
from benchmarks import machine as machines
from tests.support.engines import SQUARE, stub_engine


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    peers.add_arguments(parser)
    return parser.parse_args(words)


def stubbed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace edgeocr and all peers by the stub, and the bundles by nothing."""

    def make_engines(environments: Path, chosen: Any) -> list[engine_process.Engine]:
        return [stub_engine(folder, name) for name in ("edgeocr", *(p.package for p in chosen))]

    models = dict.fromkeys(("detection", "recognition", "charset", "orientation"), "")
    monkeypatch.setattr(peers, "make_engines", make_engines)
    monkeypatch.setattr(weights, "prepare", lambda name, catalog, folder: (folder, models))


def test_command_measures_each_bundle_on_each_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stubbed(tmp_path, monkeypatch)
    labelled, bare = tmp_path / "labelled", tmp_path / "bare"
    for folder in (labelled, bare):
        folder.mkdir()
        for name in ("one", "two"):
            (folder / f"{name}.jpg").touch()
    for_one = [{"transcription": "one", "points": SQUARE}]
    for_two = [{"transcription": "other", "points": SQUARE}]
    labels = f"one.jpg\t{json.dumps(for_one)}\ntwo.jpg\t{json.dumps(for_two)}\n"
    (labelled / "Label.txt").write_text(labels)
    output = tmp_path / "results"
    words = ["--data", str(labelled), str(bare), "--bundle", "tiny", "mobile"]
    words += ["--peers", "rapidocr", "faster-paddle", "--repeat", "1", "--starts", "0"]
    peers.run(parsed(*words, "--output", str(output)))
    here = machines.slug(machines.describe())
    results = {
        name: json.loads((output / f"peers-{name}-{here}.json").read_text("utf-8"))
        for name in ("tiny-labelled", "tiny-bare", "mobile-labelled", "mobile-bare")
    }
    tiny = results["tiny-labelled"]
    assert list(tiny["engines"]) == ["edgeocr", "rapidocr", "faster-paddle"]
    assert tiny["images"] == ["one.jpg", "two.jpg"]
    assert tiny["engines"]["rapidocr"]["accuracy"]["hmean"] == 0.5
    assert results["tiny-bare"]["engines"]["rapidocr"]["accuracy"] is None
    assert list(results["mobile-bare"]["engines"]) == ["edgeocr", "rapidocr"]
    assert results["mobile-bare"]["left_out"] == {
        "faster-paddle": "it runs the weights of tiny and small only"
    }
    page = (output / "peers.md").read_text("utf-8")
    assert page == peer_tables.markdown(
        [json.loads(path.read_text("utf-8")) for path in sorted(output.glob("*.json"))]
    )
    printed = capsys.readouterr().out
    assert "rapidocr's time ÷ edgeocr's, round by round: " in printed
    assert str(tmp_path) not in json.dumps(results)


def test_command_ends_with_the_output_of_a_failing_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stubbed(tmp_path, monkeypatch)
    (tmp_path / "broken.jpg").touch()
    words = ["--data", str(tmp_path), "--peers", "--output", str(tmp_path / "results")]
    with pytest.raises(SystemExit) as ended:
        peers.run(parsed(*words))
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    assert "error: edgeocr: the worker ended with exit code 1" in printed
    assert "this picture is broken" in printed


def test_recorded_command_names_no_path() -> None:
    options = parsed("--data", "/home/a/scans", "/b", "--bundle", "tiny", "small", "--orientation")
    assert peers.command(options) == (
        "python -m benchmarks peers --data DIR DIR --bundle tiny small "
        "--repeat 5 --starts 5 --threads 2 --orientation"
    )
    assert "--data" not in peers.command(parsed())


def test_recorded_command_names_the_peers_if_some_are_missing() -> None:
    assert "--peers rapidocr --repeat 5" in peers.command(parsed("--peers", "rapidocr"))
    assert "--peers" not in peers.command(parsed())


@pytest.mark.parametrize("arguments", [["--repeat", "0"], ["--threads", "-1"], ["--threads", "x"]])
def test_impossible_numbers_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*arguments)


def test_all_peers_are_measured_unless_some_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    everyone = ["rapidocr", "rapidocrlite", "faster-paddle", "turboocr-engine-cpu"]
    assert [peer.package for peer in environments.PEERS] == everyone
    assert parsed().peers == everyone
    assert parsed("--peers").peers == []

    def ensure(peer: environments.Peer, onnxruntime: str, folder: Path, say: Any) -> Path:
        return folder / peer.package

    monkeypatch.setattr(environments, "ensure", ensure)
    engines = engine_process.make_engines(tmp_path, environments.PEERS[:2])
    assert [engine.name for engine in engines] == ["edgeocr", *everyone[:2]]
    assert [engine.python for engine in engines] == [
        Path(sys.executable),
        *(tmp_path / name for name in everyone[:2]),
    ]
    with pytest.raises(SystemExit):
        parsed("--peers", "tesseract")
    assert "tesseract" in capsys.readouterr().err


def test_pictures_are_found_in_order_of_their_names(tmp_path: Path) -> None:
    with pytest.raises(inputs.MeasurementError, match="there are no pictures"):
        inputs.find_pictures(tmp_path)
    for name in ("b.PNG", "a.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in inputs.find_pictures(tmp_path)] == ["a.jpg", "b.PNG"]
    assert [*peers.labelled_pictures(tmp_path).values()] == [(), ()]
    with pytest.raises(inputs.MeasurementError, match="there is no such folder"):
        inputs.find_pictures(tmp_path / "missing")


def test_pictures_that_anybody_has_are_labelled() -> None:
    (own,) = parsed().data
    pictures = peers.labelled_pictures(own)
    assert len(pictures) > 2
    assert all(pictures.values())


def test_machine_record_does_not_name_the_user() -> None:
    described = machines.describe()
    assert set(described) == {"cpu", "cpus", "cpus_available", "os", "architecture", "python"}
    assert all(str(Path.home()) not in str(value) for value in described.values())


@pytest.mark.parametrize(
    ("cpu", "slug"),
    [
        ("Intel(R) Xeon(R) Processor", "intel-xeon-2"),
        ("AMD EPYC", "amd-epyc-2"),
        ("Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz", "intel-core-i7-8700-3-20ghz-2"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5-model-b-rev-1-0-2"),
    ],
)
def test_slug_of_a_machine_suits_names_of_files(cpu: str, slug: str) -> None:
    assert machines.slug({"cpu": cpu, "cpus": 2}) == slug

"""Comparison of engines, with made-up measurements; no peer is installed here."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import environments, machine, peer_report, peers
from benchmarks.engines import faster_paddle_worker, measure, rapidocrlite_worker
from converters.accuracy.labels import LabelledLine

SQUARE = [[0.0, 0.0], [100.0, 0.0], [100.0, 10.0], [0.0, 10.0]]
LOWER = [[x, y + 50] for x, y in SQUARE]


def line(text: str, polygon: list[list[float]] = SQUARE) -> measure.Line:
    return {"text": text, "polygon": polygon}


def measured(total: float, texts: list[str], peak: float | None = 100.0) -> measure.Measured:
    return {
        "versions": {"edgeocr": "1.2", "rapidocr": "3.10.0", "onnxruntime": "1.20"},
        "cold_start_ms": total * 100,
        "total_s": total,
        "peak_rss_mib": peak,
        "others_cpus": 0.25,
        "readings": [
            {"name": f"{i}.jpg", "milliseconds": total * 1000 / len(texts), "lines": [line(text)]}
            for i, text in enumerate(texts)
        ],
    }


def result(**changes: Any) -> Any:
    runs = {
        "edgeocr": [measured(t, ["a", "b"]) for t in (1.0, 3.0, 2.0)],
        "rapidocr": [measured(t, ["a", "x"]) for t in (2.0, 3.0, 5.0)],
    }
    labelled = {"0.jpg": [LabelledLine(np.array(SQUARE), "a", True)]}
    return {
        "bundle": "tiny",
        "orientation": False,
        "threads": 2,
        "date": "2026-01-02 03:04 UTC",
        "command": "python -m benchmarks peers",
        "machine": {"cpu": "Some CPU", "cpus": 4, "os": "Some OS", "python": "3.11.7"},
        "left_out": {},
        **peer_report.summarize(runs, labelled),
        **changes,
    }


def test_pair_ratio_is_of_neighbouring_runs() -> None:
    assert peer_report.pair_ratios([1.0, 4.0], [3.0, 2.0]) == [3.0, 0.5]


def test_pair_ratios_refuse_unequal_numbers_of_runs() -> None:
    with pytest.raises(ValueError):
        peer_report.pair_ratios([1.0], [1.0, 2.0])


def test_summary_takes_medians_over_the_runs() -> None:
    made = result()
    ours = made["engines"]["edgeocr"]
    assert ours["total_s"] == [1.0, 3.0, 2.0]
    assert ours["total_s_median"] == 2.0
    assert ours["cold_start_ms_median"] == 200.0
    assert ours["image_ms_median"] == {"0.jpg": 1000.0, "1.jpg": 1000.0}
    assert ours["lines"] == 2
    comparison = made["comparisons"]["rapidocr"]
    # The median of ratios, not the ratio of medians (1.5).
    assert comparison["time_ratio_of_each_pair"] == [2.0, 1.0, 2.5]
    assert comparison["time_ratio_median"] == 2.0
    assert comparison["same_lines"] == 0.5
    assert made["runs"] == 3
    assert made["images"] == ["0.jpg", "1.jpg"]
    assert ours["accuracy"]["hmean"] == 1.0


def test_same_lines_have_the_same_place_and_text() -> None:
    ours = {"a": [line("one"), line("two", LOWER)]}
    assert peer_report.same_lines(ours, {"a": [line("ｏ ne")]}) == (pytest.approx(2 / 3))
    assert peer_report.same_lines(ours, {"a": [line("two"), line("one", LOWER)]}) == 0
    assert peer_report.same_lines(ours, {"a": []}) == 0
    assert peer_report.same_lines({"a": []}, {"a": []}) == 1


def test_accuracy_without_labelled_pictures_is_none() -> None:
    assert peer_report.accuracy({}, {"a": [line("one")]}) is None
    assert peer_report.accuracy({"b": []}, {"a": [line("one")]}) is None


def test_row_has_a_cell_for_each_column() -> None:
    ours, theirs = peer_report.rows(result())
    assert len(ours) == len(theirs) == len(peer_report.HEADER)
    assert ours[:5] == ["tiny", "edgeocr 1.2", "2.00", "1000", "1"]
    assert theirs[1:5] == ["rapidocr 3.10.0", "3.00", "1500", "2.00"]
    assert theirs[8] == "50.0 %"


def test_row_marks_unknown_figures_with_a_dash() -> None:
    runs = {"edgeocr": [measured(1.0, ["a"], None)], "rapidocr": [measured(2.0, ["a"], None)]}
    row, _ = peer_report.rows(result(**peer_report.summarize(runs, {})))
    assert row[6] == "–"
    assert row[9:] == ["–"] * 3


def test_markdown_has_the_rows_and_origins_of_all_results() -> None:
    text = peer_report.markdown([result(), result(bundle="mobile", orientation=True)])
    table = [row for row in text.splitlines() if row.startswith("|")]
    assert len(table) == 2 + 4
    assert {row.count("|") for row in table} == {len(peer_report.HEADER) + 1}
    assert "| mobile + classifier | edgeocr 1.2 |" in text
    assert "images: 2, runs of each engine: 3, threads: 2" in text
    assert "other processes kept up to 0.2 of the CPUs busy" in text


def test_busy_cpus_are_those_of_the_worst_run() -> None:
    noisy = measured(1.0, ["a"])
    noisy["others_cpus"] = 1.5
    unknown = measured(1.0, ["a"])
    unknown["others_cpus"] = None
    runs = {"edgeocr": [measured(1.0, ["a"]), noisy]}
    assert peer_report.others_cpus(peer_report.summarize(runs, {})) == 1.5
    runs = {"edgeocr": [unknown]}
    assert peer_report.others_cpus(peer_report.summarize(runs, {})) is None


def test_terminal_table_is_aligned() -> None:
    head, *body = peer_report.aligned([result()]).splitlines()
    end = head.index("Total s") + len("Total s")
    assert [row[end - 4 : end] for row in body] == ["2.00", "3.00"]


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    peers.add_arguments(parser)
    return parser.parse_args(["--images", "/home/someone/scans", *words])


def test_recorded_command_names_no_path() -> None:
    options = parsed("--bundle", "tiny", "small", "--orientation")
    assert peers.command(options) == (
        "python -m benchmarks peers --images DIR --bundle tiny small "
        "--repeat 5 --threads 2 --orientation"
    )


@pytest.mark.parametrize("arguments", [["--repeat", "0"], ["--threads", "-1"], ["--threads", "x"]])
def test_impossible_numbers_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(*arguments)


def test_all_peers_are_measured_unless_some_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    everyone = ["rapidocr", "rapidocrlite", "faster-paddle"]
    assert [peer.package for peer in environments.PEERS] == everyone
    made: list[str] = []

    def ensure(peer: environments.Peer, onnxruntime: str, folder: Path, say: Any) -> Path:
        made.append(peer.package)
        return folder / peer.package

    monkeypatch.setattr(environments, "ensure", ensure)
    two = ["rapidocr", "faster-paddle"]
    for words, chosen in (([], everyone), (["--peers", *two[::-1]], two), (["--peers"], [])):
        made.clear()
        engines = peers.make_engines(tmp_path, parsed(*words).peers)
        assert made == chosen
        assert [engine.name for engine in engines] == ["edgeocr", *chosen]
        assert [engine.python for engine in engines[1:]] == [tmp_path / name for name in chosen]
    with pytest.raises(SystemExit):
        parsed("--peers", "tesseract")
    assert "tesseract" in capsys.readouterr().err


def test_recorded_command_names_the_peers_if_some_are_missing() -> None:
    assert "--peers rapidocr --repeat 5" in peers.command(parsed("--peers", "rapidocr"))
    assert "--peers" not in peers.command(parsed())


def test_peer_tells_why_it_cannot_run_the_weights() -> None:
    free = environments.Peer("p", "p==1", "p_worker")
    assert free.left_out("mobile", True) is None
    limited = environments.Peer("p", "p==1", "p_worker", bundles=("tiny", "small"))
    assert limited.left_out("tiny", True) is None
    assert limited.left_out("mobile", False) == "it runs the weights of tiny and small only"
    without_classifier = environments.Peer("p", "p==1", "p_worker", orientation=False)
    assert without_classifier.left_out("mobile", False) is None
    assert without_classifier.left_out("mobile", True) == "it doesn't run the classifier"


def test_peers_are_left_out_of_what_they_cannot_run() -> None:
    def left_out(bundle: str, orientation: bool) -> list[str]:
        return [p.package for p in environments.PEERS if p.left_out(bundle, orientation)]

    assert left_out("tiny", False) == []
    assert left_out("small", True) == ["rapidocrlite", "faster-paddle"]
    assert left_out("mobile", False) == ["rapidocrlite", "faster-paddle"]


def test_pictures_are_found_in_order_of_their_names(tmp_path: Path) -> None:
    with pytest.raises(peers.MeasurementError, match="there are no pictures"):
        peers.find_pictures(tmp_path)
    for name in ("b.PNG", "a.jpg", "Label.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in peers.find_pictures(tmp_path)] == ["a.jpg", "b.PNG"]
    with pytest.raises(peers.MeasurementError, match="there is no such folder"):
        peers.find_pictures(tmp_path / "missing")


def test_command_ends_with_the_output_of_a_failing_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "empty").mkdir()
    request = tmp_path / "request.json"
    request.write_text(
        json.dumps(
            {
                "images": [str(tmp_path / "a.jpg")],
                "threads": os.cpu_count(),
                "orientation": False,
                "bundle": str(tmp_path / "empty"),
            }
        )
    )
    engine = peers.Engine("edgeocr", "edgeocr_worker", Path(sys.executable), os.environ)
    monkeypatch.setattr(
        peers, "_run", lambda options: peers.run_worker(engine, request, tmp_path / "result.json")
    )
    with pytest.raises(SystemExit) as ended:
        peers.run(argparse.Namespace())
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    assert "error: edgeocr: the worker ended with exit code 1" in printed
    assert "no manifest.json inside" in printed


def test_shared_packages_are_pinned_to_the_installed_versions() -> None:
    peer = environments.Peer("p", "p==1", "p_worker", ("onnxruntime", "numpy", "no-such-one"))
    pinned = ["p==1", "onnxruntime==1.2.3", f"numpy=={np.__version__}"]
    assert environments.requirements(peer, "1.2.3") == pinned


def test_peer_is_pinned_to_the_packages_that_it_shares_only() -> None:
    rapid, lite, faster = (environments.requirements(p, "1.2.3") for p in environments.PEERS)
    assert rapid[1] == "onnxruntime==1.2.3"
    assert lite == [environments.PEERS[1].requirement, f"numpy=={np.__version__}"]
    assert faster == [environments.PEERS[2].requirement]


def test_finished_environment_is_reused_and_unfinished_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = environments.Peer("p", "p==1", "p_worker", ("onnxruntime",))
    ran: list[list[str]] = []

    def run(command: list[str], peer: environments.Peer) -> None:
        ran.append(command)
        if command[2] == "venv":
            for python in ("bin/python", "Scripts/python.exe"):
                path = Path(command[-1], python)
                path.parent.mkdir(parents=True)
                path.touch()
        elif "onnxruntime==0" in command:
            raise environments.EnvironmentFailedError("no such version")

    def ensure(onnxruntime: str) -> Path:
        return environments.ensure(peer, onnxruntime, tmp_path, lambda line: None)

    monkeypatch.setattr(environments, "_run", run)
    first = ensure("1.2")
    assert first.is_file()
    assert len(ran) == 2
    assert ensure("1.2") == first
    assert len(ran) == 2
    with pytest.raises(environments.EnvironmentFailedError):
        ensure("0")
    ensure("1.2")  # the failed one in between was removed
    assert len(ran) == 6


REQUEST: measure.Request = {
    "name": "small",
    "images": [],
    "threads": 3,
    "orientation": True,
    "bundle": "small.edgeocr",
    "models": measure.Models(
        detection="det.onnx", recognition="rec.onnx", charset="charset.txt", orientation="cls.onnx"
    ),
    "packages": [],
}


@pytest.mark.parametrize("peer", environments.PEERS, ids=lambda peer: peer.package)
def test_worker_can_be_imported_without_its_engine(peer: environments.Peer) -> None:
    assert callable(import_module(f"benchmarks.engines.{peer.worker}").start)


def test_faster_paddle_worker_passes_the_request_and_returns_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    class OcrEngine:
        def __init__(self, **settings: Any) -> None:
            given.append(settings)

        def ocr(self, content: bytes) -> dict[str, Any]:
            given.append(content)
            two = {"topLeftCoord": (1, 2), "bottomRightCoord": (30, 4), "text": "two words"}
            one = {"topLeftCoord": (5, 60), "bottomRightCoord": (70, 80), "text": "one"}
            return {"text": "two words one", "bounds": {"0": two, "1": one}}

    monkeypatch.setitem(sys.modules, "faster_paddle", SimpleNamespace(OcrEngine=OcrEngine))
    (tmp_path / "a.jpg").write_bytes(b"picture")
    read, lines = faster_paddle_worker.start(REQUEST)
    assert lines(read(str(tmp_path / "a.jpg"))) == [
        {"text": "two words", "polygon": [[1, 2], [30, 2], [30, 4], [1, 4]]},
        {"text": "one", "polygon": [[5, 60], [70, 60], [70, 80], [5, 80]]},
    ]
    assert given == [{"model_size": "small", "threads": 3}, b"picture"]
    assert lines({"bounds": {}}) == []


def test_rapidocrlite_worker_passes_the_request_and_returns_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []
    boxes = np.array([SQUARE, LOWER], np.float32)

    class RapidOCR:
        def __init__(self, params: dict[str, Any]) -> None:
            given.append(params)

        def __call__(self, path: str) -> SimpleNamespace:
            return SimpleNamespace(boxes=boxes, txts=("above", path))

    monkeypatch.setitem(sys.modules, "rapidocr", SimpleNamespace(RapidOCR=RapidOCR))
    read, lines = rapidocrlite_worker.start(REQUEST)
    made = lines(read("a.jpg"))
    assert made == [line("above"), line("a.jpg", LOWER)]
    json.dumps(made)  # the polygons are lists, not arrays
    assert lines(SimpleNamespace(boxes=None, txts=None)) == []
    (settings,) = given
    assert settings["Global.use_cls"] is True
    assert settings["EngineConfig.onnxruntime.intra_op_num_threads"] == 3
    paths = {name: value for name, value in settings.items() if name.endswith("_path")}
    assert list(paths.values()) == ["det.onnx", "rec.onnx", "charset.txt", "cls.onnx"]


def test_machine_record_does_not_name_the_user() -> None:
    described = machine.describe()
    assert set(described) == {"cpu", "cpus", "cpus_available", "os", "architecture", "python"}
    assert all(str(Path.home()) not in str(value) for value in described.values())

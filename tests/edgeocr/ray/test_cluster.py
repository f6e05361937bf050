"""Test jobs on real clusters of this machine: what is read, and what survives which end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import OCR, JobError
from edgeocr.ray import EdgeOCR, job
from edgeocr.ray.job import Actors, Progress
from edgeocr.ray.shards import Task
from tests.support.killing.sitecustomize import KILLER
from tests.support.paths import ROOT

pytestmark = pytest.mark.cluster
# Longer than any of these jobs takes on a slow machine.
PATIENCE = 180
ONE_EACH = Actors(2, 1)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """Forty different pictures in two folders, of which one is broken."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "deep").mkdir()
    whole = cv2.imread(str(pictures / "badge.jpg"))
    assert whole is not None
    for i in range(39):
        part = np.ascontiguousarray(whole[: whole.shape[0] - i, i:])
        cv2.imwrite(str(folder / ("deep" if i % 2 else "") / f"{i:02}.png"), part)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    return folder


@pytest.fixture(scope="module")
def expected(source: Path) -> dict[str, Any]:
    """What an `OCR` reads in each picture."""
    found = {}
    with OCR(threads=1) as ocr:
        for path in source.rglob("*.png"):
            found[str(path)] = comparable(ocr.read(path).to_dict())
    return found


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster that the jobs of this process share."""
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield ray
    ray.shutdown()


def comparable(page: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in page.items() if name != "milliseconds"}


def rows_in(target: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = []
    for path in sorted(target.glob("part-*")):
        if path.suffix == ".jsonl":
            rows += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        else:
            rows += pyarrow.parquet.read_table(path).to_pylist()
    return rows


def check_complete(target: Path, expected: dict[str, Any], broken: Path) -> None:
    """All rows are there, none is there twice, and they say what an `OCR` reads."""
    rows = rows_in(target)
    assert Counter(row["source"] for row in rows) == Counter([*expected, str(broken)])
    assert not list(target.rglob(".*"))  # no part is incomplete
    for row in rows:
        if row["source"] == str(broken):
            assert (row["error_type"], row["result"]) == ("ImageError", None)
        else:
            assert row["error"] is None
            assert comparable(json.loads(row["result"])) == expected[row["source"]]


@dataclass(frozen=True)
class Command:
    """The command in a process of its own.

    Attributes:
        output: Where it prints. Processes of Ray hold it open for longer than the command lives.
    """

    process: subprocess.Popen[bytes]
    output: Path

    def ended(self) -> tuple[int, str]:
        """Wait for the exit code and what was printed."""
        code = self.process.wait(PATIENCE)
        return code, self.output.read_text("utf-8")

    def when(self, found: Callable[[], Any]) -> Any:
        """Wait for something, as long as the command runs."""
        end = time.monotonic() + PATIENCE
        while not (value := found()):
            assert self.process.poll() is None, self.ended()
            assert time.monotonic() < end, self.output.read_text("utf-8")
            time.sleep(0.02)
        return value


@contextmanager
def started(*words: str | Path, **variables: str) -> Iterator[Command]:
    """Start the command; it is ended in any case."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "edgeocr.ray", *map(str, words)],
                env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Command(process, output)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(PATIENCE)


def actors_of(process: subprocess.Popen[bytes]) -> Sequence[int]:
    """Return the processes that read for a command."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            names[int(folder.name)] = (folder / "cmdline").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])

    def is_below(pid: int) -> bool:
        return pid == process.pid or (pid in parents and is_below(parents[pid]))

    return [pid for pid, name in names.items() if "ShardReader" in name and is_below(pid)]


def test_killed_actor_costs_no_row(source: Path, expected: Any, tmp_path: Path) -> None:
    target = tmp_path / "out"
    with started(source, target, "--actors", "2") as command:
        command.when(lambda: list(target.glob("part-*")))
        victim = command.when(lambda: actors_of(command.process))[0]
        os.kill(victim, signal.SIGKILL)
        code, output = command.ended()
    assert code == 1, output  # because of the broken picture
    assert "failed: 1 × ImageError" in output
    check_complete(target, expected, source / "broken.jpg")


def test_ended_job_goes_on(source: Path, expected: Any, tmp_path: Path) -> None:
    """The command is ended twice, by a signal that it handles and by one that it can't handle."""
    target = tmp_path / "out"
    before: dict[str, int] = {}
    for number, exit_code in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        with started(source, target, "--actors", "2") as command:
            command.when(partial(has_more_parts, target, len(before)))
            command.process.send_signal(number)
            code, output = command.ended()
        assert code == exit_code, output
        assert before.items() <= parts(target).items()  # they were not read again
        before = parts(target)
        assert len(before) < 8
    with started(source, target, "--actors", "2") as command:
        _, output = command.ended()
    said = re.search(r"(\d) of 8 shards had been read before", output)
    # Actors live on for a moment after the command was killed.
    assert said is not None and len(before) <= int(said[1]) < 8, output
    assert before.items() <= parts(target).items()
    check_complete(target, expected, source / "broken.jpg")


def has_more_parts(target: Path, than: int) -> bool:
    return len(parts(target)) > than


def parts(target: Path) -> dict[str, int]:
    """Return the files of a result, and when they were written."""
    return {path.name: path.stat().st_mtime_ns for path in target.glob("part-*")}


def test_picture_that_kills_its_reader_is_an_error_row(
    source: Path, expected: Any, tmp_path: Path
) -> None:
    """It is read between others of its shard, which are all read."""
    folder = tmp_path / "source"
    folder.mkdir()
    names = sorted(path for path in source.glob("*.png"))[:5]
    for path in names:
        (folder / path.name).symlink_to(path)
    (folder / "10-killer.jpg").write_bytes(KILLER)
    with started(
        folder, tmp_path / "out", "--actors", "1",
        PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests/support/killing'}",
    ) as command:  # fmt: skip
        code, output = command.ended()
    assert code == 1, output
    rows = {Path(row["source"]).name: row for row in rows_in(tmp_path / "out")}
    assert set(rows) == {path.name for path in names} | {"10-killer.jpg"}
    assert rows.pop("10-killer.jpg")["error_type"] == "ProcessDiedError"
    for path in names:
        read = json.loads(rows[path.name]["result"])
        assert read["lines"] == expected[str(path)]["lines"]


def test_lost_node_costs_no_row(source: Path, expected: Any, tmp_path: Path) -> None:
    """Two nodes on this machine, of which the one that was added later is lost."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        second = nodes.add_node(num_cpus=1)
        target = tmp_path / "out"
        with started(source, target, "--actors", "2", "--address", nodes.address) as command:
            command.when(lambda: list(target.glob("part-*")))
            nodes.remove_node(second, allow_graceful=False)
            nodes.add_node(num_cpus=1)
            _, output = command.ended()
        assert "failed: 1 × ImageError" in output, output
        check_complete(target, expected, source / "broken.jpg")
    finally:
        nodes.shutdown()


def done(found: Iterator[Progress]) -> Progress:
    return list(found)[-1]


def test_parquet_in_and_json_lines_out(
    cluster: Any, source: Path, expected: Any, tmp_path: Path
) -> None:
    import pyarrow
    import pyarrow.parquet

    paths = [*sorted(source.rglob("*.png"))[:9], source / "broken.jpg"]
    contents = [*(path.read_bytes() for path in paths), None]
    names = [*map(str, paths), "nothing"]
    table = pyarrow.table({"scan": contents, "id": names, "other": range(11)})
    (tmp_path / "in").mkdir()
    pyarrow.parquet.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=4)
    task = Task(
        str(tmp_path / "in"), str(tmp_path / "out"), "jsonl", column="scan", name_column="id"
    )
    progress = done(job.run(task, actors=ONE_EACH))
    assert (progress.shards, progress.done, progress.pages) == (3, 3, 11)
    assert progress.failures == {"ImageError": 1, "StorageError": 1}
    rows = rows_in(tmp_path / "out")
    assert [row["source"] for row in rows] == names
    for row, path in zip(rows[:9], paths, strict=False):
        assert comparable(row["result"]) == expected[str(path)]
    with pytest.raises(JobError, match=r"has no column 'bytes', only scan, id, other"):
        done(job.run(Task(str(tmp_path / "in"), str(tmp_path / "out2")), actors=ONE_EACH))


def test_failures_are_read_again_if_asked_for(cluster: Any, source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = sorted(source.glob("*.png"))[0].read_bytes()
    for name, content in (("a.png", good), ("b.png", b"broken")):
        (folder / name).write_bytes(content)
    task = Task(str(folder), str(tmp_path / "out"))
    assert done(job.run(task, actors=ONE_EACH)).failures == {"ImageError": 1}
    (folder / "b.png").write_bytes(good)
    unchanged = done(job.run(task, actors=ONE_EACH))
    assert (unchanged.done_before, unchanged.pages, unchanged.changed) == (2, 0, 1)
    again = done(job.run(task, actors=ONE_EACH, retry_failed=True))
    assert (again.done_before, again.pages, again.failures) == (1, 1, {})
    assert len({row["text"] for row in rows_in(tmp_path / "out")}) == 1


def test_object_store_in_and_out(
    cluster: Any, source: Path, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto answers as S3 does."""
    import boto3
    import pyarrow.fs
    import pyarrow.parquet
    from moto.server import ThreadedMotoServer

    # Actors start in new processes, which take their environment from here.
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        at = f"endpoint_override=http://{host}:{port}&scheme=http&region=us-east-1"
        login = "key:secret@"
        client = boto3.client(
            "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
            aws_access_key_id="key", aws_secret_access_key="secret",
        )  # fmt: skip
        client.create_bucket(Bucket="pictures")
        paths = sorted(source.glob("*.png"))[:5]
        for path in paths:
            client.put_object(Bucket="pictures", Key=f"in/{path.name}", Body=path.read_bytes())
        address = f"s3://{login}pictures"
        progress = done(job.run(Task(f"{address}/in?{at}", f"{address}/out?{at}"), actors=ONE_EACH))
        assert (progress.pages, progress.failures) == (5, {})
        system, root = pyarrow.fs.FileSystem.from_uri(f"{address}/out?{at}")
        listed = system.get_file_info(pyarrow.fs.FileSelector(root))
        parts = [info.path for info in listed if "part-" in info.path]
        rows = [
            row
            for part in parts
            for row in pyarrow.parquet.read_table(part, filesystem=system).to_pylist()
        ]
        assert {row["text"] for row in rows} == {row["text"] for row in rows if row["text"]}
        found = {json.loads(row["result"])["source"]: row for row in rows}
        assert len(found) == 5 and all("secret" not in name for name in found)
        for path in paths:
            row = next(row for name, row in found.items() if f"/{path.name}" in name)
            assert json.loads(row["result"])["lines"] == expected[str(path)]["lines"]
    finally:
        server.stop()


def test_stage_keeps_other_columns(cluster: Any, source: Path, expected: Any) -> None:
    """Also of a document with two pages, which has two rows."""
    paths = sorted(source.rglob("*.png"))[:6]
    pages = [np.ascontiguousarray(cv2.imread(str(path))) for path in paths[:2]]
    document = cv2.imencodemulti(".tiff", pages)[1].tobytes()
    items = [
        {"bytes": path.read_bytes(), "path": str(path), "id": i} for i, path in enumerate(paths)
    ]
    items.append({"bytes": document, "path": "two.tiff", "id": 6})
    rows = (
        cluster.data.from_items(items)
        .map_batches(
            EdgeOCR,
            fn_constructor_kwargs={"words": True},
            batch_size=4,
            batch_format="pyarrow",
            concurrency=2,
            num_cpus=1,
        )
        .take_all()
    )
    assert sorted(row["id"] for row in rows) == [0, 1, 2, 3, 4, 5, 6, 6]
    by_id = {(row["id"], row["page"]): row for row in rows}
    for i, path in enumerate(paths):
        lines = json.loads(by_id[i, 1]["result"])["lines"]
        assert all("words" in line for line in lines)
        texts = [line["text"] for line in expected[str(path)]["lines"]]
        assert [line["text"] for line in lines] == texts
    assert (by_id[6, 2]["source"], by_id[6, 2]["pages"]) == ("two.tiff", 2)
    assert by_id[6, 2]["text"] == by_id[1, 1]["text"]


def test_what_no_actor_can_open_is_one_error(cluster: Any, source: Path, tmp_path: Path) -> None:
    task = Task(str(source), str(tmp_path / "out"))
    with pytest.raises(JobError, match="provider 'cuda' is not in the installed ONNX Runtime"):
        done(job.run(task, options={"provider": "cuda"}, actors=ONE_EACH))
    with pytest.raises(JobError, match="threads"):
        done(
            job.run(
                Task(str(source), str(tmp_path / "out2")), options={"threads": 0}, actors=ONE_EACH
            )
        )

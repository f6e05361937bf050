"""The job of `benchmarks arm`: read one small picture on an emulated machine, stage by stage.

The arguments are a JSON file with a `Job` and the JSON file to write. The worker is started by its
path and needs nothing but the engine, so that it measures any version of edgeocr, and RapidOCR.

At the end of each part of its work it calls getppid, which count.c notices, and keeps the part's
name. ONNX Runtime's `run` and OpenCV's `imdecode` are wrapped for that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

# Names of the parts. The first three and the first read are what a cold start costs. The others
# are those of the second read, which finds what the first one has built.
START, IMPORT, OPENING, FIRST_READ = "start", "import", "opening", "first read"
DECODING, DETECTION, RECOGNITION = "decoding", "detection network", "recognition network"
REST = "rest"
READ = (DECODING, DETECTION, RECOGNITION, REST)
NETWORKS = (DETECTION, RECOGNITION)


# Operator, start and duration of a node; both times in microseconds.
ProfiledNode: TypeAlias = tuple[str, int, int]


class Job(TypedDict):
    """What to read, and how.

    Attributes:
        engine: "edgeocr" or "rapidocr".
        picture: Path of the picture.
        side: Sides shorter than this are enlarged to it for detection, in pixels; for RapidOCR,
            because edgeocr takes the size from the bundle.
        bundle: Path of the bundle, for edgeocr.
        models: Paths of the detection network, the recognition network and the file of
            characters, for RapidOCR.
        reads: How often to read; from the second time on the parts of a read are marked.
        profile: Whether to profile ONNX Runtime, which tells the operators apart.
    """

    engine: str
    picture: str
    side: int
    bundle: str
    models: list[str]
    reads: int
    profile: bool


class Done(TypedDict):
    """What the worker writes.

    Attributes:
        texts: The lines that were read.
        marks: For each call of getppid, the part that ended there.
        runs: The nodes of each run of a network in marked reads, if ONNX Runtime was profiled.
    """

    texts: list[str]
    marks: list[str]
    runs: list[list[ProfiledNode]]


class Marks:
    """The marks, and the wrappers that set them.

    Attributes:
        names: The names so far.
        sessions: The session that each marked run of a network belongs to.
    """

    def __init__(self) -> None:
        """Start without marks."""
        self.names: list[str] = []
        self.sessions: list[Any] = []
        self.reading = False
        self._busy = False

    def __call__(self, name: str) -> None:
        """Set a mark: what came before it, up to the previous mark, is called `name`."""
        os.getppid()
        self.names.append(name)

    def around(
        self, function: Callable[..., Any], part_of: Callable[..., str]
    ) -> Callable[..., Any]:
        """Return a function that does the same and, in a read, has marks around it.

        Args:
            function: The function.
            part_of: Is called with its arguments and returns the part's name.
        """

        @wraps(function)
        def marked(*arguments: Any, **options: Any) -> Any:
            if not self.reading:
                return function(*arguments, **options)
            if self._busy:
                raise RuntimeError(
                    "two parts run at the same time: their counts can't be told apart"
                )
            self._busy = True
            part = part_of(*arguments)
            if part in NETWORKS:
                self.sessions.append(arguments[0])
            self(REST)
            try:
                return function(*arguments, **options)
            finally:
                self(part)
                self._busy = False

        return marked


def network_of(session: Any, *_: Any) -> str:
    """Return which network a session runs: only detection gives a map [N, C, H, W] or [N, H, W]."""
    name, rank = session.get_inputs()[0].name, len(session.get_outputs()[0].shape)
    return DETECTION if name == "image" or rank == 4 else RECOGNITION


def profiled(initialize: Callable[..., None], sessions: list[Any]) -> Callable[..., None]:
    """Return an initializer of sessions that profiles them and adds them to a list."""

    @wraps(initialize)
    def start(
        session: Any, model: Any, sess_options: Any = None, *more: Any, **options: Any
    ) -> None:
        sess_options.enable_profiling = True
        sess_options.profile_file_prefix = f"/tmp/profile-{len(sessions)}"
        sessions.append(session)
        initialize(session, model, sess_options, **options)

    return start


def nodes_of(session: Any) -> list[list[ProfiledNode]]:
    """End a session's profile and return the nodes of each run."""
    runs: list[list[ProfiledNode]] = []
    nodes: list[ProfiledNode] = []
    for event in json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")):
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            nodes.append((event["args"]["op_name"], event["ts"], event["dur"]))
        elif event["name"] == "model_run":  # is recorded when a run ends
            runs.append(nodes)
            nodes = []
    return runs


def open_edgeocr(job: Job) -> Callable[[], list[str]]:
    """Open edgeocr and return a function that reads the picture."""
    import edgeocr

    ocr = edgeocr.OCR(job["bundle"], provider="cpu", threads=1)
    return lambda: [line.text for line in ocr.read(job["picture"]).lines]


def open_rapidocr(job: Job) -> Callable[[], list[str]]:
    """Open RapidOCR and return a function that reads the picture."""
    from rapidocr import RapidOCR

    detection, recognition, characters = job["models"]
    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.use_cls": False,
            "Det.model_path": detection,
            "Det.limit_side_len": job["side"],
            "Rec.model_path": recognition,
            "Rec.rec_keys_path": characters,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read() -> list[str]:
        return list(engine(job["picture"]).txts or ())

    return read


def main(job: Job) -> Done:
    """Do the job."""
    marks, sessions = Marks(), list[Any]()
    marks(START)
    import cv2
    import onnxruntime

    if job["engine"] == "edgeocr":
        import edgeocr  # noqa: F401
    else:
        import rapidocr  # noqa: F401
    marks(IMPORT)
    kind = onnxruntime.InferenceSession
    wrapped: list[tuple[Any, str, Callable[..., str]]] = [
        (kind, "run", network_of),
        (kind, "run_with_iobinding", network_of),
        (cv2, "imdecode", lambda *_: DECODING),
    ]
    for owner, name, part_of in wrapped:
        setattr(owner, name, marks.around(getattr(owner, name), part_of))
    if job["profile"]:
        kind.__init__ = profiled(kind.__init__, sessions)
    read = open_edgeocr(job) if job["engine"] == "edgeocr" else open_rapidocr(job)
    marks(OPENING)
    texts: list[str] = []
    for number in range(job["reads"]):
        marks.reading = number > 0
        texts = read()
        marks(REST if marks.reading else FIRST_READ)
    runs: list[list[ProfiledNode]] = []
    if job["profile"]:
        of_session = {id(session): nodes_of(session) for session in sessions}
        # Marked reads are the last ones, so their runs are the last ones of each session.
        for session in reversed(marks.sessions):
            runs.insert(0, of_session[id(session)].pop())
    return {"texts": texts, "marks": marks.names, "runs": runs}


if __name__ == "__main__":
    request: Job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    done = main(request)
    Path(sys.argv[2]).write_text(json.dumps(done), encoding="utf-8")

"""OCR in forked and spawned processes, and at the end of the interpreter."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from edgeocr import OCR, Bundle, BundleError, ForkedError
from edgeocr.memory import opening
from edgeocr.runtime.providers import PROVIDERS
from tests.support.packing import Files, packed
from tests.support.paths import EMBEDDED_BUNDLE
from tests.support.scripts import FORKING, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")

OPENED = f"""{FORKING}
from edgeocr import OCR
ocr = OCR(provider="cpu", threads=2)
expected = ocr.read(SAMPLE).text
"""
IN_THE_CHILD = [
    "assert ocr.read(SAMPLE).text == expected",
    "assert [page.text for page in ocr.read_many([SAMPLE] * 3)] == [expected] * 3",
    "assert ocr.recognize([SAMPLE]) and ocr.detect(SAMPLE) and ocr.warm_up()",
    "assert ocr.stages['detection'].session.run_smallest() is None",
    "pass",
    "ocr.close()",
    "del ocr",
    "ocr.read(SAMPLE); ocr.close(); ocr.close()",
    "sys.exit(forked('ocr.read(SAMPLE)'))",
    "assert OCR(provider='cpu', threads=2).read(SAMPLE).text == expected",
]


# `at_each_module` runs `work` in a thread, which stops at its first call into each module of
# edgeocr until the main thread has called `at_call` with the modules so far.
AT_EACH_MODULE = """
def at_each_module(work, at_call):
    seen, called, go_on, done = [], threading.Semaphore(0), threading.Semaphore(0), []
    def trace(frame, event, argument):
        module = frame.f_globals["__name__"]
        # A fork takes a lock of `forks`, so the thread doesn't stop while it holds that.
        if module.startswith("edgeocr.") and module not in [*seen, "edgeocr.runtime.forks"]:
            seen.append(module)
            called.release()
            go_on.acquire()
    def traced():
        sys.settrace(trace)
        try:
            work()
        finally:
            done.append(True)
            called.release()
    threading.Thread(target=traced).start()
    while called.acquire() and not done:
        at_call(seen)
        go_on.release()
    return seen
"""


@pytest.mark.stress
def test_a_forked_child_reads_and_ends_as_its_parent_does() -> None:
    """A child has none of its parent's threads, and must not even free its parent's sessions."""
    done = run(f"{OPENED}\nfor code in {IN_THE_CHILD}: print(forked(code))")
    assert done.stderr == ""
    assert done.stdout.split() == ["0"] * len(IN_THE_CHILD)


@pytest.mark.stress
def test_a_child_that_is_forked_while_other_threads_read_can_read() -> None:
    """The child finds locks as other threads held them."""
    threads = """
reading = [threading.Thread(target=lambda: [ocr.read(SAMPLE) for _ in range(12)]) for _ in "12"]
for each in reading: each.start()
for _ in range(2): print(forked("assert ocr.read(SAMPLE).text == expected"))
for each in reading: each.join()
"""
    done = run(OPENED + threads)
    assert done.stderr == ""
    assert done.stdout.split() == ["0"] * 2


@pytest.mark.stress
def test_a_child_can_read_whatever_another_thread_was_doing_at_the_fork() -> None:
    """No lock of the interpreter, of its library or of edgeocr is left locked for the child."""
    script = """
from edgeocr.runtime import forks
forks.PATIENCE = 0.1  # a fork waits so long for a thread that has stopped while it opens a session
def fork(seen):
    code = forked("sys.settrace(None); assert ocr.read(SAMPLE).text == expected", patience=20)
    if code:
        print(seen[-1], code)
def work():
    OCR(provider="cpu", threads=2).read(SAMPLE)
    list(ocr.read_many([SAMPLE] * 2))
seen = at_each_module(work, fork)
assert "edgeocr.layout.level_page" in seen, seen
print(len(seen) > 50)
"""
    done = run(OPENED + AT_EACH_MODULE + script)
    assert done.stderr == ""
    assert done.stdout.split() == ["True"]


@pytest.mark.stress
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_reads_with_every_start_method(method: str, tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(
        """
import multiprocessing, sys
from edgeocr import OCR
ocr = None
def read(path):
    global ocr
    ocr = ocr or OCR(provider="cpu", threads=2)
    return ocr.read(path).text
if __name__ == "__main__":
    path = "tests/images/badge.jpg"
    here = read(path)
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map_async(read, [path] * 4).get(60) == [here] * 4)
"""
    )
    done = run(script, method)
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.stress
def test_workers_of_a_server_that_loads_before_it_forks_can_read_and_stop() -> None:
    """As gunicorn does with --preload: workers share a socket and exit when they are told to."""
    server = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
address = listener.getsockname()
workers = []
for _ in range(2):
    worker = os.fork()
    if worker == 0:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        while True:
            connection, _ = listener.accept()
            path = connection.recv(1000).decode()
            connection.sendall(ocr.read(path).text.encode())
            connection.close()
    workers.append(worker)
for _ in range(4):
    with socket.create_connection(address) as client:
        client.settimeout(60)
        client.sendall(SAMPLE.encode())
        answer = b"".join(iter(lambda: client.recv(10000), b"")).decode()
    print(answer == expected)
for worker in workers:
    os.kill(worker, signal.SIGTERM)
    print(os.waitpid(worker, 0)[1])
"""
    done = run(OPENED + server)
    assert done.stderr == ""
    assert done.stdout.split() == ["True"] * 4 + ["0"] * 2


def test_a_provider_with_a_device_is_refused_in_a_forked_child(
    monkeypatch: pytest.MonkeyPatch, bundle: Bundle, pictures: Path
) -> None:
    with OCR(bundle, provider="cpu", threads=1) as ocr:
        monkeypatch.setattr(
            opening,
            "PROVIDERS",
            MappingProxyType({"cpu": replace(PROVIDERS["cpu"], opens_in_forks=False)}),
        )
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: 1)
            for call in (ocr.read, ocr.detect, lambda each: ocr.recognize([each])):
                with pytest.raises(ForkedError, match=r"detection was opened on 'cpu'.*\"spawn\""):
                    call(pictures / "badge.jpg")
            with pytest.raises(ForkedError):
                ocr.read_many([pictures / "badge.jpg"])
        assert ocr.read(pictures / "badge.jpg").lines


def test_a_bundle_that_was_replaced_is_not_opened_in_a_forked_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pictures: Path, files: Files
) -> None:
    path = tmp_path / "copy.edgeocr"
    shutil.copy(EMBEDDED_BUNDLE, path)
    with OCR(path, provider="cpu", threads=1) as ocr:
        monkeypatch.setattr(os, "getpid", lambda: 1)
        path.unlink()
        with pytest.raises(BundleError, match="no such bundle"):
            ocr.read(pictures / "badge.jpg")
        packed(files, path)
        with pytest.raises(BundleError, match="has been replaced since it was opened"):
            ocr.read(pictures / "badge.jpg")


@pytest.mark.stress
@pytest.mark.skipif(sys.platform != "linux", reason="the memory limit is kept on Linux only")
def test_a_forked_child_keeps_the_memory_limit() -> None:
    script = """
from edgeocr import OCR
ocr = OCR(provider="cpu", threads=2, memory_limit="400MB")
expected = ocr.read(SAMPLE).text
print(forked('''
assert ocr.read(SAMPLE).text == expected
rows = open("/proc/self/status").read().splitlines()
peak = next(int(row.split()[1]) for row in rows if row.startswith("VmHWM"))
assert peak * 1024 < 400_000_000, peak
'''))
"""
    done = run(FORKING + script)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.stress
def test_a_daemon_thread_that_reads_does_not_abort_the_end_of_the_interpreter() -> None:
    """Without an order of ending, three of five such processes were aborted."""
    script = """
def read():
    while True: ocr.read(SAMPLE)
threading.excepthook = lambda failed: None
for _ in range(3): threading.Thread(target=read, daemon=True).start()
time.sleep(0.2)
"""
    assert [run(OPENED + script).returncode for _ in range(3)] == [0] * 3


@pytest.mark.stress
def test_reading_after_the_interpreter_has_begun_to_end_is_refused() -> None:
    script = """
import atexit
def read():
    try:
        ocr.read(SAMPLE)
    except ClosedError as error:
        print(error)
    ocr.close()
atexit.register(read)  # handlers run in the opposite order
from edgeocr import OCR, ClosedError
ocr = OCR(provider="cpu", threads=1)
"""
    done = run(FORKING + script)
    assert done.stdout.startswith("this OCR is closed because the interpreter is ending")
    assert done.stderr == ""

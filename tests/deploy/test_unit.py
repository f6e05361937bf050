"""deploy/edgeocr.service: systemd accepts it, and the service works with all that it takes away."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import request
from tests.support.paths import IMAGES, ROOT
from tests.support.systemd_root import Booted, booted

pytestmark = pytest.mark.deployment

UNIT = ROOT / "deploy" / "edgeocr.service"
DROP_IN = ROOT / "deploy" / "edgeocr-nvidia.conf"
TOKEN = "0123456789abcdef"
# What `systemd-analyze security` may find at most: 0 is the best, 10 the worst.
EXPOSURE, EXPOSURE_NVIDIA = 1.5, 3.0


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text("utf-8")
    assert "ExecStart=/opt/edgeocr/bin/edgeocr " in text
    copy.write_text(text.replace("/opt/edgeocr/bin/edgeocr", "/bin/true"), "utf-8")
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_systemd_accepts_the_unit_without_a_word(unit: Path) -> None:
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_accepts_the_drop_in_file(unit: Path) -> None:
    folder = unit.with_name(f"{unit.name}.d")
    folder.mkdir()
    shutil.copy(DROP_IN, folder / "nvidia.conf")
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_unit_is_an_instance_under_another_name(unit: Path) -> None:
    done = analyze("verify", str(unit.rename(unit.with_name("edgeocr@8001.service"))))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def exposure(text: str) -> float:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", text)
    assert found is not None, text
    return float(found[1])


def test_exposure_is_low(unit: Path) -> None:
    arguments = ("security", "--no-pager", "--offline=true", str(unit))
    assert exposure(analyze(*arguments).stdout) <= EXPOSURE
    # Offline, drop-in files are not read.
    own, further = unit.read_text("utf-8"), DROP_IN.read_text("utf-8")
    unit.write_text(own.replace("[Install]", f"{further}\n[Install]"), "utf-8")
    assert EXPOSURE < exposure(analyze(*arguments).stdout) <= EXPOSURE_NVIDIA


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """Debian's systemd beside the image's /opt/edgeocr, with the unit and a token."""
    image = Path(os.environ["EDGEOCR_IMAGE"])
    root = image.with_name("systemd")
    if not (root / "usr/lib/systemd/systemd").exists():
        subprocess.run(["cp", "-a", image, root], check=True)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        install = "apt-get update -qq && apt-get install -qq -y --no-install-recommends systemd"
        subprocess.run(
            ["chroot", root, "sh", "-c", install],
            check=True,
            capture_output=True,
            env={"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    # The journal of an earlier boot is not told apart: its number is the machine's.
    shutil.rmtree(root / "var/log/journal", ignore_errors=True)
    shutil.copy(UNIT, root / "etc/systemd/system/edgeocr.service")
    (root / "etc/edgeocr").mkdir(exist_ok=True)
    token = root / "etc/edgeocr/token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with booted(root, "edgeocr.service", tmp_path_factory.mktemp("log") / "console") as system:
        system.wait_until(lambda: is_ready(system))
        yield system


def is_ready(system: Booted) -> bool:
    try:
        return request(system.pid, "GET", "/readyz")[0] == 200
    except AssertionError:  # it doesn't listen yet
        return False


def main_process(system: Booted) -> int:
    return int(system.property("edgeocr", "MainPID"))


def kill(system: Booted, pid: int) -> None:
    system.run("python3", "-c", f"import os; os.kill({pid}, 9)")


def read_sample(system: Booted) -> list[str]:
    status, answer = request(
        *(system.pid, "POST", "/v1/read", (IMAGES / "sample.jpg").read_bytes()),
        {"Authorization": f"Bearer {TOKEN}"},
    )
    assert status == 200, answer
    return [line["text"] for line in json.loads(answer)["lines"]]


def test_picture_is_read_under_all_restrictions(system: Booted) -> None:
    assert "NO PARKING" in " ".join(read_sample(system))
    status = system.run("cat", f"/proc/{main_process(system)}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["Uid"].split()[0]) > 0
    assert (fields["NoNewPrivs"], fields["Seccomp"], int(fields["CapBnd"], 16)) == ("1", "2", 0)
    # ONNX Runtime says so if it may not bind its threads to CPUs, for example.
    log = system.run("journalctl", "--no-pager", "--output=cat", "--unit=edgeocr")
    assert "ready, with the bundle" in log
    assert not re.search("error|fail|not permitted|may read the token", log, re.IGNORECASE), log


def test_reader_that_dies_and_a_front_that_dies_are_started_again(system: Booted) -> None:
    front = main_process(system)
    reader = system.run("cat", f"/proc/{front}/task/{front}/children").split()
    kill(system, int(reader[0]))
    system.wait_until(lambda: is_ready(system))
    assert read_sample(system)
    assert main_process(system) == front
    kill(system, front)
    system.wait_until(lambda: main_process(system) not in (0, front) and is_ready(system))
    assert read_sample(system)
    assert system.property("edgeocr", "NRestarts") == "1"


# Last, because it ends the service.
def test_stop_is_a_success(system: Booted) -> None:
    system.run("systemctl", "stop", "edgeocr")
    assert system.property("edgeocr", "Result") == "success"
    assert system.property("edgeocr", "ActiveState") == "inactive"
    assert system.property("edgeocr", "ExecMainStatus") == "0"

"""The emulated machine counts a known loop exactly; and what is said where there is none."""

from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import pytest

from benchmarks.emulation import machine
from benchmarks.emulation.boards import PROCESSORS
from benchmarks.emulation.counts import Counts
from benchmarks.emulation.errors import EmulationError
from benchmarks.emulation.machine import Machine

ROUNDS = 1000
GETPPID, EXIT, CALL = 0xD2800008 | 173 << 5, 0xD2800008 | 94 << 5, 0xD4000001
LOOP = (
    0x4E829420,  # sdot v0.4s, v1.16b, v2.16b
    0x4F82E020,  # sdot v0.4s, v1.16b, v2.4b[0]
    0xF94003E1,  # ldr x1, [sp]
    0x4E22D420,  # fadd v0.4s, v1.4s, v2.4s
    0xF1000400,  # subs x0, x0, #1
    0x54000001 | (-5 & 0x7FFFF) << 5,  # b.ne the first sdot
)
PROGRAM = (
    *(GETPPID, CALL, 0xD2800000 | ROUNDS << 5, *LOOP),  # mov x0, #ROUNDS
    *(GETPPID, CALL, EXIT, 0xD2800000, CALL),  # mov x0, #0
)


def executable(words: tuple[int, ...]) -> bytes:
    """A static aarch64 program (ELF) of these instructions."""
    code, address, start = struct.pack(f"<{len(words)}I", *words), 0x400000, 0x78
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIQQQIHHHHHH", 2, 183, 1, address + start, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    size = start + len(code)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, address, address, size, size, 1 << 16) + code


@pytest.fixture
def emulated() -> Machine:
    made = Machine(Path(os.environ["EDGEOCR_ARM_ROOT"]), print)
    made.make()
    program = made.root / "tmp" / "loop"
    program.write_bytes(executable(PROGRAM))
    program.chmod(0o755)
    return made


@pytest.mark.arm
def test_known_loop_is_counted_exactly(emulated: Machine) -> None:
    before, after = emulated.run(PROCESSORS["cortex-a76"], ["/tmp/loop"])
    # The loop, the `mov` in front of it, and the two instructions of the second call.
    assert after.counts - before.counts == Counts(
        all=6 * ROUNDS + 3, simd=3 * ROUNDS, memory=ROUNDS, dot=2 * ROUNDS
    )
    assert after.microseconds >= before.microseconds


@pytest.mark.arm
def test_cortex_a72_has_no_dot_products(emulated: Machine) -> None:
    with pytest.raises(EmulationError, match=r"cortex-a72.*signal|cortex-a72.*exit code"):
        emulated.run(PROCESSORS["cortex-a72"], ["/tmp/loop"])


@pytest.mark.arm
def test_programs_see_the_board_and_no_variables_of_this_machine(emulated: Machine) -> None:
    script = "import os; print(os.environ); print(open('/proc/cpuinfo').read())"
    script += "; assert dict(os.environ).keys() <= {'HOME', 'A', 'LC_CTYPE'}, os.environ"
    script += "; assert '0xd08' in open('/proc/cpuinfo').read()"
    emulated.run(
        PROCESSORS["cortex-a72"], ["/usr/bin/python3", "-c", script], {"A": "1"}, counted=False
    )


def test_boards_say_whether_they_have_dot_products() -> None:
    dot = {name: "asimddp" in each.cpuinfo() for name, each in PROCESSORS.items()}
    assert dot == {"cortex-a72": False, "cortex-a76": True, "neoverse-n1": True}
    assert PROCESSORS["cortex-a72"].cpuinfo(cores=4).count("CPU part\t: 0xd08") == 4


def test_a_machine_is_made_once_for_each_version_of_qemu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr(machine, "_check_possible", lambda: None)
    monkeypatch.setattr(machine, "_run", lambda *command: made.append(command[0]))
    monkeypatch.setattr(Machine, "_copy_qemu", lambda self: None)
    for version, number in (("7.2", 1), ("7.2", 1), ("8.0", 2)):
        monkeypatch.setattr(machine, "qemu_version", lambda version=version: version)
        Machine(tmp_path / "machine", made.append).make()
        assert made.count("debootstrap") == number


def test_missing_programs_are_named_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(EmulationError, match=r"debootstrap.*not found: apt-get install"):
        Machine(tmp_path / "root", print).make()


def test_user_who_is_not_root_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(EmulationError, match="needs root"):
        Machine(tmp_path / "root", print).make()


def test_versions_of_all_wheels_are_those_installed_here() -> None:
    assert set(machine.installed_wheels()) == set(machine.WHEELS)

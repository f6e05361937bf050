""".ci/audit.py finds vulnerable versions, and pyproject.toml allows none where it matters."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SCRIPT = ROOT / ".ci" / "audit.py"
_spec = importlib.util.spec_from_file_location("audit", SCRIPT)
assert _spec is not None and _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

# Its known faults are in X.509, PKCS#7 and OpenSSL's ASN.1; edgeocr uses Ed25519.
ALLOWED = {"cryptography"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script where only the packages of a folder are installed."""
    return subprocess.run(
        [sys.executable, "-S", str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )


def install(folder: Path, name: str, version: str) -> Path:
    described = folder / f"{name}-{version}.dist-info" / "METADATA"
    described.parent.mkdir()
    described.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


@pytest.mark.parametrize(
    ("package", "version", "found"),
    [
        ("opencv-python-headless", "4.8.0.76", ["CVE-2023-4863"]),
        ("opencv_python_headless", "4.8.1.78", []),
        ("opencv-python-headless", "4.9.0.80", []),
        ("opencv-python-headless", "4.10.0.84", ["CVE-2025-53644"]),
        ("opencv-python-headless", "4.11.0.86", ["CVE-2025-53644"]),
        ("opencv-python-headless", "5.0.0.93", []),
        ("Pillow", "12.2", ["CVE-2026-54058"]),
        ("Pillow", "12.3", []),
        ("onnx", "1.21.0rc1", []),
        ("protobuf", "4.25.8", ["CVE-2026-0994"]),
        ("protobuf", "5.29.6", []),
        ("protobuf", "6.31.1", ["CVE-2026-0994"]),
        ("unknown", "0.1", []),
    ],
)
def test_versions_are_compared_with_the_ranges(
    package: str, version: str, found: list[str]
) -> None:
    assert [each.identifier for each in audit.vulnerabilities(package, version)] == found


def test_list_is_well_formed() -> None:
    for each in audit.KNOWN:
        assert audit.release(each.first) < audit.release(each.fixed), each
        assert re.fullmatch(r"CVE-20\d\d-\d{4,}|GHSA(-[0-9a-z]{4}){3}", each.identifier), each


def test_vulnerable_package_fails_by_name_with_what_to_install(tmp_path: Path) -> None:
    done = run(install(tmp_path, "Pillow", "12.2.0"))
    assert done.returncode == 1
    assert done.stdout.startswith("Pillow 12.2.0: CVE-2026-54058, ")
    assert done.stdout.endswith(": install Pillow>=12.3.0\n")


def test_sound_packages_pass(tmp_path: Path) -> None:
    done = run(install(install(tmp_path, "Pillow", "12.3.0"), "numpy", "2.4.6"))
    assert (done.returncode, done.stdout) == (0, "2 packages: no known vulnerability\n")


FOUND = {"id": "CVE-1", "fix_versions": ["2.0"]}
SKIPPED = {"name": "a", "skip_reason": "not found"}


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("printed", "code", "said"),
    [
        ({"name": "a", "version": "1.0", "vulns": [FOUND]}, 1, "a 1.0: CVE-1: install 2.0\n"),
        ({"name": "a", "version": "1.0", "vulns": []}, 0, "1 packages: no known"),
        ({"name": "pip", "version": "1.0", "vulns": [FOUND]}, 0, "1 packages: no known"),
        (SKIPPED, 0, "pip-audit can't reach its service"),
        (None, 0, "pip-audit can't reach its service"),
    ],
)
def test_what_pip_audit_finds_counts_where_it_reaches_its_service(
    tmp_path: Path, printed: dict | None, code: int, said: str
) -> None:
    report = json.dumps({"dependencies": [printed]}) if printed else ""
    stand_in = tmp_path / "pip-audit"
    stand_in.write_text(f"#!/bin/sh\ncat <<'END'\n{report}\nEND\n")
    stand_in.chmod(0o755)
    done = run(install(tmp_path, "a", "1.0"), str(stand_in))
    assert done.returncode == code
    assert done.stdout.startswith(said)


def test_lower_bounds_of_the_project_are_not_vulnerable() -> None:
    """The extras of the oracles pin what Paddle needs; CI alone installs them."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    text = re.sub(r"^oracle = \[\n.*?^\]\n", "", text, flags=re.MULTILINE | re.DOTALL)
    bounds = re.findall(r'"([\w-]+)(?:\[[\w,]+\])?>=([\d.]+)', text)
    assert {"numpy", "opencv-python-headless", "onnx", "protobuf"} <= {name for name, _ in bounds}
    vulnerable = {name for name, version in bounds if audit.vulnerabilities(name, version)}
    assert vulnerable - ALLOWED == set()

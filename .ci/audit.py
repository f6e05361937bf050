"""Fail if this Python has a version of a dependency that is known to be vulnerable.

The list below is always checked, without a network. If the path of `pip-audit` is given, it is
asked as well; where it can't reach its service, that is printed and the list alone decides.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata
from typing import NamedTuple


class Vulnerability(NamedTuple):
    """A range of vulnerable versions: from `first` on, and before `fixed`."""

    package: str
    first: str
    fixed: str
    identifier: str
    fault: str


OPENCV = "opencv-python-headless"
# Each range is that of the advisory with the identifier. Nothing is listed for numpy, onnxruntime,
# pyclipper and shapely: no advisory is known to us for a version that pyproject.toml allows.
KNOWN = [
    Vulnerability(*row)
    for row in (
        (OPENCV, "0", "4.8.1.78", "CVE-2023-4863", "a WebP picture writes outside a buffer"),
        (OPENCV, "4.10", "4.12.0.88", "CVE-2025-53644", "a JPEG 2000 picture writes to the heap"),
        ("pillow", "0", "10.0.1", "CVE-2023-4863", "a WebP picture writes outside a buffer"),
        ("pillow", "0", "10.3.0", "CVE-2024-28219", "a colour profile overflows a buffer"),
        ("pillow", "10.3.0", "12.1.1", "CVE-2026-25990", "a PSD picture writes outside a buffer"),
        ("pillow", "10.3.0", "12.2.0", "CVE-2026-40192", "a FITS picture fills the memory"),
        ("pillow", "0", "12.3.0", "CVE-2026-54058", "a McIdas picture has rows that overlap"),
        ("onnx", "0", "1.16.0", "CVE-2024-27318", "external data is read from outside the folder"),
        ("onnx", "0", "1.18.0", "CVE-2025-51480", "external data is written outside the folder"),
        ("onnx", "0", "1.21.0", "CVE-2026-27489", "external data is read through a link"),
        ("onnx", "0", "1.21.0", "CVE-2026-34445", "external data sets attributes of objects"),
        ("protobuf", "0", "4.25.8", "CVE-2025-4565", "nested messages exhaust the stack"),
        ("protobuf", "5.0", "5.29.5", "CVE-2025-4565", "nested messages exhaust the stack"),
        ("protobuf", "6.0", "6.31.1", "CVE-2025-4565", "nested messages exhaust the stack"),
        ("protobuf", "0", "5.29.6", "CVE-2026-0994", "nested JSON exhausts the stack"),
        ("protobuf", "6.0", "6.33.5", "CVE-2026-0994", "nested JSON exhausts the stack"),
        ("starlette", "0", "0.40.0", "CVE-2024-47874", "a form's fields fill the memory"),
        ("starlette", "0", "0.47.2", "CVE-2025-54121", "large files of a form block the service"),
        ("starlette", "0.39.0", "0.49.1", "CVE-2025-62727", "a Range header takes for ever"),
        ("fastapi", "0", "0.109.1", "CVE-2024-24762", "a form's header takes for ever"),
        ("python-multipart", "0", "0.0.18", "CVE-2024-53981", "bytes before a form are logged"),
        ("python-multipart", "0", "0.0.22", "CVE-2026-24486", "a file's name leads elsewhere"),
        ("h11", "0", "0.16.0", "CVE-2025-43859", "malformed chunks smuggle requests"),
        ("cryptography", "0.5", "48.0.1", "GHSA-537c-gmf6-5ccf", "OpenSSL reads out of bounds"),
        ("cryptography", "42.0", "49.0.0", "CVE-2026-69249", "a chain of X.509 takes for ever"),
        ("cryptography", "44.0", "50.0.0", "CVE-2026-69247", "PKCS#7 shows what it decrypts"),
    )
]
# These belong to the virtual environment, and nothing of edgeocr uses them.
TOOLS = {"pip", "setuptools", "wheel"}


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version without trailing zeros, so that 1.0 and 1.0.0 are equal."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(each) for each in found[0].split(".")] if found else [0]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def vulnerabilities(package: str, version: str) -> list[Vulnerability]:
    """Return what the list has against a version of a package."""
    name = re.sub(r"[-_.]+", "-", package).lower()
    return [
        each
        for each in KNOWN
        if each.package == name and release(each.first) <= release(version) < release(each.fixed)
    ]


def listed(installed: Mapping[str, str]) -> list[str]:
    """Describe what the list has against the installed versions."""
    return [
        f"{name} {version}: {each.identifier}, {each.fault}: install {name}>={each.fixed}"
        for name, version in sorted(installed.items())
        for each in vulnerabilities(name, version)
    ]


def reported(report: str) -> list[str] | None:
    """Describe what pip-audit found.

    Args:
        report: What `pip-audit --format json` printed.

    Returns:
        None if pip-audit could not look up any of the packages.
    """
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, TypeError, KeyError):
        return None
    known = [each for each in packages if "vulns" in each]
    problems = [
        f"{each['name']} {each['version']}: {found['id']}: "
        f"install {' or '.join(found['fix_versions']) or 'another package: there is no fix'}"
        for each in known
        if each["name"].lower() not in TOOLS
        for found in each["vulns"]
    ]
    return problems if known else None


def main(arguments: list[str]) -> int:
    """Check this Python's packages; print the problems and return 1 if there are any."""
    installed: dict[str, str] = {}
    for each in metadata.distributions():  # the first one of a name is the one that is imported
        installed.setdefault(each.metadata["Name"], each.version)
    problems = listed(installed)
    for pip_audit in arguments:
        options = ["--format", "json", "--progress-spinner", "off"]
        command = [pip_audit, "--path", sysconfig.get_path("purelib"), *options]
        try:
            output = subprocess.run(command, capture_output=True, text=True, timeout=300).stdout
        except (OSError, subprocess.TimeoutExpired):
            output = ""
        found = reported(output)
        problems += found or []
        if found is None:
            print("pip-audit can't reach its service: only the list of .ci/audit.py is checked")
    print("\n".join(problems) or f"{len(installed)} packages: no known vulnerability")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""nginx accepts deploy/nginx.conf, and its limits are those of the service."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from edgeocr.serve import Options
from tests.support.paths import ROOT

SITE = ROOT / "deploy" / "nginx.conf"


@pytest.mark.deployment
def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    (tmp_path / "site.conf").write_text(SITE.read_text().replace("/etc/ssl/ocr", str(tmp_path)))
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", str(main), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert done.returncode == 0, done.stderr


def test_limits_fit_the_service() -> None:
    options, nginx = Options(), SITE.read_text()
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    (body,) = re.findall(r"client_max_body_size (\d+)m;", nginx)
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", nginx)
    assert int(body) * 2**20 >= options.max_body
    assert float(seconds) > options.timeout
    assert f"max_size {options.max_body // 10**6}MB" in caddy
    unit = (ROOT / "deploy" / "edgeocr.service").read_text()
    (stop,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert float(stop) > options.drain + options.stop_grace

"""The ways to take frames that OpenCV was built with."""

from __future__ import annotations

from dataclasses import replace

import cv2

from edgeocr.doctor.attempts import IMPORT, IMPORT_TIMEOUT, begin
from edgeocr.doctor.examination import conclude
from edgeocr.doctor.report import report
from tests.support.machines import healthy_facts


def test_they_are_found() -> None:
    answer, error = begin(IMPORT, "cv2", "imdecode", timeout=IMPORT_TIMEOUT)()
    build = cv2.getBuildInformation()
    assert error is None
    assert answer["video"] == {
        "FFMPEG": "FFMPEG:                      YES" in build,
        "V4L2": "v4l/v4l2:                    YES" in build,
        "GSTREAMER": "GStreamer:                   YES" in build,
    }


def test_they_are_listed() -> None:
    facts = replace(healthy_facts(), video={"FFMPEG": True, "V4L2": True, "GSTREAMER": False})
    (row,) = [
        line for line in report(conclude(facts)).splitlines() if line.split()[:1] == ["video"]
    ]
    assert row.split(maxsplit=1)[1] == "FFMPEG, V4L2, no GSTREAMER"

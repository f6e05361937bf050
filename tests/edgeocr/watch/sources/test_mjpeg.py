"""The splitter of JPEG streams, on pictures that OpenCV and Pillow have encoded."""

from __future__ import annotations

import io
import itertools
import random

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeocr.watch.sources.mjpeg import SOI, Splitter
from tests.support.videos import jpeg, picture


def with_thumbnail(number: int) -> bytes:
    """Encode a picture whose EXIF data hold a whole JPEG picture, as those of cameras do."""
    thumbnail = jpeg(number, (32, 24))
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + thumbnail
    app1 = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    plain = jpeg(number)
    return plain[:2] + app1 + plain[2:]


def with_comment(number: int) -> bytes:
    """Encode a picture in three scans, with a comment, and bytes that fill up before a marker."""
    stream = io.BytesIO()
    image = PIL.Image.fromarray(picture(number))
    image.save(stream, "JPEG", progressive=True, comment=b"\xff\xd8\xff\xe0 \xff\xd9")
    content = stream.getvalue()
    return content[:-2] + b"\xff\xff" + content[-2:]


PICTURES = [
    jpeg(1),
    with_thumbnail(2),
    with_comment(3),
    jpeg(4, rst_interval=2),
    jpeg(5, progressive=1),
    jpeg(6, (17, 9)),
]
# Where the data end that may hold pictures of their own, and the next marker is whole.
FREE_UNTIL = {
    1: 6 + int.from_bytes(PICTURES[1][4:6], "big"),
    2: PICTURES[2].index(b"\xff\xd9") + 4,
}
HEAD = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1234\r\n\r\n"


def split(stream: bytes, cuts: list[int], splitter: Splitter | None = None) -> list[bytes]:
    splitter = splitter or Splitter()
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    pieces = (stream[a:b] for a, b in itertools.pairwise(places))
    return [found for piece in pieces for found in splitter.feed(piece)]


@settings(max_examples=30, deadline=None)
@given(
    order=st.lists(st.integers(0, len(PICTURES) - 1), min_size=1, max_size=6),
    between=st.lists(st.binary(max_size=40) | st.just(HEAD), min_size=7, max_size=7),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=30),
)
def test_any_cuts_and_noise_between(order, between, cuts):
    noise = [each.replace(b"\xff", b"\xfe") for each in between]
    parts = [part for i, gap in zip(order, noise, strict=False) for part in (gap, PICTURES[i])]
    splitter = Splitter()
    assert split(b"".join([*parts, noise[-1]]), cuts, splitter) == [PICTURES[i] for i in order]
    assert splitter.broken == splitter.oversized == 0


@pytest.mark.stress
def test_byte_by_byte():
    stream = HEAD.join([b"", *PICTURES, b""])
    assert split(stream, list(range(len(stream)))) == PICTURES


@settings(max_examples=50, deadline=None)
@given(
    which=st.integers(0, len(PICTURES) - 1),
    part=st.floats(0.0, 0.999),
    after=st.sampled_from([b"", HEAD]),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=8),
)
def test_a_picture_that_is_cut_off_costs_only_itself(which, part, after, cuts):
    whole = PICTURES[which]
    # A cut within the first bytes leaves nothing of a picture. Where a picture is cut off in EXIF
    # data or in a comment, their length spans the next picture, and what they hold looks like one:
    # see the next test.
    start = FREE_UNTIL.get(which, 2 + len(SOI))
    cut = whole[: max(start, int(part * len(whole)))]
    stream = PICTURES[0] + cut + after + PICTURES[4] + PICTURES[3]
    assert split(stream, cuts) == [PICTURES[0], PICTURES[4], PICTURES[3]]


def test_a_cut_in_exif_data_costs_no_later_picture():
    cut = PICTURES[1][:200]
    found = split(PICTURES[0] + cut + PICTURES[4] + PICTURES[3] + PICTURES[5], [])
    assert found[0] == PICTURES[0] and found[-2:] == [PICTURES[3], PICTURES[5]]


@pytest.mark.stress
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 30), changes=st.integers(1, 20))
def test_changed_bytes_never_stop_it(seed, changes):
    chance = random.Random(seed)
    damaged = bytearray(PICTURES[1] + PICTURES[2])
    for _ in range(changes):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    splitter = Splitter()
    # 64 KiB of zeros are more than the length of any segment that the damage has made up.
    found = split(bytes(damaged) + bytes(1 << 16) + PICTURES[0] + PICTURES[3], [], splitter)
    assert found[-2:] == [PICTURES[0], PICTURES[3]]
    assert splitter.held < 3


def test_a_picture_that_is_too_large_is_left_out():
    splitter = Splitter(most_bytes=len(PICTURES[0]) - 1)
    stream = PICTURES[5] + PICTURES[0] + PICTURES[5]
    found: list[bytes] = []
    most = 0
    for i in range(0, len(stream), 100):
        found += splitter.feed(stream[i : i + 100])
        most = max(most, splitter.held)
    assert found == [PICTURES[5]] * 2
    assert splitter.oversized == 1
    assert most < len(PICTURES[0])


@pytest.mark.stress
@pytest.mark.parametrize(
    "garbage",
    [
        bytes(100_000),
        b"\xff" * 100_000,
        b"\xff\xd8" * 50_000,
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(100_000),
        b"\xff\xd8\xff\xda\x00\x02" + b"\xff\x00" * 50_000,
        b"\xff\xd8\xff\xd9" * 25_000,
        np.random.default_rng(1).bytes(100_000),
    ],
    ids=["zeros", "ones", "beginnings", "a long segment", "an endless scan", "empty", "noise"],
)
def test_garbage_takes_no_memory(garbage):
    splitter = Splitter(most_bytes=200_000)
    most = 0
    for _ in range(4):
        assert list(splitter.feed(garbage)) == []
        most = max(most, splitter.held)
    assert most <= 300_000
    # After up to 64 KiB, which a segment may span, pictures are found again.
    found = list(splitter.feed(bytes(1 << 16) + PICTURES[0] + PICTURES[2]))
    assert found[-1] == PICTURES[2]

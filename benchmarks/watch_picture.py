"""Draw what a watch reports: some frames with the lines that it follows, and events over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeocr.accuracy.places import same_place
from edgeocr.images import Image

from .drawn_picture import default_font
from .watch_drawing import HEIGHT, WIDTH
from .watch_scoring import Told
from .watch_truth import FPS, Video

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from PIL.ImageDraw import ImageDraw

_SIDE, _GAP = 1280, 12
_PANELS = 4
_LANE = 30
_MOST_LANES = 12
_COLOURS = ("#1f6fb4", "#c2410c", "#2f7d32", "#7e3fa8", "#8a6d00", "#0f766e")
_PAPER, _INK, _FAINT = "#ffffff", "#222222", "#d0d0d0"


@dataclass(frozen=True)
class _Bar:
    """When a text of a track was visible, in seconds."""

    track: int
    text: str
    begin: float
    end: float


def draw_watch(video: Video, told: Sequence[Told]) -> PillowImage:
    """Draw some frames of a video with the lines that are followed there, and a time line.

    Args:
        video: The video.
        told: The events that a watch has reported for it.

    Returns:
        The picture, RGB.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    moments = _moments(told)
    bars = _bars(told, video.seconds)
    tracks = list(dict.fromkeys(bar.track for bar in bars))[:_MOST_LANES]
    wide = (_SIDE - _GAP * (_PANELS + 1)) // _PANELS
    high = round(wide * HEIGHT / WIDTH)
    picture = Pillow.new("RGB", (_SIDE, high + 3 * _GAP + _LANE * (len(tracks) + 1)), _PAPER)
    draw = ImageDraw.Draw(picture)
    for i, frame in enumerate(moments):
        panel = _panel(video, told, frame).resize((wide, high), Pillow.Resampling.LANCZOS)
        left = _GAP + i * (wide + _GAP)
        picture.paste(panel, (left, _GAP))
        _label(draw, (left + 6, _GAP + 6), f"{frame / FPS:.2f} s", _INK)
    _time_line(draw, high + 2 * _GAP, video.seconds, bars, tracks, moments)
    return picture


def _moments(told: Sequence[Told]) -> list[int]:
    """Return some of the frames at which a text was reported, in their order."""
    frames = sorted({each.frame for each in told if each.event.kind != "gone"})
    places = np.linspace(0, len(frames) - 1, min(_PANELS, len(frames)))
    return [frames[round(place)] for place in places]


def _bars(told: Sequence[Told], seconds: float) -> list[_Bar]:
    """Return when each text was visible, according to the events."""
    bars: list[_Bar] = []
    standing: dict[int, tuple[str, float]] = {}
    for each in told:
        event = each.event
        if event.track in standing:
            bars.append(_Bar(event.track, *standing.pop(event.track), event.seconds))
        if event.kind != "gone":
            standing[event.track] = (event.text, event.seconds)
    bars += [_Bar(track, *begun, seconds) for track, begun in standing.items()]
    return sorted(bars, key=lambda bar: (bar.track, bar.begin))


def _panel(video: Video, told: Sequence[Told], frame: int) -> PillowImage:
    """Draw the lines that are followed in a frame, if they are still where they were reported."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    image: Image = video.images[frame]
    panel = Pillow.fromarray(np.ascontiguousarray(image[..., ::-1]))
    draw = ImageDraw.Draw(panel)
    last = {each.event.track: each.event for each in told if each.frame <= frame}
    for track, event in last.items():
        here = any(same_place(line.quad, event.quad) for line in video.truth[frame])
        if event.kind != "gone" and here:
            colour = _COLOURS[track % len(_COLOURS)]
            draw.polygon([tuple(point) for point in event.quad.tolist()], outline=colour, width=5)
            left, top = event.quad.min(axis=0).tolist()
            _label(draw, (left, max(0.0, top - 44)), str(track), colour, size=36)
    return panel


def _time_line(
    draw: ImageDraw,
    top: int,
    seconds: float,
    bars: Sequence[_Bar],
    tracks: Sequence[int],
    moments: Sequence[int],
) -> None:
    left, font = 60, default_font(15)
    scale = (_SIDE - _GAP - left) / seconds
    bottom = top + _LANE * len(tracks)
    for second in range(int(seconds) + 1):
        x = left + second * scale
        draw.line([(x, top), (x, bottom)], fill=_FAINT)
        draw.text((x, bottom + 6), f"{second} s", fill=_INK, font=font, anchor="mt")
    for lane, track in enumerate(tracks):
        y = top + lane * _LANE
        draw.text((left - 8, y + _LANE / 2), str(track), fill=_INK, font=font, anchor="rm")
        for bar in bars:
            if bar.track == track:
                x0, x1 = left + bar.begin * scale, left + bar.end * scale
                colour = _COLOURS[track % len(_COLOURS)]
                draw.rectangle([x0 + 1, y + 3, max(x0 + 2, x1 - 1), y + _LANE - 3], fill=colour)
                if font.getlength(bar.text) < x1 - x0 - 8:
                    draw.text((x0 + 5, y + _LANE / 2), bar.text, "#ffffff", font, anchor="lm")
    for frame in moments:
        x = left + frame / FPS * scale
        draw.line([(x, top - 4), (x, bottom)], fill=_INK, width=2)


def _label(
    draw: ImageDraw, place: tuple[float, float], text: str, colour: str, size: int = 15
) -> None:
    font = default_font(size)
    box = draw.textbbox(place, text, font=font)
    draw.rectangle([box[0] - 4, box[1] - 3, box[2] + 4, box[3] + 3], fill=_PAPER)
    draw.text(place, text, fill=colour, font=font)

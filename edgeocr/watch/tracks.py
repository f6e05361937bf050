"""Follow lines from frame to frame: where they are, what was read in them, what was reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..postprocess.geometry import Float32
from ..results.lines import Line
from .frames import Frame
from .likeness import likeness, says_same
from .quads import EDGE, area_share, height_of, inside, is_at_edge, length_of, overlap_of
from .votes import Votes

# A line belongs to a track if it is near and the likeness of their texts is at least ALIKE, or if
# it overlaps the place where the track is expected by at least OVERLAP.
ALIKE, OVERLAP = 0.5, 0.4
# How far a line may have moved: REACH times its own height, and FASTEST heights of the picture for
# each second that has passed.
REACH, FASTEST = 2.0, 0.8
# The height of a line may change by at most this factor from one frame to the next.
HEIGHTS = 1.6
# A line moves if it is further than this many of its heights from where it was seen last.
MOVING = 0.2
# A line that seemed to change, but did not, needs one more sighting and reading for the next change
# to be certain. This is the most of them that add up.
MOST_DOUBTS = 6
# A text that comes back, among so many that a line said before, is taken as a doubt, too.
REMEMBERED = 8
# A text is certain once it was seen in this many frames and enough readings agree.
SIGHTINGS = 2
# A line that is now shorter than this share of its length before may be partly covered.
COVERED = 0.9


@dataclass(frozen=True)
class Moment:
    """When a frame was shown.

    Attributes:
        frame: The number of the frame.
        seconds: Its position in the source's time.
        time: When it arrived, by the system's clock.
    """

    frame: int
    seconds: float
    time: float

    @classmethod
    def of(cls, frame: Frame) -> Moment:
        """Return the moment of a frame."""
        return cls(frame.number, frame.seconds, frame.time)


@dataclass
class Text:
    """What a line says for some time.

    Attributes:
        begin: The first frame that showed it.
        votes: The readings.
        sightings: The number of frames in which it was seen.
        length: The greatest length in pixels of the line when this text was read.
    """

    begin: Moment
    votes: Votes
    length: float
    sightings: int = 1

    def vote(self, line: Line) -> None:
        """Add the reading of a further frame."""
        self.votes.add(line.text, line.score)
        self.sightings += 1
        if line.text == self.votes.text:
            self.length = max(self.length, length_of(line.quad))

    def is_shorter_than(self, quad: Float32) -> bool:
        """Tell whether the line was shorter than a quad when its text was read."""
        return self.length < COVERED * length_of(quad)


class Track:
    """A line that is followed.

    Attributes:
        number: Its number; 0 until it is reported.
        quad: float32 [4, 2], where it is assumed to be, in pixels of the picture, perhaps outside.
        seen_at: float32 [4, 2], where it was seen last.
        rotation: By how many degrees clockwise the frame had been turned for that.
        text: What it says.
        coming: What it seems to say now, if that is another text that is not certain yet; or None.
        told: The text that was reported last; None if none was, or if it was reported as gone.
        told_match: What `WatchOptions.match` matched in it.
        told_text: The `text` that was reported last, or found not to be wanted.
        begin: The first frame that showed the line.
        last: The last frame that showed it.
        missing: The first frame that no longer showed it; None while it is seen.
        missed: The number of frames that were looked at without it.
        doubts: How often it seemed to say something else, but did not; at most `MOST_DOUBTS`.
        speed: float32 [2], pixels per second in x and y.
        at_edge: Whether it is so near to the edge of the picture that it may go on beyond it.
        was_whole: Whether it has been seen away from the edge.
    """

    def __init__(
        self,
        line: Line,
        moment: Moment,
        size: tuple[int, int],
        rotation: int = 0,
        *,
        of_stills: bool = False,
    ) -> None:
        """Begin to follow a line.

        Args:
            line: The line in the frame in which it was seen first.
            moment: When that was.
            size: Height and width of the picture.
            rotation: By how many degrees clockwise the frame was turned to make the picture.
            of_stills: Whether frames are pictures of their own, of which one is enough to be sure.
        """
        self.number = 0
        self.rotation = rotation
        self.quad = self.seen_at = line.quad
        self.text = _text_of(line, moment)
        self.coming: Text | None = None
        self.told: str | None = None
        self.told_match: str | None = None
        self.told_text: Text | None = None
        self.begin = self.last = moment
        self.missing: Moment | None = None
        self.missed = 0
        self.doubts = -1 if of_stills else 0
        self._is_of_stills = of_stills
        self.speed = np.zeros(2, np.float32)
        self.at_edge = is_at_edge(line.quad, size)
        self.was_whole = not self.at_edge
        self._stands_since, self._stands_at = moment.seconds, line.quad
        self._before = deque[str](maxlen=REMEMBERED)
        self._read_at = line.quad

    @property
    def doubts_now(self) -> int:
        """How many more sightings and readings than usual the text needs to be certain."""
        return self.doubts + (self.coming is not None and not self._is_of_stills)

    @property
    def is_sure(self) -> bool:
        """Whether the latest text of the line was seen and read often enough to be certain."""
        text, doubts = self.latest, self.doubts_now
        return text.sightings >= SIGHTINGS + doubts and text.votes.are_sure(doubts)

    @property
    def latest(self) -> Text:
        """What the line seems to say in the last frame."""
        return self.coming or self.text

    @property
    def height(self) -> float:
        """The height of the line in pixels."""
        return height_of(self.quad)

    @property
    def is_moving(self) -> bool:
        """Whether the line moves across the picture."""
        return bool(np.abs(self.speed).max() > MOVING * self.height)

    def standing_for(self, now: Moment) -> float:
        """Return for how many seconds the line has not moved."""
        return now.seconds - self._stands_since

    def expected(self, moment: Moment) -> Float32:
        """Return the quad at which the line is expected, float32 [4, 2]."""
        if not self.is_moving:
            return self.quad
        passed = np.float32(moment.seconds - self.last.seconds)
        return np.asarray(self.quad + self.speed * passed, np.float32)

    def shift(self, x: float, y: float) -> None:
        """Move the line together with the picture."""
        self.quad = np.asarray(self.quad + np.array([x, y], np.float32), np.float32)

    def has_left(self, moment: Moment, size: tuple[int, int]) -> bool:
        """Tell whether the line has moved out of the picture, whose height and width are given."""
        x, y = self.expected(moment).mean(axis=0).tolist()
        return not (0 <= x < size[1] and 0 <= y < size[0])

    def has_entered(self, size: tuple[int, int]) -> bool:
        """Tell whether more of a line is in the picture by now than was read of it at its edge.

        Args:
            size: Height and width of the picture.
        """
        if not self.at_edge or (self.was_whole and is_at_edge(self.quad, size)):
            return False
        moved = float(np.abs(self.quad - self._read_at).max())
        return moved > max(2 * EDGE, self.height / 4)

    def stay(self, moment: Moment, size: tuple[int, int]) -> None:
        """Note a frame, whose height and width are given, that shows the line as before."""
        if self.missing is None:
            self.last = moment
            self.seen_at = inside(self.quad, size)
            self._note_place(moment)
            self.latest.sightings += 1
        else:
            self.missed += 1

    def miss(self, moment: Moment) -> None:
        """Note a frame in which the line was not found."""
        self.missing = self.missing or moment
        self.missed += 1

    def see(self, line: Line, moment: Moment, size: tuple[int, int], *, is_new: bool) -> None:
        """Note a frame in which the line was found.

        Args:
            line: The line.
            moment: When the frame was shown.
            size: Height and width of the picture.
            is_new: Whether the line was read in this frame; otherwise its text is the known one.
        """
        expected = self.expected(moment)
        gone = line.quad.mean(axis=0) - self.quad.mean(axis=0)
        passed = moment.seconds - self.last.seconds
        moves = bool(np.abs(gone).max() > MOVING * self.height)
        if passed > 0:
            speed = gone / np.float32(passed)
            self.speed = np.asarray(
                (self.speed + speed) / 2 if moves and self.is_moving else speed * moves, np.float32
            )
        covered = length_of(line.quad) < COVERED * length_of(self.quad)
        self.at_edge = is_at_edge(line.quad, size)
        becomes_whole = not self.was_whole and not self.at_edge
        self.was_whole |= not self.at_edge
        is_partial = self.at_edge and self.was_whole
        # What is seen of a line that leaves the picture says little about where it is.
        leaves = is_partial and area_share(line.quad, self.quad) < COVERED
        self.quad = expected if leaves else line.quad
        self._read_at = self.quad
        self.seen_at = inside(self.quad, size)
        self._note_place(moment)
        self.last, self.missing, self.missed = moment, None, 0
        if not is_new or is_partial:
            self.latest.sightings += 1
        else:
            self._note_reading(
                line, moment, moves=moves, covered=covered, becomes_whole=becomes_whole
            )

    def _note_reading(
        self, line: Line, moment: Moment, *, moves: bool, covered: bool, becomes_whole: bool
    ) -> None:
        """Let a reading vote on the text, or take it for the beginning of another text."""
        known = (self.text.votes.text, self.told)
        # A text that was reported, or found not to be wanted, changes; until then, readings vote.
        is_open = self.told is None and self.told_text is not self.text
        # While a line moves into the picture, its readings become longer, until it is whole.
        grown = line.text != self.latest.votes.text and (
            becomes_whole or self.latest.is_shorter_than(line.quad)
        )
        if is_open and grown:
            self.text, self.coming = _text_of(line, self.begin), None
        elif (
            is_open
            or any(text is not None and says_same(line.text, text) for text in known)
            or (moves and not grown and likeness(line.text, known[0]) >= ALIKE)
        ):
            self._vote(line)
        elif self.coming is None or grown:
            self.coming = _text_of(line, moment)
            self.coming.sightings -= covered
        elif likeness(line.text, self.coming.votes.text) >= ALIKE:
            self.coming.vote(line)
        else:
            self.coming = _text_of(line, moment)

    def reread(self, text: str, score: float) -> None:
        """Add a reading from a frame in which the line has not changed."""
        if self.coming is not None and says_same(text, self.text.votes.text):
            self._doubt()
        self.latest.votes.add(text, score)

    def turn_over(self) -> None:
        """Accept what the line seems to say now as its text."""
        assert self.coming is not None
        self._before.append(self.text.votes.text)
        if self.coming.votes.text in self._before:
            self.doubts = min(self.doubts + 1, MOST_DOUBTS)
        self.text, self.coming = self.coming, None

    def _note_place(self, moment: Moment) -> None:
        """Note when the line has come to where it is."""
        if np.abs(self.quad - self._stands_at).max() > MOVING * self.height:
            self._stands_since, self._stands_at = moment.seconds, self.quad

    def _doubt(self) -> None:
        self.coming = None
        self.doubts = min(self.doubts + 1, MOST_DOUBTS)

    def _vote(self, line: Line) -> None:
        if self.coming is not None:
            self._doubt()
        self.text.vote(line)


def _text_of(line: Line, moment: Moment) -> Text:
    votes = Votes()
    votes.add(line.text, line.score)
    return Text(moment, votes, length_of(line.quad))


def matched(
    tracks: Sequence[Track],
    lines: Sequence[Line],
    moment: Moment,
    size: tuple[int, int],
    *,
    is_cut: bool = False,
) -> dict[int, int]:
    """Find out which lines belong to which tracks.

    A line with the same text is preferred to one at the same place, because lines that scroll take
    the places of others.

    Args:
        tracks: The tracks.
        lines: The lines that were found in a frame.
        moment: When the frame was shown.
        size: Height and width of the picture.
        is_cut: Whether the frame shows another scene, so that the same place means nothing.

    Returns:
        Indices of lines by the indices of their tracks.
    """
    pairs = []
    expected = [inside(track.expected(moment), size) for track in tracks]
    for i, track in enumerate(tracks):
        passed = max(0.0, moment.seconds - track.last.seconds)
        reach = REACH * track.height + FASTEST * size[0] * passed
        text = track.latest.votes.text
        for j, line in enumerate(lines):
            far = float(np.abs(line.quad.mean(axis=0) - expected[i].mean(axis=0)).max())
            heights = height_of(line.quad) / max(1e-6, track.height)
            if far > reach or not 1 / HEIGHTS <= heights <= HEIGHTS:
                continue
            alike, overlap = likeness(text, line.text), overlap_of(expected[i], line.quad)
            if alike >= ALIKE or (overlap >= OVERLAP and not is_cut):
                pairs.append((3 * alike + overlap - far / max(reach, 1e-6) / 2, i, j))
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if i not in found and j not in taken:
            found[i] = j
            taken.add(j)
    return found

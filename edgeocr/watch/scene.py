"""The scene in front of a camera: what is looked at in each frame, and what is reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..images import Image, Picture
from ..ocr import OCR
from ..postprocess.geometry import Float32
from ..results.lines import Line, Reading, Region
from .changes import Change, ChangeDetector
from .events import Event, Kind
from .frames import Frame
from .likeness import likeness, says_same
from .looking import Found, Known, Looker, unknown
from .options import WatchOptions
from .places import grown, is_cut_off, places
from .quads import covered, overlap_of
from .tracks import ALIKE, Moment, Track, matched

# If something in a scene has changed, the whole scene is read again once this many seconds have
# passed since it was last read, so that what was overlooked is found.
REFRESH = 20.0
# A line at the edge of the picture is reported once it has stood still for this many seconds; one
# that moves is reported once all of it has been in the picture.
EDGE_WAIT = 1.0
# A text that was seen in a single frame is reported if its score is at least BRIEF_SCORE, and the
# first frame without it came at least BRIEF_GAP seconds later.
BRIEF_SCORE, BRIEF_GAP = 0.9, 0.25
# A text of which the detector finds nothing counts as overlooked from this score on.
OVERLOOKED_SCORE = 0.9
# Once the text of a moving line is settled, the line is read in only one of this many frames.
READ_AGAIN = 5
# The share of a known line's place that a region has to cover for the two to be the same.
SAME_PLACE = 0.7


class Scene:
    """Looks at frames one after the other, and reports what happens to their texts."""

    def __init__(self, ocr: OCR, options: WatchOptions) -> None:
        """Start without a scene.

        Args:
            ocr: Reads the frames.
            options: Which part of the frames is looked at, and what is reported.
        """
        self._options = options
        self._looker = Looker(ocr)
        self._changes = ChangeDetector()
        self._tracks: list[Track] = []
        self._told = 0
        self._refreshed = 0.0
        self._differed = False
        self._was_cut = False
        self._of_stills = False
        self._size = (0, 0)

    def look(self, frame: Frame) -> Iterator[Event]:
        """Look at a frame, and yield the events that are certain now.

        Args:
            frame: The frame; its number and seconds are greater than those of the one before.

        Raises:
            GraphError: A network failed.
        """
        moment = Moment.of(frame)
        self._of_stills = frame.still
        part = self._part(frame.image)
        change = self._changes.compare(part)
        image = self._looker.upright(part)
        turned = self._turned(change)
        for track in self._tracks:
            track.shift(*turned.moved)
            if track.has_entered(self._size):
                turned.add(grown(track.quad))
        if change.is_cut:
            found = self._looker.read_scene(part)
            image = self._looker.upright(part)
            self._look_at_all(found, image, moment, is_cut=True)
        elif self._differed and moment.seconds - self._refreshed >= REFRESH:
            self._look_at_all(self._looker.read_in(image, None, unknown), image, moment)
        elif turned:
            self._differed = True
            self._look_at_change(image, turned, moment)
            self._changes.accept(change)
        else:
            for track in self._tracks:
                track.stay(moment, self._size)
            if any(change.moved):
                self._changes.accept(change)
        self._read_again(image, moment)
        yield from self._events(frame, moment, is_cut=change.is_cut)
        self._was_cut = change.is_cut

    def _part(self, image: Image) -> Image:
        """Return the part of a frame that is looked at."""
        if self._options.region is None:
            return image
        left, top, width, height = self._options.region
        return image[top : top + height, left : left + width]

    def _turned(self, change: Change) -> Change:
        """Return a change of the frame in terms of the picture that stands upright."""
        rotation = self._looker.rotation
        if not rotation:
            return change
        x, y = change.moved
        moved = {90: (-y, x), 180: (-x, -y), 270: (y, -x)}[rotation]
        return Change(np.rot90(change.tiles, -rotation // 90), change.side, moved)

    def _look_at_all(
        self, found: Sequence[Found], image: Image, moment: Moment, *, is_cut: bool = False
    ) -> None:
        self._size = (image.shape[0], image.shape[1])
        self._changes.accept()
        self._note(found, self._tracks, moment, is_cut=is_cut)
        self._refreshed, self._differed = moment.seconds, False

    def _look_at_change(self, image: Image, change: Change, moment: Moment) -> None:
        left = [track for track in self._tracks if track.has_left(moment, self._size)]
        touched = [
            track
            for track in self._tracks
            if track in left or change.touches(track.quad) or change.touches(track.expected(moment))
        ]
        standing = [track for track in self._tracks if track not in touched]
        skipped = [track for track in standing if track.missing is None]
        moving = [track for track in touched if track.is_moving]

        def known(region: Region) -> Reading | None:
            return _known(region, skipped, moving, moment)

        lines = self._lines_in(image, change, skipped, known)
        for track in standing:
            track.stay(moment, self._size)
        wanted = [track for track in touched if track not in left]
        if lost := self._lost(lines, wanted, moment):
            # A large letter may be found only in a larger part of the picture: look at all of it.
            found = self._looker.read_in(image, None, known)
            lines = [each for each in found if not _is_at(each.line, skipped)]
            lost = self._lost(lines, lost, moment)
        if lost and not any(change.moved):
            lines += self._read_where_lost(image, lost)
        followed = [*touched, *(track for track in standing if track.missing is not None)]
        self._note(lines, followed, moment)

    def _lines_in(
        self, image: Image, change: Change, standing: Sequence[Track], known: Known
    ) -> list[Found]:
        """Read where the picture differs, and leave out known lines that have not changed."""
        height, width = self._size
        quads = [track.quad for track in self._tracks]
        for is_last in (False, True):
            boxes = places(change, quads, height, width)
            whole = boxes == [(0, 0, width, height)]
            found = self._looker.read_in(image, None if whole else boxes, known)
            new = [each for each in found if not _is_at(each.line, standing)]
            cut_off = [each for each in new if is_cut_off(each.line.quad, boxes, height, width)]
            if is_last or not cut_off:
                break
            # The line had entered the picture in part before, so look at all of it.
            quads += [grown(each.line.quad) for each in cut_off]
        return [each for each in new if each not in cut_off]

    def _lost(self, lines: Sequence[Found], tracks: Sequence[Track], now: Moment) -> list[Track]:
        """Return the lines that stood there until now and were not found."""
        found = matched(tracks, [each.line for each in lines], now, self._size)
        return [
            track
            for i, track in enumerate(tracks)
            if i not in found
            and track.missing is None
            and track.told is not None
            and not track.at_edge
        ]

    def _read_where_lost(self, image: Image, tracks: Sequence[Track]) -> list[Found]:
        """Read the places of lines that the detector has not found again.

        It overlooks single letters. What is read surely, and is as long as the text before, has
        been overlooked; anything else is what stands there in place of the line, or nothing.
        """
        places_ = [Line(track.told or "", 0.0, track.quad) for track in tracks]
        readings = self._looker.read_again(image, places_)
        return [
            Found(Line(reading.text, reading.score, place.quad))
            for place, reading in zip(places_, readings, strict=True)
            if reading.score >= OVERLOOKED_SCORE and len(reading.text) == len(place.text)
        ]

    def _note(
        self,
        found: Sequence[Found],
        tracks: Sequence[Track],
        moment: Moment,
        *,
        is_cut: bool = False,
    ) -> None:
        """Note which tracks were found, and begin to follow the other lines."""
        lines = [each.line for each in found]
        lines_of_tracks = matched(tracks, lines, moment, self._size, is_cut=is_cut)
        for i, track in enumerate(tracks):
            if i in lines_of_tracks:
                each = found[lines_of_tracks[i]]
                track.see(each.line, moment, self._size, is_new=each.is_new)
                track.rotation = self._looker.rotation
            else:
                track.miss(moment)
        taken = set(lines_of_tracks.values())
        self._tracks += [
            Track(line, moment, self._size, self._looker.rotation, of_stills=self._of_stills)
            for j, line in enumerate(lines)
            if j not in taken
        ]

    def _read_again(self, image: Image, moment: Moment) -> None:
        """Read lines once more that have not changed, but whose texts are not certain yet."""
        unsure = [
            track
            for track in self._tracks
            if track.missing is None
            and track.last == moment
            and track.latest.begin != moment
            and not track.latest.votes.are_sure(track.doubts_now)
            and track.latest.votes.count < track.latest.sightings
        ]
        if not unsure:
            return
        lines = [Line(t.latest.votes.text, t.latest.votes.score, t.quad) for t in unsure]
        for track, reading in zip(unsure, self._looker.read_again(image, lines), strict=True):
            if reading.text.strip():
                track.reread(reading.text, reading.score)

    def _events(self, frame: Frame, now: Moment, *, is_cut: bool) -> Iterator[Event]:
        for track in list(self._tracks):
            if track.coming is not None and self._is_sure(track, now):
                track.turn_over()
            if track.missing is None:
                yield from self._standing(track, frame, now)
            elif self._is_gone(track, now, is_cut=is_cut):
                self._tracks.remove(track)
                yield from self._ended(track, frame, now)

    def _is_sure(self, track: Track, now: Moment) -> bool:
        """Tell whether what a line seems to say is certain enough to be reported."""
        if not track.is_sure:
            return False
        if track.at_edge and not track.was_whole and not self._of_stills:
            return track.standing_for(now) >= EDGE_WAIT
        return True

    def _standing(self, track: Track, frame: Frame, now: Moment) -> Iterator[Event]:
        """Yield the events of a line that is seen."""
        text, votes = track.text, track.text.votes
        if votes.score < self._options.min_score:
            return
        if track.told is not None and says_same(track.told, votes.text):
            return
        if track.told is None:
            if not self._is_sure(track, now):
                return
        elif track.told_text is text and not votes.have_majority:
            return  # this is no change but may be a correction, which takes more votes
        wanted, match = self._match(votes.text)
        if not wanted:
            if track.told is not None:
                yield self._event("gone", track, track.told, frame, text.begin, now)
                track.told = track.told_match = None
            track.told_text = text
            return
        if track.told is None:
            yield self._tell("appeared", track, match, frame, text.begin, now)
        elif match is None or match != track.told_match:
            yield self._tell("changed", track, match, frame, text.begin, now)

    def _is_gone(self, track: Track, now: Moment, *, is_cut: bool) -> bool:
        assert track.missing is not None
        if self._of_stills:
            return True
        if track.missed < 2:
            return False
        if self._was_cut and not is_cut:
            return True
        return now.seconds - track.missing.seconds >= self._options.patience

    def _ended(self, track: Track, frame: Frame, now: Moment) -> Iterator[Event]:
        """Yield the events of a line that is gone."""
        assert track.missing is not None
        votes = track.text.votes
        if track.told is None and self._was_brief(track):
            wanted, match = self._match(votes.text)
            if wanted:
                yield self._tell("appeared", track, match, frame, track.begin, now)
        if track.told is not None:
            yield self._event("gone", track, track.told, frame, track.missing, now)

    def _was_brief(self, track: Track) -> bool:
        """Tell whether a line that is gone before it was certain has to be reported after all."""
        assert track.missing is not None
        votes = track.text.votes
        if not track.was_whole or votes.score < max(BRIEF_SCORE, self._options.min_score):
            return False
        seen = track.text.sightings
        return seen > 1 or track.missing.seconds - track.begin.seconds >= BRIEF_GAP

    def _match(self, text: str) -> tuple[bool, str | None]:
        """Tell whether a text is wanted, and return what `WatchOptions.match` matches in it."""
        if self._options.match is None:
            return True, None
        found = self._options.match.search(text)
        if found is None:
            return False, None
        return True, found[1] if found.re.groups and found[1] is not None else found[0]

    def _tell(
        self, kind: Kind, track: Track, match: str | None, frame: Frame, then: Moment, now: Moment
    ) -> Event:
        previous = track.told
        if not track.number:
            self._told += 1
            track.number = self._told
        track.told, track.told_match = track.text.votes.text, match
        track.told_text = track.text
        return self._event(kind, track, track.told, frame, then, now, previous)

    def _event(
        self,
        kind: Kind,
        track: Track,
        text: str,
        frame: Frame,
        then: Moment,
        now: Moment,
        previous: str | None = None,
    ) -> Event:
        return Event(
            kind,
            track.number,
            text,
            track.text.votes.score,
            self._in_frame(track, frame.image),
            then.frame,
            then.seconds,
            then.time,
            delay=now.seconds - then.seconds,
            previous=previous,
            match=track.told_match,
            image=frame.image,
        )

    def _in_frame(self, track: Track, image: Image) -> Float32:
        """Return where a line was seen last, in pixels of the frame, float32 [4, 2]."""
        picture = Picture.whole(self._part(image))
        in_part = picture.in_source(track.seen_at, track.rotation)
        left, top = (self._options.region or (0, 0))[:2]
        return np.asarray(in_part + np.array([left, top], np.float32), np.float32)


def _is_at(line: Line, tracks: Sequence[Track]) -> bool:
    """Tell whether a line is one of those that are followed, perhaps with another outline."""
    return any(
        overlap_of(track.quad, line.quad) >= SAME_PLACE
        or (
            covered(track.quad, line.quad) >= SAME_PLACE
            and likeness(track.text.votes.text, line.text) >= ALIKE
        )
        for track in tracks
    )


def _known(
    region: Region, standing: Sequence[Track], moving: Sequence[Track], moment: Moment
) -> Reading | None:
    """Return the reading of a region if it belongs to a line that has not changed."""
    for track in standing:
        if overlap_of(track.quad, region.quad) >= SAME_PLACE:
            return Reading(track.text.votes.text, track.text.votes.score)
    for track in moving:
        if (
            track.text.votes.is_settled
            and track.text.sightings % READ_AGAIN
            and track.coming is None
            and not track.text.is_shorter_than(region.quad)
            and overlap_of(track.expected(moment), region.quad) >= SAME_PLACE
        ):
            return Reading(track.text.votes.text, track.text.votes.score)
    return None

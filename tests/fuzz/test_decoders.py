"""Properties of the decoders that hold for every map and every sequence of classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeocr.postprocess import attention, ctc, db, gaps, joining, spaces
from tests.fuzz.strategies import maps, sequences

CHARACTERS = np.array(["", "a", "b", " ", "中", "é", "", "x"], object)
BLANK, SPACE = 0, 3


@given(maps(), st.sampled_from([0.0, 0.3, 0.6]), st.sampled_from([1.0, 1.5, 3.0]), st.booleans())
def test_db_finds_quads_with_scores(probability, threshold, ratio, dilation):
    numbers = {
        "threshold": threshold, "box_threshold": 0.4, "unclip_ratio": ratio,
        "max_candidates": 50, "dilation": dilation,
    }  # fmt: skip
    for score in ("box", "polygon"):
        boxes, scores = db.quads(probability, score=score, **numbers)
        assert boxes.shape == (len(scores), 4, 2) and boxes.dtype == np.float32
        assert np.isfinite(boxes).all() and (scores >= 0.4 - 1e-6).all() and (scores <= 1.001).all()
    polygons, scores = db.polygons(probability, **numbers)
    assert len(polygons) == len(scores)
    assert all(np.isfinite(polygon).all() and len(polygon) > 2 for polygon in polygons)


@given(sequences(len(CHARACTERS)))
def test_ctc_writes_the_classes_without_repetitions_and_blanks(batch):
    indices, scores = batch
    texts, means = ctc.decode(indices, scores, CHARACTERS, BLANK)
    for row, text, mean in zip(indices, texts, means, strict=True):
        begins = [row[0], *(row[i] for i in range(1, len(row)) if row[i] != row[i - 1])]
        assert text == "".join(CHARACTERS[index] for index in begins if index != BLANK)
        assert 0 <= mean <= 1


@given(sequences(len(CHARACTERS)))
def test_attention_writes_what_is_ahead_of_the_end(batch):
    indices, scores = batch
    texts, means = attention.decode(indices, scores, CHARACTERS, end=6, skipped=[0])
    for row, text in zip(indices, texts, strict=True):
        ended = list(row).index(6) if 6 in row else len(row)
        assert text == "".join(CHARACTERS[index] for index in row[:ended] if index != 0)
    assert ((means >= 0) & (means <= 1)).all()


@given(sequences(len(CHARACTERS)), st.integers(2, 12), st.integers(0, 4), st.integers(0, 3))
def test_pieces_of_one_sequence_are_joined_to_that_sequence(batch, length, overlap, edge):
    indices, scores = batch[0][0], batch[1][0]
    starts = list(
        range(0, max(len(indices) - min(overlap, length - 1), 1), max(length - overlap, 1))
    )
    ends = [min(start + length, len(indices)) for start in starts]
    pieces = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    found, probabilities = joining.join(
        [indices[piece] for piece in pieces], [scores[piece] for piece in pieces], starts, edge=edge
    )
    np.testing.assert_array_equal(found, indices[: ends[-1]])
    np.testing.assert_array_equal(probabilities, scores[: ends[-1]])


@given(sequences(len(CHARACTERS)), st.lists(st.booleans(), max_size=100), st.integers(1, 8))
def test_spaces_replace_nothing_but_blanks(batch, empty, stride):
    before, probabilities = batch
    indices, scores = before.copy(), probabilities.copy()
    columns = {0: np.array(empty, np.bool_)}
    spaces.mark(
        indices,
        scores,
        gaps.measure(indices, columns, stride=stride, blank=BLANK, space=SPACE),
        height=32,
        least=spaces.UNREAD,
        kinds=spaces.kinds(list(CHARACTERS)),
        space=SPACE,
    )
    changed = indices != before
    assert (before[changed] == BLANK).all() and (indices[changed] == SPACE).all()
    np.testing.assert_array_equal(scores[~changed], probabilities[~changed])

"""The networks that train_recognition.py trains, and their losses.

They are PaddleOCR's, narrower and with fewer layers. Their training is short because it knows where
in a picture each character is, which sequences and SRN's attention otherwise learn last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from edgeocr.postprocess import attention, ctc
from tests.trained import pages
from tests.zoo.networks import rec_srn
from tests.zoo.networks.rec_attention import AttentionHead
from tests.zoo.networks.rec_classic import LineResNet34
from tests.zoo.networks.rec_parts import LETTERS, CTCHead, LSTMEncoder, Recognizer, ToSequence
from tests.zoo.networks.rec_srn import SRN
from tests.zoo.networks.rec_tps import TPS, PointFinder
from tests.zoo.networks.resnet_vd import ResNetVd

CHARACTERS = list(pages.CAPITALS)
# Least and greatest number of characters in the words to train with.
LENGTHS = (3, 9)
# Shares of the steps after which: guidance ends; SRN's other layers are trained as well as its
# backbone; SRN's guidance ends, and it learns that nothing follows the positions that words have.
GUIDED, ALONE, SHORT = 0.6, 0.3, 0.85
WIDTHS = (8, 16, 24, 40)
HIDDEN = 32
SRN_COLUMNS = 32
# Least and greatest number of characters in SRN's second course, which has no guidance.
REFINED = (4, 8)
# PaddleOCR's factor for TPS's learning rate, and its weights for the parts of SRN's loss.
TPS_RATE = 0.1
GUESS_WEIGHT, REASONING_WEIGHT = 3.0, 0.15


class Lesson(NamedTuple):
    """What a step trains with.

    Attributes:
        inputs: The network's inputs for a batch.
        texts: The texts of the batch.
        places: For each text the places of its characters' middles, as shares of the input's width.
        share: The share of all steps that is done; None in the second course.
    """

    inputs: list[Any]
    texts: list[str]
    places: list[np.ndarray]
    share: float | None

    def guidance(self, until: float = GUIDED) -> float:
        """Return the weight of the losses that tell where characters are, which falls to 0.

        With CTC's own loss alone the networks had learnt nothing after 500 steps.
        """
        return 0.0 if self.share is None else max(0.0, 1 - self.share / until)


def line() -> LineResNet34:
    """Make the backbone that all but SRN have: a ResNet for lines of text."""
    backbone = LineResNet34("compact")
    backbone.resnet = ResNetVd(18, WIDTHS, stride=(2, 1), stem_stride=1)
    backbone.channels = WIDTHS[-1]
    return backbone


def transform() -> TPS:
    """Make a TPS that starts as PaddleOCR's does, with the same points for all pictures."""
    tps = TPS("compact", "small")
    tps.finder = PointFinder(3, (8, 16, 24, 32), 32)
    tps.finder.fc2.weight.set_value(paddle.zeros_like(tps.finder.fc2.weight))
    for parameter in tps.finder.parameters():
        parameter.optimize_attr["learning_rate"] = TPS_RATE
    return tps


def joined(neck, head, tps: TPS | None = None, guide_neck: bool = False) -> Recognizer:
    """Make a network with guides, which only the training has.

    A guide guesses each character's class from the sequence of the backbone or of the neck.
    """
    backbone = line()
    neck = neck(backbone.channels)
    network = Recognizer(backbone, neck, head(neck), tps)
    widths = [backbone.channels, neck.channels] if guide_neck else [backbone.channels]
    network.guides = nn.LayerList([nn.Linear(width, LETTERS) for width in widths])
    return network


def rosetta() -> Recognizer:
    return joined(lambda _: ToSequence(), lambda _: CTCHead(WIDTHS[-1], LETTERS))


def crnn(tps: TPS | None = None) -> Recognizer:
    return joined(recurrent, lambda neck: CTCHead(neck.channels, LETTERS), tps)


def star_net() -> Recognizer:
    return crnn(transform())


def rare() -> Recognizer:
    def head(neck):
        return AttentionHead(neck.channels, 2 * HIDDEN)

    return joined(recurrent, head, transform(), guide_neck=True)


def recurrent(channels: int) -> LSTMEncoder:
    return LSTMEncoder(channels, HIDDEN)


def srn() -> SRN:
    """Make SRN, with an attention that moves along the line from the first step of the training.

    The codes of places in the picture are sines of their row and column. Codes of positions in the
    word grow evenly, so that they attend to one place after the other.
    """
    network = SRN(4, 40)
    encoder = network.visual.encoder
    rows, columns = np.divmod(np.arange(rec_srn.PLACES), SRN_COLUMNS)
    across = np.geomspace(np.pi / 32, np.pi / 2, encoder.channels // 2 - 4)
    down = np.geomspace(np.pi / 8, np.pi / 2, 4)
    angles = np.concatenate([columns[:, None] * across, rows[:, None] * down], 1)
    codes = 2 * np.concatenate([np.sin(angles), np.cos(angles)], 1)
    encoder.positions.weight.set_value(codes.astype("float32"))
    network.guides = nn.LayerList([nn.Linear(encoder.channels, LETTERS) for _ in range(2)])
    network.counter = nn.Linear(encoder.channels, LENGTHS[1])
    rng = np.random.default_rng(0)
    steps = np.arange(rec_srn.LENGTH)[:, None] - LENGTHS[1] / 2
    ramps = steps * rng.normal(0, 0.5, encoder.channels)
    network.visual.positions.weight.set_value(ramps.astype("float32"))
    biases = rng.uniform(-2, 2, encoder.channels)
    network.visual.fc0.bias.set_value(biases.astype("float32"))
    return network


def numbers(texts: Sequence[str], first: int) -> list[list[int]]:
    """Return the classes of each text's characters, where `first` is that of CHARACTERS[0]."""
    return [[first + CHARACTERS.index(character) for character in text] for text in texts]


def filled(rows: Sequence[list[int]], length: int, value: int) -> Any:
    """Return rows as one tensor [N, length], filled up with a value."""
    return paddle.to_tensor([row + [value] * (length - len(row)) for row in rows], "int64")


def frames(lesson: Lesson, length: int) -> Any:
    """Return the classes [N, length] of a sequence's steps.

    The steps before and after that of a character may be anything (-1), the others are blanks.
    """
    classes = np.zeros((len(lesson.texts), length), np.int64)
    for row, places, known in zip(classes, lesson.places, numbers(lesson.texts, 1), strict=True):
        at = np.clip((places * length).astype(int), 0, length - 1)
        for beside in (-1, 1):
            row[np.clip(at + beside, 0, length - 1)] = -1
        row[at] = known
    return paddle.to_tensor(classes)


def sequences(network: Recognizer, lesson: Lesson) -> list[Any]:
    """Return the sequences that the backbone and the neck give."""
    (image,) = lesson.inputs
    if network.transform is not None:
        image = network.transform(image)
    features = network.backbone(image)
    return [ToSequence()(features), network.neck(features)]


def guided(network: Recognizer, lesson: Lesson, found: Sequence[Any]) -> Any:
    """Return the loss of the guides for these sequences."""
    classes = frames(lesson, found[0].shape[1])
    pairs = zip(network.guides, found, strict=False)
    losses = [F.cross_entropy(guide(seen), classes, ignore_index=-1) for guide, seen in pairs]
    return 2 * sum(losses)


def ctc_loss(network: Recognizer, lesson: Lesson) -> Any:
    """Return CTC's loss, with guidance as long as there is some."""
    found = sequences(network, lesson)
    scores = network.head(found[-1])
    count, length, _ = scores.shape
    loss = F.ctc_loss(
        scores.transpose([1, 0, 2]),
        filled(numbers(lesson.texts, 1), LENGTHS[1], 0).astype("int32"),
        paddle.full([count], length, "int64"),
        paddle.to_tensor([len(text) for text in lesson.texts], "int64"),
    )
    if weight := lesson.guidance():
        classes = frames(lesson, length)
        loss += 2 * weight * F.cross_entropy(scores, classes, ignore_index=-1)
        loss += weight * guided(network, lesson, found)
    return loss


def attention_loss(network: Recognizer, lesson: Lesson) -> Any:
    """Return the loss of attention's decoder, which is given the right symbols, not its own.

    A word is followed by end symbols only, since PaddleOCR's decoding does not stop at the first.
    """
    head, begin, end = network.head, 0, len(CHARACTERS) + 1
    found = sequences(network, lesson)
    rows = [[begin, *row] for row in numbers(lesson.texts, 1)]
    symbols = filled(rows, LENGTHS[1] + 4, end)
    hidden = paddle.zeros([len(rows), head.hidden])
    scores = []
    for last in symbols[:, :-1].unbind(axis=1):
        output, hidden = head.cell(hidden, found[-1], F.one_hot(last, head.symbols))
        scores.append(head.generator(output))
    loss = F.cross_entropy(paddle.stack(scores, axis=1), symbols[:, 1:])
    if weight := lesson.guidance():
        loss += weight * guided(network, lesson, found)
    return loss


def srn_loss(network: SRN, lesson: Lesson) -> Any:
    """Return PaddleOCR's loss of SRN.

    At first only the backbone is trained. Until SHORT of the steps only the positions that words
    have are, which is faster.
    """
    share = lesson.share or 0.0
    count = LENGTHS[1] + 2 if share < SHORT else rec_srn.LENGTH
    image, codes, positions, *masks = lesson.inputs
    features = network.backbone(image)
    if lesson.share is not None and share < ALONE:
        return guided(network, lesson, [across(features.flatten(2).transpose([0, 2, 1]))])
    seen, visual, weights = looked(network, features, codes, positions[:, :count])
    masks = [mask[:, :, :count, :count] for mask in masks]
    semantic, guess, reasoned = network.reasoning(visual, positions[:, :count], *masks)
    end = len(CHARACTERS) + 1
    expected = filled(numbers(lesson.texts, 0), count, end).reshape([-1, 1])
    loss = F.cross_entropy(network.decision(visual, semantic), expected)
    loss += GUESS_WEIGHT * F.cross_entropy(guess, expected)
    loss += REASONING_WEIGHT * F.cross_entropy(reasoned, expected)
    if weight := lesson.guidance(SHORT):
        found = [across(features.flatten(2).transpose([0, 2, 1])), across(seen)]
        lost = miscounted(network, lesson, seen) + astray(lesson, weights)
        loss += weight * (guided(network, lesson, found) + lost)
    return loss


def across(places: Any) -> Any:
    """Return the mean of each column [N, columns, C] of features [N, places, C]."""
    count, _, channels = places.shape
    return places.reshape([count, -1, SRN_COLUMNS, channels]).mean(axis=1)


def looked(network: SRN, features: Any, codes: Any, positions: Any) -> tuple[Any, Any, Any]:
    """Run `VisualAttention` for some positions of the word.

    Returns:
        The encoded features [N, places, C], what the attention gives for the positions
        [N, positions, C], and its weights [N, positions, places].
    """
    visual = network.visual
    seen = visual.fc0(visual.encoder(features.flatten(2).transpose([0, 2, 1]), codes))
    asked = visual.positions(positions.squeeze(-1))
    scores = visual.fc1(paddle.tanh(asked.unsqueeze(2) + seen.unsqueeze(1)))
    weights = F.softmax(scores.squeeze(-1), axis=-1)
    return seen, paddle.matmul(weights, seen), weights


def miscounted(network: SRN, lesson: Lesson, seen: Any) -> Any:
    """Return the loss of telling from each column which character of the word is nearest to it."""
    middles = np.arange(SRN_COLUMNS) + 0.5
    nearest = [np.abs(middles - SRN_COLUMNS * p[:, None]).argmin(axis=0) for p in lesson.places]
    return F.cross_entropy(network.counter(across(seen)), paddle.to_tensor(np.stack(nearest)))


def astray(lesson: Lesson, weights: Any) -> Any:
    """Return the loss of attention to a character outside of the columns around its middle."""
    count, positions, _ = weights.shape
    near = np.zeros((count, positions, SRN_COLUMNS), np.float32)
    for rows, places in zip(near, lesson.places, strict=True):
        apart = np.arange(SRN_COLUMNS) + 0.5 - SRN_COLUMNS * places[:, None]
        rows[: len(places)] = np.abs(apart) < 1
    columns = weights.reshape([count, positions, -1, SRN_COLUMNS]).sum(axis=2)
    there = (columns * paddle.to_tensor(near)).sum(axis=2)
    known = paddle.to_tensor(near.max(axis=2))
    return -(paddle.log(there + 1e-6) * known).sum() / known.sum()


def read_ctc(indices: np.ndarray, scores: np.ndarray) -> list[str]:
    """Decode indices and scores [N, T] of a network with CTC."""
    return ctc.decode(indices, scores, np.array(["", *CHARACTERS], object), 0)[0]


def read_attention(indices: np.ndarray, scores: np.ndarray) -> list[str]:
    """Decode indices and scores [N, T] of RARE."""
    symbols = np.array(["", *CHARACTERS, ""], object)
    return attention.decode(indices, scores, symbols, end=len(CHARACTERS) + 1, skipped=[0])[0]


def read_srn(indices: np.ndarray, scores: np.ndarray) -> list[str]:
    """Decode indices and scores [N, T] of SRN."""
    symbols, begin = np.array([*CHARACTERS, "", ""], object), len(CHARACTERS)
    return attention.decode(indices, scores, symbols, end=begin + 1, skipped=[begin])[0]


def set_training(network: nn.Layer) -> None:
    """Put a network into its state for training, without SRN's dropout, which slows a small one."""
    network.train()
    if isinstance(network, SRN):
        for encoder in (
            network.visual.encoder,
            network.reasoning.forwards,
            network.reasoning.backwards,
        ):
            encoder.eval()

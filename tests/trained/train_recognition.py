"""Train small CRNN, Rosetta, RARE, STAR-Net and SRN networks on rendered words and export them.

python -m tests.trained.train_recognition [NAME...] --output tests/trained/exports

For Paddle 2.6.2, on the CPU. Accuracy is the share of words without any wrong character.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import yaml
from paddle import nn

from tests.trained import words
from tests.trained.recognizers import (
    CHARACTERS,
    LENGTHS,
    REFINED,
    Lesson,
    attention_loss,
    crnn,
    ctc_loss,
    rare,
    read_attention,
    read_ctc,
    read_srn,
    rosetta,
    set_training,
    srn,
    srn_loss,
    star_net,
)
from tests.trained.training import Descent, descend
from tests.zoo.export import nested, strip_callstacks
from tests.zoo.inputs import flat, inputs
from tests.zoo.networks.rec_classic import FIXED, LINE
from tests.zoo.networks.rec_srn import IMAGE, OTHERS

HELD_OUT, HELD_OUT_SEED, VARIED_SEED = 500, 2, 3
# Share of the steps until the share of clean words has fallen from 1 to CLEAN, where it stays.
EASY, CLEAN = 0.4, 0.25
# Share of clean words in the second course, and its learning rate.
REFINED_CLEAN, REFINED_RATE = 0.875, 2e-3
# Greatest width to train CTC networks without TPS with, whose inputs may have any width.
WIDEST = 192


@dataclass(frozen=True)
class Task:
    """One network and how it is trained.

    Attributes:
        build: Makes the network for training.
        loss: Returns the loss of a lesson.
        read: Decodes indices and scores [N, T] to texts.
        shape: Shape of the image, with the width that PaddleOCR's settings name.
        inputs: As in `tests.zoo.network.Network`.
        steps: Steps of the first course.
        rate: The highest learning rate.
        batch: Words in a step.
        post_process: PaddleOCR's name of the decoder.
        refining: Steps of a second course, mostly on clean words.
    """

    build: Callable[[], nn.Layer]
    loss: Callable[[nn.Layer, Lesson], Any]
    read: Callable[[np.ndarray, np.ndarray], list[str]]
    shape: tuple[int, int, int]
    inputs: list[Any]
    steps: int
    rate: float
    batch: int
    post_process: str
    refining: int = 0


PICTURE, GREY = (3, 32, 100), (1, 64, 256)
CTC = (ctc_loss, read_ctc, PICTURE)
TASKS = {
    "crnn": Task(crnn, *CTC, LINE, 850, 4e-3, 32, "CTCLabelDecode"),
    "rosetta": Task(rosetta, *CTC, LINE, 800, 4e-3, 32, "CTCLabelDecode"),
    "rare": Task(
        rare, attention_loss, read_attention, PICTURE, FIXED, 1000, 4e-3, 32, "AttnLabelDecode"
    ),
    "star_net": Task(star_net, *CTC, FIXED, 900, 4e-3, 32, "CTCLabelDecode"),
    "srn": Task(
        srn, srn_loss, read_srn, GREY, [IMAGE, OTHERS], 1600, 3e-3, 16, "SRNLabelDecode", 1800
    ),
}


def input_width(task: Task, crops: Sequence[words.Crop], most: int = 3200) -> int:
    """Return the network's width, or one for all crops where it may vary, up to `most`."""
    _, height, width = task.shape
    if task.inputs is not LINE:
        return width
    widest = max(crop.shape[1] / crop.shape[0] for crop in crops)
    return min(max(width, -(-math.ceil(height * widest) // 8) * 8), most)


def prepared(task: Task, crops: Sequence[words.Crop], width: int) -> tuple[list[Any], list[float]]:
    """Return the network's inputs for crops, and the share of the width that each crop takes.

    PaddleOCR leaves the colours of words BGR, and SRN's grey as it is.
    """
    channels, height, _ = task.shape
    resize = words.stretch if channels == 1 else words.fit
    fitted = [resize(crop, height, width) for crop in crops]
    batch = np.zeros((len(crops), channels, height, width), np.float32)
    for row, image in zip(batch, fitted, strict=True):
        planes = np.atleast_3d(image).transpose(2, 0, 1).astype(np.float32)
        row[..., : image.shape[1]] = planes if channels == 1 else planes / 127.5 - 1
    values = inputs("", task.inputs, batch.shape)
    tensors = [paddle.to_tensor(value) for value in (batch, *values[1:])]
    return tensors, [image.shape[1] / width for image in fitted]


def lesson(
    rng: np.random.Generator, task: Task, share: float | None, fonts: Sequence[Path]
) -> Lesson:
    """Draw the words of a step; in the first course fewer and fewer of them are clean."""
    lengths = LENGTHS if share is not None else REFINED
    clean = max(CLEAN, 1 - share / EASY) if share is not None else REFINED_CLEAN
    easy = round(task.batch * clean)
    given = words.clean(easy, int(rng.integers(1000, 2**31)), lengths)
    given += words.varied(rng, task.batch - easy, lengths, fonts)
    crops = [word.crop for word in given]
    tensors, taken = prepared(task, crops, input_width(task, crops, WIDEST))
    places = [word.middles * part for word, part in zip(given, taken, strict=True)]
    return Lesson(tensors, [word.text for word in given], places, share)


def train(name: str, task: Task) -> nn.Layer:
    """Train a network, and return it in its state for inference."""
    network = task.build()
    count = sum(int(np.prod(p.shape)) for p in network.parameters())
    print(f"{name}: {count} parameters", flush=True)
    course(name, network, task, Descent(task.steps, task.rate, 5.0, 300), refines=False)
    for part in ("guides", "counter"):
        if hasattr(network, part):
            delattr(network, part)
    if task.refining:
        descent = Descent(task.refining, REFINED_RATE, 5.0, 300)
        course(name, network, task, descent, refines=True)
    return network


def course(name: str, network: nn.Layer, task: Task, descent: Descent, *, refines: bool) -> None:
    """Train a network by its first or second course."""
    rng = np.random.default_rng(7 if refines else 0)
    fonts = words.fonts()

    def loss_at(step: int) -> Any:
        share = None if refines else step / descent.steps
        return task.loss(network, lesson(rng, task, share, fonts))

    def check() -> str:
        clean = words.clean(100, HELD_OUT_SEED)
        return f"{accuracy(network, task, clean):.3f} of clean words"

    descend(name, network, loss_at, check, descent, set_training)


def accuracy(network: nn.Layer, task: Task, given: Sequence[words.Word]) -> float:
    """Return the share of words without any wrong character."""
    hits = 0
    with paddle.no_grad():
        for crop, text, _ in given:
            tensors, _ = prepared(task, [crop], input_width(task, [crop]))
            if task.shape[0] == 1:
                outputs = network(tensors[0], tensors[1:])["predict"][None]
            else:
                outputs = network(*tensors)
            indices, scores = outputs.argmax(axis=2).numpy(), outputs.max(axis=2).numpy()
            hits += task.read(indices, scores) == [text]
    return hits / len(given)


def save(network: nn.Layer, name: str, task: Task, folder: Path) -> None:
    """Write the legacy export and its inference.yml as PaddleOCR's export does."""
    folder.mkdir(parents=True, exist_ok=True)

    def declared(entry: Any) -> Any:
        return paddle.static.InputSpec(*entry)

    each = iter(flat(task.inputs))
    specs = [nested(entry, each, declared) for entry in task.inputs]
    paddle.jit.save(paddle.jit.to_static(network, input_spec=specs), f"{folder}/inference")
    (folder / "inference.pdiparams.info").unlink(missing_ok=True)
    strip_callstacks(folder / "inference.pdmodel")
    resize = "SRNRecResizeImg" if task.shape[0] == 1 else "RecResizeImg"
    operators: list[dict[str, Any]] = [
        {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
        {task.post_process.replace("Decode", "Encode"): None},
        {resize: {"image_shape": list(task.shape)}},
        {"KeepKeys": {"keep_keys": ["image", "label", "length"]}},
    ]
    post = {"name": task.post_process, "character_dict": CHARACTERS, "use_space_char": False}
    settings = {
        "Global": {"model_name": f"trained_{name}"},
        "PreProcess": {"transform_ops": operators},
        "PostProcess": post,
    }
    (folder / "inference.yml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def main() -> None:
    """Train, measure and export the networks that the command line names."""
    parser = argparse.ArgumentParser(description="Train and export small recognizers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TASKS))
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(TASKS):
        parser.error(f"no networks {sorted(unknown)}; there are {sorted(TASKS)}")
    for name in arguments.names or TASKS:
        task = TASKS[name]
        paddle.seed(0)
        began = time.perf_counter()
        with paddle.utils.unique_name.guard():
            network = train(name, task)
        print(f"{name}: trained in {(time.perf_counter() - began) / 60:.1f} minutes", flush=True)
        clean = words.clean(HELD_OUT, HELD_OUT_SEED)
        varied = words.varied(np.random.default_rng(VARIED_SEED), HELD_OUT, LENGTHS, words.fonts())
        print(f"{name}: {accuracy(network, task, clean):.3f} of clean words", flush=True)
        print(f"{name}: {accuracy(network, task, varied):.3f} of varied words", flush=True)
        save(network, name, task, arguments.output / name)


if __name__ == "__main__":
    main()

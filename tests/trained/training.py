"""Train small networks that find text on rendered pages, and export them (Paddle 2.6.2, CPU)."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import paddle
import paddle.nn.functional as F
import yaml
from paddle import nn

from tests.support.overlap import Polygons, pairs
from tests.trained import pages
from tests.zoo.export import strip_callstacks

# Numbers of the pages to train with and of those to measure Hmean on; their seeds; the size of the
# pages to train with.
POOL, HELD_OUT = 2400, 100
POOL_SEED, HELD_OUT_SEED = 1, 2
SIZE = (256, 256)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)

Outputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Task:
    """One network and how it is trained.

    Attributes:
        build: Makes the network for training; its `detector` is exported.
        draw: Draws a number of pages of SIZE for the training.
        labels: Makes the maps of a page, channels first.
        decode: Turns the exported network's outputs for an image into regions in its pixels, and
            their texts if it reads.
        courses: The courses of the training in order: steps, and the loss from outputs and labels.
        rate: The learning rate.
        batch: Pages in a step.
        held_out: Draws a number of pages on which Hmean is measured.
        model: The name that inference.yml gives the network.
        resize: PaddleOCR's resizing operator in front of the network.
        settings: Settings of PaddleOCR's post-processing.
    """

    build: Callable[[], nn.Layer]
    draw: Callable[[int], list[pages.Page]]
    labels: Callable[[pages.Page], np.ndarray]
    decode: Callable[[Outputs], tuple[Polygons, Sequence[str] | None]]
    courses: Sequence[tuple[int, Callable[[Any, Any], Any]]]
    rate: float
    batch: int
    held_out: Callable[[int], list[pages.Page]]
    model: str
    resize: dict[str, Any]
    settings: dict[str, Any]


def dice(found, expected, counts=1):
    """Return 1 minus the Dice coefficient of two maps."""
    common = (found * expected * counts).sum()
    return 1 - 2 * common / ((found * counts).sum() + (expected * counts).sum() + 1e-6)


def entropy(found, expected, counts=1):
    """Return the mean binary cross entropy of two maps."""
    return (F.binary_cross_entropy(found, expected, reduction="none") * counts).mean()


def distance(found, expected, weight):
    """Return the mean weighted distance of two maps over the places whose weight is not 0."""
    losses = F.smooth_l1_loss(found, expected, reduction="none") * weight
    return losses.sum() / (found.shape[1] * (weight > 0).astype("float32").sum() + 1)


def prepared(images: Sequence[np.ndarray]) -> Any:
    """Return the network's input for images uint8 [N, H, W, 3], which stay BGR as in PaddleOCR."""
    scaled = (np.stack(images).astype(np.float32) / 255 - MEAN) / STD
    return paddle.to_tensor(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))


def varied(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Exchange colours, and invert them half of the time; the texts stay where they are."""
    image = image[..., rng.permutation(3)]
    return 255 - image if rng.random() < 0.5 else image


def train(name: str, task: Task) -> nn.Layer:
    """Train a network, and return it in its state for inference."""
    began = time.perf_counter()
    pool = task.draw(POOL)
    labels = [task.labels(page) for page in pool]
    print(f"{name}: {POOL} pages in {time.perf_counter() - began:.0f} s", flush=True)
    network = task.build()
    count = sum(int(np.prod(p.shape)) for p in network.detector.parameters())
    print(f"{name}: {count} parameters", flush=True)
    for steps, loss in task.courses:
        follow(name, task, network, [image for image, _, _ in pool], labels, steps, loss)
    return network


def follow(
    name: str,
    task: Task,
    network: nn.Layer,
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    steps: int,
    loss: Callable[[Any, Any], Any],
) -> None:
    """Train a network by one course."""
    rng = np.random.default_rng(0)
    held_out = task.held_out(25)
    order: list[int] = []

    def loss_at(step: int) -> Any:
        nonlocal order
        if len(order) < task.batch:
            order = rng.permutation(len(images)).tolist()
        chosen, order = order[: task.batch], order[task.batch :]
        expected = np.stack([labels[index] for index in chosen]).astype(np.float32)
        given = prepared([varied(rng, images[index]) for index in chosen])
        return loss(network(given), paddle.to_tensor(expected))

    descend(
        name,
        network,
        loss_at,
        lambda: score(network.detector, task, held_out),
        Descent(steps, task.rate, clip=10.0, checked=500),
    )


class Descent(NamedTuple):
    """How the weights are changed in the course of a training.

    Attributes:
        steps: Number of steps.
        rate: The highest learning rate, to which it rises and from which it falls.
        clip: Greatest norm of the gradients.
        checked: Number of steps between two checks of how good the network is.
    """

    steps: int
    rate: float
    clip: float
    checked: int


def descend(
    name: str,
    network: nn.Layer,
    loss_at: Callable[[int], Any],
    check: Callable[[], str],
    descent: Descent,
    begin: Callable[[nn.Layer], Any] = nn.Layer.train,
) -> None:
    """Train a network, and leave it in its state for inference.

    Args:
        name: Name of the network, for what is printed.
        network: The network.
        loss_at: Returns the loss of a step; the first is step 1.
        check: Returns a description of how good the network is.
        descent: How the weights are changed.
        begin: Puts the network into its state for training.
    """
    steps, highest, clip, checked = descent
    decay = paddle.optimizer.lr.CosineAnnealingDecay(highest, steps, eta_min=1e-5)
    rate = paddle.optimizer.lr.LinearWarmup(decay, 50, highest / 20, highest)
    optimizer = paddle.optimizer.AdamW(
        rate,
        parameters=network.parameters(),
        weight_decay=1e-4,
        grad_clip=nn.ClipGradByGlobalNorm(clip),
    )
    began = time.perf_counter()
    losses = []
    begin(network)
    for step in range(1, steps + 1):
        value = loss_at(step)
        value.backward()
        optimizer.step()
        optimizer.clear_grad()
        rate.step()
        losses.append(float(value))
        if step % 100 == 0:
            seconds = time.perf_counter() - began
            print(f"{name}: step {step}, loss {np.mean(losses):.3f}, {seconds:.0f} s", flush=True)
            losses = []
        if step % checked == 0 and step < steps:
            network.eval()
            print(f"{name}: {check()}", flush=True)
            begin(network)
    network.eval()


def score(detector: nn.Layer, task: Task, given: Sequence[pages.Page]) -> str:
    """Describe precision, recall and Hmean at an overlap of 0.5, and the number of right texts."""
    found, expected, hits, right = 0, 0, 0, None
    with paddle.no_grad():
        for image, polygons, texts in given:
            outputs = {key: value[0].numpy() for key, value in detector(prepared([image])).items()}
            regions, read = task.decode(outputs)
            matched = pairs(regions, polygons)
            found, expected = found + len(regions), expected + len(polygons)
            hits += len(matched)
            if read is not None:
                same = sum(read[i] == spelling(texts[j]) for i, j in matched.items())
                right = same + (right or 0)
    precision, recall = hits / max(found, 1), hits / max(expected, 1)
    hmean = 2 * hits / max(found + expected, 1)
    words = "" if right is None else f", {right} read right"
    numbers = f"precision {precision:.3f}, recall {recall:.3f}, Hmean {hmean:.3f}"
    return f"{numbers}, {expected} texts{words}"


def spelling(text: str) -> str:
    """Return a text as a network reads it that has neither capitals nor the space."""
    return text.lower().replace(" ", "")


def save(detector: nn.Layer, task: Task, folder: Path) -> None:
    """Write the legacy export and its inference.yml as PaddleOCR's export does."""
    folder.mkdir(parents=True, exist_ok=True)
    declared = [paddle.static.InputSpec([None, 3, -1, -1], "float32")]
    paddle.jit.save(paddle.jit.to_static(detector, input_spec=declared), f"{folder}/inference")
    (folder / "inference.pdiparams.info").unlink(missing_ok=True)
    strip_callstacks(folder / "inference.pdmodel")
    normalize = {
        "mean": MEAN.astype(float).round(3).tolist(),
        "std": STD.astype(float).round(3).tolist(),
        "scale": "1./255.",
        "order": "hwc",
    }
    operators: list[dict[str, Any]] = [
        {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
        task.resize,
        {"NormalizeImage": normalize},
        {"ToCHWImage": None},
        {"KeepKeys": {"keep_keys": ["image", "shape"]}},
    ]
    settings = {
        "Global": {"model_name": task.model},
        "PreProcess": {"transform_ops": operators},
        "PostProcess": task.settings,
    }
    (folder / "inference.yml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")


def main(tasks: Mapping[str, Task]) -> None:
    """Train, measure and export the networks that the command line names."""
    parser = argparse.ArgumentParser(description="Train and export small networks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(tasks))
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(tasks):
        parser.error(f"no networks {sorted(unknown)}; there are {sorted(tasks)}")
    for name in arguments.names or tasks:
        task = tasks[name]
        paddle.seed(0)
        began = time.perf_counter()
        with paddle.utils.unique_name.guard():
            network = train(name, task)
        print(f"{name}: trained in {(time.perf_counter() - began) / 60:.1f} minutes", flush=True)
        held_out = task.held_out(HELD_OUT)
        print(f"{name}: {score(network.detector, task, held_out)}", flush=True)
        save(network.detector, task, arguments.output / name)

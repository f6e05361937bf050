"""The parts of a manifest that are for people: origins of stages, checks, and measured accuracy.

The runtime ignores all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from .fields import Natural, Range, Share

Precision: TypeAlias = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True)
class SourceFile:
    """A published file that a stage was made from.

    Attributes:
        name: The file's name.
        source: The URL where it was published, or a description of a file that is not public.
        sha256: The hash of its content, in hexadecimal.
    """

    name: str
    source: str
    sha256: str


@dataclass(frozen=True)
class Check:
    """The result of a check that a graph computes what its original computes.

    Attributes:
        status: Whether the check passed or was not run; a graph that fails is never frozen.
        reason: Why the check was not run.
        reference: The program that ran the original, and its version.
        inputs: The shapes of the inputs that both were run on.
        max_abs_difference_at_most: A limit on the difference that holds on every processor; None
            if rounding was allowed for instead, as with weights that nobody has published.
        tolerance: The largest difference that would have passed.
    """

    status: Literal["passed", "not run"]
    reason: str | None = None
    reference: str | None = None
    inputs: list[list[int]] | None = None
    max_abs_difference_at_most: float | None = None
    tolerance: float | None = None

    def __str__(self) -> str:
        """Describe the result in a few words."""
        if self.status == "not run":
            return f"not run: {self.reason}"
        if self.max_abs_difference_at_most is None:
            return f"passed, equal to {self.reference} within rounding"
        return f"passed, at most {self.max_abs_difference_at_most:g} from {self.reference}"


@dataclass(frozen=True)
class Quantization:
    """How a graph was quantized to int8.

    Attributes:
        images: The sha256 of the pictures that the ranges of values were measured on.
        pictures: The number of pictures that the ranges of values were measured on.
        nodes: The number of nodes that compute in int8.
        left_out: The nodes that stayed in float32 because measurement showed that they must.
    """

    images: str
    pictures: Natural
    nodes: Natural
    left_out: list[str]


@dataclass(frozen=True)
class Accuracy:
    """How well the bundle read labelled pictures when it was frozen.

    Attributes:
        data: The name of the folder with the pictures.
        sha256: The hash over the pictures and their labels.
        pictures: The number of pictures.
        lines: The number of labelled lines.
        detection_hmean: The harmonic mean of precision and recall of the regions.
        hmean: The same mean, for which a region must also be read correctly to count as found.
        cer: The character error rate.
    """

    data: str
    sha256: str
    pictures: Natural
    lines: Natural
    detection_hmean: Share
    hmean: Share
    cer: Annotated[float, Range(0)]


@dataclass(frozen=True)
class Interval:
    """A loss in points (hundredths) and its 95 % confidence interval; a gain is negative.

    Attributes:
        points: The loss on the pictures that were read.
        low: The lower end of the interval.
        high: The upper end of the interval.
    """

    points: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write the loss and its interval, with signs."""
        return f"{self.points:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


@dataclass(frozen=True)
class Loss:
    """What a stage's lower precision loses on pictures that its graph was not made with.

    The intervals say how far the loss may differ on other pictures of the same kind (paired
    bootstrap over pictures).

    Attributes:
        data: The name of the folder with the pictures.
        sha256: The hash over the pictures and their labels.
        pictures: The number of pictures.
        lines: The number of labelled lines.
        folds: The number of parts that the pictures were divided into for cross-validation: the
            graph was made once for each part without the pictures of this part, which it was then
            judged on. 0 if none of the pictures had a part in making the graph.
        hmean: By how much Hmean is lower.
        cer: By how much the character error rate is higher.
        word_f1: By how much the F1 of words is lower.
    """

    data: str
    sha256: str
    pictures: Natural
    lines: Natural
    folds: Natural
    hmean: Interval
    cer: Interval
    word_f1: Interval


@dataclass(frozen=True)
class Origin:
    """Where a stage's weights came from and what was done to them.

    Attributes:
        stage: The name of the stage.
        model: The name of the model, as in the converters' catalog.
        title: The model's name for people.
        authors: Who published the model.
        licence: The SPDX identifier of the model's licence.
        format: The format in which the model was published, for example "paddle-legacy".
        files: The published files.
        translator: The program, with its version, that translated the model to ONNX.
        parity: Checks against the original by name, made before the charset was pruned and the
            precision was lowered.
        repairs: What the translation changed because ONNX or a bundle can't express it, by the
            names that `python -m converters convert` reports.
        rewrites: The changes that made the graph faster, by the names that the same command
            reports.
        quantization: How a stage in int8 was made.
        full_classes: The number of classes that the network had before its charset was pruned.
        loss: What the stage loses by its precision, or by the last of its variants, if that was
            measured when it was frozen.
        weights: The type that the file stores the weights in, if the graph computes in another.
    """

    stage: Literal[
        "page_orientation", "unwarping", "detection", "orientation", "recognition", "spotting"
    ]
    model: str
    title: str
    authors: str
    licence: str
    format: str
    files: list[SourceFile]
    translator: str
    parity: dict[str, Check]
    repairs: list[str] = field(default_factory=list)
    rewrites: list[str] = field(default_factory=list)
    quantization: Quantization | None = None
    full_classes: Natural | None = None
    loss: Loss | None = None
    weights: Literal["fp16"] | None = None

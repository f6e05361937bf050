"""The families of networks that read: how each numbers its classes, and how it is decoded.

PaddleOCR's decoders put the classes that are no character before or after those of the dictionary,
each in its own way. `FAMILIES` is the one place that says how. The manifest of a bundle says only
what these classes do (`edgeocr.bundle.manifest.Charset`), so a new family needs no new runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..catalog.entries import Algorithm, Normalize

# What a class that is no character of the dictionary stands for: a special class of a bundle's
# charset, or a character that the dictionary lacks.
Kind: TypeAlias = Literal["blank", "begin", "end", "ignored", "unknown"]
# What is written for a character that the dictionary lacks.
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
HALF = Normalize("BGR", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
IMAGENET = Normalize("BGR", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@dataclass(frozen=True)
class Readout:
    """Which output of a network has the scores of its classes, and how they are arranged.

    The usual arrangement is [N, T, classes]: pictures, positions, classes.

    Attributes:
        outputs: The number of outputs.
        position: The index of the output with the scores.
        flat: Whether it is [N * T, classes].
        transposed: Whether it is [T, N, classes].
        first: The number of positions before the text.
        last: The number of positions at the end that PaddleOCR's decoder doesn't read.
        chosen: The index of the output with the probabilities of the classes, [N, T], if the
            network chooses the classes itself; the output at `position` is these, [N, T].
    """

    outputs: int = 1
    position: int = 0
    flat: bool = False
    transposed: bool = False
    first: int = 0
    last: int = 0
    chosen: int | None = None


@dataclass(frozen=True)
class Family:
    """What the networks of a family have in common.

    Attributes:
        decoder: The `algorithm` of the stage in a bundle's manifest, which decodes the outputs.
        post_process: The `PostProcess.name` in an inference.yml. If families share it, the operator
            `resize` tells them apart; if it doesn't, the first family counts.
        resize: The operator in an inference.yml that resizes a crop.
        before: What the classes before the characters stand for.
        after: What the classes after the characters stand for.
        normalize: How PaddleOCR computes the input if no inference.yml says otherwise.
        readout: Where the scores are.
        width: The only width in pixels that PaddleOCR's configuration takes, where exports leave
            it open; None for others.
    """

    decoder: Literal["CTC", "Attention", "SRN", "PGNet"]
    post_process: str
    resize: str
    before: tuple[Kind, ...] = ()
    after: tuple[Kind, ...] = ()
    normalize: Normalize = HALF
    readout: Readout = Readout()
    width: int | None = None

    def charset(self, number: int) -> dict[str, Any]:
        """Return the `charset` fields of a stage whose dictionary has `number` characters.

        Args:
            number: The number of characters, the space included if the network reads it.
        """
        kinds = [*self.before, *[None] * number, *self.after]
        fields: dict[str, Any] = {"classes": len(kinds)}
        for place, kind in enumerate(kinds):
            if kind == "ignored":
                fields.setdefault(kind, []).append(place)
            elif kind is not None and kind != "unknown":
                fields[kind] = place
        return fields

    def characters(self, listed: list[str]) -> list[str]:
        """Return the characters of a dictionary in the order of their classes.

        Args:
            listed: The characters as the dictionary lists them.

        Returns:
            The characters of all classes that are not special, `UNKNOWN` among them if the family
            has a class for it.
        """
        before, after = ([UNKNOWN] * kinds.count("unknown") for kinds in (self.before, self.after))
        return [*before, *listed, *after]


# The sources are PaddleOCR 2.10's ppocr/postprocess/rec_postprocess.py and the number of classes in
# the networks' outputs. Most networks have no class for padding, though their decoders list one.
FAMILIES: dict[Algorithm, Family] = {
    "CTC": Family("CTC", "CTCLabelDecode", "RecResizeImg", before=("blank",)),
    "Attention": Family(
        "Attention", "AttnLabelDecode", "RecResizeImg", before=("begin",), after=("end",)
    ),
    # SRN was trained on plain grey values from 0 to 255.
    "SRN": Family(
        "SRN",
        "SRNLabelDecode",
        "SRNRecResizeImg",
        after=("begin", "end"),
        normalize=Normalize("GREY", [0.0], [1.0], 1.0),
        # The other outputs are what it is made from.
        readout=Readout(5, 2, flat=True),
    ),
    "PGNet": Family("PGNet", "PGPostProcess", "E2EResizeForTest", after=("blank",)),
    # NRTR has one class more than its decoder has characters. Its first position is the start.
    "NRTR": Family(
        "Attention",
        "NRTRLabelDecode",
        "GrayRecResizeImg",
        before=("ignored", "unknown", "begin", "end"),
        after=("ignored",),
        normalize=Normalize("GREY", [1.0], [1.0], 1 / 128),
        readout=Readout(2, 0, first=1, chosen=1),
    ),
    "SAR": Family("Attention", "SARLabelDecode", "SARRecResizeImg", after=("unknown", "end")),
    "SATRN": Family("Attention", "SATRNLabelDecode", "SVTRRecResizeImg", after=("unknown", "end")),
    "RobustScanner": Family(
        "Attention", "SARLabelDecode", "RobustScannerRecResizeImg", after=("unknown", "end")
    ),
    # ViTSTR's first position belongs to the token that starts a text.
    "ViTSTR": Family(
        "Attention",
        "ViTSTRLabelDecode",
        "GrayRecResizeImg",
        before=("begin", "end"),
        normalize=Normalize("GREY", [0.0], [1.0]),
        readout=Readout(first=1),
    ),
    # The configuration loads pictures as RGB; PaddleOCR's predict_rec.py leaves them in BGR.
    "ABINet": Family(
        "Attention",
        "ABINetLabelDecode",
        "ABINetRecResizeImg",
        before=("end",),
        normalize=Normalize("RGB", IMAGENET.mean, IMAGENET.std),
    ),
    "PARSeq": Family(
        "Attention", "ParseQLabelDecode", "SVTRRecResizeImg", before=("end",), width=128
    ),
    "CPPD": Family("Attention", "CPPDLabelDecode", "SVTRRecResizeImg", before=("end",)),
    # VisionLAN has a second output with features, and its decoder reads 25 of the 26 positions.
    # Before October 2022, PaddleOCR numbered the digits after the letters: a network of that time
    # needs a dictionary in that order.
    "VisionLAN": Family(
        "Attention",
        "VLLabelDecode",
        "VLRecResizeImg",
        before=("end",),
        normalize=Normalize("RGB", [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
        readout=Readout(2, 0, transposed=True, last=1),
    ),
    # RFL's first output says how often each class occurs.
    "RFL": Family(
        "Attention",
        "RFLLabelDecode",
        "RFLRecResizeImg",
        before=("begin",),
        after=("end",),
        normalize=Normalize("GREY", [0.5], [0.5]),
        readout=Readout(2, 1),
    ),
    "SPIN": Family(
        "Attention",
        "SPINLabelDecode",
        "SPINRecResizeImg",
        before=("begin", "end"),
        normalize=Normalize("GREY", [127.5], [127.5], 1.0),
    ),
    # The normalization is that of the training; PaddleOCR's predict_rec.py takes VisionLAN's.
    "PREN": Family(
        "Attention",
        "PRENLabelDecode",
        "PRENResizeImg",
        before=("ignored", "end", "ignored"),
    ),
}


def characters(algorithm: Algorithm, listed: list[str]) -> list[str]:
    """Return a dictionary's characters in the order of a network's classes; see `Family`."""
    return FAMILIES[algorithm].characters(listed)

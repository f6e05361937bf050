"""Describe a bundle in words, in lines of up to `COLUMNS` characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ..errors import printable
from ..runtime.tensorrt_cache import WARM
from . import engines
from .bundle import Bundle
from .manifest import (
    Detection,
    Manifest,
    Orientation,
    PageOrientation,
    PageStage,
    Profile,
    Recognition,
    Resize,
    Spotting,
    Unwarping,
    Variant,
)
from .provenance import Accuracy, Loss, Origin

_Stage: TypeAlias = PageOrientation | Unwarping | Detection | Orientation | Recognition | Spotting

COLUMNS = 100
# How many digits of a sha256 are shown: enough to tell two files apart.
DIGITS = 12
# The columns before a row's text, which hold its label.
LABEL = 14


def describe(bundle: Bundle, *, checked: bool = False) -> str:
    """Describe a bundle: its stages, their origins and what was done to them, and its files.

    Args:
        bundle: The bundle.
        checked: Whether the signature was checked; without that it is only a claim.

    Returns:
        The lines. Control characters, which names in a bundle may contain, are replaced.
    """
    manifest = bundle.manifest
    made_by = ", ".join(f"{name} {version}" for name, version in sorted(manifest.made_by.items()))
    total = sum(len(content) for content in bundle.files().values())
    rows = [
        *_row("", f"{manifest.name}: {manifest.description}"),
        *_row("bundle", f"{bundle.path}, {size(total)}, schema {manifest.schema}"),
        *_row("digest", f"{bundle.digest} of the manifest"),
        *_row("signature", _signature(bundle.signed_by, checked)),
        *_row("made by", made_by),
    ]
    if manifest.requires:
        rows += _row("requires", f"edgeocr {manifest.requires} or newer")
    if manifest.profile is not None:
        rows += _row("profile", _profile(manifest.profile))
    if manifest.accuracy is not None:
        rows += _row("accuracy", _accuracy(manifest.accuracy))
    for precision, measured in manifest.variant_accuracy.items():
        rows += _row("", f"in {precision}: {_accuracy(measured)}", indent=LABEL)
    origins: dict[str, Origin] = {origin.stage: origin for origin in manifest.provenance}
    for name, stage in vars(manifest.stages).items():
        if stage is not None:
            rows += ["", *_stage(bundle, name, stage, origins.get(name))]
    if manifest.engines:
        rows += ["", "engines for TensorRT", *_engines(manifest)]
    rows += ["", "files"]
    width = max(map(len, manifest.files), default=0)
    for name, file in manifest.files.items():
        rows.append(f"  {name:{width}}  {size(file.size):>9}  sha256 {file.sha256[:DIGITS]}")
    return "\n".join(map(printable, rows))


def _engines(manifest: Manifest) -> Iterator[str]:
    for key in manifest.engines:
        files = engines.files_of(manifest, key)
        graphs = ", ".join(sorted(n.removesuffix(WARM) for n in files if n.endswith(WARM)))
        total = sum(manifest.files[name].size for name in files.values())
        yield from _row("device", str(key))
        yield from _row("", f"{size(total)}, for {graphs}", indent=LABEL)


def size(count: int) -> str:
    """Return a number of bytes with three digits and a unit."""
    if count < 1000:
        return f"{count} B"
    number, unit = (count / 1e3, "kB") if count < 999_500 else (count / 1e6, "MB")
    return f"{number:.{max(0, 3 - len(str(int(number))))}f} {unit}"


def _signature(signed_by: str | None, checked: bool) -> str:
    if signed_by is None:
        return "none"
    if checked:
        return f"by {signed_by}, checked"
    return f"by {signed_by}, as the bundle claims; --require-signature checks that"


def _profile(profile: Profile) -> str:
    threads = f"{profile.threads} threads" if profile.threads else "as many threads as allowed"
    limit = f"{profile.memory_limit / 1e6:.0f} MB memory" if profile.memory_limit else "any memory"
    return f"{profile.name}: {threads}, {limit}"


def _accuracy(accuracy: Accuracy) -> str:
    return (
        f"Hmean {accuracy.hmean:.4f}, CER {accuracy.cer:.4f}, detection's Hmean "
        f"{accuracy.detection_hmean:.4f}, on {accuracy.pictures} pictures with {accuracy.lines} "
        f"lines, {accuracy.data}, sha256 {accuracy.sha256[:DIGITS]}"
    )


def _stage(bundle: Bundle, name: str, stage: _Stage, origin: Origin | None) -> Iterator[str]:
    yield from _row("", f"{name}: {origin.title if origin else stage.model}")
    yield from _row("model", stage.model)
    yield from _row("algorithm", stage.algorithm)
    yield from _row("graph", _graph(bundle, stage))
    for variant in stage.variants:
        yield from _row("or graph", _graph(bundle, variant))
    if isinstance(stage, (Recognition, Spotting)):
        full = origin.full_classes if origin else None
        pruned = f", pruned from {full}" if full else ""
        charset = stage.charset
        yield from _row("charset", f"{charset.classes} classes{pruned}, {charset.file}")
    if isinstance(stage, Recognition) and stage.visual_order:
        yield from _row("texts", "put from visual into logical order")
    if isinstance(stage, Recognition) and stage.spaces == "found":
        yield from _row("spaces", "found in the pixels where the network reads none")
    yield from _row("input", "; ".join(_input(stage)))
    if not isinstance(stage, (PageStage, Orientation, Recognition)):
        numbers = vars(stage.postprocess).items()
        yield from _row("decoding", ", ".join(_setting(*each) for each in numbers))
    if stage.providers is not None:
        yield from _row("providers", ", ".join(stage.providers))
    if origin is not None:
        yield from _origin(origin)


def _graph(bundle: Bundle, of: _Stage | Variant) -> str:
    """Describe the graph of a stage, or another one, which does not suit every device."""
    said = f"{of.precision}, {size(bundle.manifest.files[of.graph].size)}, {of.graph}"
    if of.activation_bytes:
        said += f"; a run needs {of.activation_bytes} bytes for each pixel of its input"
    if isinstance(of, Variant):
        if of.providers is not None:
            said += f"; for {' or '.join(of.providers)}"
        if of.cpu_features:
            said += f"; for a CPU with {' or '.join(of.cpu_features)}"
    return said


def _setting(name: str, value: object) -> str:
    words = name.replace("_", " ")
    return f"{'' if value else 'no '}{words}" if isinstance(value, bool) else f"{words} {value}"


def _input(stage: _Stage) -> Iterator[str]:
    """Yield short descriptions of a stage's input: its size, shapes and thresholds."""
    if isinstance(stage, Orientation):
        yield f"{stage.width} × {stage.height}, {'stretched' if stage.stretch else 'padded'}"
        yield _degrees(stage)
    elif isinstance(stage, PageOrientation):
        short = stage.short_side
        shown = f"cut from the middle, short side {short}" if short is not None else "stretched"
        yield f"{stage.width} × {stage.height}, {shown}"
        yield _degrees(stage)
    elif isinstance(stage, Unwarping):
        yield f"{stage.width} × {stage.height}, stretched"
    elif isinstance(stage, Recognition):
        widths = f"{stage.min_width} to {stage.max_width + stage.margin}"
        yield f"{stage.width or widths} wide, {stage.height} high"
        if stage.width is None:
            yield f"widths are multiples of {stage.multiple}"
        if stage.interpolation != "linear":
            yield f"resized by {stage.interpolation} interpolation"
        yield f"lines from a score of {stage.minimum_score}"
        if stage.widths:
            yield f"fixed shapes: {_from_to(stage.widths)} wide"
    else:
        yield from _resize(stage.resize)
    if isinstance(stage, (Orientation, Recognition)) and stage.batches:
        yield f"{_from_to(stage.batches)} in a run"


def _degrees(stage: PageOrientation | Orientation) -> str:
    degrees = " or ".join(map(str, stage.degrees))
    return f"turned by {degrees} degrees from a probability of {stage.threshold}"


def _resize(rule: Resize) -> Iterator[str]:
    yield {
        "min": f"the shorter side enlarged to {rule.limit_side}",
        "max": f"the longer side shrunk to {rule.limit_side}",
        "long": f"the longer side scaled to {rule.limit_side}",
        "short": f"the shorter side scaled to {rule.limit_side}",
        "height": f"enlarged {rule.enlarge:g} times, up to a height of {rule.limit_side}",
    }[rule.limit]
    yield f"at most {rule.max_pixels} pixels"
    yield f"sides are multiples of {rule.multiple}"
    if rule.sizes:
        ordered = sorted(rule.sizes, key=lambda size: size[0] * size[1])
        yield f"fixed shapes: {_from_to([f'{width} × {height}' for height, width in ordered])}"


def _from_to(values: Sequence[object]) -> str:
    if len(values) < 4:
        return " or ".join(map(str, values))
    return f"{len(values)} from {values[0]} to {values[-1]}"


def _origin(origin: Origin) -> Iterator[str]:
    source = "" if origin.format == "onnx" else f", from {origin.format}"
    yield from _row("translator", f"{origin.translator}{source}")
    for label, done in (("changes", origin.repairs), ("rewrites", origin.rewrites)):
        if done:
            yield from _row(label, ", ".join(done))
    if (quantized := origin.quantization) is not None:
        left = f"; in float32 {', '.join(quantized.left_out)}" if quantized.left_out else ""
        yield from _row(
            "quantized",
            f"{quantized.nodes} nodes to int8, calibrated with {quantized.pictures} pictures, "
            f"sha256 {quantized.images[:DIGITS]}{left}",
        )
    if origin.weights is not None:
        yield from _row("weights", f"stored in {origin.weights}, computed with in fp32")
    if origin.loss is not None:
        yield from _row("loss", _loss(origin.loss))
    for name, check in origin.parity.items():
        yield from _row("parity", f"{name.replace('_', ' ')}: {check}")
    yield from _row("licence", f"{origin.licence}, {origin.authors}")
    for file in origin.files:
        yield from _row("from", _shortened(file.source))
        yield from _row("", f"{file.name}, sha256 {file.sha256[:DIGITS]}", indent=LABEL)


def _loss(loss: Loss) -> str:
    judged = f"cross-validation in {loss.folds} parts, " if loss.folds else ""
    return (
        f"Hmean {loss.hmean}, CER {loss.cer}, word F1 {loss.word_f1} points [95 % confidence "
        f"interval], positive is worse; {judged}{loss.pictures} pictures with {loss.lines} lines, "
        f"{loss.data}, sha256 {loss.sha256[:DIGITS]}"
    )


def _shortened(url: str) -> str:
    """Return as much of a URL's beginning and end as fits a row; `--json` has all of it."""
    most = COLUMNS - LABEL
    if len(url) <= most:
        return url
    return f"{url[: most // 2 - 1]}…{url[-(most // 2) :]}"


def _row(label: str, text: str, indent: int = 0) -> list[str]:
    start = f"  {label:{LABEL - 2}}" if label else " " * indent
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_on_hyphens=False,
    ) or [start.rstrip()]

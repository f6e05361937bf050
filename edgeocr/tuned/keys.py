"""The key of this device, and how another key differs from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..device import cpus, machine, nvidia
from ..runtime.onnx_runtime import import_onnxruntime
from ..runtime.options import RuntimeOptions
from ..runtime.start import built_in
from ..version import __version__
from .record import Key

# How the versions are called in messages.
NAMES = {"onnxruntime": "ONNX Runtime", "cuda": "CUDA", "cudnn": "cuDNN", "tensorrt": "TensorRT"}


def key_of_this_device(bundle_digest: str, options: RuntimeOptions) -> Key:
    """Return the key of a bundle with a caller's options on this device.

    Args:
        bundle_digest: The bundle's digest.
        options: The caller's options.

    Raises:
        ProviderUnavailableError: ONNX Runtime can't be imported.
    """
    device = machine.describe()
    gpus = [gpu.name for gpu in nvidia.gpus()]
    return Key(
        bundle=bundle_digest,
        device=device.cpu,
        features=[name for name, has in machine.cpu_features().items() if has],
        cpus=cpus.available_threads() if options.cpus is None else len(options.cpus),
        gpus=gpus,
        providers=built_in(),
        versions={
            "edgeocr": __version__,
            "onnxruntime": import_onnxruntime().__version__,
            # Asking for the others loads libraries that nothing else needs where there is no GPU.
            **(nvidia.versions() if gpus else {}),
        },
        options=_deciding(options),
    )


def _deciding(options: RuntimeOptions) -> dict[str, Any]:
    """Return the options that decide what a stage computes or how fast, unless they are usual."""
    given: Mapping[str, Any] = {
        "fp16": options.fp16,
        "bf16": options.bf16 and cpus.has_bf16(),
        "fixed_shapes": dict(options.fixed_shapes)
        if isinstance(options.fixed_shapes, Mapping)
        else options.fixed_shapes,
        "cpus": None if options.cpus is None else sorted(options.cpus),
        "provider_options": {
            name: {option: str(value) for option, value in sorted(each.items())}
            for name, each in sorted(options.provider_options.items())
        },
    }
    usual = RuntimeOptions()
    return {name: value for name, value in given.items() if value != getattr(usual, name)}


def difference(kept: Key, now: Key) -> str:
    """Say why an entry with another key doesn't count on this device."""
    again = ": run edgeocr tune again"
    if kept.bundle != now.bundle:
        return (
            f"it is of a bundle with the digest {kept.bundle[:12]}…, not {now.bundle[:12]}…{again}"
        )
    if kept.device != now.device or kept.features != now.features:
        return f"it was made on {kept.device or 'another CPU'}, and this is {now.device}{again}"
    if kept.cpus != now.cpus:
        return f"it was made for {kept.cpus} CPUs, and this process has {now.cpus}{again}"
    if kept.gpus != now.gpus:
        before, after = (", ".join(each) or "no GPU" for each in (kept.gpus, now.gpus))
        return f"it was made with {before}, and this device has {after}{again}"
    if kept.providers != now.providers:
        before, after = (", ".join(each) for each in (kept.providers, now.providers))
        return f"it was made with the providers {before}, and now there are {after}{again}"
    if kept.versions != now.versions:
        name = next(
            name
            for name in {**kept.versions, **now.versions}
            if kept.versions.get(name) != now.versions.get(name)
        )
        before, after = (each.versions.get(name, "no version") for each in (kept, now))
        return f"it was made with {NAMES.get(name, name)} {before}, and this is {after}{again}"
    return f"it was made with other options of RuntimeOptions{again} with these"

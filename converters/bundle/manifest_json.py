"""Write a manifest's types as the bytes of manifest.json."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from edgeocr.bundle.manifest import Manifest, Stages

# A stage's fields are left out of the JSON where they have their default value, except these: a
# reader of the manifest should see what a run needs, and how PGNet gathers its characters.
ALWAYS_WRITTEN = ("activation_bytes", "gather")


def content(manifest: Manifest) -> bytes:
    """Return the content of manifest.json: UTF-8, keys sorted, the same bytes for equal manifests.

    Fields that are None are left out; so are a stage's fields that have their default values, and
    the accuracy of variants and the engines where there are none.
    """
    whole = dataclasses.asdict(dataclasses.replace(manifest, stages=Stages()))
    for empty in ("variant_accuracy", "engines"):
        if not whole[empty]:
            del whole[empty]
    data = {
        **whole,
        "stages": {
            task: _without_defaults(stage) for task, stage in manifest.stages.present.items()
        },
    }
    text = json.dumps(_without_none(data), indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def _without_defaults(settings: Any) -> dict[str, Any]:
    """Return a stage, or a dataclass inside it, as a dict of what differs from the defaults."""
    found = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.name not in ALWAYS_WRITTEN and value == _default(field):
            continue
        if dataclasses.is_dataclass(value):
            value = _without_defaults(value)
        elif field.name == "variants":
            value = [_without_defaults(variant) for variant in value]
        found[field.name] = value
    return found


def _default(field: dataclasses.Field[Any]) -> Any:
    """Return a field's default value, `dataclasses.MISSING` where it has none."""
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_without_none(item) for item in value]
    return value

"""Record which models were converted on this machine, and where to, in the cache folder."""

from __future__ import annotations

import json
from pathlib import Path

from edgeocr.outputs.replacement import write_file

from ..atomic import locked
from .fetch import cache_folder

# The file that every conversion writes beside its graphs.
REPORT = "report.json"


def remember(name: str, folder: Path) -> None:
    """Record that the model `name` was converted into `folder`."""
    record = _record()
    record.parent.mkdir(parents=True, exist_ok=True)
    with locked(record):
        text = json.dumps({**_read(), name: str(folder.absolute())}, indent=1, sort_keys=True)
        write_file(record, f"{text}\n".encode())


def where(name: str) -> Path | None:
    """Return the folder of the model's last conversion, or None if its report is gone."""
    folder = _read().get(name)
    return Path(folder) if folder and (Path(folder) / REPORT).is_file() else None


def _record() -> Path:
    return cache_folder() / "conversions.json"


def _read() -> dict[str, str]:
    """Read the record; an unreadable one counts as empty, since conversions write it anew."""
    try:
        data = json.loads(_record().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {str(name): folder for name, folder in data.items() if isinstance(folder, str)}

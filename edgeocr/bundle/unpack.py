"""Write an opened bundle to a folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..errors import BundleError
from .archive import MANIFEST
from .bundle import Bundle


def unpack(bundle: Bundle, folder: Path) -> None:
    """Write a bundle to a folder, which opens as the same bundle.

    Either the whole bundle is written or nothing.

    Args:
        bundle: The bundle.
        folder: A folder that does not exist or is empty.

    Raises:
        BundleError: The folder is not empty, or is inside the bundle's own folder.
        OSError: The folder can't be written.
    """
    exists = folder.is_dir()
    if os.path.lexists(folder) and not (exists and not any(folder.iterdir())):
        raise BundleError(
            f"{folder} exists and is not empty: choose another folder, or remove this one"
        )
    if bundle.path.resolve() in folder.resolve().parents:
        raise BundleError(
            f"{folder} is inside the bundle {bundle.path}, which more files would damage: "
            "choose another folder"
        )
    if not exists:
        folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder that exists is kept: it may be the current one, a mounted disk, or the target of a
    # link.
    place, prefix = (folder, ".") if exists else (folder.parent, f".{folder.name}-")
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as temporary:
        draft = Path(temporary) / "bundle"
        for name, content in bundle.files().items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        Bundle.open(draft)  # a file system may not distinguish two of the names
        if exists:  # the manifest comes last, since without it the folder is not a bundle yet
            moved: list[Path] = []
            try:
                for path in sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST):
                    path.rename(folder / path.name)
                    moved.append(path)
            except BaseException:  # the folder is left empty, as it was
                for path in moved:
                    (folder / path.name).rename(path)
                raise
        else:
            draft.rename(folder)

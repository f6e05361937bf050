"""Write the files of a bundle to a disk, as a folder or as one file, all of them or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from . import archive, signature
from .archive import MANIFEST, SIGNATURE
from .bundle import Bundle


def store(
    files: Mapping[str, bytes],
    target: Path,
    *,
    as_file: bool,
    sign: str | os.PathLike[str] | None = None,
) -> Bundle:
    """Write a bundle, which replaces what is at the target; the same files give the same bytes.

    The target appears, or changes, only when the new bundle is complete and opens.

    Args:
        files: Path in the bundle → content, the manifest included.
        target: The file or folder to write.
        as_file: Whether to write one file instead of a folder.
        sign: The private key to sign the bundle with; None leaves the files as they are.

    Returns:
        The bundle, opened.

    Raises:
        BundleError: The files are no bundle.
        SignatureError: The key can't sign.
        OSError: The target can't be written.
    """
    if sign is not None:
        files = {**files, SIGNATURE: signature.sign(files[MANIFEST], sign)}
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        draft = Path(temporary) / target.name
        if as_file:
            archive.write(files, draft)
        else:
            for name, content in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        bundle = Bundle.open(draft)
        if target.is_dir():
            # A folder can't be replaced in one step, unless it is empty.
            old = Path(temporary) / "old"
            target.rename(old)
            try:
                draft.rename(target)
            except BaseException:
                old.rename(target)
                raise
        else:
            os.replace(draft, target)  # noqa: PTH105 - Path.replace is the same
    bundle.path = target
    return bundle

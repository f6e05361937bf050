"""edgeocr bundle show | verify | unpack | diff | keygen."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EdgeOCRError
from .arguments import add_signature_argument

if TYPE_CHECKING:
    from ..bundle.bundle import Bundle

DIFF_EPILOG = "Exit code: 0 when the bundles are the same, 1 when they differ, 2 for an error."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions, each with its arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    show = actions.add_parser("show", help="what is in a bundle and where it came from")
    show.add_argument("path", nargs="?", help="default: the bundle in the package")
    show.add_argument("--json", action="store_true", help="the manifest as it is")
    show.set_defaults(run=_show)

    verify = actions.add_parser("verify", help="check every file of a bundle, and its signature")
    verify.add_argument("path", nargs="?", help="default: the bundle in the package")
    verify.set_defaults(run=_verify)

    unpack = actions.add_parser("unpack", help="a bundle as a folder, which is the same bundle")
    unpack.add_argument("path")
    unpack.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="a new or empty folder"
    )
    unpack.set_defaults(run=_unpack)

    diff = actions.add_parser("diff", help="what differs in two bundles", epilog=DIFF_EPILOG)
    diff.add_argument("before", metavar="A")
    diff.add_argument("after", metavar="B")
    diff.add_argument("--json", action="store_true", help="all of it, as JSON")
    diff.set_defaults(run=_diff)

    for action in (show, verify, unpack, diff):
        add_signature_argument(action)
    keygen = actions.add_parser("keygen", help="make keys to sign bundles with")
    keygen.add_argument("name", metavar="NAME", help="NAME.key signs, NAME.pub checks")
    keygen.set_defaults(run=_keygen)


def unpack(bundle: Bundle, folder: Path) -> None:
    """Write a bundle to a new or empty folder, which opens as the same bundle; all or nothing.

    Raises `EdgeOCRError` for a folder that is not empty, and `OSError` where it can't be written.
    """
    from ..bundle.bundle import MANIFEST, Bundle

    there = folder.is_dir()
    if os.path.lexists(folder) and not (there and not any(folder.iterdir())):
        raise EdgeOCRError(f"{folder} is there and not empty: choose another folder, or remove it")
    if not there:
        folder.parent.mkdir(parents=True, exist_ok=True)
    # A folder that is there is kept: it may be the current one, another disk, or behind a link.
    place, prefix = (folder, ".") if there else (folder.parent, f".{folder.name}-")
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as temporary:
        draft = Path(temporary) / "bundle"
        for name, content in bundle.files().items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        Bundle.open(draft)  # file systems may not tell two names apart
        if there:  # without its manifest it is no bundle yet
            for path in sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST):
                path.rename(folder / path.name)
        else:
            draft.rename(folder)


def _show(options: argparse.Namespace) -> int:
    bundle = _opened(options.path, options)
    if options.json:
        print(bundle.manifest_text, end="")
        return 0
    from ..bundle.description import describe

    print(describe(bundle, checked=options.require_signature is not None))
    return 0


def _verify(options: argparse.Namespace) -> int:
    bundle = _opened(options.path, options)
    print(f"{bundle.path}: intact, {len(bundle.manifest.files)} files, sha256 {bundle.digest}")
    if bundle.signed_by is None:
        print("not signed")
    elif options.require_signature is None:
        print(f"says that it is signed by {bundle.signed_by}: --require-signature checks it")
    else:
        print(f"signed by {bundle.signed_by}")
    return 0


def _unpack(options: argparse.Namespace) -> int:
    bundle = _opened(options.path, options)
    unpack(bundle, options.output)
    print(f"{options.output}: {len(bundle.files())} files, sha256 {bundle.digest}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from ..bundle.difference import compare, describe

    try:
        before, after = (_opened(path, options) for path in (options.before, options.after))
    except (EdgeOCRError, OSError) as error:  # which must not look like a difference
        print(f"edgeocr: error: {error}", file=sys.stderr)
        return 2
    difference = compare(before, after)
    if options.json:
        print(json.dumps(difference, ensure_ascii=False, indent=1))
    else:
        print(describe(difference))
    return 0 if difference["same"] else 1


def _keygen(options: argparse.Namespace) -> int:
    from ..bundle import signature

    fingerprint = signature.generate(options.name)
    print(f"{options.name}.key: signs bundles; keep it secret")
    print(f"{options.name}.pub: checks them, with --require-signature")
    print(f"fingerprint {fingerprint}")
    return 0


def _opened(path: str | None, options: argparse.Namespace) -> Bundle:
    from ..bundle.bundle import Bundle

    if path is None:
        return Bundle.default(require_signature=options.require_signature)
    return Bundle.open(path, require_signature=options.require_signature)

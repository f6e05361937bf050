"""Look into bundles: edgeocr bundle show | verify | unpack | diff | add-engines | keygen."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EdgeOCRError, ProviderUnavailableError, printable
from .arguments import add_digest_argument, add_signature_argument, positive
from .streams import report, tell

if TYPE_CHECKING:
    from ..bundle.bundle import Bundle

# Printed after a check that required neither a signature nor a digest: what it leaves open.
UNPROVEN = (
    "Every file is as the manifest says. This does not show who wrote the manifest: compare the "
    "digest with one that you trust (--expect-digest), or require a signature "
    "(--require-signature)."
)
DIFF_EPILOG = "Exit code: 0 if the bundles are the same, 1 if they differ, 2 for an error."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions, each with its arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    show = actions.add_parser("show", help="show what is in a bundle and where it came from")
    show.add_argument("path", nargs="?", help="default: the bundle in the package")
    show.add_argument("--json", action="store_true", help="print the manifest instead")
    show.set_defaults(run=_show)

    verify = actions.add_parser("verify", help="check every file of a bundle, and its signature")
    verify.add_argument("path", nargs="?", help="default: the bundle in the package")
    verify.add_argument(
        "--probe",
        action="store_true",
        help="also open and run the bundle in a process of its own, with limits",
    )
    verify.add_argument(
        "--probe-seconds",
        type=positive,
        metavar="S",
        help="the most seconds that this process may take (default: 120)",
    )
    verify.add_argument(
        "--probe-memory",
        metavar="SIZE",
        help="the most memory that the bundle may take in it, on Linux (default: 2GB)",
    )
    verify.set_defaults(run=_verify, parser=verify)

    unpack = actions.add_parser(
        "unpack", help="write a bundle to a folder, which is the same bundle"
    )
    unpack.add_argument("path")
    unpack.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="a new or empty folder"
    )
    unpack.set_defaults(run=_unpack)

    diff = actions.add_parser("diff", help="show how two bundles differ", epilog=DIFF_EPILOG)
    diff.add_argument("before", metavar="A")
    diff.add_argument("after", metavar="B")
    diff.add_argument("--json", action="store_true", help="print every difference as JSON")
    diff.set_defaults(run=_diff)

    add = actions.add_parser(
        "add-engines", help="put TensorRT engines that were built on a device into a bundle"
    )
    add.add_argument("path")
    add.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder that edgeocr warm --engine-cache DIR has filled",
    )
    add.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="path of the new bundle, NAME.edgeocr for a file; default: replace the old one",
    )
    add.add_argument("--sign", type=Path, metavar="KEY", help="sign it with a private key")
    add.set_defaults(run=_add_engines)

    for action in (show, verify, unpack, diff, add):
        add_signature_argument(action)
    for action in (show, verify, unpack, add):
        add_digest_argument(action)
    keygen = actions.add_parser("keygen", help="create a pair of keys to sign bundles")
    keygen.add_argument(
        "name", metavar="NAME", help="name of the keys: NAME.key signs, NAME.pub checks"
    )
    keygen.set_defaults(run=_keygen)


def _show(options: argparse.Namespace) -> int:
    bundle = _opened(options.path, options)
    if options.json:
        print(bundle.manifest_text, end="")
        return 0
    from ..bundle.description import describe

    print(describe(bundle, checked=options.require_signature is not None))
    _show_tuned(bundle)
    return 0


def _show_tuned(bundle: Bundle) -> None:
    from ..runtime.options import RuntimeOptions
    from ..tuned.description import describe
    from ..tuned.lookup import load

    try:
        text = describe(load(bundle, RuntimeOptions()))
    except ProviderUnavailableError:  # ONNX Runtime isn't installed
        return
    if text:
        print(f"\n{text}")


def _verify(options: argparse.Namespace) -> int:
    bundle = _opened(options.path, options)
    print(f"{bundle.path}: intact, {len(bundle.manifest.files)} files, digest {bundle.digest}")
    if devices := bundle.manifest.engines:
        gpus = dict.fromkeys(printable(key.gpu) for key in devices)
        print(f"It has TensorRT engines for {' and '.join(gpus)}, which are intact, too.")
    if bundle.signed_by is None:
        print("The bundle is not signed.")
    elif options.require_signature is None:
        print(f"It claims to be signed by {bundle.signed_by}; --require-signature checks that.")
    else:
        print(f"It is signed by {bundle.signed_by}.")
    if options.expect_digest is not None:
        print("Its digest is the expected one.")
    elif options.require_signature is None:
        print(UNPROVEN)
    return _probe(bundle, options) if options.probe else 0


def _probe(bundle: Bundle, options: argparse.Namespace) -> int:
    from ..probe import probe

    given = {"seconds": options.probe_seconds, "memory": options.probe_memory}
    try:
        result = probe(bundle, **{name: each for name, each in given.items() if each is not None})
    except ValueError as error:
        options.parser.error(f"argument --probe-memory: {error}")
    if not result.passed:
        report(f"{bundle.path}: the probe {result}")
        return 1
    print(f"The probe {result}.")
    return 0


def _unpack(options: argparse.Namespace) -> int:
    from ..bundle.unpack import unpack

    bundle = _opened(options.path, options)
    unpack(bundle, options.output)
    print(f"{options.output}: {len(bundle.files())} files, digest {bundle.digest}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from ..bundle.difference import compare, describe

    try:
        before, after = (_opened(path, options) for path in (options.before, options.after))
    except (EdgeOCRError, OSError) as error:  # exit code 1 would mean that the bundles differ
        report(error)
        return 2
    difference = compare(before, after)
    if options.json:
        print(json.dumps(difference.to_dict(), ensure_ascii=False, indent=1))
    else:
        print(describe(difference))
    return 0 if difference.same else 1


def _add_engines(options: argparse.Namespace) -> int:
    from ..bundle.adding_engines import add_engines, target_of
    from ..bundle.description import size
    from ..bundle.storing import store

    old = _opened(options.path, options)
    target, as_file = target_of(old, options.output)
    addition = add_engines(old, options.source)
    new = store(addition.files, target, as_file=as_file, sign=options.sign)
    for each in addition.added:
        instead = ", in place of earlier ones" if each.replaced else ""
        files = f"{len(each.files)} files, {size(each.size)}"
        print(printable(f"engines for {each.key}: {files}{instead}"))
    print(f"{target}: {len(new.files())} files, digest {new.digest}")
    if new.signed_by is not None:
        print(f"signed by {new.signed_by}")
    elif old.signed_by is not None:
        tell(
            f"edgeocr: {target} is not signed: the signature by {old.signed_by} was for the bundle "
            "without these engines. Sign it with --sign KEY"
        )
    return 0


def _keygen(options: argparse.Namespace) -> int:
    from ..bundle import signature

    fingerprint = signature.generate_keys(options.name)
    print(f"{options.name}.key signs bundles; keep it secret.")
    print(f"{options.name}.pub checks them, with --require-signature.")
    print(f"Fingerprint: {fingerprint}")
    return 0


def _opened(path: str | None, options: argparse.Namespace) -> Bundle:
    from ..bundle.bundle import Bundle

    # `diff` opens two bundles and therefore expects no digest.
    digest = getattr(options, "expect_digest", None)
    if path is None:
        return Bundle.default(require_signature=options.require_signature, expect_digest=digest)
    return Bundle.open(path, require_signature=options.require_signature, expect_digest=digest)

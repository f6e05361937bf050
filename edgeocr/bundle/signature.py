"""Signatures of bundles: Ed25519 (RFC 8032) over the bytes of manifest.json, which has the sha256
of all other files.

Keys are PEM as openssl makes and reads them: PKCS#8 for the private one, SubjectPublicKeyInfo for
the public one. A key is named by its fingerprint, the sha256 of the public key's DER, in hex.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SignatureError
from .archive import MANIFEST, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALGORITHM = "Ed25519"
# Where the password of an encrypted private key is looked for.
PASSWORD = "EDGEOCR_KEY_PASSWORD"


@dataclass(frozen=True)
class Signature:
    """What signature.json says.

    key: fingerprint of the key that it says it was made with.
    signature: 64 bytes in base64.
    """

    algorithm: str
    key: str
    signature: str

    @property
    def content(self) -> bytes:
        """signature.json, which has no other form."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse(content: bytes) -> Signature:
    """signature.json → `Signature`; raises `SignatureError` for what `sign` doesn't write."""
    try:
        given = Signature(**json.loads(content.decode("utf-8")))
        key, made = bytes.fromhex(given.key), base64.b64decode(given.signature, validate=True)
    except (ValueError, TypeError, RecursionError):
        raise SignatureError(f"{SIGNATURE} is no signature: damaged, or changed") from None
    if given.algorithm != ALGORITHM:
        raise SignatureError(f"{SIGNATURE} is by {given.algorithm!r:.40}, not by {ALGORITHM}")
    same = Signature(ALGORITHM, key.hex(), base64.b64encode(made).decode())
    if (len(key), len(made)) != (32, 64) or same.content != content:
        raise SignatureError(f"{SIGNATURE} is not as signing writes it: damaged, or changed")
    return same


def sign(manifest: bytes, key: str | os.PathLike[str]) -> bytes:
    """Sign a manifest with the private key in a PEM file; returns the content of signature.json.

    The password of an encrypted key is taken from the environment, EDGEOCR_KEY_PASSWORD.
    Raises `SignatureError` for a file that can't be read or is no such key.
    """
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content, password = _content(key), None
    if b"PRIVATE KEY-----" not in content:
        raise SignatureError(f"{key} is no private key in PEM; signing needs the .key file")
    if b"ENCRYPTED" in content:
        password = os.environ.get(PASSWORD)
        if not password:
            raise SignatureError(f"{key} is encrypted: put its password into {PASSWORD}")
    try:
        private = load_pem_private_key(content, password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        why = f"is no private key, or {PASSWORD} is wrong" if password else "is no private key"
        raise SignatureError(f"{key} {why}: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SignatureError(f"{key} is {_kind(private)}, not one of {ALGORITHM}")
    made = base64.b64encode(private.sign(manifest)).decode()
    return Signature(ALGORITHM, _fingerprint(private.public_key()), made).content


def verify(
    manifest: bytes, signature: Signature | None, key: str | os.PathLike[str] | bytes
) -> None:
    """Raise `SignatureError` unless the signature is by this key and of this manifest.

    key: path of a public key in PEM, or its bytes.
    """
    _need_cryptography()
    from cryptography.exceptions import InvalidSignature

    public = _public(key)
    wanted = _fingerprint(public)
    if signature is None:
        raise SignatureError(f"not signed; a signature by the key {wanted} is required")
    if signature.key != wanted:
        raise SignatureError(f"signed by another key: by {signature.key}, but {wanted} is required")
    try:
        public.verify(base64.b64decode(signature.signature), manifest)
    except InvalidSignature:
        raise SignatureError(
            f"the signature doesn't fit: {MANIFEST} is not what the key {wanted} has signed"
        ) from None


def generate(name: str | os.PathLike[str]) -> str:
    """Make a new pair of keys, NAME.key, which its owner alone can read, and NAME.pub.

    Returns the fingerprint. Raises `SignatureError` where one of the files is there already or the
    name is none, and `OSError` where they can't be written.
    """
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    last = Path(name).name
    if last in ("", "..") or not os.fspath(name).endswith(last):
        raise SignatureError(f"{os.fspath(name)!r} is no name for keys, NAME.key and NAME.pub")
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secret = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    contents = [
        (Path(f"{os.fspath(name)}.pub"), 0o644, public),
        (Path(f"{os.fspath(name)}.key"), 0o600, secret),
    ]
    for path, _, _ in contents:
        if os.path.lexists(path):
            raise SignatureError(f"{path} is there already, and a key is never overwritten")
    for path, mode, content in contents:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(made, "wb") as stream:
            stream.write(content)
    return _fingerprint(private.public_key())


def _public(key: str | os.PathLike[str] | bytes) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content, name = (key, "the key") if isinstance(key, bytes) else (_content(key), os.fspath(key))
    if b"PRIVATE KEY-----" in content:
        raise SignatureError(f"{name} is a private key; checking needs the public one, the .pub")
    if b"-----BEGIN PUBLIC KEY-----" not in content:
        raise SignatureError(f"{name} is no public key in PEM, such as NAME.pub of keygen")
    try:
        public = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{name} is no public key: {error}") from None
    if not isinstance(public, Ed25519PublicKey):
        raise SignatureError(f"{name} is {_kind(public)}, not one of {ALGORITHM}")
    return public


def _content(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte
        reason = getattr(error, "strerror", None) or error
        raise SignatureError(f"{path}: the key can't be read: {reason}") from None


def _fingerprint(public: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _kind(key: object) -> str:
    """An RSA key, say, from the name of its class."""
    name = type(key).__name__.lstrip("_")
    return f"a key of {name.removesuffix('PrivateKey').removesuffix('PublicKey')}"


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise SignatureError(
            f'signatures need the package cryptography: pip install "edgeocr[sign]" ({error})'
        ) from None

"""Sign bundles and check signatures: Ed25519 (RFC 8032) over the bytes of manifest.json.

The manifest contains the sha256 of all other files, so that the signature covers the whole bundle.
Keys are PEM files as openssl writes and reads them: the private key is PKCS#8, the public key is
SubjectPublicKeyInfo. A key is named by its fingerprint, the sha256 of the public key's DER in
hexadecimal.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import SignatureError
from .archive import MANIFEST, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# The path of a public key in PEM, or the bytes of one.
PublicKey: TypeAlias = "str | os.PathLike[str] | bytes"

ALGORITHM = "Ed25519"
# No key has more bytes; an encrypted private key in PEM has about 300.
KEY_BYTES = 1 << 16
# The environment variable with the password of an encrypted private key.
PASSWORD_VARIABLE = "EDGEOCR_KEY_PASSWORD"


@dataclass(frozen=True)
class Signature:
    """The content of signature.json.

    Attributes:
        algorithm: "Ed25519".
        key: The fingerprint of the key that the signature claims to be made with.
        signature: The 64 bytes of the signature in base64.
    """

    algorithm: str
    key: str
    signature: str

    @property
    def content(self) -> bytes:
        """The bytes of signature.json, the only ones that are valid for these values."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse(content: bytes) -> Signature:
    """Read signature.json; only the bytes that `sign` writes are accepted.

    Raises:
        SignatureError: The content has another form.
    """
    try:
        given = Signature(**json.loads(content.decode("utf-8")))
        key, raw = bytes.fromhex(given.key), base64.b64decode(given.signature, validate=True)
    except (ValueError, TypeError, RecursionError):
        raise SignatureError(f"{SIGNATURE} is damaged or was changed") from None
    if given.algorithm != ALGORITHM:
        raise SignatureError(f"{SIGNATURE} is by {given.algorithm!r:.40}, not by {ALGORITHM}")
    same = Signature(ALGORITHM, key.hex(), base64.b64encode(raw).decode())
    if (len(key), len(raw)) != (32, 64) or same.content != content:
        raise SignatureError(f"{SIGNATURE} is damaged or was changed: signing writes another form")
    return same


def sign(manifest: bytes, key: str | os.PathLike[str]) -> bytes:
    """Sign a manifest.

    Args:
        manifest: The bytes of manifest.json.
        key: The path of the private key in PEM. If it is encrypted, the environment variable
            EDGEOCR_KEY_PASSWORD has its password.

    Returns:
        The content of signature.json.

    Raises:
        SignatureError: The key can't be read, is not an Ed25519 private key, or its password is
            missing or wrong; or the package cryptography is not installed.
    """
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content, password = _content(key), None
    if b"PRIVATE KEY-----" not in content:
        raise SignatureError(f"{key} is not a private key in PEM; signing needs NAME.key")
    if b"ENCRYPTED" in content:
        password = os.environ.get(PASSWORD_VARIABLE)
        if not password:
            raise SignatureError(f"{key} is encrypted: set {PASSWORD_VARIABLE} to its password")
    try:
        private = load_pem_private_key(content, password.encode() if password else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        wrong = f", or {PASSWORD_VARIABLE} is wrong" if password else ""
        raise SignatureError(f"{key} is not a valid private key{wrong}: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SignatureError(f"{key} is an {_kind(private)} key; an {ALGORITHM} key is needed")
    encoded = base64.b64encode(private.sign(manifest)).decode()
    return Signature(ALGORITHM, _fingerprint(private.public_key()), encoded).content


def verify(manifest: bytes, signature: Signature | None, key: PublicKey) -> None:
    """Check that a manifest was signed with a key.

    Args:
        manifest: The bytes of manifest.json.
        signature: The content of signature.json; None if the bundle has none.
        key: The path of the public key in PEM, or its bytes.

    Raises:
        SignatureError: There is no signature, it was made with another key or for another manifest,
            the key can't be read or is not an Ed25519 public key, or the package cryptography is
            not installed.
        TypeError: The key is neither a path nor bytes.
    """
    check_key_type(key)
    _need_cryptography()
    from cryptography.exceptions import InvalidSignature

    public = _public(key)
    wanted = _fingerprint(public)
    if signature is None:
        raise SignatureError(f"not signed, but a signature by the key {wanted} is required")
    if signature.key != wanted:
        raise SignatureError(f"signed by another key, {signature.key}; {wanted} is required")
    try:
        public.verify(base64.b64decode(signature.signature), manifest)
    except InvalidSignature:
        raise SignatureError(
            f"wrong signature: {MANIFEST} is not what was signed with the key {wanted}"
        ) from None


def check_key_type(key: object) -> None:
    """Check that a public key is given as a path or as bytes.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(key, (str, os.PathLike, bytes)):
        raise TypeError(f"a public key must be a path or bytes, not {type(key).__name__}")


def generate_keys(name: str | os.PathLike[str]) -> str:
    """Make a new key pair: NAME.key, which only its owner can read, and NAME.pub.

    Args:
        name: The path of both files without their extensions.

    Returns:
        The fingerprint of the public key.

    Raises:
        SignatureError: One of the files exists already, or the path ends without a file name, or
            the package cryptography is not installed.
        OSError: The files can't be written.
    """
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    last = Path(name).name
    if last in ("", "..") or not os.fspath(name).endswith(last):
        raise SignatureError(f"{os.fspath(name)!r} must end with a name, for NAME.key and NAME.pub")
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
            raise SignatureError(f"{path} exists already, and keys are never overwritten")
    made: list[Path] = []
    try:
        for path, mode, content in contents:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            made.append(path)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
    except BaseException:  # half a pair would be of no use, and in the way of the next attempt
        for path in made:
            path.unlink(missing_ok=True)
        raise
    return _fingerprint(private.public_key())


def _public(key: PublicKey) -> Ed25519PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    content, name = (key, "the key") if isinstance(key, bytes) else (_content(key), os.fspath(key))
    if b"PRIVATE KEY-----" in content:
        raise SignatureError(f"{name} is a private key; checking needs the public key, NAME.pub")
    if b"-----BEGIN PUBLIC KEY-----" not in content:
        raise SignatureError(
            f"{name} is not a public key in PEM, such as keygen writes to NAME.pub"
        )
    try:
        public = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError(f"{name} is not a valid public key: {error}") from None
    if not isinstance(public, Ed25519PublicKey):
        raise SignatureError(f"{name} is an {_kind(public)} key; an {ALGORITHM} key is needed")
    return public


def _content(path: str | os.PathLike[str]) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(KEY_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: the path has a null byte
        reason = getattr(error, "strerror", None) or error
        raise SignatureError(f"{path}: the key can't be read: {reason}") from None
    if len(content) > KEY_BYTES:
        raise SignatureError(f"{path} is no key: it has more than {KEY_BYTES} bytes")
    return content


def _fingerprint(public: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


def _kind(key: object) -> str:
    """Name a key's algorithm by its class, for example RSA."""
    return type(key).__name__.lstrip("_").removesuffix("PrivateKey").removesuffix("PublicKey")


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise SignatureError(
            f'signatures need the package cryptography: pip install "edgeocr[sign]" ({error})'
        ) from None

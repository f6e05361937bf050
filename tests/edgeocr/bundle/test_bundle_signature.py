"""Keys, signatures and signature.json, compared with openssl and RFC 8032."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgeocr import Bundle, SignatureError
from edgeocr.bundle import signature
from edgeocr.bundle.archive import MANIFEST, SIGNATURE
from tests.support.packing import Files, fingerprint, packed
from tests.support.paths import IMAGES

SAMPLE = str(IMAGES / "sample.jpg")
TEXT = b'{"schema": 1}\n'


@pytest.fixture(scope="module")
def unusable_keys(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with files that are not usable as keys, and a valid pair, `own`."""
    path = tmp_path_factory.mktemp("unusable_keys")
    private = rsa.generate_private_key(65537, 2048)
    (path / "rsa.key").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (path / "rsa.pub").write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    (path / "empty.pub").write_bytes(b"")
    (path / "text.pub").write_bytes(b"words\n" * 99)
    own = (keys / "own.pub").read_bytes()
    (path / "own.pub").write_bytes(own)
    (path / "own.key").write_bytes((keys / "own.key").read_bytes())
    (path / "cut.pub").write_bytes(own.replace(own.splitlines()[1][:9], b""))
    return path


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., bytes]:
    program = shutil.which("openssl")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is missing, and CI must have it")
        pytest.skip("openssl is not installed")

    def run(*arguments: str | Path) -> bytes:
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def test_openssl_accepts_keys_and_signatures_of_edgeocr(
    openssl: Callable[..., bytes], tmp_path: Path, keys: Path
) -> None:
    (tmp_path / "text").write_bytes(TEXT)
    made = json.loads(signature.sign(TEXT, keys / "own.key"))
    (tmp_path / "made").write_bytes(base64.b64decode(made["signature"]))
    check = ["pkeyutl", "-verify", "-pubin", "-inkey", keys / "own.pub", "-rawin"]
    assert b"Success" in openssl(*check, "-in", "text", "-sigfile", "made")
    der = openssl("pkey", "-pubin", "-in", keys / "own.pub", "-outform", "DER")
    assert made["key"] == hashlib.sha256(der).hexdigest() == fingerprint(keys / "own.pub")
    again = openssl("pkey", "-in", keys / "own.key", "-pubout")
    assert again == (keys / "own.pub").read_bytes()
    assert openssl("pkey", "-in", keys / "own.key") == (keys / "own.key").read_bytes()


def test_keys_and_signatures_of_openssl_are_accepted(
    openssl: Callable[..., bytes],
    tmp_path: Path,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", "a.key")
    openssl("pkey", "-in", "a.key", "-pubout", "-out", "a.pub")
    (tmp_path / "text").write_bytes(files[MANIFEST])
    openssl("pkeyutl", "-sign", "-inkey", "a.key", "-rawin", "-in", "text", "-out", "made")
    made = signature.Signature(
        "Ed25519",
        fingerprint(tmp_path / "a.pub"),
        base64.b64encode((tmp_path / "made").read_bytes()).decode(),
    )
    path = packed(files | {SIGNATURE: made.content}, tmp_path / "a.edgeocr")
    assert Bundle.open(path, require_signature=tmp_path / "a.pub").signed_by == made.key
    assert signature.sign(files[MANIFEST], tmp_path / "a.key") == made.content

    encrypt = ["pkcs8", "-topk8", "-in", "a.key", "-passout", "pass:open sesame", "-out", "e.key"]
    openssl(*encrypt)
    monkeypatch.setenv(signature.PASSWORD_VARIABLE, "open sesame")
    assert signature.sign(files[MANIFEST], tmp_path / "e.key") == made.content
    assert signature.sign(files[MANIFEST], tmp_path / "a.key") == made.content
    monkeypatch.setenv(signature.PASSWORD_VARIABLE, "wrong")
    with pytest.raises(SignatureError, match=r"e\.key is not a valid .*, or EDGEOCR_KEY_PASSWORD"):
        signature.sign(TEXT, tmp_path / "e.key")
    monkeypatch.delenv(signature.PASSWORD_VARIABLE)
    with pytest.raises(SignatureError, match=r"e\.key is encrypted: .* EDGEOCR_KEY_PASSWORD"):
        signature.sign(TEXT, tmp_path / "e.key")


def test_sign_gives_the_first_test_vector_of_rfc_8032(tmp_path: Path) -> None:
    secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    (tmp_path / "rfc.key").write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    made = json.loads(signature.sign(b"", tmp_path / "rfc.key"))["signature"]
    assert base64.b64decode(made).hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
        "6bd25bf5f0595bbe24655141438e7a100b"
    )


def test_keys_are_private_and_never_overwritten(tmp_path: Path) -> None:
    made = signature.generate_keys(tmp_path / "release.1")
    assert made == fingerprint(tmp_path / "release.1.pub")
    key = tmp_path / "release.1.key"
    if os.name != "nt":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SignatureError, match="exists already"):
        signature.generate_keys(tmp_path / "release.1")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "new.key").symlink_to("nowhere")
    with pytest.raises(SignatureError, match=r"new\.key exists already"):
        signature.generate_keys(tmp_path / "new")
    assert not (tmp_path / "nowhere").exists() and not (tmp_path / "new.pub").exists()
    with pytest.raises(OSError):
        signature.generate_keys(tmp_path / "no" / "folder")


@pytest.mark.parametrize("name", ["", ".", "..", "folder/", "/"])
def test_generate_keys_refuses_a_path_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SignatureError, match="must end with a name"):
        signature.generate_keys(name)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("own.key", "own.key is a private key"),
        ("rsa.key", "rsa.key is a private key"),
        ("rsa.pub", "rsa.pub is an RSA key; an Ed25519 key is needed"),
        ("empty.pub", "empty.pub is not a public key in PEM"),
        ("text.pub", "text.pub is not a public key in PEM"),
        ("cut.pub", "cut.pub is not a valid public key"),
        ("none.pub", "none.pub: the key can't be read: No such file"),
        (".", "the key can't be read"),
        ("null\0byte", "the key can't be read: embedded null"),
        ("/dev/zero", "zero is no key: it has more than 65536 bytes"),
    ],
)
def test_unusable_public_keys_are_refused(
    signed: Files, unusable_keys: Path, tmp_path: Path, key: str, words: str
) -> None:
    path = packed(signed, tmp_path / "a.edgeocr")
    with pytest.raises(SignatureError, match=words):
        Bundle.open(path, require_signature=unusable_keys / key)
    if (unusable_keys / key).is_file():
        with pytest.raises(SignatureError, match="the key is "):
            Bundle.open(path, require_signature=(unusable_keys / key).read_bytes())


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("own.pub", "own.pub is not a private key in PEM"),
        ("rsa.key", "rsa.key is an RSA key; an Ed25519 key is needed"),
        ("none.key", "none.key: the key can't be read"),
    ],
)
def test_unusable_private_keys_are_refused(unusable_keys: Path, key: str, words: str) -> None:
    with pytest.raises(SignatureError, match=words):
        signature.sign(TEXT, unusable_keys / key)


def test_every_changed_byte_of_the_signature_file_is_refused(signed: Files, keys: Path) -> None:
    """Check signature.json itself; the checksum of the archive plays no part."""
    own = signature.parse(signed[SIGNATURE])
    signature.verify(signed[MANIFEST], own, keys / "own.pub")
    for place in range(len(signed[SIGNATURE])):
        damaged = bytearray(signed[SIGNATURE])
        damaged[place] ^= 1 << place % 7
        with pytest.raises(SignatureError):
            signature.verify(signed[MANIFEST], signature.parse(bytes(damaged)), keys / "own.pub")


def reordered(data: dict[str, Any]) -> str:
    return json.dumps(dict(reversed(data.items())), indent=1) + "\n"


def compact(data: dict[str, Any]) -> str:
    return json.dumps(data)


def without_newline(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=1)


def with_more(data: dict[str, Any]) -> str:
    return json.dumps(data | {"more": 1}, indent=1) + "\n"


def with_less(data: dict[str, Any]) -> str:
    return json.dumps({"key": data["key"]}, indent=1) + "\n"


def twice(data: dict[str, Any]) -> str:
    return "{" + json.dumps(data)[1:-1] + ", " + json.dumps(data)[1:]


def upper_case(data: dict[str, Any]) -> str:
    return json.dumps(data | {"key": data["key"].upper()}, indent=1) + "\n"


def other_bits(data: dict[str, Any]) -> str:
    """Change the bits of the last base64 digit that decoding ignores."""
    text = data["signature"]
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = text[:-3] + digits[digits.index(text[-3]) ^ 1] + "=="
    assert base64.b64decode(changed) == base64.b64decode(text)
    return json.dumps(data | {"signature": changed}, indent=1) + "\n"


def short_signature(data: dict[str, Any]) -> str:
    return json.dumps(data | {"signature": "AAAA"}, indent=1) + "\n"


def short_key(data: dict[str, Any]) -> str:
    return json.dumps(data | {"key": "ab"}, indent=1) + "\n"


def another_algorithm(data: dict[str, Any]) -> str:
    return json.dumps(data | {"algorithm": "none"}, indent=1) + "\n"


def numbers(data: dict[str, Any]) -> str:
    return json.dumps(dict.fromkeys(data, 1), indent=1) + "\n"


def a_list(data: dict[str, Any]) -> str:
    return "[1]"


def too_deep(data: dict[str, Any]) -> str:
    return "[" * 4096


@pytest.mark.parametrize(
    "change",
    [
        *(reordered, compact, without_newline, with_more, with_less, twice, upper_case, other_bits),
        *(short_signature, short_key, another_algorithm, numbers, a_list, too_deep),
    ],
)
def test_a_signature_file_in_another_form_is_refused(
    signed: Files, tmp_path: Path, change: Callable[[dict[str, Any]], str]
) -> None:
    content = signed[SIGNATURE]
    assert content == (json.dumps(json.loads(content), indent=1, sort_keys=True) + "\n").encode()
    signed[SIGNATURE] = change(json.loads(content)).encode()
    with pytest.raises(SignatureError, match=rf"{re.escape(str(tmp_path))}.*: signature\.json is "):
        Bundle.open(packed(signed, tmp_path / "a.edgeocr"))


def test_only_signing_and_checking_need_cryptography(
    signed: Files, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(signed, tmp_path / "a.edgeocr")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    bundle = Bundle.open(path)
    assert bundle.signed_by == fingerprint(keys / "own.pub")
    for needs in (
        lambda: Bundle.open(path, require_signature=keys / "own.pub"),
        lambda: Bundle.default(require_signature=keys / "own.pub"),
        lambda: bundle.check_signature(keys / "own.pub"),
        lambda: signature.sign(TEXT, keys / "own.key"),
        lambda: signature.generate_keys(tmp_path / "new"),
    ):
        with pytest.raises(SignatureError, match=r'pip install "edgeocr\[sign\]"'):
            needs()

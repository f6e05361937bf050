"""Authorities of TLS, and certificates that they have signed, made in a moment."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Authority:
    """Whoever signs certificates, and the file with its own one."""

    key: EllipticCurvePrivateKey
    name: x509.Name
    certificate_file: Path


def authority(folder: Path) -> Authority:
    """Make an authority that has signed itself."""
    folder.mkdir()
    key, name = generate_private_key(SECP256R1()), _name(f"authority of {folder.name}")
    builder = _certificate(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    signed = builder.add_extension(usage, True).sign(key, hashes.SHA256())
    file = folder / "authority.pem"
    file.write_bytes(signed.public_bytes(Encoding.PEM))
    return Authority(key, name, file)


def certificate(signer: Authority, address: str, folder: Path) -> tuple[Path, Path]:
    """Make a certificate for a server at an IP address; return the files of its key and itself."""
    folder.mkdir()
    key = generate_private_key(SECP256R1())
    builder = _certificate(_name(address), signer.name, key.public_key())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    builder = builder.add_extension(names, False).add_extension(identifier, False)
    signed = builder.sign(signer.key, hashes.SHA256())
    key_file, file = folder / "server.key", folder / "server.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.write_bytes(signed.public_bytes(Encoding.PEM))
    return key_file, file


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )

"""A self-signed certificate: browsers give a page no camera over plain HTTP, except on localhost."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from classroom.local.folder import write_private

# Phones refuse certificates that live longer than 825 days, some of more than 398.
LIFETIME = dt.timedelta(days=390)
RENEW_BEFORE = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the PEM files lie: the certificate and its private key (mode 0600)."""

    certificate: Path
    key: Path


def ensure_certificate(folder: Path, addresses: Sequence[str]) -> Certificate:
    """The kept certificate while it is valid for all `addresses` (IPv4), else a new one."""
    folder.mkdir(exist_ok=True, mode=0o700)
    files = Certificate(folder / "certificate.pem", folder / "key.pem")
    names = [x509.DNSName("localhost"), *(x509.DNSName(name) for name in host_names())]
    numbers = [x509.IPAddress(ipaddress.ip_address(address)) for address in ["127.0.0.1", "::1", *addresses]]
    if not _still_good(files, {*names, *numbers}):
        _write(files, [*names, *numbers])
    return files


def host_names() -> list[str]:
    """This machine's name, alone and as phones find it (.local), where it is a legal host name."""
    name = socket.gethostname().split(".")[0].lower()
    legal = name.replace("-", "").isalnum() and name.isascii() and name != "localhost"
    return [name, f"{name}.local"] if legal else []


def _still_good(files: Certificate, names: set[x509.GeneralName]) -> bool:
    if not (files.certificate.exists() and files.key.exists()):
        return False
    known = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    covered = set(known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    now = dt.datetime.now(dt.UTC)
    return known.not_valid_before_utc <= now < known.not_valid_after_utc - RENEW_BEFORE and names <= covered


def _write(files: Certificate, names: list[x509.GeneralName]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(key, names)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(files.key, pem.decode())
    write_private(files.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())


def _signed(key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName]) -> x509.Certificate:
    """An end-entity certificate (not an authority: trusting it must not let its key sign for other sites)."""
    me = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Roomtone on this machine")])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(me)
        .issuer_name(me)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256())

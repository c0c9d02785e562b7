"""A certificate authority of this installation's own, for trying it on phones in the same network.

Browsers give pages camera and microphone over https only (or on the same machine). The authority's certificate is
installed once on each phone; the server's is made anew at a start whenever its addresses or its time ask for it.
A bank uses certificates of its own: behind its proxy, or as ``AIRCOUNTER_TLS_PEM``.
"""

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.security.keys import SecretsError

AUTHORITY_LIFETIME = timedelta(days=10 * 365)
SERVER_LIFETIME = timedelta(days=397)  # phones refuse more
RENEW_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)  # clocks of phones differ


def authority_path(data_dir: Path) -> Path:
    """The certificate to install on phones."""
    return data_dir / "tls" / "local-ca.pem"


def server_certificate(data_dir: Path, hosts: Sequence[str], now: datetime | None = None) -> Path:
    """Key, certificate and authority of the server in one PEM file, good for all of `hosts` (addresses or names).

    Raises:
        SecretsError: The folder's files cannot be read or written; they are never overwritten unread.
    """
    now = now or datetime.now(UTC)
    folder = data_dir / "tls"
    path = folder / "server.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, authority = _authority(folder, now)
        if not path.exists() or not _fits(x509.load_pem_x509_certificate(path.read_bytes()), authority, hosts, now):
            _write(path, _issue(key, authority, hosts, now))
    except (OSError, ValueError, TypeError) as error:
        raise SecretsError(f"the certificates in {folder} cannot be used: {error}; move the folder away") from error
    return path


def _authority(folder: Path, now: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    kept, public = folder / "local-ca.key", folder / "local-ca.pem"
    if not kept.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"AirCounter local CA {now:%Y-%m-%d %H:%M}")])
        certificate = (
            _builder(name, name, key, now, AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(public, certificate.public_bytes(Encoding.PEM))
        _write(kept, _private(key))
    loaded = load_pem_private_key(kept.read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is of another kind")
    return loaded, x509.load_pem_x509_certificate(public.read_bytes())


def _issue(
    signer: ec.EllipticCurvePrivateKey, authority: x509.Certificate, hosts: Sequence[str], now: datetime
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    certificate = (
        _builder(name, authority.subject, key, now, SERVER_LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    chain = [each.public_bytes(Encoding.PEM) for each in (certificate, authority)]
    return b"".join([*chain, _private(key)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now - _BACKDATED + lifetime)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _fits(certificate: x509.Certificate, authority: x509.Certificate, hosts: Sequence[str], now: datetime) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.issuer == authority.subject
        and set(names) == {_name(host) for host in hosts}
        and certificate.not_valid_after_utc > now + RENEW_BEFORE
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

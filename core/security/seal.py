"""The installation's own seal: a key and a self-signed certificate with which documents are sealed.

Both lie beside the secrets file (``seal.pem``, mode 0600); the certificate may be given to anybody. A bank with a
certificate of its own puts key and certificate there before the first start.
"""

import os
from dataclasses import dataclass
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
from cryptography.x509.oid import NameOID

from core.security.keys import SecretsError

LIFETIME = timedelta(days=20 * 365)


@dataclass(frozen=True, slots=True)
class Seal:
    """Key (PKCS 8) and certificate (X.509), both DER."""

    key_der: bytes
    certificate_der: bytes

    @property
    def certificate_pem(self) -> str:
        """For whoever wants to verify."""
        return x509.load_der_x509_certificate(self.certificate_der).public_bytes(Encoding.PEM).decode()


def seal_path(data_dir: Path) -> Path:
    """Where key and certificate lie."""
    return Path(os.environ.get("AIRCOUNTER_SECRETS_FILE", data_dir / "secrets.json")).parent / "seal.pem"


def load_seal(data_dir: Path) -> Seal:
    """Read the seal, making one on first use.

    Raises:
        SecretsError: The file is there and cannot be read; it is never overwritten.
    """
    path = seal_path(data_dir)
    if not path.exists():
        try:
            _put(path)
        except OSError as error:
            raise SecretsError(f"there is no seal in {path} and none can be made there ({error})") from error
    try:
        stored = path.read_bytes()
        key = load_pem_private_key(stored, None)
        der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return Seal(der, x509.load_pem_x509_certificate(stored).public_bytes(Encoding.DER))
    except (OSError, ValueError) as error:
        raise SecretsError(f"the seal {path} cannot be read ({error}); restore it from the backup") from error


def _put(path: Path) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(_make())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its file counts
    finally:
        temporary.unlink()


def certificate_from(pem_or_der: bytes) -> bytes:
    """A certificate as DER. ValueError when it is none."""
    if b"-----BEGIN" in pem_or_der:
        return x509.load_pem_x509_certificate(pem_or_der).public_bytes(Encoding.DER)
    return x509.load_der_x509_certificate(pem_or_der).public_bytes(Encoding.DER)


def _make() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AirCounter installation seal")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key_pem + certificate.public_bytes(Encoding.PEM)

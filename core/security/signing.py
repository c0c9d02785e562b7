"""Signatures with the house's seal: ECDSA (DER) or RSA (PKCS 1 v1.5) with SHA-256, as the seal's key is."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from core.security.seal import Seal


def sign(seal: Seal, data: bytes) -> bytes:
    """Sign.

    Raises:
        ValueError: the key is of another kind.
    """
    key = load_der_private_key(seal.key_der, None)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    raise ValueError("the seal's key is neither an elliptic curve nor an RSA key")


def check_signature(certificate: x509.Certificate, signature: bytes, data: bytes) -> None:
    """Raise `InvalidSignature` unless the certificate's key signed the data."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise InvalidSignature

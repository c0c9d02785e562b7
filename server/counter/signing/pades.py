"""Sealing and verifying PDF documents (PAdES, ETSI EN 319 142) with the installation's certificate. Everything blocks.

A seal is an incremental update: the document as it was read is, byte for byte, the beginning of the sealed file.
"""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from core.security.seal import Seal

FIELD = "Seal"
INK_BOX = (330, 36, 550, 110)  # points, lower right of the last page


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a document is as it was sealed.

    Attributes:
        problem: ``not_pdf``, ``not_sealed``, ``changed``, ``foreign_seal``, ``added``; None when all is well.
        sha256: Of the whole file. reason: What the seal says it is for. signer: Name in the certificate.
    """

    sha256: str
    problem: str | None
    signer: str = ""
    reason: str = ""

    @property
    def good(self) -> bool:
        """Unchanged, and sealed by this installation."""
        return self.problem is None


def seal_pdf(document: bytes, seal: Seal, reason: str, ink: Image.Image | None = None) -> bytes:
    """Seal a document; with `ink` the handwriting stands in the box on its last page."""
    certificate = asn1_x509.Certificate.load(seal.certificate_der)
    store: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call, unused-ignore]
    store.register(certificate)
    signer = signers.SimpleSigner(
        signing_cert=certificate,
        signing_key=asn1_keys.PrivateKeyInfo.load(seal.key_der),
        cert_registry=store,
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        md_algorithm="sha256",
    )
    box: dict[str, Any] = {"on_page": -1, "box": INK_BOX} if ink is not None else {}
    style = StaticStampStyle(background=PdfImage(ink), background_opacity=1, border_width=0) if ink else None
    signing = signers.PdfSigner(
        metadata, signer, stamp_style=style, new_field_spec=fields.SigFieldSpec(sig_field_name=FIELD, **box)
    )
    sealed = signing.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(document)))
    return bytes(sealed.getvalue())


def verify_pdf(document: bytes, certificate_der: bytes) -> Verdict:
    """Check a document against a certificate."""
    digest = hashlib.sha256(document).hexdigest()
    if not document.startswith(b"%PDF-"):
        return Verdict(digest, "not_pdf")
    try:
        signatures = PdfFileReader(io.BytesIO(document)).embedded_signatures
        if not signatures:
            return Verdict(digest, "not_sealed")
        return _verdict(signatures[-1], digest, certificate_der)
    except (PdfError, SignatureValidationError, ValueError, KeyError, TypeError, IndexError):
        # A damaged file fails somewhere inside the parser: it is not as it was sealed.
        return Verdict(digest, "changed")


def _verdict(signature: Any, digest: str, certificate_der: bytes) -> Verdict:
    trusted = asn1_x509.Certificate.load(certificate_der)
    context = ValidationContext(trust_roots=[trusted], allow_fetching=False)
    status = validate_pdf_signature(signature, context)
    signer = str(signature.signer_cert.subject.human_friendly)
    reason = str(signature.sig_object.get("/Reason", ""))
    if not (status.intact and status.valid):
        return Verdict(digest, "changed", signer, reason)
    if not status.trusted:
        return Verdict(digest, "foreign_seal", signer, reason)
    if status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return Verdict(digest, "added", signer, reason)
    return Verdict(digest, None, signer, reason)

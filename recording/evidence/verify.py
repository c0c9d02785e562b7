"""Checking a package: needs the file and nothing else, no database, no settings, no network. Everything blocks."""

import hashlib
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from core.audit import AuditNote, entry_hash
from core.security.signing import check_signature
from recording.evidence.package import CERTIFICATE, FORMAT, MANIFEST, OUTSIDE, SIGNATURE, VERSION

AUDIT = "audit.json"
_PIECE_B = 1 << 20
_LOCAL = struct.Struct("<4s5H3L2H")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)

CheckPdf = Callable[[bytes, bytes], str | None]
"""Checks a sealed PDF against a certificate (DER): None when it is good, else what is wrong in a word."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was made.

    Attributes:
        code: ``package.unreadable``, ``package.no_manifest``, ``package.format``, ``package.padded``,
            ``signature.missing``, ``signature.wrong``, ``certificate.other``, ``file.missing``, ``file.added``,
            ``file.changed``, ``file.twice``, ``audit.changed``, ``pdf.bad``.
        path: Of the file concerned.
    """

    code: str
    path: str = ""
    note: str = ""


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        certificate_sha256: Fingerprint of the certificate that signed; compare it with the one the bank publishes.
        trusted: Whether it is the certificate that was given to compare with; None when none was given.
        pdfs: Signed documents whose own seal was checked. audit_entries: Entries whose hash was checked.
    """

    head: dict[str, Any] = field(default_factory=dict)
    files: int = 0
    size_b: int = 0
    signer: str = ""
    certificate_sha256: str = ""
    trusted: bool | None = None
    pdfs: int = 0
    audit_entries: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Everything is there, unchanged and signed."""
        return not self.problems


def verify_package(path: Path, certificate_der: bytes | None = None, check_pdf: CheckPdf | None = None) -> Report:
    """Check a package. Never raises for a bad one: it is what the report is about.

    Args:
        certificate_der: The certificate the bank publishes. Without it the signature only proves that the package
            is unchanged since somebody with the enclosed certificate's key signed it.
    """
    report = Report()
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as package:
            _check(package, file, report, certificate_der, check_pdf)
    except _UNREADABLE as error:
        report.problems.append(Problem("package.unreadable", note=str(error)[:200]))
    return report


def _check(
    package: zipfile.ZipFile, file: BinaryIO, report: Report, trusted_der: bytes | None, check_pdf: CheckPdf | None
) -> None:
    names = Counter(info.filename for info in package.infolist())
    report.problems += [Problem("file.twice", name) for name, count in names.items() if count > 1]
    if not _is_compact(package, file):
        report.problems.append(Problem("package.padded"))
    if MANIFEST not in names:
        report.problems.append(Problem("package.no_manifest", MANIFEST))
        return
    manifest = package.read(MANIFEST)
    certificate = _check_signature(package, names, manifest, report, trusted_der)
    listed = _listed(manifest, report)
    if listed is None:
        return
    for name in names.keys() - listed.keys() - OUTSIDE:
        report.problems.append(Problem("file.added", name))
    for name, entry in listed.items():
        if name not in names:
            report.problems.append(Problem("file.missing", name))
            continue
        report.files += 1
        problem, size_b = _check_file(package, name, entry)
        report.size_b += size_b
        if problem is not None:
            report.problems.append(problem)
        elif name == AUDIT:
            _check_audit(package.read(name), report)
        elif entry.get("kind") == "sealed_pdf" and check_pdf is not None and certificate is not None:
            report.pdfs += 1
            wrong = check_pdf(package.read(name), trusted_der or certificate)
            if wrong is not None:
                report.problems.append(Problem("pdf.bad", name, wrong))


def _is_compact(package: zipfile.ZipFile, file: BinaryIO) -> bool:
    """Whether the entries lie one after the other with nothing before, between or behind them."""
    if package.comment:
        return False
    at = 0
    for info in sorted(package.infolist(), key=lambda each: each.header_offset):
        if info.header_offset != at:
            return False
        file.seek(at)
        local = file.read(_LOCAL.size)
        if len(local) != _LOCAL.size:
            return False
        name_b, extra_b = _LOCAL.unpack(local)[-2:]
        if file.read(name_b) != info.filename.encode():
            return False
        at += _LOCAL.size + name_b + extra_b + info.compress_size
    return at == package.start_dir and _ends_with_directory(package, file)


def _ends_with_directory(package: zipfile.ZipFile, file: BinaryIO) -> bool:
    """Behind the central directory comes its end record (and the two of ZIP64), and then the file is over."""
    directory_b = sum(
        46 + len(info.filename.encode()) + len(info.extra) + len(info.comment) for info in package.infolist()
    )
    left = file.seek(0, 2) - package.start_dir - directory_b
    return left in (22, 22 + 56 + 20)


def _check_signature(
    package: zipfile.ZipFile, names: Counter[str], manifest: bytes, report: Report, trusted_der: bytes | None
) -> bytes | None:
    """The certificate (DER) that signed; None when there is none to be read."""
    if SIGNATURE not in names or CERTIFICATE not in names:
        report.problems.append(Problem("signature.missing", SIGNATURE if SIGNATURE not in names else CERTIFICATE))
        return None
    try:
        certificate = x509.load_pem_x509_certificate(package.read(CERTIFICATE))
        report.signer = certificate.subject.rfc4514_string()
        report.certificate_sha256 = certificate.fingerprint(hashes.SHA256()).hex()
        if trusted_der is not None:
            trusted = x509.load_der_x509_certificate(trusted_der)
            report.trusted = trusted.fingerprint(hashes.SHA256()).hex() == report.certificate_sha256
            if not report.trusted:
                report.problems.append(Problem("certificate.other", CERTIFICATE))
        check_signature(certificate, package.read(SIGNATURE), manifest)
    except (InvalidSignature, ValueError, TypeError):
        report.problems.append(Problem("signature.wrong", SIGNATURE))
        return None
    return certificate.public_bytes(Encoding.DER)


def _listed(manifest: bytes, report: Report) -> dict[str, dict[str, Any]] | None:
    try:
        content = json.loads(manifest)
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            report.problems.append(Problem("package.format", MANIFEST, f"{content['format']} {content['version']}"))
            return None
        report.head = {key: value for key, value in content.items() if key != "files"}
        return {str(entry["path"]): entry for entry in content["files"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        report.problems.append(Problem("package.format", MANIFEST))
        return None


def _check_file(package: zipfile.ZipFile, name: str, entry: dict[str, Any]) -> tuple[Problem | None, int]:
    digest, size_b = hashlib.sha256(), 0
    try:
        with package.open(name) as content:
            while piece := content.read(_PIECE_B):
                digest.update(piece)
                size_b += len(piece)
    except _UNREADABLE as error:
        return Problem("file.changed", name, str(error)[:200]), size_b
    if size_b != entry.get("size_b") or digest.hexdigest() != entry.get("sha256"):
        return Problem("file.changed", name), size_b
    return None, size_b


def _check_audit(content: bytes, report: Report) -> None:
    """Each entry's own hash; the chain between them is whole only in the house's log."""
    try:
        for each in json.loads(content)["entries"]:
            note = AuditNote(
                datetime.fromisoformat(each["at"]),
                each["actor"],
                each["action"],
                each["object_type"],
                each["object_id"],
                each["detail"],
            )
            report.audit_entries += 1
            if entry_hash(each["prev_hash"], each["seq"], note) != each["hash"]:
                report.problems.append(Problem("audit.changed", AUDIT, f"entry {each['seq']}"))
    except (ValueError, KeyError, TypeError):
        report.problems.append(Problem("audit.changed", AUDIT))

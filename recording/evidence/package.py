"""The package itself: a ZIP whose manifest names every file with its SHA-256 and is signed with the house's seal.

``manifest.json`` · ``manifest.sig`` (signature over the bytes of the manifest) · ``certificate.pem`` · the files it
names. Nothing else may be in it. Deliberately plain: `unzip`, `sha256sum` and `openssl dgst -verify` check it as well.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core.security.seal import Seal
from core.security.signing import sign

FORMAT = "aircounter-evidence"
VERSION = 1
MANIFEST, SIGNATURE, CERTIFICATE = "manifest.json", "manifest.sig", "certificate.pem"
OUTSIDE = frozenset({MANIFEST, SIGNATURE, CERTIFICATE})
"""Files that the manifest cannot name: itself, and what proves it."""

_PIECE_B = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)
# Media and documents are compressed already; packing them again costs time and gains nothing.
_STORED = (".webm", ".mp4", ".jpg", ".png", ".pdf", ".webp")


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file. `content` is read when its turn comes, so that only one recording is in the clear at a time."""

    path: str
    kind: str
    content: bytes | Path


def canonical(value: Any) -> bytes:
    """JSON as it is written into packages: UTF-8, sorted, readable."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, default=str).encode() + b"\n"


class PackageWriter:
    """Writes one package into an open file. Everything blocks."""

    def __init__(self, target: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._files: list[dict[str, Any]] = []

    def add(self, file: PackageFile) -> None:
        """Add a file and remember its digest. ValueError when the path is taken."""
        if file.path in OUTSIDE or any(file.path == known["path"] for known in self._files):
            raise ValueError(f"{file.path} is already in the package")
        digest, size_b = hashlib.sha256(), 0
        with self._zip.open(_entry(file.path), "w", force_zip64=isinstance(file.content, Path)) as out:
            for piece in _pieces(file.content):
                digest.update(piece)
                size_b += len(piece)
                out.write(piece)
        self._files.append({"path": file.path, "kind": file.kind, "size_b": size_b, "sha256": digest.hexdigest()})

    def close(self, head: dict[str, Any], seal: Seal) -> str:
        """Write manifest, signature and certificate. Returns the manifest's SHA-256.

        Args:
            head: What the package is: call, who asked, why, when.
        """
        manifest = canonical({"format": FORMAT, "version": VERSION, **head, "files": self._files})
        for name, content in (
            (MANIFEST, manifest),
            (SIGNATURE, sign(seal, manifest)),
            (CERTIFICATE, seal.certificate_pem.encode()),
        ):
            self._zip.writestr(_entry(name), content)
        self._zip.close()
        return hashlib.sha256(manifest).hexdigest()


def write_package(
    target: BinaryIO,
    files: Iterable[PackageFile],
    head: dict[str, Any],
    seal: Seal,
    progress: Callable[[str], None] = lambda path: None,
) -> str:
    """Write a whole package; `progress` hears of every file. Returns the manifest's SHA-256."""
    writer = PackageWriter(target)
    for file in files:
        progress(file.path)
        writer.add(file)
    return writer.close(head, seal)


def _entry(path: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _DATE)
    info.compress_type = zipfile.ZIP_STORED if path.endswith(_STORED) else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _pieces(content: bytes | Path) -> Iterable[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as source:
        while piece := source.read(_PIECE_B):
            yield piece

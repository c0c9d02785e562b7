"""The local certificate authority: what phones accept, kept and renewed."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from core.security.keys import SecretsError
from core.security.local_ca import authority_path, server_certificate

HOSTS = ["127.0.0.1", "192.0.2.7", "localhost"]
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_certificate_is_kept_until_its_addresses_or_its_time_change(tmp_path: Path) -> None:
    path = server_certificate(tmp_path, HOSTS, NOW)
    first, authority = path.read_bytes(), authority_path(tmp_path).read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert server_certificate(tmp_path, HOSTS, NOW + timedelta(days=300)).read_bytes() == first
    moved = server_certificate(tmp_path, [*HOSTS, "192.0.2.8"], NOW).read_bytes()
    assert moved != first
    late = server_certificate(tmp_path, [*HOSTS, "192.0.2.8"], NOW + timedelta(days=380)).read_bytes()
    assert late != moved
    assert authority_path(tmp_path).read_bytes() == authority
    leaf = x509.load_pem_x509_certificate(first)
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=397)


def test_what_is_there_and_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    server_certificate(tmp_path, HOSTS, NOW)
    key = tmp_path / "tls" / "local-ca.key"
    key.write_text("nonsense")
    with pytest.raises(SecretsError, match="move the folder away"):
        server_certificate(tmp_path, HOSTS, NOW)
    assert key.read_text() == "nonsense"


def test_the_file_serves_tls(tmp_path: Path) -> None:
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(server_certificate(tmp_path, HOSTS))

"""A real coturn on loopback, with a certificate of its own making."""

import base64
import contextlib
import datetime
import hashlib
import shutil
import socket
import subprocess
import tempfile
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRET = "a secret shared with the relay"
START_S = 10.0
DEPLOYED = Path(__file__).parents[2] / "deploy" / "coturn.conf"


def need_coturn() -> str:
    """Path of the relay's program; skips the test where it cannot be installed."""
    path = shutil.which("turnserver")
    if path is None:
        pytest.skip("coturn is not installed (./dev test installs the Debian package)")
    return path


def _free_ports(count: int) -> list[int]:
    """So many ports free for UDP and TCP."""
    with contextlib.ExitStack() as stack:
        ports = []
        while len(ports) < count:
            tcp = stack.enter_context(socket.socket())
            tcp.bind(("127.0.0.1", 0))
            udp = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", tcp.getsockname()[1]))
                ports.append(tcp.getsockname()[1])
        return ports


class TurnRelay:
    """A running relay. A context manager.

    Attributes:
        urls: Address by transport: udp, tcp, tls.
        key_digest: Digest of the certificate's key, as Chromium's ``--ignore-certificate-errors-spki-list`` takes it.
    """

    def __init__(self) -> None:
        self._program = need_coturn()
        self._folder = Path(tempfile.mkdtemp(prefix="act-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._port, self._tls_port = _free_ports(2)
        self.key_digest = self._make_certificate()
        self.urls = {
            "udp": f"turn:127.0.0.1:{self._port}?transport=udp",
            "tcp": f"turn:127.0.0.1:{self._port}?transport=tcp",
            "tls": f"turns:localhost:{self._tls_port}?transport=tcp",
        }

    def _make_certificate(self) -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.datetime.now(datetime.UTC)
        names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key, hashes.SHA256())
        )
        encoding, plain = serialization.Encoding, serialization.NoEncryption()
        (self._folder / "cert.pem").write_bytes(certificate.public_bytes(encoding.PEM))
        private = key.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        (self._folder / "key.pem").write_bytes(private)
        public = key.public_key().public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(public).digest()).decode()

    def _configuration(self) -> str:
        """The one we ship, filled in for this machine; only loopback is extra, which a relay must not serve."""
        filled = DEPLOYED.read_text(encoding="utf-8")
        for shipped, here in {
            "<address of this host>": "127.0.0.1",
            "<address the media node announces>": "127.0.0.1",
            "<openssl rand -hex 32>": SECRET,
            "<name of the house>": "counter.test",
            "/etc/coturn/tls/fullchain.pem": f"{self._folder}/cert.pem",
            "/etc/coturn/tls/privkey.pem": f"{self._folder}/key.pem",
            "\nlistening-port=3478": f"\nlistening-port={self._port}",
            "\ntls-listening-port=5349": f"\ntls-listening-port={self._tls_port}",
        }.items():
            assert shipped in filled, shipped
            filled = filled.replace(shipped, here)
        folder = self._folder
        own = ["allow-loopback-peers", f"userdb={folder}/db", f"pidfile={folder}/pid", f"log-file={folder}/log"]
        return "\n".join([filled, *own, "simple-log", "verbose", ""])

    def log(self) -> str:
        """What the relay wrote."""
        path = self._folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self) -> Self:
        config = self._folder / "turnserver.conf"
        config.write_text(self._configuration())
        self._process = subprocess.Popen(
            [self._program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder
        )
        deadline = time.monotonic() + START_S
        for port in (self._port, self._tls_port):
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise AssertionError("coturn did not start:\n" + self.log())
                time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)

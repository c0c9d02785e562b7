"""``aircounter verify FILE``: unchanged, changed, sealed elsewhere, not sealed at all."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.security.keys import load_secrets
from core.security.seal import load_seal
from server.cli import app
from server.counter.signing.pades import seal_pdf
from server.counter.signing.paper import Paper, draw

runner = CliRunner()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    load_secrets(folder)
    load_seal(folder)
    return folder


@pytest.fixture(scope="module")
def document() -> bytes:
    return draw(
        Paper(
            "转账汇款申请书",
            "空中柜面",
            (("姓名", "王小明"),),
            "提示",
            ("请核对。",),
            "码",
            "A",
            "http://x",
            "页脚",
            "签名",
        )
    )


def verify(file: Path, *options: str) -> tuple[int, str | None]:
    ran = runner.invoke(app, ["verify", str(file), *options])
    lines = [line for line in ran.output.splitlines() if line.startswith("{")]
    return ran.exit_code, json.loads(lines[0])["problem"] if lines else None


def test_what_was_sealed_here_and_what_became_of_it(installation: Path, document: bytes, tmp_path: Path) -> None:
    sealed = seal_pdf(document, load_seal(installation), "code A")
    changed = bytearray(sealed)
    changed[sealed.find(b"stream") + 20] ^= 1
    elsewhere = tmp_path / "other"
    load_secrets(elsewhere)
    foreign = seal_pdf(document, load_seal(elsewhere), "code A")
    for content, code, problem in (
        (sealed, 0, None),
        (bytes(changed), 1, "changed"),
        (foreign, 1, "foreign_seal"),
        (document, 1, "not_sealed"),
        (b"hello", 1, "not_pdf"),
    ):
        file = tmp_path / "document.pdf"
        file.write_bytes(content)
        assert verify(file, "--data", str(installation)) == (code, problem)
    file.write_bytes(foreign)
    assert verify(file, "--data", str(elsewhere)) == (0, None)


def test_nothing_to_compare_with(document: bytes, tmp_path: Path) -> None:
    file = tmp_path / "document.pdf"
    file.write_bytes(document)
    assert verify(file, "--data", str(tmp_path / "empty"))[0] == 2
    assert verify(tmp_path / "missing.pdf", "--data", str(tmp_path))[0] == 2
    no_certificate = tmp_path / "no.pem"
    no_certificate.write_text("nonsense")
    assert verify(file, "--certificate", str(no_certificate))[0] == 2

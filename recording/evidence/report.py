"""The page of a package that people open first: no scripts, nothing fetched, both languages. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Any

_STYLE = """body{font:15px/1.6 system-ui,"Noto Sans SC",sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem;color:#16212a}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #ccd4da}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #e3e8ec;padding:.3rem .5rem;text-align:left;
vertical-align:top;font-size:.9rem;overflow-wrap:anywhere}video{width:100%;max-width:28rem;background:#10191e}
.videos{display:flex;flex-wrap:wrap;gap:1rem}.soft{color:#5b6b77}"""


def report_html(head: dict[str, Any], data: dict[str, Any], paths: Iterable[str]) -> bytes:
    """An index of the package.

    Args:
        head: Of the manifest. data: JSON documents by path. paths: Of files that can be opened.
    """
    call, recording = data["call.json"]["call"], data["recordings.json"]
    paths = list(paths)
    body = [
        f"<h1>通话 {call['number']} 证据包 · Evidence of call {call['number']}</h1>",
        _table([(label, head.get(key)) for key, label in _HEAD.items()]),
        "<p class='soft'>核验：<code>aircounter evidence verify 文件.zip</code>，或见 README.txt。· "
        "To verify see README.txt. 页面仅为目录，以清单所列文件为准 · this page is an index only.</p>",
        _section("录像 · Recording", _videos(paths, recording)),
        _section(
            "同意 · Consents",
            _rows(data["consents.json"], "purpose", "wording_version", "granted", "at", "wording_sha256"),
        ),
        _section("身份核验 · Identity", _rows(data["identity.json"], "key", "state", "reason", "attempts", "ended_at")),
        _section("业务 · Business", _rows(data["business.json"], "business_code", "state", "end_reason", "ended_at")),
        _section("资料 · Documents", _rows(data["documents.json"], "code", "state", "source", "sha256", "created_at")),
        _section(
            "复核 · Reviews",
            _rows(data["reviews.json"], "state", "level", "decided_by", "decision_reason", "decided_at"),
        ),
        _section(
            "签名 · Signed documents", _rows(data["signatures.json"], "code", "state", "sealed_sha256", "sealed_at")
        ),
        _section("转写 · Transcript", _transcript(data["transcript.json"])),
        _section(
            "质检发现 · Findings",
            _rows(
                [row for check in data["findings.json"] for row in check["findings"]],
                "severity",
                "label_zh",
                "label_en",
                "at_s",
                "evidence",
                "verdict",
            ),
        ),
        _section(
            "评分 · Score",
            _rows(data["evaluation.json"]["evaluations"], "form_version", "state", "auto_score", "score", "fatal"),
        ),
        _section("时间线 · Timeline", _rows(data["timeline.json"], "at", "fact")),
        _section("审计 · Audit", _rows(data["audit.json"]["entries"], "seq", "at", "actor", "action", "object_id")),
        _section("文件 · Files", "<ul>" + "".join(_link(path) for path in paths) + "</ul>"),
    ]
    title = f"AirCounter {call['number']}"
    page = f"<!doctype html><html lang='zh-CN'><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
    return (page + "".join(body) + "</html>\n").encode()


_HEAD = {
    "call_id": "编号 · Call",
    "made_at": "制作时间 · Made at",
    "made_for": "制作人 · Made for",
    "purpose": "用途 · Purpose",
    "export_id": "导出编号 · Export",
}


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content or '<p class=soft>无 · none</p>'}"


def _table(pairs: list[tuple[str, Any]]) -> str:
    return (
        "<table>" + "".join(f"<tr><th>{label}</th><td>{_text(value)}</td></tr>" for label, value in pairs) + "</table>"
    )


def _rows(rows: list[dict[str, Any]], *columns: str) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = ("".join(f"<td>{_text(row.get(name))}</td>" for name in columns) for row in rows)
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _videos(paths: list[str], recording: dict[str, Any]) -> str:
    media = [path for path in paths if path.startswith("recordings/") and path.endswith((".webm", ".mp4"))]
    shown = "".join(f"<figure><video controls src='{escape(path)}'></video>{_link(path)}</figure>" for path in media)
    verdict = (recording["recording"] or {}).get("verdict")
    return f"<div class='videos'>{shown}</div><p>{_text(verdict)}</p>" if media else ""


def _transcript(transcripts: list[dict[str, Any]]) -> str:
    lines = sorted(
        (segment["start_s"], segment["party"], (segment["correction"] or segment)["text"])
        for head in transcripts
        if head["kind"] == "final"
        for segment in head["segments"]
    )
    return _rows([{"s": round(at, 1), "party": party, "text": text} for at, party, text in lines], "s", "party", "text")


def _link(path: str) -> str:
    return f"<li><a href='{escape(path)}'>{escape(path)}</a></li>"


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value))


README = """AirCounter 证据包 / evidence package

核验 / to verify:
  aircounter evidence verify FILE.zip --certificate BANK.pem

不安装软件也可核验 / without our software:
  unzip FILE.zip -d evidence && cd evidence
  openssl x509 -in certificate.pem -pubkey -noout > key.pem
  openssl dgst -sha256 -verify key.pem -signature manifest.sig manifest.json
  openssl x509 -in certificate.pem -fingerprint -sha256 -noout
      (与银行公布的指纹比对 / compare it with the one the bank publishes)
  manifest.json 列出每个文件的 SHA-256；未列出的文件不属于本证据包。
  manifest.json names every file with its SHA-256; a file it does not name is not part of the evidence.

打开 report.html 浏览；录像可直接播放。
Open report.html to browse; the recordings can be played as they are.
内含个人信息，请按规定保管，用后销毁。
It holds personal data: keep it safe and destroy it after use.
"""

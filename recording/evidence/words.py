"""A report on a package in plain words, Chinese first. Pure."""

from recording.evidence.verify import Report

_PROBLEMS = {
    "package.unreadable": "文件不是 ZIP 或已损坏 · this is no ZIP file, or it is damaged",
    "package.no_manifest": "缺少清单 · there is no manifest",
    "package.format": "清单格式不认识 · the manifest is of an unknown format",
    "package.padded": "文件里夹带了清单之外的数据 · there is data in it that belongs to no file",
    "signature.missing": "缺少签名或证书 · signature or certificate is missing",
    "signature.wrong": "签名不符：清单被改过，或签名是别人的 · the signature is wrong: the manifest was changed, "
    "or somebody else signed it",
    "certificate.other": "签名证书不是您给出的那一张 · signed with another certificate than the one you gave",
    "file.missing": "文件缺失 · file is missing",
    "file.added": "清单之外的文件 · file was added",
    "file.changed": "文件被改过 · file was changed",
    "file.twice": "同名文件出现多次 · there are several files of this name",
    "audit.changed": "审计记录被改过 · an audit entry was changed",
    "pdf.bad": "文件自身的电子印章不符 · the document's own seal is not good",
}


def plain_words(report: Report) -> list[str]:
    """Lines for a terminal."""
    head = report.head
    lines = []
    if head:
        lines.append(f"证据包 · package: 通话 call {head.get('call_number')} ({head.get('call_id')})")
        lines.append(f"制作 · made: {head.get('made_at')}  {head.get('made_for')}  用途 purpose: {head.get('purpose')}")
    if report.signer:
        lines.append(f"签名 · signed by: {report.signer}")
        lines.append(f"证书指纹 · certificate SHA-256: {report.certificate_sha256}")
    for problem in report.problems:
        note = f" ({problem.note})" if problem.note else ""
        lines.append(f"✗ {_PROBLEMS[problem.code]}: {problem.path}{note} [{problem.code}]")
    if not report.good:
        return [*lines, "不可信 · NOT GOOD"]
    lines.append(
        f"✓ {report.files} 个文件齐全未改 · {report.files} files complete and unchanged, {report.size_b} B; "
        f"{report.pdfs} 份签署文件 sealed documents, {report.audit_entries} 条审计 audit entries"
    )
    if report.trusted is None:
        lines.append("! 未与银行公布的证书比对 · not compared with the certificate the bank publishes (--certificate)")
    return [*lines, "完好 · GOOD"]

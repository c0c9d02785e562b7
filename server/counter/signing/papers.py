"""What the house's documents say: the agreement a customer signs, and the voucher afterwards."""

from typing import Any

from server.counter.signing.paper import Paper, yuan

Json = dict[str, Any]
_SENSITIVE = {"account": (6, 4), "id_number": (3, 4), "phone": (3, 4)}


def mask(text: str, kind: str) -> str:
    """An account, ID or phone number with its middle hidden; anything else as it is."""
    if kind not in _SENSITIVE:
        return text
    head, tail = _SENSITIVE[kind]
    return text if len(text) <= head + tail else f"{text[:head]}{'*' * (len(text) - head - tail)}{text[-tail:]}"


def mask_name(name: str) -> str:
    """``张*``, ``欧阳**``: the first character and as many stars as follow."""
    return name[:1] + "*" * (len(name) - 1)


def lines_of(summary: list[Json], language: str, masked: bool) -> tuple[tuple[str, str], ...]:
    """What was confirmed, as label and value."""
    label, text = ("label_en", "text_en") if language == "en" else ("label_zh", "text_zh")
    return tuple((str(line[label]), _value(line, text, masked)) for line in summary)


def _value(line: Json, text: str, masked: bool) -> str:
    if line["type"] == "amount":
        return yuan(int(line["value"]))
    value = str(line.get(text) or line["value"])
    return mask(value, line["type"]) if masked else value


def interpreter_line(signing: Json, language: str) -> tuple[tuple[str, str], ...]:
    """Who interpreted or read aloud, as one more line of the document; none when nobody did."""
    told = signing.get("interpreter")
    if not told:
        return ()
    label = "Interpreted or read aloud by" if language == "en" else "口译或代读"
    return ((label, f"{told['name']}（{told['language']}）"),)


_WORDS = {
    "zh-CN": {
        "agreement": "{name}申请书",
        "voucher": "{name}电子凭证",
        "agreement_sub": "空中柜面 · 电子签署",
        "voucher_sub": "空中柜面 · 业务办理结果",
        "notices": "重要提示",
        "code": "验证码",
        "sign": "客户签名（本人已阅读并同意以上内容）：",
        "footer_a": "本文件由客户在视频柜面本人屏幕上阅读并手写签名，签名后的任何改动都可被发现。",
        "footer_v": "本凭证由系统生成并加盖电子印章，任何改动都可被发现。扫码或在验证页面输入验证码可核对真伪。",
    },
    "en": {
        "agreement": "Application: {name}",
        "voucher": "Voucher: {name}",
        "agreement_sub": "Video counter · electronic signature",
        "voucher_sub": "Video counter · result of your business",
        "notices": "Please note",
        "code": "Verification code",
        "sign": "Signature of the customer (I have read and agree to the above):",
        "footer_a": "Read and signed by hand on the customer's own screen. Any later change can be detected.",
        "footer_v": "Sealed: any change can be detected. Scan, or enter the code on the verification page.",
    },
}
_NOTICES = {
    "zh-CN": (
        "请核对以上内容，如有不符请立即告诉柜员。",
        "银行工作人员不会索要您的密码和短信验证码，也不会让您把钱转到所谓的“安全账户”。",
        "转出去的钱不容易追回；怀疑被骗请立即拨打110并联系银行。",
    ),
    "en": (
        "Please check the above and tell the teller at once if something is wrong.",
        "Nobody from the bank asks for your password or code, or to move money to a so-called safe account.",
        "Money sent is hard to get back. If you suspect fraud, call the police (110) and the bank at once.",
    ),
}


def agreement(name: str, language: str, lines: tuple[tuple[str, str], ...], code: str, url: str) -> Paper:
    """What the customer reads and signs."""
    return _paper("agreement", name, language, lines, code, url)


def voucher(name: str, language: str, lines: tuple[tuple[str, str], ...], code: str, url: str) -> Paper:
    """What the customer takes home."""
    return _paper("voucher", name, language, lines, code, url)


def _paper(what: str, name: str, language: str, lines: tuple[tuple[str, str], ...], code: str, url: str) -> Paper:
    words = _WORDS["en" if language == "en" else "zh-CN"]
    return Paper(
        title=words[what].format(name=name),
        subtitle=words[f"{what}_sub"],
        lines=lines,
        notices_title=words["notices"],
        notices=_NOTICES["en" if language == "en" else "zh-CN"],
        code_label=words["code"],
        code=code,
        verify_url=url,
        footer=words["footer_a" if what == "agreement" else "footer_v"],
        signature_label=words["sign"] if what == "agreement" else "",
    )

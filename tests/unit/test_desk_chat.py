"""What inspectors read of a chat: numbers are covered as they are in speech, over several messages."""

from datetime import UTC, datetime

from core.models.chat import ChatMessage
from core.redaction import MASK
from core.security.actor import staff_actor
from qa.desk.views import chat_views

TALK = (
    ("teller", "请把验证码发给我"),
    ("customer", "482913"),
    ("teller", "您的卡号是多少？"),
    ("customer", "6222"),
    ("customer", "0212"),
    ("customer", "3456"),
    ("customer", "7890"),
    ("customer", "谢谢"),
)
ROWS = [
    ChatMessage(
        id=f"chat_{number}",
        call_id="call_1",
        party=party,
        sender=party,
        client_id=str(number),
        kind="text",
        text=text,
        at=datetime(2026, 12, 1, 8, 0, number, tzinfo=UTC),
    )
    for number, (party, text) in enumerate(TALK)
]


def test_a_code_alone_in_its_message_and_a_number_cut_into_several_are_covered() -> None:
    shown = [line.text for line in chat_views(staff_actor("staff_1", ["inspector"]), ROWS)]
    assert [set(text) for text in (shown[1], *shown[3:7])] == [{MASK}] * 5
    assert [shown[0], shown[2], shown[7]] == [TALK[0][1], TALK[2][1], "谢谢"]


def test_who_may_see_numbers_reads_them() -> None:
    assert [line.text for line in chat_views(staff_actor("staff_1", ["qa_lead"]), ROWS)] == [text for _, text in TALK]

"""What a customer is given: the own data in full, other people covered."""

from hypothesis import given
from hypothesis import strategies as st

from recording.subject.masking import cover, for_subject, subject_json

CALL = {
    "number": 7,
    "business_code": "transfer",
    "language": "zh-CN",
    "queued_at": "t",
    "connected_at": "t",
    "ended_at": "t",
    "teller_id": "staff_1",
    "note": "rude customer",
}


def found(**more: object) -> dict[str, object]:
    empty = {
        name: []
        for name in (
            "consents.json",
            "identity.json",
            "business.json",
            "documents.json",
            "signatures.json",
            "vouchers.json",
            "tickets.json",
            "notices.json",
            "transcript.json",
            "chat.json",
        )
    }
    about = {"call": CALL, "visit": {"id": "visit_1"}, "rating": None, "staff": [{"name": "王芳"}]}
    return {**empty, "call.json": about, "recordings.json": {"recording": None, "files": []}, **more}


def test_own_data_stays_and_others_are_covered() -> None:
    form = {"name": "李雷", "account": "6222020200112233", "payee_name": "韩梅梅", "payee_account": "6222020200998877"}
    steps = [{"inputs": {"values": form, "by": "staff_9"}, "judged_by": "staff:staff_9"}]
    shown = subject_json(found(**{"business.json": steps}))
    assert shown["business.json"] == [
        {
            "inputs": {
                "values": {
                    "name": "李雷",
                    "account": "6222020200112233",
                    "payee_name": "韩**",
                    "payee_account": "************8877",
                }
            }
        }
    ]
    assert "note" not in shown["call.json"]["call"]
    assert "王芳" not in str(shown)
    assert "findings.json" not in shown


def test_recordings_and_words() -> None:
    files = [{"party": each, "duration_s": 1.0, "sha256": "0"} for each in ("customer", "teller")]
    words = [
        {"party": each, "kind": "final", "segments": [{"start_s": 0, "end_s": 1, "text": "卡号6222020200112233"}]}
        for each in ("customer", "teller")
    ]
    shown = subject_json(found(**{"recordings.json": {"recording": None, "files": files}, "transcript.json": words}))
    assert [each["party"] for each in shown["recordings.json"]] == ["customer"]
    mine, theirs = (each["segments"][0]["text"] for each in shown["transcript.json"])
    assert (mine, "6222" in theirs) == ("卡号6222020200112233", False)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values, st.text(min_size=2).filter(lambda word: set(word[1:]) != {"*"}))
def test_no_word_of_others_remains(value: object, word: str) -> None:
    shown = for_subject({"payee": {"deep": [word, {"x": word}]}, "mine": value})
    deep = shown["payee"]["deep"]
    assert (deep[0], deep[1]) == (cover(word), {"x": cover(word)})
    assert word != cover(word)

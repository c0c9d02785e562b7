"""A face is photographed and compared only with the customer's own consent; who refuses answers questions instead."""

from typing import Annotated

from pydantic import StringConstraints

from server.counter.consents import face_word
from server.counter.kind import Inputs, Json, Step
from server.counter.wordings import current_wording


class FaceConsent(Inputs):
    """The customer's word on having the face compared, on exactly the text that was shown."""

    wording_version: Annotated[str, StringConstraints(max_length=64)]
    granted: bool


async def ways(step: Step) -> tuple[bool, bool]:
    """Whether the face is compared, and whether questions are asked: for those who do not want that in its place."""
    refused = step.config.face and await face_word(step.work.session, step.call.visit_id) is False
    return step.config.face and not refused, step.config.challenge or refused


async def face_consent_view(step: Step) -> Json | None:
    """What is asked of the customer before the face is looked at; None where no face is wanted."""
    if not step.config.face:
        return None
    wording = current_wording("face")
    return {
        "granted": await face_word(step.work.session, step.call.visit_id),
        "wording_version": wording.version,
        "wording_zh": wording.text_zh,
        "wording_en": wording.text_en,
    }


def without_face(result: Json) -> Json:
    """As if no picture of the face had been handed in; the questions about it are void."""
    return {
        **result,
        "documents": {code: ref for code, ref in result["documents"].items() if code != "face"},
        "face": {"tries": result["face"].get("tries", 0)},
        "pending": [question for question in result["pending"] if not question.startswith("face:")],
        "asked": None if (result["asked"] or {}).get("code") == "face" else result["asked"],
    }

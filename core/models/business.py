"""The business catalogue. Writer: server.counter."""

from sqlmodel import Field, SQLModel


class Business(SQLModel, table=True):
    """One kind of business a customer can ask for.

    Attributes:
        code: Stable code, also used by script rules, e.g. ``account_opening``.
        hint_zh / hint_en: One sentence in plain wording: what it is and what to have at hand.
        recording_required: 双录 is compulsory: sound and picture. Otherwise a customer may come with sound only. Every
            call is recorded and needs consent, whatever this says.
        skill_group: Which tellers may take it.
    """

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    hint_zh: str
    hint_en: str
    skill_group: str
    recording_required: bool = True
    enabled: bool = True
    position: int = 0

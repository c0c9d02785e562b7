"""Answer of "what waits for me" (it becomes the pages' TypeScript types)."""

from typing import Literal

from pydantic import BaseModel


class WaitingItem(BaseModel):
    """Something to do on a tab of a page. `overdue`: how many of `count` are past their date."""

    page: Literal["qa", "myquality", "teamquality"]
    tab: Literal["queue", "rectifications", "appeals", "coaching", "mine"]
    count: int
    overdue: int


class WaitingView(BaseModel):
    """What waits for somebody; nothing that is empty."""

    items: list[WaitingItem]

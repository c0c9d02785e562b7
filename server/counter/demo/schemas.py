"""Answers of the demo's helper."""

from datetime import datetime

from pydantic import BaseModel


class DemoPerson(BaseModel):
    """An invented customer. `values`: what a form may ask for, by field."""

    key: str
    name: str
    values: dict[str, str | int]


class DemoMessage(BaseModel):
    """A short message as the simulated phone shows it."""

    phone: str
    text: str
    at: datetime


class DemoAnswer(BaseModel):
    """What the simulated customer would know. `masked`: whose past, by the ID number's end."""

    question_zh: str
    question_en: str
    answer: str
    masked: str


class DemoHelp(BaseModel):
    """Everything of it; empty when `on` is false, as it is outside the demo."""

    on: bool
    people: list[DemoPerson]
    messages: list[DemoMessage]
    answers: list[DemoAnswer]

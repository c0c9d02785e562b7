"""Searching Chinese text without a dictionary. Pure: a question becomes terms, terms make a score and a snippet.

Chinese is written without spaces, so a run of Han characters is cut into overlapping pairs (bigrams); a word of letters
or digits is a term as it stands. An article's rank is the share of the terms it has, three times as much where the
title has them, and a sentence found word for word comes first. PostgreSQL narrows thousands of articles down to those
that have any of the terms (trigram index); the order is made here.
"""

import re
import warnings
from dataclasses import dataclass

import zhconv

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # zhconv reads its table without closing the file
    zhconv.loaddict()

MAX_TERMS = 24
SNIPPET = 64
_RUN = re.compile(r"[㐀-鿿]+|[a-z0-9]+")
_TITLE, _TAG, _BODY, _WHOLE = 3.0, 2.0, 1.0, 4.0
# Pairs of the words people wrap a question in; they say nothing about what is asked.
_EMPTY = frozenset(
    ("怎么", "么办", "么样", "什么", "如何", "请问", "可以", "能不", "不能", "吗", "需要", "一下", "我的", "我想")
)


def folded(text: str) -> str:
    """Lower case, simplified characters: what is searched and what is searched for."""
    return str(zhconv.convert(text, "zh-hans")).lower()


def terms_of(question: str) -> tuple[str, ...]:
    """The terms of a question, each once, in order."""
    terms: dict[str, None] = {}
    for run in _RUN.findall(folded(question)):
        if run[0].isascii() or len(run) == 1:
            terms[run] = None
            continue
        for pair in (run[at : at + 2] for at in range(len(run) - 1)):
            terms[pair] = None
    telling = [term for term in terms if term not in _EMPTY]
    return tuple((telling or list(terms))[:MAX_TERMS])


@dataclass(frozen=True, slots=True)
class Text:
    """What of an article is searched."""

    title: str
    tags: tuple[str, ...]
    body: str


def score(question: str, terms: tuple[str, ...], text: Text) -> float:
    """How well an article answers; 0: not at all."""
    if not terms:
        return 0.0
    title, tags, body = folded(text.title), folded(" ".join(text.tags)), folded(text.body)
    points = 0.0
    for term in terms:
        points += max(_TITLE * (term in title), _TAG * (term in tags), _BODY * (term in body))
    whole = folded(question).strip()
    found = points / (_TITLE * len(terms))
    return found + _WHOLE * (len(whole) > 2 and whole in title) + (len(whole) > 2 and whole in body)


def snippet(terms: tuple[str, ...], body: str) -> str:
    """The part of a body where most of the terms stand."""
    low = folded(body)
    if len(low) != len(body):  # conversion may change lengths; then positions say nothing
        return body[:SNIPPET]
    starts = [at for term in terms if (at := low.find(term)) >= 0] or [0]
    best = max(starts, key=lambda at: sum(term in low[max(0, at - 10) : at + SNIPPET] for term in terms))
    begin = max(0, best - 10)
    words = body[begin : begin + SNIPPET].replace("\n", " ")
    return ("…" if begin else "") + words + ("…" if begin + SNIPPET < len(body) else "")

"""Whether words were said in earnest: 不保本, 凡是说稳赚不赔的都是骗子 and 没有人让我转账 are no violations."""

import re
from collections.abc import Iterable, Sequence

from qa.compliance.normalize import NormalText
from qa.compliance.rules import Negation

_BLANK = "□"


class NegationReader:
    """Compiled form of the negation data."""

    def __init__(self, data: Negation) -> None:
        self._data = data
        self._harmless = re.compile(data.harmless)
        self._keep = re.compile(data.not_heard_as)
        self._deny = re.compile(data.deny)
        self._strong = re.compile(data.deny_strong)
        self._stop = re.compile(data.stop)
        self._after = re.compile(data.deny_after)
        self._quote = re.compile(data.quote_before)

    def in_earnest(
        self,
        view: NormalText,
        syllables: Sequence[str],
        start: int,
        end: int,
        parts: Iterable[tuple[int, int]],
        quotes: bool,
    ) -> bool:
        """False when [start, end) is denied or (with ``quotes``) quoted; ``parts`` are the matched words inside it."""
        chars = self._restored(view.text, syllables)
        for a, b in parts:
            chars[a:b] = _BLANK * (b - a)
        text = self._harmless.sub(lambda m: _BLANK * len(m.group()), "".join(chars))
        left, _ = view.clause(start, end)
        data = self._data
        before = text[max(left, start - data.before) : end]
        stops = [m.end() for m in self._stop.finditer(before[: len(before) - (end - start)])]
        if self._deny.search(before[stops[-1] if stops else 0 :]):
            return False
        if self._strong.search(text[max(left, start - data.strong_before) : end]):
            return False
        if self._after.search(text[end : min(len(text), end + data.after)]):
            return False
        return not (quotes and self._quote.search(text[max(0, start - data.quote) : start]))

    def _restored(self, text: str, syllables: Sequence[str]) -> list[str]:
        """Characters with negating words put back where a recogniser wrote a homophone (部保本 for 不保本)."""
        chars = list(text)
        kept = {i for match in self._keep.finditer(text) for i in range(*match.span())}
        for i, syllable in enumerate(syllables):
            negator = self._data.heard_as.get(syllable)
            if negator and i not in kept:
                chars[i] = negator
        return chars

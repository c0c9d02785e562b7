"""The phrase index against the plain way: every phrase laid at every place where a pair of its syllables is heard."""

import random

from compliance_cases import corrupt, load_cases, load_dialogues
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.compliance.engine import compile_rules
from qa.compliance.matcher import Hit, Phrase, PhraseIndex
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import Sound, sound
from qa.compliance.rules import load_rules

TEXTS = sorted({s.text for d in (*load_dialogues(), *load_cases()) for s in d.segments})
PHRASES = sorted({w for r in load_rules().rules for w in compile_rules(load_rules()).words_of(r.id)})


class PlainIndex(PhraseIndex):
    """The same alignments, without anything that rules a phrase out beforehand."""

    def scan(self, text: Sound) -> dict[int, list[Hit]]:
        found: dict[int, list[Hit]] = {}
        for number, pattern in enumerate(self._sounds):
            if len(pattern.codes) == 1:
                hits = [Hit(number, i, i + 1, 100.0) for i, char in enumerate(text.text) if char == pattern.text]
            else:
                starts = [
                    at - offset
                    for offset in range(len(pattern.codes) - 1)
                    for at in range(len(text.codes) - 1)
                    if text.codes[at : at + 2] == pattern.codes[offset : offset + 2]
                ]
                hits = self._verify(number, starts, text) if starts else []
            if hits:
                found[number] = hits
        return found


phrases = st.one_of(
    st.sampled_from(PHRASES),
    st.text(alphabet="您好不是同意转账一二哈", min_size=1, max_size=9),
    st.tuples(st.sampled_from(PHRASES), st.sampled_from(PHRASES)).map("".join),
)
texts = st.one_of(
    st.tuples(st.sampled_from(TEXTS), st.integers(0, 999)).map(lambda t: corrupt(t[0], random.Random(t[1]), off=0.05)),
    st.text(alphabet="您好不是同意转账一二哈，。", max_size=30),
    st.lists(st.sampled_from(PHRASES), max_size=4).map("".join),
)


@settings(max_examples=150, deadline=None)
@given(words=st.lists(phrases, min_size=1, max_size=30, unique=True), text=texts)
def test_hits_are_those_of_the_plain_way(words: list[str], text: str) -> None:
    wanted = [Phrase(word) for word in words]
    heard = sound(spoken(text).text)
    assert PhraseIndex(wanted).scan(heard) == PlainIndex(wanted).scan(heard)


def test_all_rules_on_corrupted_calls_hear_what_the_plain_way_hears() -> None:
    wanted = [Phrase(phrase) for phrase in PHRASES]
    quick, plain = PhraseIndex(wanted), PlainIndex(wanted)
    rng = random.Random(7)
    for text in rng.sample(TEXTS, 25):
        heard = sound(spoken(corrupt(text, rng, off=0.05)).text)
        assert quick.scan(heard) == plain.scan(heard)

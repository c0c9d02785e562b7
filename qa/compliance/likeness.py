"""How much a sentence is like the written examples of a concept: a linear model on its syllables and characters.

Word lists find what somebody thought of. Examples generalise: 流水发到您邮箱了 is like 业务已经办好了 although no list
has it. The model is a weight per short run of syllables or characters, learned from `sentences.tsv` by
`qa.compliance.learn`; what it says of a sentence depends on nothing else. It knows neither negation nor who is quoted;
rules add these with their other operators.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from qa.compliance.normalize import NormalText
from qa.compliance.phonetic import Sound

BUCKETS = 1 << 15
_SENTENCE_END = frozenset("。！？!?…\n")
_SHORTEST_CLAUSE, CLAUSE_SCORE = 4, 85.0


@dataclass(frozen=True)
class LikenessModel:
    """Immutable.

    Attributes:
        concepts: Names, one per column.
        weights: Buckets × concepts, int8.
        scale: What one step of the weights is worth, per concept.
        bias: Per concept.
        rarity: Inverse document frequency per bucket.
    """

    concepts: tuple[str, ...]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    rarity: NDArray[np.float32]

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of a concept."""
        return {name: i for i, name in enumerate(self.concepts)}

    def scores(self, heard: Sound) -> NDArray[np.float32]:
        """0–100 for each concept."""
        if not heard.text:
            return np.zeros(len(self.concepts), dtype=np.float32)
        buckets, values = vector(heard, self.rarity)
        sums = (values @ self.weights[buckets].astype(np.float32)) * self.scale + self.bias
        return np.asarray(100 / (1 + np.exp(-sums)), dtype=np.float32)


def vector(heard: Sound, rarity: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets of a sentence and their values: damped counts by rarity, of length 1."""
    buckets, counts = np.unique([crc32(gram.encode()) % BUCKETS for gram in _grams(heard)], return_counts=True)
    values = (1 + np.log(counts)) * rarity[buckets]
    return buckets, np.asarray(values / np.linalg.norm(values), dtype=np.float32)


def _grams(heard: Sound) -> Iterator[str]:
    """Runs of one to three syllables and of one or two characters, edges marked."""
    syllables = ["^", *heard.syllables, "$"]
    for size in (1, 2, 3):
        for i in range(len(syllables) - size + 1):
            yield " ".join(syllables[i : i + size])
    text = heard.text
    for i in range(len(text)):
        yield "=" + text[i]
        yield "=" + text[i : i + 2]


def windows(view: NormalText) -> list[tuple[int, int, bool]]:
    """What is judged: the whole utterance, its sentences and their clauses, as far as the engine wrote any.

    Start, end, and whether it is only a clause: so little text must be very like an example.
    """
    if not view.text:
        return []
    clauses = list(pairwise([0, *view.breaks, len(view.text)]))
    found = {(0, len(view.text)): False}
    start = 0
    for a, b in clauses:
        mark = view.source[view.origin[b - 1] + 1 : view.origin[b] if b < len(view.text) else None]
        if _SENTENCE_END.intersection(mark):
            found[start, b] = False
            start = b
        if b - a >= _SHORTEST_CLAUSE:
            found.setdefault((a, b), True)
    return [(a, b, only) for (a, b), only in found.items()]


@lru_cache(maxsize=1)
def packaged() -> LikenessModel:
    """The model that comes with the program."""
    path = resources.files("qa.compliance").joinpath("data", "likeness_v1.npz")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return LikenessModel(
            tuple(str(name) for name in stored["concepts"]),
            stored["weights"],
            stored["scale"],
            stored["bias"],
            stored["rarity"].astype(np.float32),
        )

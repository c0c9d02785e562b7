"""Learns the likeness model from labelled sentences: ``python -m qa.compliance.learn`` writes the packaged file anew.

Each line of ``sentences.tsv`` is who says it (T teller, C customer), the concepts it belongs to (``+`` between, ``?``
before one that is left open, ``-`` for none) and the words. A concept is told from what the same party says otherwise.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.compliance.likeness import BUCKETS, LikenessModel, vector
from qa.compliance.normalize import spoken
from qa.compliance.phonetic import sound

_DATA = Path(__file__).parent / "data"
SENTENCES, MODEL = _DATA / "sentences.tsv", _DATA / "likeness_v1.npz"
# Chosen on calls held out of the training: the fit is not sensitive to any of them.
_ROUNDS, _STEP, _DECAY, _MOST_WEIGHT, _JOINED = 300, 0.3, 6e-6, 12.0, 0.35


@dataclass(frozen=True)
class Sample:
    """One sentence and what it is, or may be, an example of."""

    party: str
    concepts: frozenset[str]
    open: frozenset[str]
    text: str

    def joined(self, other: "Sample") -> "Sample":
        """Both said in one breath, as an engine may write them."""
        concepts = self.concepts | other.concepts
        return Sample(self.party, concepts, (self.open | other.open) - concepts, self.text + other.text)


def read_samples(path: Path = SENTENCES) -> list[Sample]:
    """The labelled sentences."""
    samples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        party, names, text = line.split("\t")
        labels = [] if names == "-" else names.split("+")
        kept = frozenset(name for name in labels if not name.startswith("?"))
        samples.append(Sample(party, kept, frozenset(name[1:] for name in labels if name.startswith("?")), text))
    return samples


def learn(samples: Sequence[Sample], seed: int = 1) -> LikenessModel:
    """Logistic regression of every concept at once; both classes of a concept weigh nearly the same."""
    rng = random.Random(seed)
    rows = list(samples)
    for sample in samples:
        other = samples[rng.randrange(len(samples))]
        if other.party == sample.party and rng.random() < 2 * _JOINED:
            rows.append(sample.joined(other))
    sounds = [sound(spoken(row.text).text) for row in rows]
    counts = np.zeros(BUCKETS)
    plain = np.ones(BUCKETS, dtype=np.float32)
    for heard in sounds:
        counts[vector(heard, plain)[0]] += 1
    rarity = (np.log((1 + len(rows)) / (1 + counts)) + 1).astype(np.float32)
    concepts = tuple(sorted({name for row in rows for name in row.concepts}))
    is_one, weight = _targets(rows, concepts)
    weights, bias = _fit([vector(heard, rarity) for heard in sounds], is_one, weight)
    scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
    steps = np.round(weights / scale).astype(np.int8)
    return LikenessModel(concepts, steps, scale, bias, rarity.astype(np.float16).astype(np.float32))


def _targets(rows: Sequence[Sample], concepts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Which row is an example of which concept, and how much each counts (0: the other party, or left open)."""
    is_one = np.array([[name in row.concepts for name in concepts] for row in rows], dtype=np.float32)
    weight = np.zeros_like(is_one)
    for column, name in enumerate(concepts):
        parties = {row.party for row in rows if name in row.concepts}
        counts = np.array([row.party in parties and name not in row.open for row in rows])
        ones = counts & (is_one[:, column] > 0)
        weight[counts, column] = 1
        weight[ones, column] = min(_MOST_WEIGHT, (counts.sum() - ones.sum()) / ones.sum())
    return is_one, weight / weight.sum(axis=0)


def _fit(
    vectors: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
    is_one: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Full-batch Adam on sparse rows."""
    used, buckets = np.unique(np.concatenate([b for b, _ in vectors]), return_inverse=True)
    values = np.concatenate([v for _, v in vectors])[:, None]
    lengths = np.array([len(b) for b, _ in vectors])
    row_of = np.repeat(np.arange(len(vectors)), lengths)
    row_starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    by_bucket = np.argsort(buckets, kind="stable")
    bucket_starts = np.searchsorted(buckets[by_bucket], np.arange(len(used)))
    params = np.zeros((len(used) + 1, is_one.shape[1]), dtype=np.float32)  # the last row is the bias
    mean, square = np.zeros_like(params), np.zeros_like(params)
    for step in range(1, _ROUNDS + 1):
        sums = np.add.reduceat(params[buckets] * values, row_starts, axis=0) + params[-1]
        error = (1 / (1 + np.exp(-sums)) - is_one) * weight
        slope = np.empty_like(params)
        slope[:-1] = np.add.reduceat((error[row_of] * values)[by_bucket], bucket_starts, axis=0)
        slope[:-1] += _DECAY * params[:-1]
        slope[-1] = error.sum(axis=0)
        mean += 0.1 * (slope - mean)
        square += 0.01 * (slope**2 - square)
        size = _STEP * min(1.0, 2 * (1 - step / (_ROUNDS + 1)))
        params -= size * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    whole = np.zeros((BUCKETS, is_one.shape[1]), dtype=np.float32)
    whole[used] = params[:-1]
    return whole, params[-1]


def write(model: LikenessModel, path: Path = MODEL) -> None:
    """The packaged form."""
    np.savez_compressed(
        path,
        concepts=np.array(model.concepts),
        weights=model.weights,
        scale=model.scale,
        bias=model.bias,
        rarity=model.rarity.astype(np.float16),
    )


def main() -> None:
    """Learn from the packaged sentences."""
    samples = read_samples()
    write(learn(samples))
    sys.stdout.write(f"{len(samples)} sentences → {MODEL.name}\n")


if __name__ == "__main__":
    main()

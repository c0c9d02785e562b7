"""Script compliance: how well nodes and phrases are found in spoken calls, and how fast many rules are checked.

    python bench/compliance.py [--calls DIR] [--engine text|vosk|whisper] [--rules N] [--hours H]

The last line is one JSON object. ``f1``, ``precision``, ``recall``: nodes and phrases on the calls' transcripts;
``f1_exact``: exact substring search for the same words on the same transcripts; ``misses``: what was not found, or
found wrongly; ``ratio_rapidfuzz_scan``: CPU seconds of a rapidfuzz scan per rule over ours (how many times faster);
``growth``: our seconds with ten times the rules, and with four times the length, over the base; and the running
check's time for an utterance at the end of the call over that at its beginning (``live_ms``: at the end).
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fakes")]

from core.ports.compliance import FindingKind, RuleFinding  # noqa: E402
from core.ports.speech import Party, Segment  # noqa: E402
from qa.compliance.engine import CallFacts, LiveChecker, check, compile_rules  # noqa: E402
from qa.compliance.normalize import spoken  # noqa: E402
from qa.compliance.phonetic import sound  # noqa: E402
from qa.compliance.rules import RuleKind, RuleSet, load_rules, parse_rules  # noqa: E402

TRANSCRIPT_SYLLABLES_PER_HOUR = 14_000


def transcripts(folder: Path, engine: str) -> dict[str, list[Segment]]:
    """Segments of every call: the written turns, or what an engine hears in the two files."""
    calls = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    if engine == "text":
        return {
            name: [Segment(Party(t["party"]), t["start_s"], t["end_s"], t["text"]) for t in call["turns"]]
            for name, call in calls.items()
        }
    from qa.stt.final import transcribe_file
    from qa.stt.vocabulary import script_words

    recognizer = _recognizer(engine)
    heard: dict[str, list[Segment]] = {}
    for name, call in calls.items():
        words = script_words(call["business"])
        heard[name] = []
        for party in Party:
            audio = next(p for p in folder.glob(f"{name}.{party.value}.*") if p.suffix in (".wav", ".opus", ".flac"))
            heard[name] += transcribe_file(audio, party, recognizer, hot_words=words)
    return heard


def _recognizer(engine: str) -> Any:
    from speech_data import models_folder, standin_model

    if engine == "vosk":
        from qa.stt.vosk_engine import VoskRecognizer

        return VoskRecognizer(standin_model())
    from qa.stt.whisper_engine import WhisperRecognizer

    return WhisperRecognizer(models_folder() / "whisper-base")


def _names(finding: RuleFinding, wanted: str) -> bool:
    """Whether the finding is about these words. Heard text is spelt otherwise, so the sound of the sentence counts."""
    if wanted in finding.phrase or finding.phrase in wanted or wanted in finding.evidence:
        return True
    said, evidence = sound(spoken(wanted).text).codes, sound(spoken(finding.evidence).text).codes
    return bool(said) and fuzz.partial_ratio(said, evidence, score_cutoff=70) > 0 and len(said) <= len(evidence)


def judge(name: str, expect: dict[str, Any], findings: Iterable[RuleFinding]) -> tuple[int, list[str], list[str]]:
    """Right, not found, wrongly found."""
    found = list(findings)
    present = {f.rule_id for f in found if f.kind is FindingKind.PRESENT}
    right = len(present.intersection(expect["present"]))
    missed = [f"{name}: {node} not heard" for node in expect["present"] if node not in present]
    wrong = [f"{name}: {node} heard but not said" for node in expect["missing"] if node in present]
    for kind, key in ((FindingKind.FORBIDDEN, "forbidden"), (FindingKind.DANGER, "customer_danger")):
        phrases = [f for f in found if f.kind is kind]
        for wanted in expect[key]:
            if any(_names(f, wanted) for f in phrases):
                right += 1
            else:
                missed.append(f"{name}: {wanted} not heard")
        wrong += [
            f"{name}: {f.phrase} found in {f.evidence}" for f in phrases if not any(_names(f, w) for w in expect[key])
        ]
    if any(f.kind is FindingKind.COMPLAINT for f in found):
        right += bool(expect.get("complaint"))
        wrong += [] if expect.get("complaint") else [f"{name}: complaint heard but not said"]
    elif expect.get("complaint"):
        missed.append(f"{name}: complaint not heard")
    return right, missed, wrong


def exact_findings(rule_set: RuleSet, segments: list[Segment]) -> list[RuleFinding]:
    """Baseline: a rule is met when one of its words or sample sentences of four or more characters stands there."""
    compiled = compile_rules(rule_set)
    kinds = {
        RuleKind.NODE: FindingKind.PRESENT,
        RuleKind.FORBIDDEN: FindingKind.FORBIDDEN,
        RuleKind.DANGER: FindingKind.DANGER,
        RuleKind.COMPLAINT: FindingKind.COMPLAINT,
    }
    out = []
    for rule in rule_set.rules:
        words = {word for word in compiled.words_of(rule.id) if len(word) >= 3}
        for segment in segments:
            for word in words:
                if segment.party is rule.party and word in segment.text:
                    out.append(
                        RuleFinding(
                            rule.id, kinds[rule.kind], rule.severity, rule.label_zh, rule.label_en, rule.party,
                            segment.start_s, segment.end_s, 100.0, segment.text, word,
                        )
                    )  # fmt: skip
    return out


def quality(folder: Path, engine: str) -> dict[str, Any]:
    """Precision and recall against exact search on the same transcripts."""
    calls = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    rule_set = load_rules()
    totals = {"ours": [0, 0, 0], "exact": [0, 0, 0]}
    misses: list[str] = []
    for name, segments in transcripts(folder, engine).items():
        call = calls[name]
        ours = check(rule_set, segments, CallFacts(call["business"], call.get("duration_s")))
        for key, findings in (("ours", ours), ("exact", exact_findings(rule_set, segments))):
            right, missed, wrong = judge(name, call["expect"], findings)
            totals[key] = [a + b for a, b in zip(totals[key], (right, len(missed), len(wrong)), strict=True)]
            if key == "ours":
                misses += missed + wrong
    figures = {key: _figures(*counts) for key, counts in totals.items()}
    precision, recall, f1 = figures["ours"]
    return {"f1": f1, "f1_exact": figures["exact"][2], "precision": precision, "recall": recall, "misses": misses}


def _figures(right: int, missed: int, wrong: int) -> tuple[float, float, float]:
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = right / (right + missed) if right + missed else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return round(precision, 4), round(recall, 4), round(f1, 4)


def many_rules(count: int, vocabulary: list[str], rng: random.Random) -> tuple[RuleSet, list[str]]:
    """A rule set of so many forbidden phrases, made of words that tellers use."""
    negation = dict.fromkeys(("harmless", "deny", "deny_strong", "stop", "deny_after", "quote_before"), "$^")
    phrases = ["".join(rng.sample(vocabulary, 2)) + str(rng.choice("的了吧吗")) for _ in range(count)]
    rules = [
        {
            "id": f"r{i}", "kind": "forbidden", "severity": "minor", "party": "teller", "label_zh": p, "label_en": p,
            "when": {"op": "words", "of": [p]},
        }
        for i, p in enumerate(phrases)
    ]  # fmt: skip
    raw = {
        "id": "many",
        "version": 1,
        "negation": negation,
        "businesses": {"default": {"label_zh": "一", "label_en": "one", "mandatory": []}},
        "rules": rules,
    }
    return parse_rules(json.dumps(raw, ensure_ascii=False)), phrases


def long_talk(hours: float, texts: list[str], rng: random.Random) -> list[Segment]:
    """Teller speech of so many hours at a counter's pace."""
    segments, syllables, at = [], 0, 0.0
    while syllables < hours * TRANSCRIPT_SYLLABLES_PER_HOUR:
        text = rng.choice(texts)
        segments.append(Segment(Party.TELLER, at, at + len(text) / 4, text))
        syllables += len(text)
        at += len(text) / 4 + 0.5
    return segments


def seconds_ours(rule_set: RuleSet, segments: list[Segment]) -> float:
    """CPU time of a whole-call check, best of five. Rules and texts are prepared before (pinyin), as for the scan."""
    compile_rules(rule_set)
    best = float("inf")
    for _ in range(5):
        started = time.process_time()
        check(rule_set, segments, CallFacts("x"))
        best = min(best, time.process_time() - started)
    return best


def live_ms(rule_set: RuleSet, segments: list[Segment]) -> tuple[float, float]:
    """Milliseconds of the running check for an utterance: in the first tenth of the call, and in the last."""
    live = LiveChecker(rule_set, CallFacts("x"))
    took = []
    for segment in segments:
        started = time.perf_counter()
        live.add(segment)
        took.append((time.perf_counter() - started) * 1000)
    tenth = max(1, len(took) // 10)
    return statistics.median(took[:tenth]), statistics.median(took[-tenth:])


def seconds_rapidfuzz(phrases: list[str], segments: list[Segment]) -> float:
    """The plain way: every rule's phrase aligned with every segment, on the same codes. CPU time, best of three."""
    texts = [sound(spoken(s.text).text).codes for s in segments]
    codes = [sound(p).codes for p in phrases]
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        for code in codes:
            for text in texts:
                fuzz.partial_ratio_alignment(code, text, score_cutoff=80)
        best = min(best, time.process_time() - started)
    return best


def speed(rules: int, hours: float) -> dict[str, Any]:
    """How many times faster than a scan per rule, and growth with rules and length."""
    from compliance_cases import load_cases, load_dialogues

    rng = random.Random(1)
    texts = [s.text for d in (*load_dialogues(), *load_cases()) for s in d.segments]
    words = sorted({w for r in load_rules().rules for w in compile_rules(load_rules()).words_of(r.id) if len(w) == 3})
    rule_set, phrases = many_rules(rules, words, rng)
    small, _ = many_rules(max(1, rules // 10), words, rng)
    segments = long_talk(hours, texts, rng)
    base = seconds_ours(rule_set, segments)
    early, late = live_ms(rule_set, segments)
    few = phrases[: max(1, rules // 20)]  # the scan is linear in rules: a share of it, scaled, is the whole
    scan = seconds_rapidfuzz(few, segments) * len(phrases) / len(few)
    return {
        "seconds": round(base, 3),
        "ratio_rapidfuzz_scan": round(scan / base, 1),
        "growth": {
            "rules_x10": round(base / seconds_ours(small, segments), 2),
            "length_x4": round(base / seconds_ours(rule_set, segments[: len(segments) // 4]), 2),
            "live_late_over_early": round(late / early, 2),
        },
        "live_ms": round(late, 3),
    }


def main() -> None:
    """Run both parts and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, default=ROOT / "tests" / "data" / "speech")
    parser.add_argument("--engine", choices=("text", "vosk", "whisper"), default="whisper")
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=1.0)
    options = parser.parse_args()
    print(json.dumps(quality(options.calls, options.engine) | speed(options.rules, options.hours), ensure_ascii=False))


if __name__ == "__main__":
    main()

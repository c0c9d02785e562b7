"""One leg's way from packets to segments, without any I/O: runs in a worker thread."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from core.ports.recognizer import SPEECH_RATE_HZ, Pcm, Recognizer, Utterance, UtteranceSession
from core.ports.speech import Party, Segment, Word
from qa.stt.timeline import AudioPacket, AudioTimeline
from qa.stt.vad import CutConfig, UtteranceCutter, Voiced, VoiceModel

_SAFETY = SPEECH_RATE_HZ  # packets of the last second may still be waiting for their order


@dataclass(frozen=True, slots=True)
class Leg:
    """One transport of one party, as announced by its media node.

    Attributes:
        start_ns: Wall clock of the call's time zero, ns since the epoch.
    """

    call_id: str
    party: Party
    segment: int
    start_ns: int


@dataclass(frozen=True, slots=True)
class LegProgress:
    """Enough to go on in another process.

    Attributes:
        entry_id: Stream entry after which to read on.
        origin_ticks / origin_s: RTP time and call time of the leg's first packet.
        done_s: End of the last final segment; nothing before it is told again.
    """

    entry_id: str
    origin_ticks: int
    origin_s: float
    done_s: float

    def as_dict(self) -> dict[str, object]:
        """JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment: partial (will change) or final."""

    segment: Segment
    is_final: bool


def place(utterance: Utterance, party: Party, offset_s: float) -> Segment:
    """An utterance on the call's time line. Rounded to milliseconds."""

    def at(seconds: float) -> float:
        return round(max(0.0, offset_s + seconds), 3)

    words = tuple(Word(at(word.start_s), at(word.end_s), word.text) for word in utterance.words)
    return Segment(party, at(utterance.start_s), at(utterance.end_s), utterance.text, words)


class LegPipeline:
    """Order, decode, cut, recognise. Calls block (recognition); one thread at a time.

    Attributes:
        timeline: Packet order and losses.
    """

    def __init__(
        self,
        leg: Leg,
        engine: Recognizer,
        voice_model: VoiceModel,
        *,
        hot_words: Sequence[str] = (),
        resume: LegProgress | None = None,
        cut: CutConfig | None = None,
    ) -> None:
        self._leg = leg
        self._engine = engine
        self._hot_words = hot_words
        self._cutter = UtteranceCutter(voice_model, cut)
        self._session: UtteranceSession | None = None
        self._session_start = 0
        self._origin_s = resume.origin_s if resume else None
        self._done_s = resume.done_s if resume else 0.0
        self._safe_id = resume.entry_id if resume else "0"
        self._read: deque[tuple[str, int]] = deque()  # (entry, position after it) not yet safe
        self.timeline = AudioTimeline(resume.origin_ticks if resume else None)

    def hear(self, entries: Iterable[tuple[str, Iterable[AudioPacket]]]) -> Iterator[Heard]:
        """Take stream entries in order."""
        for entry_id, packets in entries:
            for packet in packets:
                if self._origin_s is None:
                    self._origin_s = (packet.arrival_ns - self._leg.start_ns) / 1e9
                self.timeline.push(packet)
            yield from self._decode(self.timeline.pop())
            self._read.append((entry_id, self.timeline.position))

    def finish(self) -> Iterator[Heard]:
        """The leg has ended."""
        yield from self._decode(self.timeline.pop(flush=True))
        for piece in self._cutter.finish():
            yield from self._voiced(piece)

    def skip(self) -> Iterator[Heard]:
        """The next packets do not follow the last ones (backlog dropped): say what is known, keep the time line."""
        yield from self.finish()
        self.timeline = AudioTimeline(self.timeline.origin_ticks)

    @property
    def progress(self) -> LegProgress | None:
        """Where another process could go on; None before the first packet."""
        if self._origin_s is None or self.timeline.origin_ticks is None:
            return None
        opened = self._cutter.open_position
        safe = (self._cutter.position if opened is None else opened) - _SAFETY
        while self._read and self._read[0][1] <= safe:
            self._safe_id = self._read.popleft()[0]
        return LegProgress(self._safe_id, self.timeline.origin_ticks, self._origin_s, self._done_s)

    def _decode(self, decoded: Iterator[tuple[int, Pcm]]) -> Iterator[Heard]:
        for position, pcm in decoded:
            for piece in self._cutter.feed(position, pcm):
                yield from self._voiced(piece)

    def _voiced(self, piece: Voiced) -> Iterator[Heard]:
        if piece.opens:
            self._session = self._engine.open_session(self._hot_words)
            self._session_start = piece.start
        session = self._session
        assert session is not None  # the cutter opens first
        assert self._origin_s is not None
        offset_s = self._origin_s + self._session_start / SPEECH_RATE_HZ
        if len(piece.pcm):
            text = session.accept(piece.pcm)
            if text:
                length_s = (piece.start + len(piece.pcm) - self._session_start) / SPEECH_RATE_HZ
                yield from self._tell(Utterance(0.0, length_s, text), offset_s, is_final=False)
        if piece.closes:
            self._session = None
            for utterance in session.finish():
                yield from self._tell(utterance, offset_s, is_final=True)

    def _tell(self, utterance: Utterance, offset_s: float, *, is_final: bool) -> Iterator[Heard]:
        segment = place(utterance, self._leg.party, offset_s)
        if segment.end_s <= self._done_s:
            return  # said by the process this one took over from
        if is_final:
            self._done_s = segment.end_s
        yield Heard(segment, is_final)

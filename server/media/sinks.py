"""Feed recorder and speech tap, and keep their faults away from the call."""

from collections.abc import Callable

import structlog

from core.ports.media import MediaKind, MediaSink, MediaSinkFactory, SeatStream, SinkFailure

log = structlog.get_logger(__name__)


class SinkGroup:
    """All subscribers of one publisher's uplink.

    A sink that raises is detached, logged and reported: the call goes on, and its failure is never silent.
    """

    def __init__(
        self, stream: SeatStream, factory: MediaSinkFactory, on_failure: Callable[[SinkFailure], None]
    ) -> None:
        self._stream = stream
        self._on_failure = on_failure
        self._sinks: list[MediaSink] = []
        self._of_kind: dict[MediaKind, list[MediaSink]] = {}
        try:
            self._keep(list(factory(stream)))
        except Exception as error:
            log.exception("sink factory failed", call_id=stream.call_id, seat=stream.seat)
            self._report("factory", error)

    def rtp(self, kind: MediaKind, packet: bytes, arrival_ns: int) -> None:
        """Hand on one packet."""
        for sink in self._of_kind.get(kind, ()):
            try:
                sink.on_rtp(kind, packet, arrival_ns)
            except Exception as error:
                log.exception("sink failed", call_id=self._stream.call_id, sink=type(sink).__name__)
                self._detach(sink, error)

    def sender_report(self, kind: MediaKind, ntp: int, rtp_timestamp: int) -> None:
        """Hand on one Sender Report."""
        self._each(lambda sink: sink.on_sender_report(kind, ntp, rtp_timestamp))

    def close(self, reason: str) -> None:
        """End the stream for all sinks. Idempotent."""
        self._each(lambda sink: sink.close(reason))
        self._keep([])

    def _keep(self, sinks: list[MediaSink]) -> None:
        self._sinks = sinks
        kinds: tuple[MediaKind, ...] = ("audio", "video")
        self._of_kind = {kind: [sink for sink in sinks if kind in sink.kinds] for kind in kinds}

    def _each(self, use: Callable[[MediaSink], None]) -> None:
        for sink in self._sinks:
            try:
                use(sink)
            except Exception as error:
                log.exception("sink failed", call_id=self._stream.call_id, sink=type(sink).__name__)
                self._detach(sink, error)

    def _detach(self, sink: MediaSink, error: Exception) -> None:
        self._keep([other for other in self._sinks if other is not sink])
        self._report(type(sink).__name__, error)

    def _report(self, sink: str, error: Exception) -> None:
        stream = self._stream
        self._on_failure(
            SinkFailure(
                call_id=stream.call_id,
                seat=stream.seat,
                segment=stream.segment,
                track=stream.track,
                sink=sink,
                error=f"{type(error).__name__}: {error}",
            )
        )

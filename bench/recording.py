"""What recording costs: CPU per packet of the sink and of the journal, seconds of finalizing per recorded minute.

Usage: ``python -m bench.recording [MINUTES]`` (default 2). One JSON line as the last line: ``sink_us``, ``write_us``
(pack, encrypt, write; per packet, in the writing thread), ``finalize_s_per_minute`` (one party with audio and 640×480
video), ``journal_mb_per_minute``.
"""

import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fakes"))

from capture_house import stream
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from journals import DATA_KEY, RECORDING_ID
from rtp_streams import AUDIO_PT, FPS, VIDEO_PT, Packet, opus_packets, rtp, vp8_frames, vp8_payloads

from core.ports.media import Seat
from recording.capture.journal import journal_cipher
from recording.capture.meta import Meta
from recording.capture.sink import SegmentSink
from recording.finalize.build import BuildPlan, build

FLUSH_PACKETS = 75
"""Of one seat in 0.4 s."""


@dataclass
class Folder:
    """An open folder (`recording.capture.sink.Opened`)."""

    folder: Path
    meta: Meta
    cipher: AESGCM


def traffic(minutes: float) -> list[Packet]:
    """Ten seconds of a seat, over and over, with running numbers and arrival jitter."""
    frames, sounds = vp8_frames(10.0, 640, 480), opus_packets(10.0)
    chance, packets, sequence = random.Random(1), [], 0
    for number in range(round(minutes * 60 * FPS)):
        payloads = vp8_payloads(frames[number % len(frames)], number)
        for place, payload in enumerate(payloads):
            marker = place == len(payloads) - 1
            data = rtp(VIDEO_PT, sequence, number * 90_000 // FPS, 2, payload, marker=marker)
            packets.append(Packet("video", number / FPS + place * 0.0002 + chance.random() * 0.001, data))
            sequence += 1
    for number in range(round(minutes * 3000)):
        data = rtp(AUDIO_PT, number, number * 960, 1, sounds[number % len(sounds)], marker=False)
        packets.append(Packet("audio", number * 0.02, data))
    return sorted(packets, key=lambda packet: packet.at_s)


def main(minutes: float) -> None:
    """Measure and print."""
    packets, zero_ns = traffic(minutes), time.time_ns()
    given = [(packet.kind, packet.data, zero_ns + round(packet.at_s * 1e9)) for packet in packets]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opened = Folder(folder, Meta(RECORDING_ID, "call_1", "n", b"", zero_ns), journal_cipher(DATA_KEY))
        sink = SegmentSink(stream("call_1", Seat.CUSTOMER, 1, zero_ns), zero_ns, 0.0)
        sink_s = write_s = 0.0
        for at in range(0, len(given), FLUSH_PACKETS):
            began = time.thread_time()
            for kind, data, arrival_ns in given[at : at + FLUSH_PACKETS]:
                sink.on_rtp("audio" if kind == "audio" else "video", data, arrival_ns)
            sink_s += time.thread_time() - began
            records = sink.take()
            began = time.thread_time()
            sink.write(opened, records)
            write_s += time.thread_time() - began
        sink.close("end")
        sink.write(opened, sink.take())
        size_b = sum(path.stat().st_size for path in folder.glob("*.journal"))
        (folder / "work").mkdir()
        began = time.process_time()
        result = build(BuildPlan(RECORDING_ID, folder, folder / "work", DATA_KEY, zero_ns, None))
        build_s = time.process_time() - began
    figures = {
        "packets": len(given),
        "sink_us": round(sink_s / len(given) * 1e6, 3),
        "write_us": round(write_s / len(given) * 1e6, 3),
        "finalize_s_per_minute": round(build_s / minutes, 3),
        "journal_mb_per_minute": round(size_b / 1e6 / minutes, 2),
        "duration_s": result.files[0].duration_s,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)

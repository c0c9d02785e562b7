"""Journals become WebM files: complete, seekable, in step, with gaps where gaps were."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from journals import DATA_KEY, RECORDING_ID, ZERO_NS, header, write_journal
from rtp_streams import Packet, Publisher, disturbed

from recording.finalize.build import BuildPlan, BuildResult, PartyFile, build
from recording.seal import HEADER_B, SealedFile


def _build(folder: Path, stopped_s: float | None = None) -> BuildResult:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return build(BuildPlan(RECORDING_ID, folder, work, DATA_KEY, ZERO_NS, stopped_s))


def _plain(file: PartyFile) -> bytes:
    data = file.path.read_bytes()
    return SealedFile(data[:HEADER_B], DATA_KEY, file.file_id).open(0, data[HEADER_B:])


def _decoded(webm: bytes, kind: str) -> list[tuple[float, np.ndarray]]:
    """``(time in the file, samples or picture)`` of every decoded frame."""
    with av.open(io.BytesIO(webm)) as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        frames = []
        for frame in container.decode(stream):
            pixels = frame.to_ndarray(format="gray") if kind == "video" else frame.to_ndarray()
            frames.append((float(frame.pts * frame.time_base), pixels))
        return frames


def _flash_s(webm: bytes) -> float:
    return next(at for at, picture in _decoded(webm, "video") if picture.mean() > 180)


def _beep_s(webm: bytes) -> float:
    for at, samples in _decoded(webm, "audio"):
        loud = np.abs(samples.astype(np.float32)).max(axis=0) > 0.1
        if loud.any():
            return at + float(np.argmax(loud)) / 48_000
    raise AssertionError("no beep")


def test_one_file_per_party_complete_and_seekable(tmp_path: Path) -> None:
    for seat in ("customer", "teller"):
        write_journal(tmp_path, Publisher(6.0, start_s=0.5).packets(ZERO_NS), header(seat))
    result = _build(tmp_path, 6.6)
    assert [file.party for file in result.files] == ["customer", "teller"]
    assert (result.gaps, result.notes, result.damage) == ([], [], [])
    file = result.files[0]
    assert (file.video_codec, file.audio_codec, file.width, file.height) == ("VP8", "opus", 320, 240)
    assert file.offset_s == pytest.approx(0.53, abs=0.01)
    assert file.duration_s == pytest.approx(6.0, abs=0.05)
    assert len(file.peaks) == 60
    assert 0.3 < np.median(file.peaks) < 0.5  # a tone of 12000 / 32768
    webm = _plain(file)
    assert b"\x1c\x53\xbb\x6b" in webm, "no Cues"
    with av.open(io.BytesIO(webm)) as container:
        assert container.duration / 1e6 == pytest.approx(6.0, abs=0.05)
        assert {stream.codec_context.name for stream in container.streams} == {"vp8", "opus"}
        container.seek(4_500_000)
        first = next(packet for packet in container.demux(video=0))
        assert first.is_keyframe
        assert 3.4 <= float(first.pts * first.time_base) <= 4.5
    assert len(_decoded(webm, "video")) == 180
    assert len(_decoded(webm, "audio")) == 300


def test_a_shared_screen_is_a_file_of_its_own_and_the_time_between_two_shares_is_no_gap(tmp_path: Path) -> None:
    for seat in ("customer", "teller"):
        write_journal(tmp_path, Publisher(12.0).packets(ZERO_NS), header(seat))
    first = Publisher(2.0, start_s=1.0, audio=False, width=640, height=360)
    again = Publisher(2.0, start_s=9.0, audio=False, width=640, height=360, first_sequence=1000, ssrc=0x9999)
    write_journal(tmp_path, first.packets(ZERO_NS), header("teller", track="screen"))
    write_journal(tmp_path, again.packets(ZERO_NS), header("teller", 2, 8.9, track="screen"))
    result = _build(tmp_path, 12.1)
    assert [(file.party, file.track) for file in result.files] == [
        ("customer", "main"), ("teller", "main"), ("teller", "screen"),
    ]  # fmt: skip
    assert (result.gaps, result.notes, result.damage, result.reasons) == ([], [], [], [])
    screen = result.files[2]
    assert (screen.audio_codec, screen.width, screen.height, screen.file_id[-14:]) == (None, 640, 360, "_teller-screen")
    times = [round(time, 1) for span in screen.spans for time in (span["from_s"], span["to_s"])]
    assert times == pytest.approx([1.1, 3.0, 9.1, 11.0], abs=0.11)
    assert [round(span["from_s"], 1) for span in result.files[0].spans] == [0.0]
    shown = [at + screen.offset_s for at, _ in _decoded(_plain(screen), "video")]
    assert len(shown) == 120
    assert [at for at in shown if 3.2 < at < 8.9] == []
    assert shown[60] == pytest.approx(9.06, abs=0.1)


@pytest.mark.parametrize(("one_in", "up_to", "code"), [(6, 10_000, "screen_unreadable"), (2, 40, "screen_packet_loss")])
def test_a_shared_screen_that_cannot_be_seen_is_a_finding(tmp_path: Path, one_in: int, up_to: int, code: str) -> None:
    for seat in ("customer", "teller"):
        write_journal(tmp_path, Publisher(6.0).packets(ZERO_NS), header(seat))
    holes = [
        packet for at, packet in enumerate(Publisher(4.0, audio=False).packets(ZERO_NS)) if at % one_in or at > up_to
    ]
    write_journal(tmp_path, holes, header("teller", track="screen"))
    reasons = _build(tmp_path, 6.1).reasons
    assert [(reason.code, reason.level, reason.party) for reason in reasons] == [(code, "finding", "teller")]


def test_the_same_journals_give_the_same_bytes(tmp_path: Path) -> None:
    write_journal(tmp_path, Publisher(2.0).packets(ZERO_NS))
    first, second = _build(tmp_path).files[0], _build(tmp_path).files[0]
    assert first.sealed.plain_sha256 == second.sealed.plain_sha256
    assert first.sealed.sealed_sha256 != second.sealed.sealed_sha256


@pytest.mark.parametrize("reports", [True, False])
def test_clap_with_skewed_arrival(tmp_path: Path, *, reports: bool) -> None:
    """Flash and beep at the same moment, the pictures 400 ms behind on their way."""
    publisher = Publisher(
        6.0, flash_at_s=3.0, beep_at_s=3.0, video_delay_s=0.45, audio_delay_s=0.03, audio_ppm=100, reports=reports
    )
    write_journal(tmp_path, publisher.packets(ZERO_NS))
    file = _build(tmp_path).files[0]
    webm = _plain(file)
    skew_s = abs(_flash_s(webm) - _beep_s(webm))
    if reports:
        assert skew_s <= 0.04
        assert file.offset_s + _beep_s(webm) == pytest.approx(3.03, abs=0.04), "not on the call's time line"
    else:
        assert skew_s > 0.3, "without reports arrival decides: this test can tell"


def test_clap_after_loss_rejoin_and_another_resolution(tmp_path: Path) -> None:
    first = Publisher(4.0, start_s=0.2, flash_at_s=2.0, beep_at_s=2.0, video_delay_s=0.3)
    second = Publisher(
        4.0, start_s=7.0, flash_at_s=2.0, beep_at_s=2.0, video_delay_s=0.35, width=640, height=480, clock_ahead_s=-50.0
    )
    write_journal(tmp_path, disturbed(first.packets(ZERO_NS), 5, loss=0.01, late=0.05, twice=0.03))
    write_journal(tmp_path, second.packets(ZERO_NS), header(segment=2, opened_s=6.9))
    file = _build(tmp_path).files[0]
    webm = _plain(file)
    flashes = [at for at, picture in _decoded(webm, "video") if picture.mean() > 180]
    later = [at for at in flashes if at > 5]
    loud = [at for at, samples in _decoded(webm, "audio") if np.abs(samples.astype(np.float32)).max() > 0.1]
    beep_later = min(at for at in loud if at > 5)
    assert later[0] == pytest.approx(beep_later, abs=0.04)
    assert file.offset_s + beep_later == pytest.approx(9.03, abs=0.05)
    assert (file.width, file.height) == (320, 240)
    assert file.duration_s == pytest.approx(10.8, abs=0.1)


def test_rejoin_continues_one_file_with_the_gap_left(tmp_path: Path) -> None:
    write_journal(tmp_path, Publisher(3.0).packets(ZERO_NS))
    write_journal(tmp_path, Publisher(3.0, start_s=6.0).packets(ZERO_NS), header(segment=2, opened_s=5.9))
    result = _build(tmp_path, 9.1)
    (file,) = result.files
    assert [(gap["party"], gap["reason"]) for gap in result.gaps] == [("customer", "reconnect")]
    assert result.gaps[0]["from_s"] == pytest.approx(3.0, abs=0.1)
    assert result.gaps[0]["to_s"] == pytest.approx(6.0, abs=0.1)
    sounds = _decoded(_plain(file), "audio")
    assert len(sounds) == 301, "20 ms of silence behind the first transport's sound"
    assert sounds[151][0] - sounds[150][0] == pytest.approx(3.0, abs=0.05)
    assert file.duration_s == pytest.approx(9.0, abs=0.05)
    assert len(file.peaks) == 90
    assert max(file.peaks[32:59]) == 0.0


def test_a_new_source_is_not_heard_with_the_end_of_the_one_before(tmp_path: Path) -> None:
    """An Opus decoder keeps the last milliseconds until the next packet: a click when another teller begins."""
    write_journal(tmp_path, Publisher(2.0).packets(ZERO_NS))
    write_journal(
        tmp_path, Publisher(2.0, start_s=5.0, beep_at_s=1.0).packets(ZERO_NS), header(segment=2, opened_s=4.9)
    )
    sounds = _decoded(_plain(_build(tmp_path).files[0]), "audio")
    assert np.abs(sounds[99][1]).max() > 0.2, "the first one ends loud"
    begin = next(samples for at, samples in sounds if at > 4)
    assert np.abs(begin).max() < 0.02, "the second one begins silent"


def test_loss_reordering_and_duplicates(tmp_path: Path) -> None:
    packets = disturbed(Publisher(8.0).packets(ZERO_NS), 7, loss=0.02, late=0.1, twice=0.1)
    write_journal(tmp_path, packets)
    result = _build(tmp_path)
    webm, (segment,) = _plain(result.files[0]), result.segments
    audio, video = segment["audio"], segment["video"]
    assert audio["missing"] == 400 - audio["packets"]
    assert audio["surplus"] > 10
    assert audio["units"] == audio["packets"] == len(_decoded(webm, "audio"))
    pictures = _decoded(webm, "video")
    assert len(pictures) == video["units"]
    assert video["units"] + video["dropped_frames"] <= 240
    assert video["missing"] > 0


def test_only_audio_or_only_video_or_nothing(tmp_path: Path) -> None:
    write_journal(tmp_path, Publisher(2.0, video=False).packets(ZERO_NS), header("customer"))
    write_journal(tmp_path, [], header("teller"))
    write_journal(tmp_path, Publisher(2.0, audio=False).packets(ZERO_NS), header("expert"))
    result = _build(tmp_path)
    by_party = {file.party: file for file in result.files}
    assert set(by_party) == {"customer", "expert"}
    assert (by_party["customer"].video_codec, by_party["customer"].width) == (None, None)
    assert (by_party["expert"].audio_codec, by_party["expert"].peaks) == (None, [])
    assert set(result.notes) == {"customer: no video", "expert: no audio", "teller: no media"}
    with av.open(io.BytesIO(_plain(by_party["customer"]))) as container:
        assert len(container.streams) == 1
        assert b"\x1c\x53\xbb\x6b" in _plain(by_party["customer"])


def test_an_unknown_video_codec_leaves_the_audio(tmp_path: Path) -> None:
    write_journal(tmp_path, Publisher(2.0).packets(ZERO_NS), header(video_codec="AV1"))
    result = _build(tmp_path)
    assert (result.files[0].audio_codec, result.files[0].video_codec) == ("opus", None)
    assert "customer: no video" in result.notes


def test_late_camera_and_a_pause_are_noted(tmp_path: Path) -> None:
    packets = Publisher(8.0).packets(ZERO_NS)
    kept = [p for p in packets if not (p.kind == "video" and p.report is None and (p.at_s < 2 or 4 < p.at_s < 6))]
    write_journal(tmp_path, kept)
    result = _build(tmp_path)
    assert result.gaps == []
    assert any("no video from" in note for note in result.notes)
    times = [at for at, _ in _decoded(_plain(result.files[0]), "video")]
    assert times[0] == pytest.approx(2.0, abs=0.6)  # the first key frame after the camera came on
    assert not [at for at in times if 4.1 < at < 5.9]


def test_a_damaged_journal_is_used_and_reported(tmp_path: Path) -> None:
    path = write_journal(tmp_path, Publisher(6.0).packets(ZERO_NS))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (tmp_path / "teller-1.journal").write_bytes(b"ACJ1")
    result = _build(tmp_path)
    assert len(result.damage) >= 2
    assert len(_decoded(_plain(result.files[0]), "audio")) > 250


def test_sequence_and_timestamp_wrap(tmp_path: Path) -> None:
    publisher = Publisher(4.0, first_sequence=65_530, first_timestamp=0xFFFF_FFFF - 48_000)
    write_journal(tmp_path, publisher.packets(ZERO_NS))
    times = [at for at, _ in _decoded(_plain(_build(tmp_path).files[0]), "audio")]
    steps = np.diff(times)
    assert len(times) == 200
    assert Fraction(1, 100) < steps.min()
    assert steps.max() < 0.03


def test_the_file_check_measures_and_judges(tmp_path: Path) -> None:
    covered = Publisher(8.0, black_after_s=4.0, beep_at_s=2.0)
    write_journal(tmp_path, disturbed(covered.packets(ZERO_NS), 3, loss=0.06), header("customer"))
    write_journal(tmp_path, Publisher(8.0).packets(ZERO_NS), header("teller"))
    result = _build(tmp_path, 8.1)
    customer, teller = result.measured
    assert (teller.width, teller.height, teller.black, teller.missing) == (320, 240, 0, 0)
    assert teller.frame_rate_hz == pytest.approx(30, abs=0.5)
    assert teller.covered_s == pytest.approx(8.1, abs=0.1)
    assert teller.silent_share == 0
    assert customer.silent_share == pytest.approx(0.97, abs=0.02)
    assert 0.25 < customer.black / customer.pictures < 0.9
    assert [(reason.code, reason.party) for reason in result.reasons] == [
        ("black_frames", "customer"),
        ("packet_loss", "customer"),
    ]


def test_thumbnails_are_small_jpegs_spread_over_the_file(tmp_path: Path) -> None:
    write_journal(tmp_path, Publisher(8.0, flash_at_s=6.0).packets(ZERO_NS))
    thumbs = _build(tmp_path).files[0].thumbs
    assert thumbs is not None
    assert [round(one["at_s"]) for one in thumbs.index] == [0, 1, 2, 3, 4, 5, 6, 7]
    data = thumbs.path.read_bytes()
    plain = SealedFile(data[:HEADER_B], DATA_KEY, thumbs.file_id).open(0, data[HEADER_B:])
    for number, one in enumerate(thumbs.index):
        with av.open(io.BytesIO(plain[int(one["start_b"]) : int(one["end_b"])]), format="mjpeg") as container:
            (frame,) = list(container.decode(video=0))
        assert (frame.width, frame.height) == (one["width"], one["height"]) == (160, 120)
        assert (frame.to_ndarray(format="gray").mean() > 180) == (number == 6)


def test_h264_becomes_mp4_without_transcoding(tmp_path: Path) -> None:
    publisher = Publisher(4.0, codec="H264", width=322, height=240, flash_at_s=2.0, beep_at_s=2.0, video_delay_s=0.2)
    write_journal(tmp_path, publisher.packets(ZERO_NS), header(video_codec="H264"))
    result = _build(tmp_path, 4.3)
    (file,) = result.files
    assert (file.video_codec, file.audio_codec, file.width, file.height) == ("H264", "opus", 322, 240)
    mp4 = _plain(file)
    assert mp4[4:8] == b"ftyp"
    assert len(_decoded(mp4, "video")) == 120
    assert len(_decoded(mp4, "audio")) == 200
    assert abs(_flash_s(mp4) - _beep_s(mp4)) <= 0.04
    with av.open(io.BytesIO(mp4)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (322, 240)
        container.seek(2_500_000)
        first = next(packet for packet in container.demux(video=0))
        assert first.is_keyframe
    assert file.thumbs is not None
    assert len(file.thumbs.index) >= 3
    assert result.measured[0].frame_rate_hz == pytest.approx(30, abs=0.5)


def test_h264_with_loss_leaves_out_what_cannot_be_decoded(tmp_path: Path) -> None:
    publisher = Publisher(8.0, codec="H264")
    packets = disturbed(publisher.packets(ZERO_NS), 11, loss=0.01, late=0.1, twice=0.05)
    write_journal(tmp_path, packets, header(video_codec="H264"))
    result = _build(tmp_path)
    video = result.segments[0]["video"]
    pictures = _decoded(_plain(result.files[0]), "video")
    assert 60 < len(pictures) == video["units"] < 240
    assert video["dropped_frames"] > 0
    clean = [picture for _, picture in _decoded(_plain(result.files[0]), "video")]
    assert max(picture.mean() for picture in clean) < 80, "damaged pictures would be grey or green"


def _without(packets: list[Packet], kind: str, start_s: float, end_s: float) -> list[Packet]:
    return [packet for packet in packets if packet.kind != kind or not start_s < packet.at_s < end_s]


def _resized(codec: str) -> list[Packet]:
    """One stream of pictures whose size changes after 3 s; the flash comes 6 s after its beginning."""
    small = Publisher(3.0, start_s=0.1, audio=False, codec=codec, video_delay_s=0.28)
    before = small.packets(ZERO_NS)
    sent = sum(packet.report is None for packet in before)
    large = Publisher(
        5.0,
        start_s=3.1,
        audio=False,
        codec=codec,
        video_delay_s=0.28,
        flash_at_s=3.0,
        width=640,
        height=480,
        first_sequence=small.first_sequence + sent,
        first_timestamp=small.first_timestamp + 3 * 90_000,
    )
    return before + large.packets(ZERO_NS)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
@pytest.mark.parametrize("case", ["muted", "camera off", "resolution change", "rejoin", "3 % loss"])
def test_lips_stay_in_step(tmp_path: Path, case: str, codec: str) -> None:
    """A clap (flash and beep at one moment) after each disturbance; pictures come 250 ms later than the sound."""
    clap_s, length_s = 6.0, 8.0
    publisher = Publisher(
        length_s, flash_at_s=clap_s, beep_at_s=clap_s, video_delay_s=0.28, audio_ppm=80, codec=codec, start_s=0.1
    )
    packets = publisher.packets(ZERO_NS)
    if case == "muted":
        packets = _without(packets, "audio", 2.0, 4.5)
    elif case == "camera off":
        packets = _without(packets, "video", 2.0, 4.5)
    elif case == "3 % loss":
        # The picture that shows the flash must be there to be measured: a key frame comes every second.
        safe = [packet for packet in packets if 5.8 < packet.at_s < 6.8]
        packets = disturbed([packet for packet in packets if packet not in safe], 4, loss=0.03, late=0.1, twice=0.02)
        packets = sorted(packets + safe, key=lambda packet: packet.at_s)
    elif case == "resolution change":
        packets = [*(packet for packet in packets if packet.kind == "audio"), *_resized(codec)]
        packets.sort(key=lambda packet: packet.at_s)
    if case == "rejoin":
        first = Publisher(2.0, start_s=0.1, codec=codec)
        later = Publisher(
            5.0, start_s=3.1, flash_at_s=3.0, beep_at_s=3.0, video_delay_s=0.28, codec=codec, clock_ahead_s=-9.0
        )
        write_journal(tmp_path, first.packets(ZERO_NS), header(video_codec=codec))
        write_journal(tmp_path, later.packets(ZERO_NS), header(segment=2, opened_s=3.0, video_codec=codec))
    else:
        write_journal(tmp_path, packets, header(video_codec=codec))
    (file,) = _build(tmp_path).files
    media = _plain(file)
    flash_s = next(at for at, picture in _decoded(media, "video") if at > 3 and picture.mean() > 180)
    loud = [at for at, samples in _decoded(media, "audio") if at > 3 and np.abs(samples.astype(np.float32)).max() > 0.1]
    assert abs(flash_s - loud[0]) <= 0.04
    assert file.offset_s + loud[0] == pytest.approx(6.13, abs=0.06), "not on the call's time line"

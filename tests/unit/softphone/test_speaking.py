"""What a call sends, frame by frame."""

from dataclasses import replace

import numpy as np
import pytest

from ivrflow.softphone.audio_source import AudioSource, ComfortNoise, NoRtp, Silence, Tone, payloads
from ivrflow.softphone.codecs import FRAME
from ivrflow.softphone.rtp import RtpPacket, unpack_key, unpack_rtp
from ivrflow.softphone.sdp import AgreedAudio
from ivrflow.softphone.speaking import Speaker

AGREED = AgreedAudio(("192.0.2.9", 4000), "alaw", 8, keys=96, noise=13, may_send=True, may_receive=True)
QUIET = b"\xd5" * FRAME
PHRASE = np.full(2 * FRAME, 4000, np.int16)


def speaker(source: AudioSource | None = None, agreed: AgreedAudio = AGREED) -> Speaker:
    return Speaker(agreed, source or Silence())


def frames(speaker: Speaker, count: int) -> list[list[RtpPacket]]:
    return [[unpack_rtp(datagram) for datagram in speaker.next_packets()] for _ in range(count)]


def payload_types(speaker: Speaker, count: int) -> list[list[int]]:
    return [[packet.payload_type for packet in frame] for frame in frames(speaker, count)]


def test_a_frame_every_20_ms() -> None:
    packets = [packet for frame in frames(speaker(), 5) for packet in frame]
    first = packets[0]
    assert [packet.marker for packet in packets] == [True, False, False, False, False]
    for number, packet in enumerate(packets):
        assert packet.sequence == (first.sequence + number) % 2**16
        assert packet.timestamp == (first.timestamp + number * FRAME) % 2**32
        assert (packet.payload_type, packet.payload, packet.ssrc) == (8, QUIET, first.ssrc)


def test_numbers_wrap_around() -> None:
    talking = speaker()
    talking._sequence, talking._timestamp = 0xFFFF, 0xFFFFFFFF - FRAME + 1
    ((packet,),) = frames(talking, 1)
    assert (packet.sequence, packet.timestamp) == (0, 0)


def test_a_phrase_goes_before_the_source_and_tells_when_it_is_said() -> None:
    talking, said = speaker(), [0]
    talking.say(PHRASE, lambda: said.append(len(said)))
    sent: list[tuple[int, int]] = []
    for _ in range(4):
        ((packet,),) = frames(talking, 1)
        sent.append((len(said) - 1, packet.payload == QUIET))
    assert sent == [(0, False), (1, False), (1, True), (1, True)]


def test_an_empty_phrase_is_said_at_once() -> None:
    said: list[bool] = []
    speaker().say(np.zeros(0, np.int16), lambda: said.append(True))
    assert said


def test_phrases_queue() -> None:
    talking, said = speaker(), [""]
    talking.say(PHRASE, lambda: said.append("one"))
    talking.say(PHRASE, lambda: said.append("two"))
    assert sum(packet.payload != QUIET for (packet,) in frames(talking, 10)) == 4
    assert said[1:] == ["one", "two"]


def test_a_key_of_100_ms() -> None:
    talking, released = speaker(), [0]
    talking.press("5", 100, 60, lambda: released.append(1))
    ((before, *_), *_) = [frames(talking, 1)[0]]
    packets = [before, *(packet for frame in frames(talking, 4) for packet in frame)]
    events = [unpack_key(packet.payload) for packet in packets]
    assert [event.duration for event in events] == [160, 320, 480, 640, 800, 800, 800]
    assert [event.ended for event in events] == [False] * 4 + [True] * 3
    assert {event.key for event in events} == {"5"}
    assert {packet.timestamp for packet in packets} == {before.timestamp}
    assert [packet.marker for packet in packets] == [True] + [False] * 6
    assert {packet.payload_type for packet in packets} == {96}
    assert len({packet.sequence for packet in packets}) == 7
    assert len(released) == 2
    after = frames(talking, 1)[0][0]
    assert after.timestamp == (before.timestamp + 5 * FRAME) % 2**32
    assert after.marker


def test_keys_keep_their_distance() -> None:
    talking = speaker()
    for key in "12":
        talking.press(key, 40, 60, lambda: None)
    assert payload_types(talking, 8) == [[96], [96] * 3, [8], [8], [8], [96], [96] * 3, [8]]


def test_a_phrase_waits_while_a_key_is_held() -> None:
    talking = speaker()
    talking.say(PHRASE, lambda: None)
    first = frames(talking, 1)
    talking.press("1", 40, 0, lambda: None)
    assert payload_types(talking, 2) == [[96], [96] * 3]
    after = frames(talking, 2)
    assert first[0][0].payload == after[0][0].payload != QUIET
    assert after[1][0].payload == QUIET


def test_after_nothing_comes_a_marker() -> None:
    talking = speaker(NoRtp())
    assert frames(talking, 3) == [[], [], []]
    talking.source = Silence()
    assert [packet.marker for (packet,) in frames(talking, 2)] == [True, False]
    assert talking.source == Silence()


def test_comfort_noise_has_its_payload_type() -> None:
    assert payload_types(speaker(ComfortNoise(every_ms=60)), 4) == [[13], [], [], [13]]
    assert payload_types(speaker(ComfortNoise(), replace(AGREED, noise=None)), 2) == [[], []]


def test_on_hold_nothing_is_sent_and_time_goes_on() -> None:
    talking = speaker()
    ((before,),) = frames(talking, 1)
    talking.renegotiated(replace(AGREED, may_send=False))
    assert frames(talking, 10) == [[]] * 10
    talking.renegotiated(AGREED)
    ((after,),) = frames(talking, 1)
    assert after.timestamp == (before.timestamp + 11 * FRAME) % 2**32
    assert after.sequence == (before.sequence + 1) % 2**16
    assert after.marker


def test_another_codec_in_mid_call() -> None:
    talking, said = speaker(Tone(440)), [0]
    talking.say(PHRASE, lambda: said.append(1))
    talking.renegotiated(replace(AGREED, codec="ulaw", payload_type=0))
    ((packet,),) = frames(talking, 1)
    expected = payloads(Tone(440), "ulaw")[0]
    assert expected is not None
    assert (packet.payload_type, packet.payload) == (0, expected[1])
    assert len(said) == 2


def test_a_missed_frame_is_counted() -> None:
    talking = speaker()
    ((before,),) = frames(talking, 1)
    talking.skip()
    ((after,),) = frames(talking, 1)
    assert (after.timestamp - before.timestamp) % 2**32 == 2 * FRAME
    assert after.marker


def test_stopping_releases_everybody() -> None:
    talking, released = speaker(), [0]
    talking.say(PHRASE, lambda: released.append(1))
    talking.press("1", 100, 0, lambda: released.append(2))
    talking.stop()
    assert released[1:] == [1, 2]
    assert frames(talking, 1)[0][0].payload == QUIET


@pytest.mark.parametrize(("key", "hold_ms"), [("E", 100), ("12", 100), ("", 100), ("1", 10), ("1", 9000)])
def test_impossible_keys_are_refused(key: str, hold_ms: int) -> None:
    with pytest.raises(ValueError, match="key"):
        speaker().press(key, hold_ms, 0, lambda: None)

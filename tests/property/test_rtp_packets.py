"""RTP: whatever arrives is read or refused, and audio lies where it was heard whatever the network did to it."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.softphone.codecs import FRAME, RATE, codec
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.rtp import KEY_EVENTS, KeyEvent, RtpPacket, RtpProtocolError, unpack_key, unpack_rtp

PATIENTLY = settings(deadline=None)
ALAW = codec("alaw")

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 2**16 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    ssrc=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
)
keys = st.builds(
    KeyEvent,
    key=st.sampled_from(KEY_EVENTS),
    duration=st.integers(0, 2**16 - 1),
    ended=st.booleans(),
    volume=st.integers(0, 63),
)


@PATIENTLY
@given(packets)
def test_a_packet_reads_back(packet: RtpPacket) -> None:
    assert unpack_rtp(packet.pack()) == packet


@PATIENTLY
@given(keys)
def test_a_key_reads_back(event: KeyEvent) -> None:
    assert unpack_key(event.pack()) == event


@PATIENTLY
@given(st.binary(max_size=60))
def test_every_datagram_is_read_or_refused(datagram: bytes) -> None:
    for read in (unpack_rtp, unpack_key):
        with contextlib.suppress(RtpProtocolError):
            read(datagram)


@PATIENTLY
@given(
    st.lists(st.tuples(st.one_of(st.binary(max_size=60), packets.map(RtpPacket.pack)), st.floats(0, 10)), max_size=12)
)
def test_a_recording_survives_everything(arrivals: list[tuple[bytes, float]]) -> None:
    recording = Recording()
    for datagram, at in sorted(arrivals, key=lambda item: item[1]):
        recording.add(datagram, at)
    assert len(recording) == len(arrivals)
    recording.heard_keys()
    recording.heard_spans()
    assert len(recording.samples(0.0, 1.0)) == RATE


@PATIENTLY
@given(
    sequence=st.integers(0, 2**16 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    jitter=st.lists(st.floats(0, 0.0199), min_size=30, max_size=30),
    undelayed=st.integers(0, 29),
    lost=st.sets(st.integers(0, 29), max_size=10),
    tail=st.integers(1, FRAME),
)
def test_placement_does_not_depend_on_jitter_order_or_loss(
    sequence: int, timestamp: int, jitter: list[float], undelayed: int, lost: set[int], tail: int
) -> None:
    said = np.arange(1, 29 * FRAME + tail + 1, dtype=np.int16)
    heard = ALAW.decode(ALAW.encode(said))
    sent = []
    for number in range(30):
        payload = ALAW.encode(said[number * FRAME : (number + 1) * FRAME])
        packet = RtpPacket(8, (sequence + number) % 2**16, (timestamp + number * FRAME) % 2**32, 1, payload)
        delay = 0.0 if number == undelayed else jitter[number]
        sent.append((100.0 + number * 0.02 + delay, packet.pack()))
    lost -= {0, undelayed}
    recording = Recording()
    for at, datagram in sorted(item for number, item in enumerate(sent) if number not in lost):
        recording.add(datagram, at)
    (spurt,) = recording.talkspurts()
    assert spurt.start == pytest.approx(100.0, abs=1e-6)
    for number in set(range(30)) - lost:
        part = slice(number * FRAME, (number + 1) * FRAME)
        np.testing.assert_array_equal(spurt.samples[part], heard[part])


@PATIENTLY
@given(st.sampled_from(["ulaw", "alaw", "g722"]), st.binary(min_size=1, max_size=400))
def test_every_payload_is_decoded(name: str, payload: bytes) -> None:
    assert len(codec(name).decode(payload)) == len(payload)

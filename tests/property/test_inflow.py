"""However packets come, as long as none is very late: heard while they come, they make the same as all at once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.softphone.codecs import FRAME, FRAME_S, RATE, codec
from ivrflow.softphone.placing import HOLD_BACK, HOLD_BACK_S
from ivrflow.softphone.recording import Inflow, Recording
from ivrflow.softphone.rtp import RtpPacket

TYPES = {0: "ulaw", 8: "alaw", 9: "g722"}
NOISE = np.random.default_rng(1).integers(-8000, 8000, 60 * FRAME).astype(np.int16)


@given(
    payload_type=st.sampled_from(sorted(TYPES)),
    sequence=st.integers(0, 2**16 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    fates=st.lists(
        st.tuples(
            st.sampled_from(["comes", "comes", "comes", "comes", "lost", "doubled", "after a pause", "jumps"]),
            st.floats(0, HOLD_BACK_S - 0.005),  # seconds it is late
        ),
        min_size=1,
        max_size=60,
    ),
)
def test_live_is_exact(payload_type: int, sequence: int, timestamp: int, fates: list[tuple[str, float]]) -> None:
    encoder = codec(TYPES[payload_type])
    due, arrivals = 100.0, []
    for number, (fate, late) in enumerate(fates):
        payload = encoder.encode(NOISE[number * FRAME : (number + 1) * FRAME])
        if fate in {"after a pause", "jumps"}:
            due += 0.3
        if fate == "jumps":
            timestamp += 5000
        packet = RtpPacket(payload_type, (sequence + number) % 2**16, timestamp % 2**32, 5, payload).pack()
        if fate != "lost" or number == 0:
            arrivals.append((due + (late if number else 0.0), packet))
        if fate == "doubled":
            arrivals.append((due + late + 0.001, packet))
        due += FRAME_S
        timestamp += FRAME
    recording = Recording()
    inflow = Inflow(recording)
    for at, datagram in sorted(arrivals):
        recording.add(datagram, at)
        inflow.take(at)
    assert HOLD_BACK * FRAME_S > HOLD_BACK_S  # else what is late in time could be late in number
    live = [spurt for stream in inflow.take(1e9) for spurt in stream.talkspurts()]
    exact = recording.talkspurts()
    assert [spurt.start for spurt in live] == [spurt.start for spurt in exact]
    for one, other in zip(live, exact, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
    assert sum(len(spurt.samples) for spurt in live) <= len(fates) * FRAME < RATE * 10

import pytest

from ivrflow.scenario.load.packets import packet_figures
from ivrflow.softphone.placing import ReceivedPacket


def packet(
    number: int, arrival: float, *, ticks: int | None = None, marker: bool = False, ssrc: int = 7
) -> ReceivedPacket:
    timestamp = number * 160 if ticks is None else ticks
    return ReceivedPacket(arrival, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, 8, marker, bytes(160))


def steady(count: int, *, first: int = 1, begins: float = 100.0) -> list[ReceivedPacket]:
    return [packet(first + place, begins + place * 0.02) for place in range(count)]


def test_a_steady_stream_has_no_gap_no_jitter_and_no_loss() -> None:
    shown = packet_figures(steady(50), 99.97)
    assert shown is not None
    assert (shown.count, shown.lost) == (50, 0)
    assert shown.first_after == pytest.approx(0.03)
    assert shown.longest_gap == pytest.approx(0.02)
    assert shown.jitter == pytest.approx(0.0, abs=1e-9)


def test_nothing_received_has_no_figures() -> None:
    assert packet_figures([], 0.0) is None


def test_a_packet_held_up_is_a_gap_and_jitter() -> None:
    stream = steady(50)
    stream[20] = packet(21, stream[20].arrival + 0.1)
    shown = packet_figures(stream, 100.0)
    assert shown is not None
    assert shown.longest_gap == pytest.approx(0.12)
    # Late by 100 ms, and the next one by as much too early: a sixteenth of the one, then of what is left and the other.
    assert shown.jitter == pytest.approx((0.1 / 16) * 15 / 16 + 0.1 / 16)


@pytest.mark.parametrize("told_by", ["marker", "timestamp"])
def test_silence_that_was_meant_is_no_gap(told_by: str) -> None:
    later = 30 * 160 + 24_000
    second = [packet(31, 103.6, marker=True)] if told_by == "marker" else [packet(31, 103.6, ticks=later)]
    shown = packet_figures([*steady(30), *second], 100.0)
    assert shown is not None
    assert shown.longest_gap == pytest.approx(0.02)
    assert shown.jitter == pytest.approx(0.0, abs=1e-9)


def test_a_sender_who_stands_still_without_saying_so_leaves_a_gap() -> None:
    shown = packet_figures([*steady(30), packet(31, 103.6)], 100.0)
    assert shown is not None
    assert shown.longest_gap == pytest.approx(103.6 - 100.58)


def test_lost_packets_are_counted_also_where_the_numbers_begin_anew() -> None:
    kept = [one for one in steady(20, first=65_526) if one.sequence not in {65_535, 3}]
    shown = packet_figures(kept, 100.0)
    assert shown is not None
    assert (shown.count, shown.lost) == (18, 2)


def test_another_stream_is_compared_with_itself_alone() -> None:
    other = [packet(9, 100.7, ssrc=8), packet(10, 100.72, ssrc=8)]
    shown = packet_figures([*steady(30), *other], 100.0)
    assert shown is not None
    assert shown.lost == 0
    assert shown.longest_gap == pytest.approx(0.02)


def test_packets_that_overtake_each_other_are_not_lost() -> None:
    stream = steady(10)
    stream[4], stream[5] = stream[5], stream[4]
    shown = packet_figures(stream, 100.0)
    assert shown is not None
    assert (shown.count, shown.lost) == (10, 0)

"""What holds for the figures of any load."""

import random
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.scenario.load.load_figures import spread
from ivrflow.scenario.load.load_records import LoadSize
from ivrflow.scenario.load.packets import packet_figures
from ivrflow.softphone.placing import ReceivedPacket

seconds = st.floats(-1000, 1000)


@given(st.lists(seconds, min_size=1))
def test_a_spread_is_ordered_and_made_of_the_values_themselves(values: list[float]) -> None:
    told = spread(values)
    assert told is not None
    shown = [told.least, told.p50, told.p95, told.p99, told.most]
    assert shown == sorted(shown)
    assert set(shown) <= set(values)
    assert (told.least, told.most, told.count) == (min(values), max(values), len(values))
    # The definition once more, by somebody else: the value that so many of them do not exceed.
    assert told.p95 == float(np.percentile(values, 95, method="inverted_cdf"))


@given(st.integers(1, 500), st.integers(0, 50))
def test_as_many_are_listened_to_as_asked_and_never_two_at_once_early(calls: int, listen: int) -> None:
    chosen = sorted(LoadSize(calls=calls, rate=1.0, most=1, listen=listen).listened)
    assert len(chosen) == min(calls, listen)
    assert all(0 <= number < calls for number in chosen)
    gaps = {later - earlier for earlier, later in pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@given(
    first=st.integers(0, 0xFFFF),
    count=st.integers(2, 400),
    lost=st.sets(st.integers(1, 398), max_size=60),
    shuffled=st.integers(1, 4),
    chance=st.randoms(use_true_random=False),
)
def test_every_packet_that_never_came_is_counted_once(
    first: int, count: int, lost: set[int], shuffled: int, chance: random.Random
) -> None:
    missing = {number for number in lost if number < count - 1}  # what is lost at the end nobody can miss
    numbers = [number for number in range(count) if number not in missing]
    for start in range(1, len(numbers) - shuffled, shuffled):  # a few overtake each other
        part = numbers[start : start + shuffled]
        chance.shuffle(part)
        numbers[start : start + shuffled] = part
    packets = [
        ReceivedPacket(place * 0.02, (first + number) & 0xFFFF, number * 160, 7, 8, False, bytes(160))
        for place, number in enumerate(numbers)
    ]
    told = packet_figures(packets, 0.0)
    assert told is not None
    assert (told.count, told.lost) == (len(numbers), len(missing))
    assert told.jitter >= 0

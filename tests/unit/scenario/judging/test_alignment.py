from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from judged_scenarios import FLOW

from ivrflow.flow.model import Phrase
from ivrflow.flow.problems import Location
from ivrflow.scenario.judging.alignment import align, sound_alike


def of(first: str, second: str) -> dict[int, int]:
    return align(len(first), len(second), lambda i, j: float(first[i] == second[j]))


def test_what_is_the_same_is_paired_in_order() -> None:
    assert of("abc", "abc") == {0: 0, 1: 1, 2: 2}
    assert of("abc", "ac") == {0: 0, 2: 1}, "one missing makes nothing after it wrong"
    assert of("ac", "abc") == {0: 0, 1: 2}
    assert of("ab", "ba") in ({0: 1}, {1: 0})
    assert of("", "ab") == of("ab", "") == {}
    assert of("ab", "cd") == {}


def test_among_equals_the_earliest() -> None:
    assert of("a", "aaa") == {0: 0}
    assert of("aa", "aaa") == {0: 0, 1: 1}
    assert of("ab", "aab") == {0: 0, 1: 2}


def test_a_pair_worth_more_wins_but_never_costs_another_pair() -> None:
    worth = {(0, 0): 1.0, (0, 1): 1.01}
    assert align(1, 2, lambda i, j: worth.get((i, j), 0.0)) == {0: 1}
    worth = {(0, 0): 1.0, (0, 1): 1.01, (1, 1): 1.0}
    assert align(2, 2, lambda i, j: worth.get((i, j), 0.0)) == {0: 0, 1: 1}


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_nobody_finds_more_pairs(first: str, second: str) -> None:
    pairs = of(first, second)
    assert list(pairs.values()) == sorted(set(pairs.values()))
    assert all(first[i] == second[j] for i, j in pairs.items())
    assert len(pairs) == longest_common(first, second)


def longest_common(first: str, second: str) -> int:
    """By trying everything."""
    if not first or not second:
        return 0
    if first[0] == second[0]:
        return 1 + longest_common(first[1:], second[1:])
    return max(longest_common(first[1:], second), longest_common(first, second[1:]))


def test_phrases_sound_alike_when_their_words_are_the_same() -> None:
    where = Location("small.yaml", 1, 1)

    def phrase(key: str, text: str, without: str | None = None) -> Phrase:
        return Phrase(key, text, where, without=without)

    phrases = (
        phrase("gov/noise.ask", "Speak up, please"),
        phrase("gov/low_volume.ask", "Speak up, please"),
        phrase("gov/other", "Hang up, please"),
        phrase("gov/named", "{name}, speak up", without="Speak up, please"),
    )
    flow = replace(FLOW, phrases={one.key: one for one in phrases})
    assert sound_alike(flow, "gov/noise.ask", "gov/low_volume.ask")
    assert sound_alike(flow, "gov/noise.ask", "gov/named"), "when no name is known"
    assert not sound_alike(flow, "gov/noise.ask", "gov/other")
    assert sound_alike(flow, "gov/unknown", "gov/unknown")
    assert not sound_alike(flow, "gov/unknown", "gov/other")

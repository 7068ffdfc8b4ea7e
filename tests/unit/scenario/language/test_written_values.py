"""The values whose wording is not fixed by a broken file: what they mean, and that nothing else is taken."""

from datetime import datetime
from typing import TypeVar

import pytest

from ivrflow.flow.model import Band
from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.reader import Kind
from ivrflow.flow.reading.source import Text
from ivrflow.scenario.language.written_values import (
    KEYS_PRESSED,
    MOST_KEYS,
    PAUSE_LENGTH,
    RANGE,
    SHARE,
    WHEN,
    AsTheRuleSays,
)

T = TypeVar("T")


def value(kind: Kind[T], text: str) -> T | None:
    """The value of a text; None, and exactly one problem, when there is none."""
    problems = ProblemList()
    read = kind.read(Text(text, Location("x.yaml", 1, 1)), problems)
    assert len(problems.problems) == (read is None)
    return read


def hint(kind: Kind[T], text: str) -> str:
    problems = ProblemList()
    assert kind.read(Text(text, Location("x.yaml", 1, 1)), problems) is None
    return problems.problems[0].hint


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("70%", 0.7), ("100%", 1.0), ("090%", 0.9)])
def test_shares(text: str, share: float) -> None:
    assert value(SHARE, text) == share


@pytest.mark.parametrize("text", ["0%", "101%", "90.5%", "%", "-1%", "90 %", "all"])
def test_no_shares(text: str) -> None:
    assert value(SHARE, text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0s", Band(0, 0)),
        ("3s", Band(3, 3)),
        ("2.5s-4s", Band(2.5, 4)),
        ("500ms-1m30s", Band(0.5, 90)),
        ("3s - 5s", Band(3, 5)),
        ("as the rule says", AsTheRuleSays.WORDS),
        ("As  the rule SAYS", AsTheRuleSays.WORDS),
    ],
)
def test_pauses(text: str, meant: Band | AsTheRuleSays) -> None:
    assert value(PAUSE_LENGTH, text) == meant


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("2-4", "write 2s-4s"),
        ("2-4s", "write 2s-4s"),
        ("200-400ms", "write 200ms-400ms"),
        ("2s–4s", "write 2s-4s"),
        ("2s至4s", "write 2s-4s"),
        ("２ｓ－４ｓ", "write 2s-4s"),
        ("4s-2s", "write 2s-4s"),
        ("from 2s to 4s", "write 3s, 2.5s-4s, or 'as the rule says'"),
    ],
)
def test_what_to_write_for_a_pause(text: str, better: str) -> None:
    assert hint(PAUSE_LENGTH, text) == better


def test_a_range_has_two_ends() -> None:
    assert value(RANGE, "15s-25s") == Band(15, 25)
    assert hint(RANGE, "20s") == "write the least and the most: 19s-21s"
    assert hint(RANGE, "500ms") == "write the least and the most: 0s-1.5s"


def test_keys() -> None:
    assert value(KEYS_PRESSED, "0123456789*#ABCD") == "0123456789*#ABCD"
    assert value(KEYS_PRESSED, "1" * (MOST_KEYS + 1)) is None
    assert hint(KEYS_PRESSED, "12 34a") == 'write "1234A"'


def test_what_was_keyed_is_not_repeated_in_a_message() -> None:
    problems = ProblemList()
    KEYS_PRESSED.read(Text("86420x", Location("x.yaml", 1, 1)), problems)

    assert "86420" not in str(problems.problems)


def test_moments() -> None:
    assert value(WHEN, "2026-11-20T10:00") == datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local to the flow
    assert value(WHEN, "2026-11-20 23:59:59") == datetime(2026, 11, 20, 23, 59, 59)  # noqa: DTZ001 - local to the flow
    assert value(WHEN, "2026-11-20") is None
    assert value(WHEN, "2026-13-20T10:00") is None
    assert value(WHEN, "10:00") is None

"""Lengths of time in commands and call files: written as in flows, `2s`, `500ms`, `1m30s`."""

from __future__ import annotations

from ivrflow.flow.problems import Location, ProblemList
from ivrflow.flow.reading.source import Text
from ivrflow.flow.reading.times import duration

_LENGTH = duration(least=0.0)
_NOWHERE = Location("", 1, 1)


def read_seconds(text: str) -> float:
    """The seconds that "2s", "500ms" or "1m30s" mean; at most a day.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    problems = ProblemList()
    seconds = _LENGTH.read(Text(text, _NOWHERE), problems)
    if seconds is None:
        raise ValueError(problems.problems[0].message, problems.problems[0].hint)
    return seconds

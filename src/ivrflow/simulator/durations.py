"""Lengths of time as flows and scripts write them: a number and its unit."""

from __future__ import annotations

import re

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

LONGEST_S = 24 * 3600.0
"""A day: no call lasts longer, and a slip of the finger should not be believed."""


def read_seconds(text: str) -> float:
    """The seconds that "2s", "500ms" or "1.5m" mean.

    Raises:
        ValueError: with what is wrong, and what to write as second argument.
    """
    found = _LENGTH.fullmatch(text)
    if found is None:
        hint = (
            f"write it with its unit, for example {text}s" if text.isdecimal() else "write for example 2s, 500ms or 1m"
        )
        raise ValueError(f"'{text}' is not a length of time", hint)
    seconds = round(float(found[1]) * _SECONDS[found[2]], 6)
    if seconds > LONGEST_S:
        raise ValueError(f"'{text}' is longer than a day", "no call lasts that long")
    return seconds


def write_seconds(seconds: float) -> str:
    """The shortest way to write it: "2s", "500ms" below a second, "1m" for whole minutes."""
    milliseconds = round(seconds * 1000)
    if milliseconds and milliseconds % 60_000 == 0:
        return f"{milliseconds // 60_000}m"
    if milliseconds % 1000 and milliseconds < 1000:
        return f"{milliseconds}ms"
    return f"{milliseconds / 1000}".removesuffix(".0") + "s"

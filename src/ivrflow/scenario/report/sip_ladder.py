"""A phone's signalling as a ladder: one arrow per message between it and the PBX, the whole text behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivrflow.scenario.observation import PhoneSide, SipLine
from ivrflow.scenario.report.privacy import Privacy

Tone: TypeAlias = Literal["request", "provisional", "success", "refused"]

_STATUS = re.compile(r"SIP/2\.0 (\d{3})\b *([^\r\n]*)")
_REQUEST = re.compile(r"([A-Z]+) \S+ SIP/2\.0")
_CSEQ = re.compile(r"^CSeq[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_CHALLENGES = frozenset({"401", "407"})
"""Refusals that only ask for the password; the request comes once more."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One message: `name` its method or status, `about` the rest of its first line and its CSeq, `text` all of it, covered."""

    at: float
    direction: Literal["in", "out"]
    name: str
    about: str
    tone: Tone
    text: str
    later: float | None
    """Seconds since the message before; None for the first."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The signalling of one phone."""

    phone: str
    rungs: tuple[Rung, ...]


def ladder(side: PhoneSide, privacy: Privacy) -> Ladder:
    """All messages of a phone, in order."""
    return Ladder(side.name, tuple(_rung(line, before, privacy) for line, before in _with_the_one_before(side.sip)))


def _with_the_one_before(lines: Sequence[SipLine]) -> list[tuple[SipLine, SipLine | None]]:
    return list(zip(lines, [None, *lines], strict=False))


def _rung(line: SipLine, before: SipLine | None, privacy: Privacy) -> Rung:
    text = privacy.sip(line.text)
    first = text.lstrip().partition("\n")[0].strip() or privacy.sip(line.summary)
    name, about, tone = _read(first)
    if cseq := _CSEQ.search(text):
        about = f"{about} · CSeq {cseq[1].strip()}" if about else f"CSeq {cseq[1].strip()}"
    later = None if before is None else line.at - before.at
    return Rung(line.at, line.direction, name, about, tone, text, later)


def _read(first: str) -> tuple[str, str, Tone]:
    if status := _STATUS.match(first):
        code, reason = status[1], status[2].strip()
        return f"{code} {reason}".strip(), "", _tone(code)
    if request := _REQUEST.match(first):
        return request[1], first.removeprefix(request[1]).removesuffix("SIP/2.0").strip(), "request"
    return first[:60], "", "request"


def _tone(code: str) -> Tone:
    if code.startswith("1") or code in _CHALLENGES:
        return "provisional"
    return "success" if code.startswith("2") else "refused"

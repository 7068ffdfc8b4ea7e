"""The SIP messages of a phone as lines of a ladder: who sent what, when; secrets taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ivrflow.scenario.observation import SipLine
from ivrflow.softphone.call import SignallingLine

_CSEQ = re.compile(r"^cseq[ \t]*:[ \t]*(.*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_PROOF = re.compile(r"(\bresponse=\")[^\"]*\"", re.IGNORECASE)


def sip_lines(signalling: Iterable[SignallingLine], zero: float) -> tuple[SipLine, ...]:
    """The messages in the order they came and went, their times in seconds since `zero`.

    What proves a password to the PBX could be tried against guesses by whoever reads a report: it is taken out.
    """
    return tuple(
        SipLine(line.at - zero, line.direction, _summary(line.text), _PROOF.sub(r"\1…" + '"', line.text))
        for line in sorted(signalling, key=lambda line: line.at)
    )


def _summary(text: str) -> str:
    first = text.partition("\r\n")[0].removeprefix("SIP/2.0 ").removesuffix(" SIP/2.0")
    cseq = _CSEQ.search(text)
    return f"{first} ({cseq[1]})" if cseq else first

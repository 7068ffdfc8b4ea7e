"""A timetable as a scenario for SIPp, the load generator of the distribution (package sip-tester). Pure.

Measured on SIPp 3.6.1. Sound is streamed from A-law files; the stream of a call can be exchanged while it is up. Keys are
sent as SIP INFO: its other way (RFC 4733 from a raw socket) needs root, and a PBX that expects a call's audio from one
port takes none from another. Nothing a PBX sends is listened to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from ivrflow.flow.problems import FlowError, Problem
from ivrflow.scenario.load.timetable import Timetable
from ivrflow.scenario.script import Background, HangUp, Hold, Press, Resume, Say, Scenario
from ivrflow.softphone.audio_source import AudioSource, NoRtp, payloads

CODEC = "alaw"
_PAYLOAD_TYPE = 8

_ANSWERED_WITHIN_MS = 10_000
_BYE_WITHIN_MS = 5000

_LEAST_STREAM = 40_000
"""Bytes of a background's file, five seconds: a file of one packet would be begun anew with each packet."""

SOUNDLESS_PORT = "[media_port]"
"""Where a caller who never makes a sound lets audio be sent: SIPp opens that port and reads nothing from it."""

_SDP = f"""\
v=0
o=ivrflow 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio @PORT@ RTP/AVP {_PAYLOAD_TYPE} 101
a=rtpmap:{_PAYLOAD_TYPE} PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=sendrecv
"""
_SIGNED, _UNSIGNED, _ANSWERED = 1, 2, 3
"""Labels: the PBX wants the INVITE signed; it takes it as it is; the call is answered."""

_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
_FROM = "From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]-[call_number]"


@dataclass(frozen=True, slots=True)
class SippSounds:
    """Which sound files a script needs: absolute paths. A background that sends nothing has none."""

    said: Mapping[Say, str]
    backgrounds: Mapping[AudioSource, str]


def stream_of(source: AudioSource) -> bytes | None:
    """What a background sends over and over, in A-law; None when it sends nothing.

    Raises:
        ValueError: it sends something between, such as comfort noise.
    """
    if isinstance(source, NoRtp):
        return None
    sent = [payload[1] for payload in payloads(source, CODEC) if payload is not None and payload[0] == "audio"]
    if len(sent) < len(payloads(source, CODEC)):
        raise ValueError("SIPp sends sound without pauses, or nothing")
    once = b"".join(sent)
    return once * -(-_LEAST_STREAM // len(once))


def backgrounds(scenario: Scenario, table: Timetable) -> list[AudioSource]:
    """Every background of the script."""
    changed = [entry.step.source for entry in table.entries if isinstance(entry.step, Background)]
    return list(dict.fromkeys([scenario.background, *changed]))


def check_for_sipp(scenario: Scenario, table: Timetable) -> None:
    """Make sure that SIPp can play the script.

    Raises:
        FlowError: it cannot; names the step.
    """
    problems = list(_beyond_sipp(scenario, table))
    if problems:
        raise FlowError(problems)


def _beyond_sipp(scenario: Scenario, table: Timetable) -> Iterator[Problem]:
    own = "use our own caller: --caller own"
    sources = [(scenario.where, scenario.background)]
    for entry in table.entries:
        step = entry.step
        if isinstance(step, Hold | Resume):
            yield Problem(step.where, "SIPp cannot put a call on hold here", own)
        if isinstance(step, Background):
            sources.append((step.where, step.source))
    for where, source in sources:
        try:
            if stream_of(source) is None and len({source for _, source in sources}) > 1:
                yield Problem(where, "SIPp cannot fall silent, or begin with nothing and go on with a sound", own)
        except ValueError:
            yield Problem(where, "SIPp cannot make this background: it sends sound without pauses, or nothing", own)


def sipp_script(
    scenario: Scenario, table: Timetable, sounds: SippSounds, headers: Sequence[tuple[str, str]] = ()
) -> str:
    """The scenario in SIPp's XML.

    Its fields: 0 the account, 1 what SIPp writes as `[authentication …]`.

    Args:
        scenario: whose caller.
        table: what each call does when.
        sounds: the files.
        headers: further headers of the INVITE.
    """
    is_soundless = not sounds.said and not sounds.backgrounds
    port = SOUNDLESS_PORT if is_soundless else "[rtpstream_audio_port]"
    offer = [*(f"{name}: {value}" for name, value in headers), *_SDP_HEAD, _SDP.replace("@PORT@", port)]
    number = scenario.number
    lines = [
        '<?xml version="1.0" encoding="UTF-8" ?>',
        f"<scenario name={quoteattr(scenario.title)}>",
        *_send(_first("INVITE", number, 1, offer), 'retrans="500" start_rtd="setup"'),
        *_PROVISIONAL,
        *(f'<recv response="{status}" auth="true" optional="true" next="{_SIGNED}"/>' for status in (401, 407)),
        f'<recv response="200" rtd="setup" rrs="true" next="{_UNSIGNED}"/>',
        f'<label id="{_SIGNED}"/>',
        *_send([f"ACK {_address(number)} SIP/2.0", *_LAST, *_tail("ACK", 1), *_NO_BODY]),
        *_send(_first("INVITE", number, 2, ["[field1]", *offer]), 'retrans="500"'),
        # An INVITE that was repeated for want of a quick answer is refused once more. That is none for this one.
        *(f'<recv response="{status}" optional="true"/>' for status in (401, 407)),
        *_PROVISIONAL,
        f'<recv response="200" rtd="setup" rrs="true" timeout="{_ANSWERED_WITHIN_MS}"/>',
        *_send([*_within("ACK", 2), *_NO_BODY]),
        f'<nop next="{_ANSWERED}"/>',
        f'<label id="{_UNSIGNED}"/>',
        *_send([*_within("ACK", 1), *_NO_BODY]),
        f'<label id="{_ANSWERED}"/>',
        *_Doings(scenario, table, sounds).lines(),
        "</scenario>",
        "",
    ]
    return "\n".join(lines)


class _Doings:
    """What comes after the answer; counts on milliseconds so that pauses do not add up their errors."""

    def __init__(self, scenario: Scenario, table: Timetable, sounds: SippSounds) -> None:
        self._scenario = scenario
        self._table = table
        self._sounds = sounds
        self._background: AudioSource = scenario.background
        self._now = 0
        self._number = 2

    def lines(self) -> Iterator[str]:
        yield from self._stream()
        for entry in self._table.entries:
            yield from self._wait_until(entry.at)
            match entry.step:
                case Say(seconds=seconds):
                    yield _stream(self._sounds.said[entry.step], 1)
                    yield from self._wait_until(entry.at + seconds)
                    yield from self._stream()
                case Press(keys=keys, hold_ms=hold_ms, gap_ms=gap_ms):
                    for place, key in enumerate(keys):
                        yield from self._wait_until(entry.at + place * (hold_ms + gap_ms) / 1000)
                        yield from self._key(key, hold_ms)
                case Background(source=source):
                    self._background = source
                    yield from self._stream()
                case HangUp():
                    self._number += 1
                    yield from _send([*_within("BYE", self._number), *_NO_BODY], 'retrans="500"')
                    yield f'<recv response="200" timeout="{_BYE_WITHIN_MS}"/>'
                    return
                case Hold() | Resume():
                    raise AssertionError("check_for_sipp refuses these")
        yield from self._wait_until(self._table.ends_no_earlier_than)
        left = round(self._scenario.within * 1000) - self._now
        yield f'<recv request="BYE" timeout="{max(left, 1000)}"/>'
        yield from _send(["SIP/2.0 200 OK", *_LAST, "[last_Call-ID:]", "[last_CSeq:]", *_NO_BODY])

    def _stream(self) -> Iterator[str]:
        """The background from now on."""
        file = self._sounds.backgrounds.get(self._background)
        if file is not None:
            yield _stream(file, -1)

    def _key(self, key: str, hold_ms: int) -> Iterator[str]:
        self._number += 1
        body = f"Signal={key}\nDuration={hold_ms}\n"
        head = ["Content-Type: application/dtmf-relay", "Content-Length: [len]", ""]
        yield from _send([*_within("INFO", self._number), *head, body], 'retrans="500"')
        yield '<recv response="200"/>'

    def _wait_until(self, second: float) -> Iterator[str]:
        until = round(second * 1000)
        if until > self._now:
            yield f'<pause milliseconds="{until - self._now}"/>'
            self._now = until


_SDP_HEAD = ["Content-Type: application/sdp", "Content-Length: [len]", ""]
_NO_BODY = ["Content-Length: 0", ""]
_LAST = ["[last_Via:]", "[last_From:]", "[last_To:]"]
_PROVISIONAL = [f'<recv response="{status}" optional="true"/>' for status in (100, 180, 181, 183)]


def _address(number: str) -> str:
    return f"sip:{number}@[remote_ip]:[remote_port]"


def _first(method: str, number: str, count: int, offer: Sequence[str]) -> list[str]:
    """A request that opens the call."""
    contact = "Contact: <sip:[field0]@[local_ip]:[local_port]>"
    to = f"To: <{_address(number)}>"
    return [f"{method} {_address(number)} SIP/2.0", _VIA, _FROM, to, *_tail(method, count), contact, *offer]


def _within(method: str, count: int) -> list[str]:
    """A request within the call, but for its body."""
    return [f"{method} [next_url] SIP/2.0", _VIA, _FROM, "[last_To:]", "[routes]", *_tail(method, count)]


def _tail(method: str, count: int) -> list[str]:
    return ["Call-ID: [call_id]", f"CSeq: {count} {method}", "Max-Forwards: 70"]


def _send(message: Sequence[str], attributes: str = "") -> list[str]:
    return [f"<send {attributes}>".replace(" >", ">") + "<![CDATA[", *message, "]]></send>"]


def _stream(file: str, times: int) -> str:
    return f"<nop><action><exec rtp_stream={quoteattr(f'{file},{times},{_PAYLOAD_TYPE}')}/></action></nop>"

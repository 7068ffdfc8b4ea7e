"""SIP messages as lines of a ladder."""

from ivrflow.scenario.pbx.ladder import sip_lines
from ivrflow.softphone.call import SignallingLine

INVITE = (
    "INVITE sip:12345@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n"
    'Authorization: Digest username="caller", realm="x", nonce="n", response="0123abcd", uri="sip:1"\r\n'
    "CSeq: 2 INVITE\r\nCall-ID: a\r\n\r\nv=0\r\n"
)
RINGING = "SIP/2.0 180 Ringing\r\ncseq:2 INVITE\r\nCall-ID: a\r\n\r\n"


def test_lines_are_in_order_and_count_from_zero() -> None:
    ladder = sip_lines([SignallingLine(12.5, "in", RINGING), SignallingLine(12.0, "out", INVITE)], 12.25)
    assert [(line.at, line.direction, line.summary) for line in ladder] == [
        (-0.25, "out", "INVITE sip:12345@127.0.0.1 (2 INVITE)"),
        (0.25, "in", "180 Ringing (2 INVITE)"),
    ]
    assert ladder[1].text == RINGING


def test_what_proves_the_password_is_taken_out_and_nothing_else() -> None:
    (line,) = sip_lines([SignallingLine(0.0, "out", INVITE)], 0.0)
    assert line.text == INVITE.replace("0123abcd", "…")


def test_a_message_without_cseq() -> None:
    (line,) = sip_lines([SignallingLine(0.0, "in", "garbage")], 0.0)
    assert line.summary == "garbage"

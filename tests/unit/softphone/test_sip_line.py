"""Challenges: which are answered, and when the phone gives up."""

import re

import pytest
from two_agents import ALICE

from ivrflow.softphone.sip_digest import Challenge, digest
from ivrflow.softphone.sip_line import SipLine
from ivrflow.softphone.sip_message import Headers, SipRequest, SipResponse, parse_message

SERVER = ("192.0.2.99", 5060)


class RecordedAsker:
    """Asks, and keeps what came back."""

    def __init__(self) -> None:
        self.number = 1
        self.outcomes: list[tuple[int, SipResponse | None]] = []

    def next_cseq(self) -> int:
        self.number += 1
        return self.number

    def answered(self, request: SipRequest, response: SipResponse | None, now: float) -> None:
        del now
        self.outcomes.append((request.cseq[0], response))


def asking(password: str = "secret") -> tuple[SipLine, RecordedAsker]:
    line, asker = SipLine("1001", password, SERVER, ALICE), RecordedAsker()
    headers = Headers([("From", "<sip:1001@x>;tag=a"), ("To", "<sip:2@x>"), ("Call-ID", "c"), ("CSeq", "1 INVITE")])
    line.ask(SipRequest(headers, b"v=0", method="INVITE", uri="sip:2@x"), SERVER, 0.0, asker)
    return line, asker


def latest(line: SipLine) -> SipRequest:
    message = parse_message(line.transactions.outbox[-1][0])
    assert isinstance(message, SipRequest)
    return message


def respond(line: SipLine, status: int, *extra: str) -> None:
    sent = latest(line)
    lines = [f"SIP/2.0 {status} Whatever", f"Via: {sent.headers.first('Via')}", f"From: {sent.from_}"]
    lines += ["To: <sip:2@x>;tag=b", "Call-ID: c", f"CSeq: {sent.cseq[0]} INVITE", *extra]
    received = line.transactions.receive(("\r\n".join(lines) + "\r\n\r\n").encode(), SERVER, 0.1)
    assert received is not None
    line.take(received, 0.1)  # type: ignore[arg-type]  # a response to our request


CHALLENGE = 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=SHA-256'


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_a_challenge_is_answered_with_a_new_request(status: int, asks: str, answers: str) -> None:
    line, asker = asking()
    respond(line, status, f"{asks}: {CHALLENGE}")
    sent = latest(line)
    given = dict(re.findall(r'(\w+)="?([^",]+)', sent.headers.first(answers) or ""))
    challenge = Challenge("pbx", "n1", "SHA-256", qop=True)
    assert given["response"] == digest(challenge, "1001", "secret", "INVITE", "sip:2@x", 1, given["cnonce"])
    assert (sent.cseq, sent.body, sent.from_.tag) == ((2, "INVITE"), b"v=0", "a")
    assert len(sent.headers.all("Via")) == len(sent.headers.all("CSeq")) == 1
    respond(line, 200)
    assert [(number, response and response.status) for number, response in asker.outcomes] == [(2, 200)]


def test_a_wrong_password_is_tried_once() -> None:
    line, asker = asking()
    respond(line, 401, f"WWW-Authenticate: {CHALLENGE}")
    respond(line, 401, f"WWW-Authenticate: {CHALLENGE}".replace("n1", "n2"))
    assert [response and response.status for _, response in asker.outcomes] == [401]


def test_a_stale_nonce_is_replaced_but_not_for_ever() -> None:
    line, asker = asking()
    for nonce in ("n1", "n2", "n3", "n4"):
        assert asker.outcomes == []
        respond(line, 401, f"WWW-Authenticate: {CHALLENGE}, stale=true".replace("n1", nonce))
    assert [response and response.status for _, response in asker.outcomes] == [401]


@pytest.mark.parametrize(
    ("password", "challenge", "reason"),
    [
        ("", CHALLENGE, "Whatever"),
        ("secret", 'Basic realm="x"', r"Whatever \(authentication scheme 'Basic': only Digest"),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_final(password: str, challenge: str, reason: str) -> None:
    line, asker = asking(password)
    respond(line, 401, f"WWW-Authenticate: {challenge}")
    ((_, response),) = asker.outcomes
    assert response is not None
    assert re.match(reason, response.reason)


def test_silence_is_an_outcome_too() -> None:
    line, asker = asking()
    for expired in line.transactions.poll(32.0):
        line.take(expired, 32.0)  # type: ignore[arg-type]  # our request timed out
    assert asker.outcomes == [(1, None)]

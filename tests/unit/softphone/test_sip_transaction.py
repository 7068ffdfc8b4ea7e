"""Who is asked again when, and until when: the timers of RFC 3261 section 17 on a clock of our own."""

import pytest
from two_agents import request

from ivrflow.softphone.sip_message import Headers, SipProtocolError, SipRequest, parse_message
from ivrflow.softphone.sip_transaction import (
    AckMissing,
    AckReceived,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    ServerTransaction,
    TransactionLayer,
)

US = ("192.0.2.1", 5060)
THEM = ("192.0.2.2", 5060)


def ours(method: str) -> SipRequest:
    headers = Headers([("From", "<sip:a@x>;tag=1"), ("To", "<sip:b@x>"), ("Call-ID", "1"), ("CSeq", f"7 {method}")])
    return SipRequest(headers, method=method, uri="sip:b@x")


def theirs(method: str, branch: str = "z9hG4bKthem", via: str = "192.0.2.2:5060") -> bytes:
    return request(
        f"""
{method} sip:a@192.0.2.1 SIP/2.0
Via: SIP/2.0/UDP {via};branch={branch}
From: <sip:b@x>;tag=9
To: <sip:a@x>
Call-ID: 2
CSeq: 3 {method}

"""
    ).encode()


def answer(layer: TransactionLayer, status: int, to_tag: str = ";tag=5") -> bytes:
    """What the peer answers to the request we sent last."""
    sent = parse_message(layer.outbox[-1][0])
    via, number = sent.headers.first("Via"), sent.headers.first("CSeq")
    text = f"SIP/2.0 {status} X\r\nVia: {via}\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>{to_tag}\r\nCall-ID: 1\r\nCSeq: {number}\r\n\r\n"
    return text.encode()


def run(layer: TransactionLayer, until: float) -> tuple[list[float], list[object]]:
    """Poll at every deadline up to `until`: when something was sent, and what was reported."""
    sent: list[float] = []
    reported: list[object] = []
    layer.outbox.clear()
    while (deadline := layer.deadline) is not None and deadline <= until:
        reported += list(layer.poll(deadline))
        sent += [deadline] * len(layer.outbox)
        layer.outbox.clear()
    return sent, reported


def received(layer: TransactionLayer, datagram: bytes, now: float = 0.0) -> ServerTransaction:
    got = layer.receive(datagram, THEM, now)
    assert isinstance(got, RequestReceived)
    return got.transaction


def test_an_unanswered_invite_is_repeated_at_doubling_intervals_for_32_seconds() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("INVITE"), THEM, 0.0, None)
    sent, reported = run(layer, 100.0)
    assert sent == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert [type(item) for item in reported] == [RequestTimedOut]
    assert layer.deadline is None


def test_another_unanswered_request_is_repeated_every_four_seconds_in_the_end() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("BYE"), THEM, 0.0, None)
    sent, reported = run(layer, 100.0)
    assert sent == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert [type(item) for item in reported] == [RequestTimedOut]


def test_ringing_ends_the_repetitions_for_as_long_as_it_rings() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("INVITE"), THEM, 0.0, "me")
    got = layer.receive(answer(layer, 180), THEM, 0.1)
    assert isinstance(got, ResponseReceived)
    assert got.transaction.owner == "me"
    assert run(layer, 1000.0) == ([], [])
    assert layer.unanswered


def test_a_refusal_is_acknowledged_each_time_and_reported_once() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("INVITE"), THEM, 0.0, None)
    refusal = answer(layer, 486)
    assert isinstance(layer.receive(refusal, THEM, 0.1), ResponseReceived)
    assert layer.receive(refusal, THEM, 0.6) is None
    acks = [parse_message(datagram) for datagram, _ in layer.outbox[1:]]
    assert [ack.cseq for ack in acks] == [(7, "ACK"), (7, "ACK")]
    assert acks[0].to.tag == "5"
    assert acks[0].top_via == parse_message(layer.outbox[0][0]).top_via
    assert run(layer, 100.0) == ([], [])
    assert not layer.unanswered


def test_every_2xx_of_an_invite_is_handed_on() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("INVITE"), THEM, 0.0, None)
    accepted = answer(layer, 200)
    assert isinstance(layer.receive(accepted, THEM, 0.1), ResponseReceived)
    assert isinstance(layer.receive(accepted, THEM, 0.6), ResponseReceived)
    assert layer.receive(answer(layer, 180), THEM, 0.7) is None
    run(layer, 100.0)
    assert layer.receive(accepted, THEM, 101.0) is None


def test_a_response_to_nothing_is_ignored() -> None:
    layer = TransactionLayer(US)
    layer.request(ours("BYE"), THEM, 0.0, None)
    stray = answer(layer, 200).replace(b"branch=z9hG4bK", b"branch=z9hG4bKstray")
    assert layer.receive(stray, THEM, 0.1) is None
    assert layer.unanswered


def test_cancel_has_the_branch_and_number_of_the_invite() -> None:
    layer = TransactionLayer(US)
    invite = layer.request(ours("INVITE"), THEM, 0.0, None)
    layer.receive(answer(layer, 180), THEM, 0.1)
    layer.cancel(invite, 1.0)
    cancel = parse_message(layer.outbox[-1][0])
    assert (cancel.cseq, cancel.top_via.branch) == ((7, "CANCEL"), invite.branch)
    assert cancel.to.tag is None
    # RFC 3261 9.1: the INVITE itself is given up 32 seconds later, should nobody answer it
    _, reported = run(layer, 100.0)
    assert {item.transaction.request.method for item in reported if isinstance(item, RequestTimedOut)} == {
        "CANCEL",
        "INVITE",
    }


def test_a_repeated_request_is_answered_again_and_reported_once() -> None:
    layer = TransactionLayer(US)
    transaction = received(layer, theirs("OPTIONS"))
    assert layer.receive(theirs("OPTIONS"), THEM, 0.1) is None  # not answered yet: nothing to repeat
    assert layer.outbox == []
    layer.respond(transaction, layer.response(transaction, 200, "OK", "t"), 0.2)
    assert layer.receive(theirs("OPTIONS"), THEM, 0.5) is None
    assert len(layer.outbox) == 2
    assert layer.outbox[0] == layer.outbox[1]
    run(layer, 40.0)
    assert isinstance(layer.receive(theirs("OPTIONS"), THEM, 41.0), RequestReceived)


@pytest.mark.parametrize("status", [200, 486])
def test_a_final_answer_to_invite_is_repeated_until_its_ack(status: int) -> None:
    layer = TransactionLayer(US)
    transaction = received(layer, theirs("INVITE"))
    layer.respond(transaction, layer.response(transaction, status, "X", "t"), 0.0)
    assert run(layer, 3.0)[0] == [0.5, 1.5]
    if status == 200:
        assert isinstance(layer.receive(theirs("ACK", "z9hG4bKanother"), THEM, 3.1), AckReceived)
        layer.acknowledged(transaction)
    else:
        assert layer.receive(theirs("ACK"), THEM, 3.1) is None
    assert run(layer, 100.0) == ([], [])


def test_a_final_answer_without_ack_is_reported() -> None:
    layer = TransactionLayer(US)
    transaction = received(layer, theirs("INVITE"))
    layer.respond(transaction, layer.response(transaction, 200, "OK", "t"), 0.0)
    sent, reported = run(layer, 100.0)
    assert sent == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert reported == [AckMissing(transaction)]


def test_a_final_answer_is_given_once() -> None:
    layer = TransactionLayer(US)
    transaction = received(layer, theirs("INVITE"))
    layer.respond(transaction, layer.response(transaction, 487, "Request Terminated", "t"), 0.0)
    layer.respond(transaction, layer.response(transaction, 200, "OK", "t"), 0.1)
    assert len(layer.outbox) == 1


def test_a_response_goes_where_the_request_says() -> None:
    layer = TransactionLayer(US)
    plain = received(layer, theirs("OPTIONS", "z9hG4bK1", "pbx.example:5070"))
    behind_nat = received(layer, theirs("OPTIONS", "z9hG4bK2", "10.0.0.9:5070;rport"))
    for transaction in (plain, behind_nat):
        layer.respond(transaction, layer.response(transaction, 200, "OK", "t"), 0.0)
    assert [destination for _, destination in layer.outbox] == [("192.0.2.2", 5070), THEM]
    assert parse_message(layer.outbox[1][0]).top_via.params == {
        "rport": "5060",
        "branch": "z9hG4bK2",
        "received": "192.0.2.2",
    }


def test_a_response_copies_what_it_must() -> None:
    layer = TransactionLayer(US)
    transaction = received(layer, theirs("INVITE").replace(b"Call-ID", b"Record-Route: <sip:p1;lr>\r\nCall-ID"))
    response = layer.response(transaction, 180, "Ringing", "mine")
    assert response.to.tag == "mine"
    assert response.headers.all("Record-Route") == ["<sip:p1;lr>"]
    assert (response.call_id, response.cseq, response.from_.tag) == ("2", (3, "INVITE"), "9")


def test_a_request_older_than_the_standard_is_refused() -> None:
    with pytest.raises(SipProtocolError, match="z9hG4bK"):
        TransactionLayer(US).receive(theirs("OPTIONS", "1"), THEM, 0.0)


def test_requests_of_two_senders_with_one_branch_are_two() -> None:
    layer = TransactionLayer(US)
    received(layer, theirs("OPTIONS"))
    received(layer, theirs("OPTIONS", via="192.0.2.3:5060"))

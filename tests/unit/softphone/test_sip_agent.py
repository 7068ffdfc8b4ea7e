"""What a phone answers to requests from outside, and what it does with what is no SIP."""

import pytest
from two_agents import ALICE, BOB, line, request, two_agents, up

from ivrflow.softphone.sip_agent import SipAgent
from ivrflow.softphone.sip_message import SipProtocolError, SipRequest, SipResponse, parse_message
from ivrflow.softphone.sip_news import AudioAgreed, CallArrived, CallOver

SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"


def asked(method: str, number: int = 1, to: str = "<sip:bob@192.0.2.2>", body: str = "") -> bytes:
    message = request(
        f"""
{method} sip:bob@192.0.2.2 SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{method}{number}
From: <sip:alice@192.0.2.1>;tag=a
To: {to}
Call-ID: c
CSeq: {number} {method}
Contact: <sip:alice@192.0.2.1:5060>

"""
    )
    message.body = body.encode()
    return message.encode()


def answers(agent: SipAgent, datagram: bytes) -> list[SipResponse]:
    agent.outbox.clear()
    agent.receive(datagram, ALICE, 0.0)
    messages = [parse_message(sent) for sent, _ in agent.outbox]
    return [message for message in messages if isinstance(message, SipResponse)]


@pytest.fixture
def bob() -> SipAgent:
    return SipAgent("bob", "", ALICE, BOB)


@pytest.mark.parametrize(
    ("method", "status"),
    [
        *[(method, 200) for method in ("OPTIONS", "NOTIFY", "INFO")],
        *[(method, 481) for method in ("BYE", "CANCEL", "UPDATE", "PRACK")],
        *[(method, 501) for method in ("SUBSCRIBE", "REFER", "NONSENSE")],
    ],
)
def test_requests_outside_a_call(bob: SipAgent, method: str, status: int) -> None:
    (response,) = answers(bob, asked(method))
    assert response.status == status
    assert response.to.tag
    assert "INVITE" in (response.headers.first("Allow") or "")


def test_requests_for_a_call_that_is_not_there(bob: SipAgent) -> None:
    (response,) = answers(bob, asked("INVITE", to="<sip:bob@192.0.2.2>;tag=gone"))
    assert response.status == 481


def test_an_invite_without_contact_is_refused(bob: SipAgent) -> None:
    datagram = asked("INVITE", body=SDP).replace(b"Contact: <sip:alice@192.0.2.1:5060>\r\n", b"")
    (response,) = answers(bob, datagram)
    assert response.status == 400
    assert bob.news == []


def in_call(bob: SipAgent, body: str = SDP) -> str:
    """A call that is up; the To header its requests have."""
    assert [response.status for response in answers(bob, asked("INVITE", body=body))] == [100]
    (news,) = bob.news
    assert isinstance(news, CallArrived)
    news.call.answer(line(BOB), 0.0)
    bob.receive(asked("ACK", to=f"<sip:bob@192.0.2.2>;tag={news.call.tag}", body="" if body else SDP), ALICE, 0.0)
    return f"<sip:bob@192.0.2.2>;tag={news.call.tag}"


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("NOTIFY", 200), ("INFO", 200), ("UPDATE", 200), ("PRACK", 481), ("REFER", 501), ("BYE", 200)],
)
def test_requests_inside_a_call(bob: SipAgent, method: str, status: int) -> None:
    to = in_call(bob)
    (response,) = answers(bob, asked(method, 2, to))
    assert response.status == status


def test_an_update_may_hold(bob: SipAgent) -> None:
    to = in_call(bob)
    bob.news.clear()
    (response,) = answers(bob, asked("UPDATE", 2, to, SDP + "a=sendonly\r\n"))
    assert response.status == 200
    assert b"a=recvonly" in response.body
    (news,) = bob.news
    assert isinstance(news, AudioAgreed)
    assert news.call.agreed is not None
    assert news.call.agreed.may_send is False


def test_an_impossible_change_is_refused_and_the_call_goes_on(bob: SipAgent) -> None:
    to = in_call(bob)
    bob.news.clear()
    assert [r.status for r in answers(bob, asked("INVITE", 2, to, SDP.replace("AVP 8", "AVP 18")))] == [488]
    assert [r.status for r in answers(bob, asked("INVITE", 3, to, "not SDP"))] == [488]
    assert bob.news == []


def test_a_number_that_goes_backwards_is_refused(bob: SipAgent) -> None:
    to = in_call(bob)
    assert [r.status for r in answers(bob, asked("INFO", 5, to))] == [200]
    assert [r.status for r in answers(bob, asked("INFO", 4, to))] == [500]


def test_an_invite_without_offer_gets_ours_and_the_ack_answers(bob: SipAgent) -> None:
    in_call(bob, body="")
    (news,) = [item for item in bob.news if isinstance(item, AudioAgreed)]
    assert news.call.agreed is not None
    assert news.call.agreed.remote == ("192.0.2.1", 4000)


def test_asterisks_cause_is_understood(bob: SipAgent) -> None:
    to = in_call(bob)
    bye = asked("BYE", 2, to).replace(b"Contact", b"X-Asterisk-HangupCauseCode: 44\r\nContact")
    answers(bob, bye)
    (news,) = [item for item in bob.news if isinstance(item, CallOver)]
    assert news.cause == 44


def test_early_media_is_agreed_before_the_answer() -> None:
    alice, _, _ = two_agents()
    call = alice.new_call("bob")
    alice.invite(call, line(ALICE), 0.0)
    invite = parse_message(alice.outbox[0][0])
    progress = (
        f"SIP/2.0 183 Session Progress\r\nVia: {invite.headers.first('Via')}\r\nFrom: {invite.from_}\r\n"
        f"To: <sip:bob@x>;tag=b\r\nCall-ID: {invite.call_id}\r\nCSeq: 1 INVITE\r\n\r\n{SDP}"
    )
    alice.receive(progress.encode(), BOB, 0.1)
    assert [type(news) for news in alice.news][-1] is AudioAgreed
    assert call.agreed is not None


def test_of_two_phones_that_answer_the_second_is_hung_up() -> None:
    alice, _, wire = two_agents()
    up(alice, wire)
    sent = parse_message(wire.datagrams[0])
    second = (
        f"SIP/2.0 200 OK\r\nVia: {sent.headers.first('Via')}\r\nFrom: {sent.from_}\r\nTo: <sip:bob@x>;tag=other\r\n"
        f"Contact: <sip:other@192.0.2.2>\r\nCall-ID: {sent.call_id}\r\nCSeq: 1 INVITE\r\n\r\n{SDP}"
    )
    alice.receive(second.encode(), BOB, wire.now)
    methods = [parse_message(datagram) for datagram, _ in alice.outbox]
    assert [m.method for m in methods if isinstance(m, SipRequest)] == ["ACK", "BYE"]
    assert {m.to.tag for m in methods} == {"other"}


def test_a_number_is_escaped_and_an_address_taken_as_it_is() -> None:
    alice = SipAgent("alice", "", ("192.0.2.99", 5080), ALICE)
    for dialled, uri in (("#86 1", "sip:%2386%201@192.0.2.99:5080"), ("sip:x@192.0.2.7", "sip:x@192.0.2.7")):
        alice.outbox.clear()
        alice.invite(alice.new_call(dialled), line(ALICE), 0.0, [("X-Call", "7")])
        (datagram, destination), *_ = alice.outbox
        message = parse_message(datagram)
        assert isinstance(message, SipRequest)
        assert message.uri == uri
        assert message.headers.first("X-Call") == "7"
        assert destination == ("192.0.2.99", 5080)


def test_what_is_no_sip_changes_nothing(bob: SipAgent) -> None:
    with pytest.raises(SipProtocolError):
        bob.receive(b"\x00\x01\x02\x03", ALICE, 0.0)
    assert (bob.outbox, bob.news, bob.deadline) == ([], [], None)


def test_calls_that_are_over_are_forgotten_in_the_end() -> None:
    alice, bob, wire = two_agents()
    for _ in range(3):
        call, other = up(alice, wire)
        call.hang_up(wire.now)
        wire.run(1.0)
        alice.forget(call, wire.now)
        bob.forget(other, wire.now)
        wire.run(40.0)
    assert len(alice._calls) == len(bob._calls) == 1

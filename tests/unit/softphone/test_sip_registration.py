"""Registering: told, renewed in time, taken back."""

from two_agents import ALICE

from ivrflow.softphone.sip_agent import SipAgent
from ivrflow.softphone.sip_message import SipRequest, parse_message
from ivrflow.softphone.sip_news import Registered, RegistrationFailed

SERVER = ("192.0.2.99", 5080)


def latest(agent: SipAgent) -> SipRequest:
    message = parse_message(agent.outbox[-1][0])
    assert isinstance(message, SipRequest)
    return message


def respond(agent: SipAgent, status: int, *extra: str, now: float = 0.0) -> None:
    sent = latest(agent)
    lines = [f"SIP/2.0 {status} Whatever", f"Via: {sent.headers.first('Via')}", f"From: {sent.from_}"]
    lines += ["To: <sip:x@y>;tag=b", f"Call-ID: {sent.call_id}", f"CSeq: {sent.cseq[0]} REGISTER", *extra]
    agent.outbox.clear()
    agent.receive(("\r\n".join(lines) + "\r\n\r\n").encode(), SERVER, now)


def registering(expires_s: int = 300) -> SipAgent:
    agent = SipAgent("1001", "secret", SERVER, ALICE)
    agent.register(expires_s, 0.0)
    return agent


def test_what_a_registration_says() -> None:
    sent = latest(registering())
    assert (sent.method, sent.uri) == ("REGISTER", "sip:192.0.2.99:5080")
    assert sent.from_.uri == sent.to.uri == "sip:1001@192.0.2.99:5080"
    assert sent.contact is not None
    assert sent.contact.uri == "sip:1001@192.0.2.1:5060"
    assert sent.headers.first("Expires") == "300"


def test_it_is_renewed_in_time_under_the_same_name() -> None:
    agent = registering()
    first = latest(agent)
    respond(agent, 200, "Contact: <sip:other@192.0.2.7>;expires=3, <sip:1001@192.0.2.1:5060>;expires=100", "Expires: 9")
    assert agent.news == [Registered(100)]
    agent.poll(79.9)
    assert agent.outbox == []
    agent.poll(80.0)
    again = latest(agent)
    assert (again.call_id, again.from_.tag) == (first.call_id, first.from_.tag)
    assert again.cseq == (first.cseq[0] + 1, "REGISTER")


def test_the_server_may_say_the_time_for_all() -> None:
    agent = registering()
    respond(agent, 200, "Expires: 60")
    assert agent.news == [Registered(60)]
    assert agent.deadline is not None
    agent.poll(48.0)
    assert latest(agent).method == "REGISTER"


def test_without_any_time_the_wish_is_granted() -> None:
    agent = registering(300)
    respond(agent, 200)
    assert agent.news == [Registered(300)]


def test_it_is_taken_back() -> None:
    agent = registering()
    respond(agent, 200)
    agent.register(0, 1.0)
    assert latest(agent).headers.first("Expires") == "0"
    respond(agent, 200, now=1.0)
    assert agent.news == [Registered(300), Registered(0)]
    agent.poll(10_000.0)
    assert agent.outbox == []


def test_too_brief_a_time_is_made_longer() -> None:
    agent = registering(30)
    respond(agent, 423, "Min-Expires: 120")
    assert latest(agent).headers.first("Expires") == "120"
    respond(agent, 423, "Min-Expires: 120")
    assert agent.news == [RegistrationFailed(423, "Whatever")]


def test_nonsense_from_the_server_is_a_failure() -> None:
    for status, header in ((423, "Min-Expires: soon"), (200, "Expires: never")):
        agent = registering(30)
        respond(agent, status, header)
        (news,) = agent.news
        assert isinstance(news, RegistrationFailed)
        assert "should be a whole number" in news.reason


def test_a_refusal_is_told() -> None:
    agent = registering()
    respond(agent, 403)
    assert agent.news == [RegistrationFailed(403, "Whatever")]
    assert not agent.unanswered


def test_silence_is_told() -> None:
    agent = registering()
    agent.poll(32.0)
    assert agent.news == [RegistrationFailed(408, "the server did not answer")]


def test_an_answer_to_an_earlier_request_counts_no_more() -> None:
    agent = registering()
    old = parse_message(agent.outbox[-1][0])
    agent.register(0, 1.0)
    late = (
        f"SIP/2.0 200 OK\r\nVia: {old.headers.first('Via')}\r\nFrom: {old.from_}\r\nTo: <sip:x@y>;tag=b\r\n"
        f"Call-ID: {old.call_id}\r\nCSeq: {old.cseq[0]} REGISTER\r\n\r\n"
    )
    agent.receive(late.encode(), SERVER, 1.1)
    assert agent.news == []

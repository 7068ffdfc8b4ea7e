"""Calls between two phones without sockets: every way a call can begin, change and end, also on a wire that loses."""

from collections.abc import Callable

import pytest
from two_agents import ALICE, BOB, Wire, arrived, calling, line, two_agents, up

from ivrflow.softphone.sip_call import CallState, number_of
from ivrflow.softphone.sip_message import NameAddr, SipProtocolError
from ivrflow.softphone.sip_news import (
    AudioAgreed,
    AudioRefused,
    CallAnswered,
    CallOver,
    CallProceeds,
)


def first(start: str) -> Callable[[str, bytes], bool]:
    """Loses the first message that begins with `start`."""
    lost: list[str] = []

    def loses(message: str, _: bytes) -> bool:
        if message.startswith(start) and not lost:
            lost.append(message)
            return True
        return False

    return loses


def over(wire: Wire, address: tuple[str, int]) -> CallOver:
    news = wire.told(address, CallOver)
    assert len(news) == 1
    assert isinstance(news[0], CallOver)
    return news[0]


def test_a_call_from_dialling_to_hanging_up() -> None:
    alice, _, wire = two_agents()
    call = calling(alice, wire)
    wire.run(0.1)
    other = arrived(wire)
    other.ring(wire.now)
    wire.run(2.0)
    ringing = call.state
    assert ringing is CallState.RINGING
    other.answer(line(BOB), wire.now)
    wire.run(0.1)
    assert call.state is other.state is CallState.UP
    call.hang_up(wire.now)
    wire.run(60.0)
    assert [(name, text.split(" sip:")[0]) for _, name, text in wire.log] == [
        ("alice", "INVITE"),
        ("bob", "SIP/2.0 100 Trying"),
        ("bob", "SIP/2.0 180 Ringing"),
        ("bob", "SIP/2.0 200 OK"),
        ("alice", "ACK"),
        ("alice", "BYE"),
        ("bob", "SIP/2.0 200 OK"),
    ]
    assert (over(wire, ALICE).by, over(wire, BOB).by) == ("phone", "peer")
    assert [news.status for news in wire.told(ALICE, CallProceeds) if isinstance(news, CallProceeds)] == [100, 180]
    assert len(wire.told(ALICE, CallAnswered)) == len(wire.told(BOB, CallAnswered)) == 1
    assert not alice.unanswered


def test_both_ends_agree_on_the_audio() -> None:
    alice, _, wire = two_agents()
    call, other = up(alice, wire)
    assert call.agreed is not None
    assert other.agreed is not None
    assert (call.agreed.remote, other.agreed.remote) == ((BOB[0], 4000), (ALICE[0], 4000))
    assert call.agreed.codec == other.agreed.codec == "alaw"


def test_the_callee_hangs_up_with_a_reason() -> None:
    alice, _, wire = two_agents()
    _, other = up(alice, wire)
    other.hang_up(wire.now, 'Q.850;cause=16;text="Normal call clearing"')
    wire.run(1.0)
    end = over(wire, ALICE)
    assert (end.by, end.cause, end.reason) == ("peer", 16, 'Q.850;cause=16;text="Normal call clearing"')
    assert over(wire, BOB).by == "phone"


@pytest.mark.parametrize(("status", "reason"), [(486, "Busy Here"), (603, "Decline")])
def test_a_refused_call(status: int, reason: str) -> None:
    alice, _, wire = two_agents()
    calling(alice, wire)
    wire.run(0.1)
    arrived(wire).refuse(status, reason, wire.now)
    wire.run(1.0)
    assert (over(wire, ALICE).by, over(wire, ALICE).status, over(wire, ALICE).reason) == ("peer", status, reason)
    assert over(wire, BOB).by == "phone"
    assert len(wire.sent("alice", "ACK")) == 1


def test_hanging_up_while_it_rings_cancels() -> None:
    alice, _, wire = two_agents()
    call = calling(alice, wire)
    wire.run(0.1)
    arrived(wire).ring(wire.now)
    wire.run(1.0)
    call.hang_up(wire.now)
    wire.run(1.0)
    assert (over(wire, ALICE).by, over(wire, BOB).by, over(wire, BOB).status) == ("phone", "peer", 487)
    assert wire.sent("bob", "SIP/2.0 487")
    assert not alice.unanswered


def test_a_cancel_waits_for_the_first_provisional_answer() -> None:
    alice, _, wire = two_agents(first("SIP/2.0 100"))
    call = calling(alice, wire)
    wire.run(0.1)
    call.hang_up(wire.now)
    assert wire.sent("alice", "CANCEL") == []
    wire.run(2.0)  # the INVITE is repeated after 500 ms, and with it the 100
    assert wire.sent("alice", "CANCEL") == [0.52]
    assert over(wire, BOB).by == "peer"


def test_an_answer_that_crosses_the_cancel_is_hung_up() -> None:
    alice, _, wire = two_agents()
    call = calling(alice, wire)
    wire.run(1.0)
    other = arrived(wire)
    other.answer(line(BOB), wire.now)
    call.hang_up(wire.now)
    wire.run(2.0)
    assert [text.split()[0] for _, name, text in wire.log if name == "alice"] == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert (over(wire, ALICE).by, over(wire, BOB).by) == ("phone", "peer")
    assert wire.told(ALICE, CallAnswered) == []


def test_nobody_there() -> None:
    alice, _, wire = two_agents(lambda *_: True)
    calling(alice, wire)
    wire.run(40.0)
    assert (over(wire, ALICE).by, over(wire, ALICE).status) == ("nobody", None)
    assert wire.sent("alice", "INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


@pytest.mark.parametrize("lost", ["INVITE", "SIP/2.0 100", "SIP/2.0 200", "ACK", "BYE"])
def test_a_lost_message_costs_time_and_nothing_else(lost: str) -> None:
    alice, _, wire = two_agents(first(lost))
    call = calling(alice, wire)
    wire.run(1.0)
    arrived(wire).answer(line(BOB), wire.now)
    wire.run(2.0)
    assert call.state is CallState.UP
    call.hang_up(wire.now)
    wire.run(60.0)
    assert (over(wire, ALICE).by, over(wire, BOB).by) == ("phone", "peer")
    assert len(wire.told(ALICE, CallAnswered)) == 1
    assert not alice.unanswered


def test_an_answer_nobody_acknowledges_ends_the_call() -> None:
    alice, _, wire = two_agents(lambda text, _: text.startswith("ACK"))
    up(alice, wire)
    wire.run(40.0)
    assert over(wire, BOB).by == "nobody"
    assert over(wire, ALICE).by == "peer"


def test_the_callee_hangs_up_only_after_the_ack() -> None:
    alice, bob, wire = two_agents(first("ACK"))
    calling(alice, wire)
    wire.run(0.1)
    other = arrived(wire)
    other.answer(line(BOB), wire.now)
    other.hang_up(wire.now)
    wire.run(0.2)
    assert wire.sent("bob", "BYE") == []
    waits_before = bob.unanswered  # so a phone that closes waits for it
    wire.run(2.0)
    assert (waits_before, bob.unanswered) == (True, False)
    assert len(wire.sent("bob", "BYE")) == 1
    assert over(wire, ALICE).by == "peer"


def test_both_hang_up_at_once() -> None:
    alice, _, wire = two_agents()
    call, other = up(alice, wire)
    call.hang_up(wire.now)
    other.hang_up(wire.now)
    wire.run(1.0)
    assert (over(wire, ALICE).by, over(wire, BOB).by) == ("phone", "phone")
    assert len(wire.sent("alice", "SIP/2.0 200")) == len(wire.sent("bob", "SIP/2.0 200 OK")) - 1 == 1


def test_hold_and_resume() -> None:
    alice, _, wire = two_agents()
    call, other = up(alice, wire)
    call.change_direction("sendonly", wire.now)
    wire.run(0.5)
    assert call.agreed is not None
    assert other.agreed is not None
    assert (call.agreed.may_send, call.agreed.may_receive) == (True, False)
    assert (other.agreed.may_send, other.agreed.may_receive) == (False, True)
    other.change_direction("sendrecv", wire.now)  # the held side asks for something; the hold stays
    wire.run(0.5)
    assert call.agreed.may_receive is False
    call.change_direction("sendrecv", wire.now)
    wire.run(0.5)
    assert (call.agreed.may_receive, other.agreed.may_send) == (True, True)
    assert [news.asked_here for news in wire.told(ALICE, AudioAgreed) if isinstance(news, AudioAgreed)] == [
        False,
        True,
        False,
        True,
    ]


def test_two_changes_at_once_are_both_refused_for_now() -> None:
    alice, _, wire = two_agents()
    call, other = up(alice, wire)
    call.change_direction("sendonly", wire.now)
    other.change_direction("sendonly", wire.now)
    wire.run(1.0)
    for address in (ALICE, BOB):
        (refused,) = wire.told(address, AudioRefused)
        assert isinstance(refused, AudioRefused)
        assert refused.status == 491
    assert call.own is not None
    assert call.own.direction == "sendrecv"
    call.change_direction("sendonly", wire.now)
    wire.run(1.0)
    assert other.agreed is not None
    assert other.agreed.may_send is False


def test_one_change_at_a_time() -> None:
    alice, _, wire = two_agents()
    call, _ = up(alice, wire)
    call.change_direction("sendonly", wire.now)
    with pytest.raises(SipProtocolError, match="unanswered"):
        call.change_direction("sendrecv", wire.now)


def test_a_lost_change_is_asked_again() -> None:
    lost: list[str] = []

    def loses(text: str, _: bytes) -> bool:
        if text.startswith("INVITE"):
            lost.append(text)
        return len(lost) == 2

    alice, _, wire = two_agents(loses)
    call, other = up(alice, wire)
    call.change_direction("sendonly", wire.now)
    wire.run(0.1)
    lost.append("enough")
    wire.run(2.0)
    assert other.agreed is not None
    assert other.agreed.may_send is False


def test_a_change_for_a_peer_that_forgot_the_call_ends_it() -> None:
    alice, bob, wire = two_agents()
    call, _ = up(alice, wire)
    bob._calls.clear()
    call.change_direction("sendonly", wire.now)
    wire.run(1.0)
    assert (over(wire, ALICE).by, over(wire, ALICE).status) == ("peer", 481)


def test_without_a_common_codec_the_call_is_refused() -> None:
    alice, _, wire = two_agents()
    calling(alice, wire)
    wire.run(0.1)
    with pytest.raises(SipProtocolError, match="no codec"):
        arrived(wire).answer(line(BOB, ("g722",)), wire.now)
    wire.run(1.0)
    assert over(wire, ALICE).status == 488


def test_hanging_up_twice_is_harmless() -> None:
    alice, _, wire = two_agents()
    call, _ = up(alice, wire)
    call.hang_up(wire.now)
    call.hang_up(wire.now)
    wire.run(1.0)
    assert len(wire.sent("alice", "BYE")) == 1
    assert over(wire, ALICE).by == "phone"


def test_hanging_up_an_arrived_call_declines_it() -> None:
    alice, _, wire = two_agents()
    calling(alice, wire)
    wire.run(0.1)
    arrived(wire).hang_up(wire.now)
    wire.run(1.0)
    assert over(wire, ALICE).status == 603


def test_a_number_is_the_user_part() -> None:
    assert number_of(NameAddr("sip:%2386@192.0.2.1")) == "#86"
    assert number_of(NameAddr("tel:12345")) == ""

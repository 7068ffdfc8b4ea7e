"""What a dialog remembers: routes, targets and numbers (RFC 3261 section 12)."""

import pytest
from two_agents import request, response

from ivrflow.softphone.sip_dialog import Dialog
from ivrflow.softphone.sip_message import SipProtocolError

SERVER = ("192.0.2.99", 5060)
INVITE = """
INVITE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
Record-Route: <sip:192.0.2.51;lr>, <sip:192.0.2.52;lr>
From: <sip:alice@atlanta.example>;tag=a
To: <sip:bob@biloxi.example>
Call-ID: c
CSeq: 17 INVITE
Contact: <sip:alice@192.0.2.1:5070>

"""
ANSWER = """
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
Record-Route: <sip:192.0.2.51;lr>
Record-Route: <sip:192.0.2.52;lr>
From: <sip:alice@atlanta.example>;tag=a
To: <sip:bob@biloxi.example>;tag=b
Call-ID: c
CSeq: 17 INVITE
Contact: <sip:bob@192.0.2.2:5071>

"""


def caller(answer: str = ANSWER) -> Dialog:
    return Dialog.of_caller(request(INVITE), response(answer), "sip:alice@192.0.2.1:5070", SERVER)


def test_the_caller_takes_the_route_backwards() -> None:
    bye = caller().request("BYE")
    assert bye.headers.all("Route") == ["<sip:192.0.2.52;lr>", "<sip:192.0.2.51;lr>"]
    assert (bye.uri, bye.cseq) == ("sip:bob@192.0.2.2:5071", (18, "BYE"))
    assert (bye.from_.tag, bye.to.tag, bye.call_id) == ("a", "b", "c")
    assert caller().next_hop == ("192.0.2.52", 5060)


def test_the_callee_takes_the_route_as_it_stands() -> None:
    dialog = Dialog.of_callee(request(INVITE), "mine", "sip:bob@192.0.2.2", SERVER)
    bye = dialog.request("BYE")
    assert bye.headers.all("Route") == ["<sip:192.0.2.51;lr>", "<sip:192.0.2.52;lr>"]
    assert (bye.uri, bye.cseq, bye.from_.tag, bye.to.tag) == ("sip:alice@192.0.2.1:5070", (1, "BYE"), "mine", "a")
    assert dialog.remote_cseq == 17


def test_ack_has_the_number_of_its_invite() -> None:
    dialog = caller()
    dialog.request("INVITE")
    assert dialog.built("ACK", 17).cseq == (17, "ACK")
    assert dialog.request("ACK").cseq == (18, "ACK")


def test_an_old_strict_router_is_named_in_the_request_line() -> None:
    bye = caller(ANSWER.replace("192.0.2.52;lr", "192.0.2.52")).request("BYE")
    assert bye.uri == "sip:192.0.2.52"
    assert bye.headers.all("Route") == ["<sip:192.0.2.51;lr>", "<sip:bob@192.0.2.2:5071>"]


def without_routes(contact: str) -> str:
    lines = [line for line in ANSWER.split("\n") if not line.startswith("Record-Route")]
    return "\n".join(lines).replace("sip:bob@192.0.2.2:5071", contact)


def test_without_proxies_requests_go_to_the_contact() -> None:
    assert caller(without_routes("sip:bob@192.0.2.2:5071")).next_hop == ("192.0.2.2", 5071)


@pytest.mark.parametrize("contact", ["sip:bob@phone.biloxi.example", "tel:12345"])
def test_a_contact_that_is_no_address_is_reached_through_the_server(contact: str) -> None:
    assert caller(without_routes(contact)).next_hop == SERVER


def test_a_body_is_sdp() -> None:
    assert caller().request("INVITE", b"v=0\r\n").headers.first("Content-Type") == "application/sdp"


def test_an_invite_must_say_where_its_sender_is() -> None:
    anonymous = INVITE.replace("Contact: <sip:alice@192.0.2.1:5070>\n", "")
    with pytest.raises(SipProtocolError, match="Contact"):
        Dialog.of_callee(request(anonymous), "mine", "sip:bob@192.0.2.2", SERVER)

"""Reading and writing SIP messages, with the examples of RFC 3261 and RFC 4475."""

import pytest

from ivrflow.softphone.sip_message import (
    Headers,
    NameAddr,
    SipProtocolError,
    SipRequest,
    SipResponse,
    SipUri,
    number,
    parse_message,
    parse_name_addr,
    parse_uri,
    parse_via,
    split_commas,
)

# RFC 3261 section 24.2, message F1
BIDDING = b"""INVITE sip:bob@biloxi.com SIP/2.0\r
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8\r
Max-Forwards: 70\r
To: Bob <sip:bob@biloxi.com>\r
From: Alice <sip:alice@atlanta.com>;tag=1928301774\r
Call-ID: a84b4c76e66710\r
CSeq: 314159 INVITE\r
Contact: <sip:alice@pc33.atlanta.com>\r
Content-Type: application/sdp\r
Content-Length: 4\r
\r
v=0
rest of the datagram"""

# after RFC 4475 section 3.1.1.1: folding, odd case, compact names, an escaped quote, a semicolon in quotes
TORTURED = b"""INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r
TO :\r
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r
  ;\r
  tag = 98asjd8\r
MaX-fOrWaRdS: 0068\r
Call-ID: wsinv.ndaksdj@192.0.2.1\r
cseq: 0009\r
  INVITE\r
Via  : SIP  /   2.0\r
 /UDP\r
    192.0.2.2;branch=390skdjuw\r
s :\r
v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r
  branch  =   z9hG4bK9ikj8  ,\r
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r
 z9hG4bK30239\r
m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r
      newvalue ;\r
  secondparam ; q = 0.33\r
\r
"""


def minimal(*lines: str, start: str = "OPTIONS sip:bob@192.0.2.2 SIP/2.0", body: bytes = b"") -> bytes:
    fields = [
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "From: <sip:a@192.0.2.1>;tag=1",
        "To: <sip:b@192.0.2.2>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS",
    ]
    return ("\r\n".join([start, *fields, *lines]) + "\r\n\r\n").encode() + body


def test_the_example_of_the_standard_is_read() -> None:
    message = parse_message(BIDDING)
    assert isinstance(message, SipRequest)
    assert (message.method, message.uri) == ("INVITE", "sip:bob@biloxi.com")
    assert message.cseq == (314159, "INVITE")
    assert message.from_ == NameAddr("sip:alice@atlanta.com", "Alice", {"tag": "1928301774"})
    assert message.to.tag is None
    assert message.top_via.branch == "z9hG4bKnashds8"
    assert message.contact == NameAddr("sip:alice@pc33.atlanta.com")


def test_the_body_ends_where_content_length_says() -> None:
    assert parse_message(BIDDING).body == b"v=0\n"


def test_the_torture_message_is_read() -> None:
    message = parse_message(TORTURED)
    assert message.to == NameAddr("sip:vivekg@chair-dnrc.example.com", "", {"tag": "1918181833n"})
    assert message.from_.tag == "98asjd8"
    assert message.from_.uri == "sip:jdrosen@example.com"
    assert message.cseq == (9, "INVITE")
    assert [parse_via(value).branch for value in message.headers.all("via")] == [
        "390skdjuw",
        "z9hG4bK9ikj8",
        "z9hG4bK30239",
    ]
    assert message.contact is not None
    assert message.contact.params == {"newparam": "newvalue", "secondparam": "", "q": "0.33"}


def test_what_is_written_reads_back_the_same() -> None:
    first = parse_message(BIDDING)
    again = parse_message(first.encode())
    assert list(again.headers) == [
        *((n, v) for n, v in first.headers if n != "Content-Length"),
        ("Content-Length", "4"),
    ]
    assert again.body == first.body


def test_a_response_is_read() -> None:
    message = parse_message(minimal(start="SIP/2.0 486 Busy Here"))
    assert isinstance(message, SipResponse)
    assert (message.status, message.reason) == (486, "Busy Here")


def test_a_response_may_have_no_reason_phrase() -> None:
    message = parse_message(minimal(start="SIP/2.0 200"))
    assert isinstance(message, SipResponse)
    assert message.reason == ""


def test_bytes_that_are_not_utf8_survive() -> None:
    datagram = minimal("X-Name: caf").replace(b"caf", b"caf\xe9")
    assert b"caf\xe9" in parse_message(datagram).encode()


def test_plain_newlines_are_taken() -> None:
    assert parse_message(minimal().replace(b"\r\n", b"\n")).call_id == "1"


def test_list_headers_become_single_values() -> None:
    message = parse_message(minimal('Record-Route: "a,b" <sip:p1;lr>, <sip:p2,x;lr>', "Record-Route: <sip:p3;lr>"))
    assert message.headers.all("Record-Route") == ['"a,b" <sip:p1;lr>', "<sip:p2,x;lr>", "<sip:p3;lr>"]


@pytest.mark.parametrize(
    ("datagram", "complaint"),
    [
        (b"", "blank line"),
        (b"\x16\x03\x01\x02\x00", "blank line"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "neither a SIP request line nor a status line"),
        (minimal(start="OPTIONS sip:bob@192.0.2.2"), "neither"),
        (minimal(start="SIP/2.0 99 Low"), "100 to 699"),
        (minimal(start="SIP/2.0 700 High"), "at most 699"),
        (minimal(start="SIP/2.0 2xx OK"), "status code should be a whole number"),
        (minimal(start="BYE sip:bob@192.0.2.2 SIP/2.0"), "CSeq names OPTIONS, the request line BYE"),
        (minimal().replace(b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n", b""), "Via header is missing"),
        (minimal().replace(b"Via: SIP/2.0/UDP", b"Via: UDP"), "Via should read"),
        (minimal().replace(b"CSeq: 1 OPTIONS", b"CSeq: 2147483648 OPTIONS"), "at most 2147483647"),
        (minimal().replace(b"CSeq: 1 OPTIONS", b"CSeq: OPTIONS"), "a number and a method"),
        (minimal().replace(b"Call-ID: 1", b"Call-ID:"), "Call-ID is empty"),
        (minimal().replace(b"<sip:b@192.0.2.2>", b"<sip:b@192.0.2.2"), "without closing '>'"),
        (minimal().replace(b"<sip:b@192.0.2.2>", b"<>"), "without a URI"),
        (minimal("no colon here"), "without a name and a colon"),
        (minimal(": nameless"), "without a name and a colon"),
        (minimal("Contact: <sip:a@b>, <sip:c"), "without closing"),
        (minimal("Content-Length: 5", body=b"four"), "says 5 bytes, 4 came"),
        (minimal("Content-Length: -1"), "Content-Length should be a whole number"),
        (minimal("X: " + "x" * 9000), "longer than 8192"),
        (minimal(*["X: y"] * 300), "more than 200 headers"),
        (minimal("X: a\0b"), "control character"),
    ],
)
def test_what_is_not_sip_is_said_so(datagram: bytes, complaint: str) -> None:
    with pytest.raises(SipProtocolError, match=complaint):
        parse_message(datagram)


def test_a_header_cannot_be_smuggled_in() -> None:
    message = SipRequest(Headers([("Subject", "x\r\nEvil: yes")]), method="OPTIONS", uri="sip:a@b")
    with pytest.raises(ValueError, match="break into two lines"):
        message.encode()


def test_headers_are_found_by_any_of_their_names() -> None:
    headers = Headers([("i", "abc"), ("V", "one"), ("Via", "two")])
    assert headers.first("CALL-ID") == "abc"
    assert headers.all("via") == ["one", "two"]
    headers.replace_first("Via", "uno")
    headers.set("Call-ID", "def")
    assert list(headers) == [("V", "uno"), ("Via", "two"), ("Call-ID", "def")]
    headers.remove("v")
    assert len(headers) == 1


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:12345@192.0.2.1", SipUri("12345", "192.0.2.1")),
        ("sip:192.0.2.1:5070;lr", SipUri("", "192.0.2.1", 5070, {"lr": ""})),
        ("SIPS:a:b@[2001:db8::1]:5061?x=y", SipUri("a:b", "[2001:db8::1]", 5061)),
        ("sip:%23123@host.example;transport=UDP", SipUri("%23123", "host.example", None, {"transport": "UDP"})),
    ],
)
def test_addresses_are_read(text: str, uri: SipUri) -> None:
    assert parse_uri(text) == uri


@pytest.mark.parametrize("text", ["tel:12345", "sip:", "sip:a@", "sip:a@h:99999", "sip:a b@<x>"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(SipProtocolError):
        parse_uri(text)


def test_an_address_without_port_means_5060() -> None:
    assert parse_uri("sip:[2001:db8::1]").address == ("2001:db8::1", 5060)


def test_a_display_name_may_hold_anything() -> None:
    address = parse_name_addr('"A <b>, c" <sip:x@y>;tag=1')
    assert (address.display, address.uri, address.tag) == ("A <b>, c", "sip:x@y", "1")
    assert parse_name_addr(str(address)) == address


def test_commas_inside_quotes_and_brackets_do_not_split() -> None:
    assert split_commas('"a,b" <c,d>, e ,, f') == ['"a,b" <c,d>', "e", "f"]


@pytest.mark.parametrize("text", ["", "-1", "1.0", "٣", "1" * 5000, " 1"])
def test_only_plain_digits_are_a_number(text: str) -> None:
    with pytest.raises(SipProtocolError):
        number(text, "x", 10)

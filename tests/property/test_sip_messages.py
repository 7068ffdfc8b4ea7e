"""Whatever arrives at a SIP phone: it is read, or refused with `SipProtocolError`, and what is written reads back."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.softphone.sdp import AudioLine, agree, answer_line, offer_line, read_sdp, write_sdp
from ivrflow.softphone.sip_agent import SipAgent
from ivrflow.softphone.sip_digest import authorization, parse_challenge
from ivrflow.softphone.sip_message import (
    Headers,
    NameAddr,
    SipProtocolError,
    SipRequest,
    parse_message,
    parse_name_addr,
    parse_uri,
    parse_via,
    split_commas,
)

PATIENTLY = settings(deadline=None)
US = ("192.0.2.1", 5060)
THEM = ("192.0.2.2", 5060)
INVITE = (
    b"INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;rport;branch=z9hG4bK1\r\n"
    b'Record-Route: <sip:192.0.2.7;lr>\r\nFrom: "A" <sip:a@192.0.2.2>;tag=1\r\nTo: <sip:bob@192.0.2.1>\r\nCall-ID: c\r\n'
    b"CSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.2:5060>\r\nContent-Type: application/sdp\r\n\r\n"
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
)
CHALLENGED = (
    b"SIP/2.0 401 Unauthorized\r\nVia: %s\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>;tag=2\r\nCall-ID: c\r\n"
    b'CSeq: %s\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=MD5\r\n\r\n'
)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes = INVITE) -> bytes:
    """A message with a few of its bytes cut out, doubled or replaced."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 20)))
        data[start:end] = draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"", b"\r\n", b'"', b"<", b";", b",", b"@"]))
        )
    return bytes(data)


datagrams = st.one_of(st.binary(max_size=400), damaged())


@PATIENTLY
@given(datagrams)
def test_every_datagram_is_read_or_refused(datagram: bytes) -> None:
    with contextlib.suppress(SipProtocolError):
        message = parse_message(datagram)
        _ = message.cseq, message.from_, message.to, message.top_via, message.contact, message.call_id
        again = parse_message(message.encode())
        assert (again.cseq, again.from_, again.to, again.body) == (
            message.cseq,
            message.from_,
            message.to,
            message.body,
        )


@PATIENTLY
@given(st.lists(datagrams, max_size=5))
def test_a_phone_survives_every_datagram(received: list[bytes]) -> None:
    phone = SipAgent("bob", "secret", THEM, US)
    phone.invite(phone.new_call("alice"), offer_line("192.0.2.1", 4000, ("alaw",)), 0.0)
    phone.register(60, 0.0)
    for number, datagram in enumerate(received):
        with contextlib.suppress(SipProtocolError):
            phone.receive(datagram, THEM, number * 0.1)
    while phone.deadline is not None and phone.deadline < 100.0:
        phone.poll(phone.deadline)
    assert all(parse_message(sent) for sent, _ in phone.outbox)


@PATIENTLY
@given(st.data())
def test_a_phone_survives_every_answer(data: st.DataObject) -> None:
    phone = SipAgent("bob", "secret", THEM, US)
    phone.register(60, 0.0)
    sent = parse_message(phone.outbox[0][0])
    via, cseq = sent.headers.first("Via") or "", sent.headers.first("CSeq") or ""
    with contextlib.suppress(SipProtocolError):
        phone.receive(data.draw(damaged(CHALLENGED % (via.encode(), cseq.encode()))), THEM, 0.1)
    phone.poll(100.0)


@PATIENTLY
@given(st.text(max_size=80))
def test_parts_are_read_or_refused(text: str) -> None:
    for read in (parse_name_addr, parse_via, parse_uri, parse_challenge):
        with contextlib.suppress(SipProtocolError):
            read(text)
    assert all(split_commas(text))


@PATIENTLY
@given(
    st.text(st.characters(codec="utf-8", exclude_characters='"\\<>\r\n\0', exclude_categories=["Cc"]), max_size=20).map(
        str.strip
    )
)
def test_a_display_name_survives(display: str) -> None:
    address = NameAddr("sip:a@b", display, {"tag": "1"})
    assert parse_name_addr(str(address)) == address


values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=30).map(str.strip)


@PATIENTLY
@given(
    st.lists(st.tuples(st.from_regex(r"X-[A-Za-z]{1,8}", fullmatch=True), values), max_size=6), st.binary(max_size=50)
)
def test_what_is_written_reads_back(extra: list[tuple[str, str]], body: bytes) -> None:
    required = [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
        ("From", "<sip:a@b>;tag=1"),
        ("To", "<sip:c@d>"),
        ("Call-ID", "x"),
        ("CSeq", "1 OPTIONS"),
    ]
    request = SipRequest(Headers([*required, *extra]), body, method="OPTIONS", uri="sip:c@d")
    again = parse_message(request.encode())
    assert list(again.headers) == [*required, *extra, ("Content-Length", str(len(body)))]
    assert again.body == body


@PATIENTLY
@given(st.text(max_size=20), st.text(max_size=20), values)
def test_any_name_and_password_can_be_signed_with(name: str, password: str, realm: str) -> None:
    escaped = realm.replace("\\", "\\\\").replace('"', '\\"')
    challenge = parse_challenge(f'Digest realm="{escaped}", nonce="n"')
    assert challenge.realm == realm
    assert "response=" in authorization(challenge, name, password, "INVITE", "sip:a@b", 1, "c")


@PATIENTLY
@given(st.one_of(st.binary(max_size=300), damaged(INVITE.partition(b"\r\n\r\n")[2])))
def test_every_sdp_is_read_or_refused(body: bytes) -> None:
    own = offer_line("192.0.2.1", 4000, ("alaw", "ulaw"))
    with contextlib.suppress(SipProtocolError):
        offer = read_sdp(body)
        answer = answer_line(offer, own)
        agree(answer, offer)
        read_sdp(write_sdp(answer))


@PATIENTLY
@given(
    st.permutations(["ulaw", "alaw", "g722"]),
    st.integers(1, 65535),
    st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
)
def test_two_phones_see_the_same_agreement(codecs: list[str], port: int, direction: str) -> None:
    caller: AudioLine = offer_line("192.0.2.1", port, tuple(codecs), direction)
    callee = offer_line("192.0.2.2", 5000, ("g722", "ulaw"))
    answer = answer_line(read_sdp(write_sdp(caller)), callee)
    there, here = agree(answer, caller), agree(caller, read_sdp(write_sdp(answer)))
    assert there.codec == here.codec
    assert (there.may_send, there.may_receive) == (here.may_receive, here.may_send)

"""Offers and answers: what is written, read and agreed on."""

import pytest

from ivrflow.softphone.sdp import AudioLine, agree, answer_line, offer_line, read_sdp, write_sdp
from ivrflow.softphone.sip_message import SipProtocolError

# as Asterisk 22 writes it
ASTERISK = b"""v=0\r
o=- 1234 2 IN IP4 127.0.0.1\r
s=Asterisk\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=audio 20544 RTP/AVP 8 0 101\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=ptime:20\r
a=maxptime:150\r
a=sendrecv\r
"""
OWN = offer_line("192.0.2.1", 4000, ("ulaw", "alaw"))


def changed(old: bytes, new: bytes) -> bytes:
    assert old in ASTERISK
    return ASTERISK.replace(old, new)


def test_asterisks_answer_is_read() -> None:
    line = read_sdp(ASTERISK)
    assert (line.address, line.port) == ("127.0.0.1", 20544)
    assert line.codecs == ((8, "alaw"), (0, "ulaw"))
    assert (line.keys, line.noise, line.direction, line.session, line.version) == (101, None, "sendrecv", 1234, 2)


def test_what_is_written_reads_back_the_same() -> None:
    line = offer_line("192.0.2.1", 4000, ("g722", "alaw", "ulaw"), "sendonly")
    again = read_sdp(write_sdp(line))
    assert again.lines == ("audio 4000 RTP/AVP 9 8 0 101 13",)
    assert (again.codecs, again.direction, again.keys, again.noise) == (line.codecs, "sendonly", 101, 13)


def test_the_answer_takes_the_first_codec_offered_that_is_spoken() -> None:
    answer = answer_line(read_sdp(ASTERISK), OWN)
    assert answer.codecs == ((8, "alaw"),)
    agreed = agree(answer, read_sdp(ASTERISK))
    assert (agreed.codec, agreed.payload_type, agreed.remote) == ("alaw", 8, ("127.0.0.1", 20544))
    assert (agreed.keys, agreed.noise, agreed.may_send, agreed.may_receive) == (101, None, True, True)


def test_payload_types_of_the_offer_are_kept() -> None:
    offer = read_sdp(changed(b"0 101\r\na=rtpmap:8 PCMA", b"0 97\r\na=rtpmap:8 PCMA").replace(b":101 ", b":97 "))
    assert agree(answer_line(offer, OWN), offer).keys == 97


def test_a_dynamic_number_may_name_a_known_codec() -> None:
    line = read_sdp(
        b"v=0\nc=IN IP4 192.0.2.9\nm=audio 9 RTP/AVP 111 96\na=rtpmap:111 opus/48000/2\na=rtpmap:96 pcmu/8000/1\n"
    )
    assert line.codecs == ((96, "ulaw"),)


def test_static_numbers_need_no_name() -> None:
    assert read_sdp(b"v=0\nc=IN IP4 192.0.2.9\nm=audio 9 RTP/AVP 0 9 13\n").codecs == ((0, "ulaw"), (9, "g722"))
    assert read_sdp(b"v=0\nc=IN IP4 192.0.2.9\nm=audio 9 RTP/AVP 0 9 13\n").noise == 13


def test_the_media_address_overrules_the_session() -> None:
    assert read_sdp(ASTERISK + b"c=IN IP4 192.0.2.7\r\n").address == "192.0.2.7"


def test_other_media_are_refused_in_their_place() -> None:
    offer = read_sdp(changed(b"m=audio", b"m=video 5000 RTP/AVP 99\r\na=inactive\r\nm=audio"))
    assert offer.direction == "sendrecv"
    body = write_sdp(answer_line(offer, OWN)).decode()
    assert "m=video 0 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 8 101\r\n" in body


@pytest.mark.parametrize(
    ("offered", "wished", "answered", "sends", "receives"),
    [
        ("sendrecv", "sendrecv", "sendrecv", True, True),
        ("sendonly", "sendrecv", "recvonly", False, True),
        ("recvonly", "sendrecv", "sendonly", True, False),
        ("inactive", "sendrecv", "inactive", False, False),
        ("sendrecv", "sendonly", "sendonly", True, False),
        ("sendonly", "sendonly", "inactive", False, False),
    ],
)
def test_the_way_of_the_audio(offered: str, wished: str, answered: str, sends: bool, receives: bool) -> None:
    offer = read_sdp(changed(b"a=sendrecv", b"a=" + offered.encode()))
    answer = answer_line(offer, offer_line("192.0.2.1", 4000, ("alaw",), wished))
    agreed = agree(answer, offer)
    assert (answer.direction, agreed.may_send, agreed.may_receive) == (answered, sends, receives)


def test_the_session_may_say_the_way() -> None:
    assert read_sdp(changed(b"t=0 0", b"t=0 0\r\na=sendonly").replace(b"a=sendrecv\r\n", b"")).direction == "sendonly"


def test_an_old_phone_holds_with_address_zero() -> None:
    offer = read_sdp(changed(b"c=IN IP4 127.0.0.1", b"c=IN IP4 0.0.0.0"))
    assert agree(answer_line(offer, OWN), offer).may_send is False


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "v=0"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"v=0\r\nc=IN IP4 192.0.2.9\r\n", "no audio line"),
        (changed(b"RTP/AVP", b"RTP/SAVP"), "no audio line over plain RTP"),
        (changed(b"c=IN IP4 127.0.0.1", b"c=IN IP6 ::1"), "c=IN IP4"),
        (changed(b"m=audio 20544 RTP/AVP 8 0 101", b"m=audio 20544"), "kind port profile formats"),
        (changed(b"m=audio 20544", b"m=audio 70000"), "at most 65535"),
        (changed(b"8 0 101\r\n", b"8 0 x\r\n"), "payload type should be a whole number"),
    ],
)
def test_what_is_not_usable_is_said_so(body: bytes, complaint: str) -> None:
    with pytest.raises(SipProtocolError, match=complaint):
        read_sdp(body)


def test_without_a_common_codec_there_is_no_answer() -> None:
    with pytest.raises(SipProtocolError, match="no codec in common"):
        answer_line(read_sdp(ASTERISK), offer_line("192.0.2.1", 4000, ("g722",)))


def test_an_answer_may_refuse_the_audio() -> None:
    with pytest.raises(SipProtocolError, match="refused the audio"):
        agree(OWN, read_sdp(changed(b"m=audio 20544", b"m=audio 0")))
    with pytest.raises(SipProtocolError, match="no codec in common"):
        agree(OWN, AudioLine("192.0.2.9", 9, ()))

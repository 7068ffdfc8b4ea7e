"""Digest authentication against the examples of the standards."""

import dataclasses
import hashlib

import pytest

from ivrflow.softphone.sip_digest import Challenge, authorization, digest, first_usable, parse_challenge
from ivrflow.softphone.sip_message import SipProtocolError

# RFC 7616 section 3.9.1
RFC_7616 = Challenge(
    "http-auth@example.org",
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    qop=True,
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616(algorithm: str, expected: str) -> None:
    challenge = dataclasses.replace(RFC_7616, algorithm=algorithm)
    assert digest(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, CNONCE) == expected


def test_the_example_of_rfc_2617() -> None:
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop=True)
    response = digest(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1, "0a4f113b")
    assert response == "6629fae49393a05397450978507c4ef1"


def test_a_server_without_qop_gets_the_old_form() -> None:
    # RFC 2069's example as corrected by its erratum
    challenge = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093")
    assert digest(challenge, "Mufasa", "CircleOfLife", "GET", "/dir/index.html", 1, "x") == (
        "1949323746fe6a43ef61f9606e7febea"
    )
    assert "qop" not in authorization(challenge, "Mufasa", "CircleOfLife", "GET", "/dir/index.html", 1, "x")


def test_a_challenge_is_read() -> None:
    challenge = parse_challenge(
        'Digest  realm="asterisk",nonce="17/0a\\"b",opaque="5b", stale=TRUE, algorithm=md5, qop="auth,auth-int", x=y'
    )
    assert challenge == Challenge("asterisk", '17/0a"b', "MD5", qop=True, opaque="5b", stale=True)


def test_the_answer_names_everything_once() -> None:
    value = authorization(RFC_7616, 'a"b', "secret", "INVITE", "sip:1@2", 1, "c0ffee")
    assert value.startswith('Digest username="a\\"b", realm="http-auth@example.org", nonce="7ypf')
    for part in (
        'uri="sip:1@2"',
        "algorithm=MD5",
        "qop=auth",
        "nc=00000001",
        'cnonce="c0ffee"',
        f'opaque="{RFC_7616.opaque}"',
    ):
        assert value.count(part) == 1


def test_a_nonce_may_hold_any_bytes() -> None:
    nonce = b"\x80\xff".decode("utf-8", "surrogateescape")
    expected = hashlib.md5(
        hashlib.md5(b"a:r:b").hexdigest().encode() + b":\x80\xff:" + hashlib.md5(b"X:u").hexdigest().encode()
    ).hexdigest()
    assert digest(Challenge("r", nonce), "a", "b", "X", "u", 1, "") == expected


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ('Basic realm="x"', "only Digest"),
        ('Digest realm="x"', "without realm or nonce"),
        ('Digest realm="x", nonce="y", algorithm=MD5-sess', "only MD5 and SHA-256"),
        ('Digest realm="x", nonce="y", qop="auth-int"', "only auth"),
        ('Digest realm="x nonce="y"', "malformed"),
        ("Digest realm", "malformed"),
    ],
)
def test_what_cannot_be_answered_is_said_so(value: str, complaint: str) -> None:
    with pytest.raises(SipProtocolError, match=complaint):
        parse_challenge(value)


def test_the_topmost_usable_challenge_is_taken() -> None:
    offers = ['Digest realm="r", nonce="a", algorithm=SHA-512-256', 'Digest realm="r", nonce="b", algorithm=SHA-256']
    assert first_usable([*offers, 'Digest realm="r", nonce="c"']).nonce == "b"
    with pytest.raises(SipProtocolError, match="without a challenge"):
        first_usable([])

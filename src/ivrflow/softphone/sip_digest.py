"""Digest authentication for SIP (RFC 7616 and 8760; RFC 2617 where the server offers no qop). No sockets."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ivrflow.softphone.sip_message import SipProtocolError

_HASHES: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}
_PARAMETER = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|\Z)')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 407 asks for. `qop` is True when the server offers qop=auth."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: bool = False
    opaque: str | None = None
    stale: bool = False


def parse_challenge(value: str) -> Challenge:
    """Read one WWW-Authenticate or Proxy-Authenticate value.

    Raises:
        SipProtocolError: it is malformed or asks for something other than Digest with MD5 or SHA-256 and qop=auth.
    """
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise SipProtocolError(f"authentication scheme {scheme[:40]!r}: only Digest is spoken here")
    given: dict[str, str] = {}
    position = 0
    while position < len(rest.rstrip()):
        matched = _PARAMETER.match(rest, position)
        if not matched:
            raise SipProtocolError(f"malformed Digest challenge at {rest[position : position + 40]!r}")
        given[matched[1].lower()] = re.sub(r"\\(.)", r"\1", matched[2]) if matched[2] is not None else matched[3]
        position = matched.end()
    algorithm = given.get("algorithm", "MD5").upper()
    if algorithm not in _HASHES:
        raise SipProtocolError(f"Digest algorithm {algorithm[:40]!r}: only {' and '.join(_HASHES)} are spoken here")
    if "realm" not in given or "nonce" not in given:
        raise SipProtocolError("Digest challenge without realm or nonce")
    offered = [option.strip().lower() for option in given.get("qop", "").split(",") if option.strip()]
    if offered and "auth" not in offered:
        raise SipProtocolError(f"Digest qop {', '.join(offered)[:40]!r}: only auth is spoken here")
    return Challenge(
        given["realm"],
        given["nonce"],
        algorithm,
        qop=bool(offered),
        opaque=given.get("opaque"),
        stale=given.get("stale", "").lower() == "true",
    )


def first_usable(values: Iterable[str]) -> Challenge:
    """The topmost challenge that can be answered (RFC 8760 2.4); the last one's error if none can."""
    error = SipProtocolError("401/407 without a challenge")
    for value in values:
        try:
            return parse_challenge(value)
        except SipProtocolError as problem:
            error = problem
    raise error


def digest(
    challenge: Challenge, username: str, password: str, method: str, uri: str, nonce_count: int, cnonce: str
) -> str:
    """The response value of RFC 7616 section 3.4.1 (of RFC 2617 where the server offered no qop)."""

    def hashed(*parts: str) -> str:
        # surrogateescape: a nonce may hold any bytes, and they count as they came
        return _HASHES[challenge.algorithm](":".join(parts).encode("utf-8", "surrogateescape"))

    secret = hashed(username, challenge.realm, password)
    asked = hashed(method, uri)
    if not challenge.qop:
        return hashed(secret, challenge.nonce, asked)
    return hashed(secret, challenge.nonce, f"{nonce_count:08x}", cnonce, "auth", asked)


def authorization(
    challenge: Challenge, username: str, password: str, method: str, uri: str, nonce_count: int, cnonce: str
) -> str:
    """The value of Authorization or Proxy-Authorization that answers `challenge`."""
    response = digest(challenge, username, password, method, uri, nonce_count, cnonce)
    parts = [
        f'username="{_escaped(username)}"',
        f'realm="{_escaped(challenge.realm)}"',
        f'nonce="{_escaped(challenge.nonce)}"',
        f'uri="{uri}"',
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.opaque is not None:
        parts.append(f'opaque="{_escaped(challenge.opaque)}"')
    if challenge.qop:
        parts += ["qop=auth", f"nc={nonce_count:08x}", f'cnonce="{cnonce}"']
    return "Digest " + ", ".join(parts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

"""What a call's audio looks like on the wire: one audio line of SDP (RFC 4566), offered and answered (RFC 3264)."""

from dataclasses import dataclass, replace

from ivrflow.softphone.sip_message import SipProtocolError, number

PAYLOAD_TYPES = {"ulaw": 0, "alaw": 8, "g722": 9}  # RFC 3551 table 4
COMFORT_NOISE = 13  # RFC 3389
KEYS = 101  # our payload type for telephone-event (RFC 4733); any dynamic number does

_RTPMAPS = {"ulaw": "PCMU/8000", "alaw": "PCMA/8000", "g722": "G722/8000"}  # G722 says 8000 by mistake, RFC 3551 4.5.2
_CODEC_OF_RTPMAP = {rtpmap: name for name, rtpmap in _RTPMAPS.items()}
_CODEC_OF_TYPE = {payload_type: name for name, payload_type in PAYLOAD_TYPES.items()}
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_SENDS = ("sendrecv", "sendonly")
_RECEIVES = ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class AudioLine:
    """One side's audio: where it wants RTP, in which codecs (payload type and name, best first), and which way.

    `keys` and `noise` are the payload types of RFC 4733 keys and of comfort noise, None where not spoken. `direction` is
    as seen by the side that wrote it. `lines` are all media lines of the body, `place` is the place of this one.
    """

    address: str
    port: int
    codecs: tuple[tuple[int, str], ...]
    keys: int | None = KEYS
    noise: int | None = COMFORT_NOISE
    direction: str = "sendrecv"
    session: int = 1
    version: int = 1
    lines: tuple[str, ...] = ()
    place: int = 0


@dataclass(frozen=True, slots=True)
class AgreedAudio:
    """What both sides said yes to, as this side uses it. Payload types are those to send with."""

    remote: tuple[str, int]
    codec: str
    payload_type: int
    keys: int | None
    noise: int | None
    may_send: bool
    may_receive: bool


def offer_line(address: str, port: int, codecs: tuple[str, ...], direction: str = "sendrecv") -> AudioLine:
    """Our own audio line with `codecs` (names, best first)."""
    return AudioLine(address, port, tuple((PAYLOAD_TYPES[name], name) for name in codecs), direction=direction)


def write_sdp(line: AudioLine) -> bytes:
    """The SDP body for `line`; media lines of an offer that are not this one are refused with port 0."""
    rows = [
        "v=0",
        f"o=- {line.session} {line.version} IN IP4 {line.address}",
        "s=-",
        f"c=IN IP4 {line.address}",
        "t=0 0",
    ]
    for place, media in enumerate(line.lines or ("",)):
        if place == line.place:
            rows += _audio_rows(line)
        else:
            kind, _, profile, *formats = media.split()
            rows.append(f"m={kind} 0 {profile} {' '.join(formats)}")
    return ("\r\n".join(rows) + "\r\n").encode()


def _audio_rows(line: AudioLine) -> list[str]:
    extra = [payload_type for payload_type in (line.keys, line.noise) if payload_type is not None]
    formats = " ".join(str(payload_type) for payload_type in [*(number for number, _ in line.codecs), *extra])
    rows = [f"m=audio {line.port} RTP/AVP {formats}"]
    rows += [f"a=rtpmap:{payload_type} {_RTPMAPS[name]}" for payload_type, name in line.codecs]
    if line.keys is not None:
        rows += [f"a=rtpmap:{line.keys} telephone-event/8000", f"a=fmtp:{line.keys} 0-16"]
    if line.noise is not None:
        rows.append(f"a=rtpmap:{line.noise} CN/8000")
    return [*rows, "a=ptime:20", f"a={line.direction}"]


def read_sdp(body: bytes) -> AudioLine:
    """The first plain RTP audio line of an SDP body with the codecs spoken here.

    Raises:
        SipProtocolError: it is not SDP, or holds no such line.
    """
    try:
        rows = body.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise SipProtocolError(f"SDP is not UTF-8 at byte {error.start}") from error
    session: list[str] = []
    sections: list[list[str]] = []
    for row in rows:
        if row.startswith("m="):
            sections.append([row[2:]])
        elif row:
            (sections[-1] if sections else session).append(row)
    if not session or session[0] != "v=0":
        raise SipProtocolError("SDP should start with v=0")
    lines = tuple(_media_line(section[0]) for section in sections)
    for place, section in enumerate(sections):
        kind, port, profile, *formats = lines[place].split()
        if kind == "audio" and profile == "RTP/AVP":
            line = _audio_line(session, section[1:], port, formats)
            return replace(line, lines=lines, place=place)
    raise SipProtocolError("SDP has no audio line over plain RTP (m=audio ... RTP/AVP)")


def _media_line(text: str) -> str:
    if len(text.split()) < 4:
        raise SipProtocolError(f"SDP media line should read kind port profile formats, got {text[:60]!r}")
    return text


def _audio_line(session: list[str], rows: list[str], port: str, formats: list[str]) -> AudioLine:
    types = [number(text, "SDP payload type", 127) for text in formats]
    rtpmaps = {payload_type: _RTPMAPS[name] for payload_type, name in _CODEC_OF_TYPE.items()}
    rtpmaps[COMFORT_NOISE] = "CN/8000"
    direction = next((row[2:] for row in reversed(session) if row[2:] in _DIRECTIONS and row[0] == "a"), "sendrecv")
    for row in rows:
        if row.startswith("a=rtpmap:"):
            payload_type, _, encoding = row[9:].strip().partition(" ")
            rtpmaps[number(payload_type, "SDP payload type", 127)] = encoding.strip().removesuffix("/1")
        elif row.startswith("a=") and row[2:].strip() in _DIRECTIONS:
            direction = row[2:].strip()
    named = {payload_type: _spoken(rtpmaps.get(payload_type, "")) for payload_type in types}
    codecs = tuple((payload_type, name) for payload_type, name in named.items() if name in PAYLOAD_TYPES)
    origin = next((row[2:].split() for row in session if row.startswith("o=")), [])
    return AudioLine(
        _connection([*session, *rows]),
        number(port.partition("/")[0], "SDP port", 65535),
        codecs,
        keys=next((payload_type for payload_type, name in named.items() if name == "keys"), None),
        noise=next((payload_type for payload_type, name in named.items() if name == "noise"), None),
        direction=direction,
        session=_or_one(origin[1:2]),
        version=_or_one(origin[2:3]),
    )


def _spoken(encoding: str) -> str:
    upper = encoding.upper()
    if upper == "TELEPHONE-EVENT/8000":
        return "keys"
    return "noise" if upper == "CN/8000" else _CODEC_OF_RTPMAP.get(upper, "")


def _connection(rows: list[str]) -> str:
    """The address of the last c= row: the media's own one overrules the session's."""
    parts = next((row[2:].split() for row in reversed(rows) if row.startswith("c=")), [])
    if len(parts) != 3 or parts[:2] != ["IN", "IP4"]:
        raise SipProtocolError(f"SDP connection should read c=IN IP4 address, got {' '.join(parts)[:60]!r}")
    return parts[2].partition("/")[0]


def _or_one(texts: list[str]) -> int:
    return int(texts[0]) if texts and texts[0].isascii() and texts[0].isdigit() and len(texts[0]) <= 20 else 1


def answer_line(offer: AudioLine, own: AudioLine) -> AudioLine:
    """Our answer to `offer`: its first codec that `own` speaks, and the way both sides agree on.

    Raises:
        SipProtocolError: no codec in common.
    """
    spoken = [name for _, name in own.codecs]
    chosen = next(((payload_type, name) for payload_type, name in offer.codecs if name in spoken), None)
    if chosen is None:
        raise SipProtocolError(f"no codec in common: {[name for _, name in offer.codecs]} offered, {spoken} spoken")
    direction = _direction(
        sends=own.direction in _SENDS and offer.direction in _RECEIVES,
        receives=own.direction in _RECEIVES and offer.direction in _SENDS,
    )
    return replace(
        own,
        codecs=(chosen,),
        keys=offer.keys,
        noise=offer.noise,
        direction=direction,
        lines=offer.lines,
        place=offer.place,
    )


def _direction(*, sends: bool, receives: bool) -> str:
    if sends:
        return "sendrecv" if receives else "sendonly"
    return "recvonly" if receives else "inactive"


def agree(own: AudioLine, peer: AudioLine) -> AgreedAudio:
    """What `own` (offer or answer) and the peer's line come to.

    Raises:
        SipProtocolError: no codec in common, or the peer refused the audio (port 0).
    """
    if peer.port == 0:
        raise SipProtocolError("the peer refused the audio (port 0)")
    spoken = {name for _, name in own.codecs}
    chosen = next(((payload_type, name) for payload_type, name in peer.codecs if name in spoken), None)
    if chosen is None:
        raise SipProtocolError(
            f"no codec in common: {[name for _, name in peer.codecs]} answered, {sorted(spoken)} spoken"
        )
    return AgreedAudio(
        remote=(peer.address, peer.port),
        codec=chosen[1],
        payload_type=chosen[0],
        keys=peer.keys if own.keys is not None else None,
        noise=peer.noise if own.noise is not None else None,
        # c=0.0.0.0 is how phones older than RFC 3264 ask for hold
        may_send=own.direction in _SENDS and peer.direction in _RECEIVES and peer.address != "0.0.0.0",  # noqa: S104 - compared, never bound
        may_receive=own.direction in _RECEIVES and peer.direction in _SENDS,
    )

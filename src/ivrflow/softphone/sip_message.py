"""SIP messages: one datagram in, a request or a response out, and back (RFC 3261 sections 7 and 20). No sockets.

aiosipua 0.7.1 and sippy 2.5.0 were read first and set aside: the former never retransmits a request over UDP and
reads its own clock, the latter brings its own event loop.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

VERSION = "SIP/2.0"
LARGEST_CSEQ = 2**31 - 1  # RFC 3261 8.1.1.5
MOST_HEADERS = 200  # more is not a phone talking
LONGEST_LINE = 8192  # characters

_COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
}
_COMMA_LISTS = frozenset({"via", "contact", "route", "record-route"})
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+\Z")
_QUOTED_OR_BRACKETED = re.compile(r'"(?:[^"\\]|\\.)*"|<[^>]*>')
_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:;?@\[\]<>\s]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<params>(?:;[^?]*)?)(?:\?.*)?\Z",
    re.IGNORECASE | re.DOTALL,
)


class SipProtocolError(Exception):
    """The peer sent something that is not SIP, or SIP that cannot be answered. The text says what and where."""


def number(text: str, what: str, largest: int) -> int:
    """`text` as a whole number from 0 to `largest`; `what` names it in the error."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise SipProtocolError(f"{what} should be a whole number, got {text[:40]!r}")
    value = int(text)
    if value > largest:
        raise SipProtocolError(f"{what} should be at most {largest}, got {value}")
    return value


class Headers:
    """Header fields in wire order; names are compared without case and compact names are the long ones."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(name, _canonical(name), value) for name, value in fields]

    def first(self, name: str) -> str | None:
        """Value of the first field called `name`, or None."""
        key = _canonical(name)
        return next((value for _, k, value in self._fields if k == key), None)

    def all(self, name: str) -> list[str]:
        """Values of every field called `name`, in order."""
        key = _canonical(name)
        return [value for _, k, value in self._fields if k == key]

    def add(self, name: str, value: str) -> None:
        """Append one field."""
        self._fields.append((name, _canonical(name), value))

    def remove(self, name: str) -> None:
        """Drop every field called `name`."""
        key = _canonical(name)
        self._fields = [item for item in self._fields if item[1] != key]

    def set(self, name: str, value: str) -> None:
        """Make `value` the only field called `name`."""
        self.remove(name)
        self.add(name, value)

    def replace_first(self, name: str, value: str) -> None:
        """Give the first field called `name` another value, where it stands (the top Via of a response)."""
        key = _canonical(name)
        for position, (shown, k, _) in enumerate(self._fields):
            if k == key:
                self._fields[position] = (shown, k, value)
                return

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for name, _, value in self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(frozen=True, slots=True)
class SipUri:
    """A `sip:` address. `port` is None where the URI names none (5060 then)."""

    user: str
    host: str
    port: int | None = None
    params: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to send to."""
        return self.host.strip("[]"), self.port or 5060


@dataclass(frozen=True, slots=True)
class NameAddr:
    """`"Display" <uri>;tag=x`: the value of From, To, Contact, Route and Record-Route."""

    uri: str
    display: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str | None:
        """The tag that makes this side of a dialog unique, None before it has one."""
        return self.params.get("tag")

    def with_tag(self, tag: str) -> "NameAddr":
        """The same address with another tag."""
        return NameAddr(self.uri, self.display, {**self.params, "tag": tag})

    def __str__(self) -> str:
        shown = f'"{self.display}" ' if self.display else ""
        return f"{shown}<{self.uri}>" + _written_params(self.params)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop a request took; responses go back along them."""

    transport: str
    host: str
    port: int | None
    params: dict[str, str]

    @property
    def branch(self) -> str:
        """The transaction's name; empty for a peer older than RFC 3261."""
        return self.params.get("branch", "")

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{VERSION}/{self.transport} {self.host}{port}" + _written_params(self.params)


@dataclass(slots=True)
class SipMessage:
    """What requests and responses share."""

    headers: Headers
    body: bytes = b""

    def _mandatory(self, name: str) -> str:
        value = self.headers.first(name)
        if value is None:
            raise SipProtocolError(f"{name} header is missing")
        return value

    @property
    def call_id(self) -> str:
        """Call-ID: the name of the call, the same in every message of it."""
        return self._mandatory("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """CSeq as number and method."""
        parts = self._mandatory("CSeq").split()
        if len(parts) != 2 or not _TOKEN.match(parts[1]):
            raise SipProtocolError(f"CSeq should be a number and a method, got {' '.join(parts)[:60]!r}")
        return number(parts[0], "CSeq", LARGEST_CSEQ), parts[1]

    @property
    def from_(self) -> NameAddr:
        """From: who asked."""
        return parse_name_addr(self._mandatory("From"))

    @property
    def to(self) -> NameAddr:
        """To: who was asked."""
        return parse_name_addr(self._mandatory("To"))

    @property
    def top_via(self) -> Via:
        """The most recent hop."""
        return parse_via(self._mandatory("Via"))

    @property
    def contact(self) -> NameAddr | None:
        """Where the sender wants to be reached directly, None without a Contact (or with `*`)."""
        value = self.headers.first("Contact")
        return None if value is None or value == "*" else parse_name_addr(value)

    def _encode(self, start_line: str) -> bytes:
        lines = [start_line]
        for name, value in self.headers:
            if "\r" in value or "\n" in value:
                raise ValueError(f"header {name} would break into two lines")
            if _canonical(name) != "content-length":
                lines.append(f"{name}: {value}")
        lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + self.body


@dataclass(slots=True)
class SipRequest(SipMessage):
    """A request: `method` of `uri`."""

    method: str = ""
    uri: str = ""

    def encode(self) -> bytes:
        """The datagram; Content-Length is always right."""
        return self._encode(f"{self.method} {self.uri} {VERSION}")


@dataclass(slots=True)
class SipResponse(SipMessage):
    """A response: `status` 100-699 and its reason phrase."""

    status: int = 0
    reason: str = ""

    def encode(self) -> bytes:
        """The datagram; Content-Length is always right."""
        return self._encode(f"{VERSION} {self.status} {self.reason}")


def parse_message(datagram: bytes) -> SipRequest | SipResponse:
    """Read one UDP datagram.

    The mandatory headers are checked here, so every accessor of the result is safe to use.

    Raises:
        SipProtocolError: it is not a well-formed SIP message.
    """
    head, separator, body = datagram.partition(b"\r\n\r\n")
    if not separator:
        head, separator, body = datagram.partition(b"\n\n")
    if not separator:
        raise SipProtocolError("the blank line that ends the headers is missing")
    lines = _unfolded(head.decode("utf-8", "surrogateescape"))
    headers = Headers()
    for line in lines[1:]:
        if len(line) > LONGEST_LINE:
            raise SipProtocolError(f"header line longer than {LONGEST_LINE} characters: {line[:60]!r}")
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not _TOKEN.match(name):
            raise SipProtocolError(f"header line without a name and a colon: {line[:60]!r}")
        for item in split_commas(value) if _canonical(name) in _COMMA_LISTS else [value.strip()]:
            headers.add(name, item)
        if len(headers) > MOST_HEADERS:
            raise SipProtocolError(f"more than {MOST_HEADERS} headers")
    message = _started(lines[0], headers, _body(headers, body))
    _check(message)
    return message


def _unfolded(head: str) -> list[str]:
    """Lines of the head with continuation lines joined (RFC 3261 7.3.1)."""
    lines: list[str] = []
    for line in head.lstrip("\r\n").replace("\r\n", "\n").split("\n"):
        if line[:1] in (" ", "\t") and len(lines) > 1:
            lines[-1] += " " + line.strip()
        elif "\r" in line or "\0" in line:
            raise SipProtocolError(f"control character in {line[:60]!r}")
        else:
            lines.append(line)
    return lines


def _started(line: str, headers: Headers, body: bytes) -> SipRequest | SipResponse:
    parts = line.split(" ", 2)
    if parts[0].upper() == VERSION and len(parts) >= 2:
        status = number(parts[1], "status code", 699)
        if status < 100:
            raise SipProtocolError(f"status code should be 100 to 699, got {status}")
        return SipResponse(headers, body, status=status, reason=parts[2].strip() if len(parts) > 2 else "")
    if len(parts) == 3 and parts[2].strip().upper() == VERSION and _TOKEN.match(parts[0]) and parts[1]:
        return SipRequest(headers, body, method=parts[0], uri=parts[1])
    raise SipProtocolError(f"neither a SIP request line nor a status line: {line[:80]!r}")


def _body(headers: Headers, rest: bytes) -> bytes:
    """The body by Content-Length: what follows in the datagram is ignored, too little is an error (RFC 3261 18.3)."""
    declared = headers.first("Content-Length")
    if declared is None:
        return rest
    length = number(declared, "Content-Length", 65535)
    if length > len(rest):
        raise SipProtocolError(f"Content-Length says {length} bytes, {len(rest)} came")
    return rest[:length]


def _check(message: SipRequest | SipResponse) -> None:
    _, method = message.cseq
    if isinstance(message, SipRequest) and method != message.method:
        raise SipProtocolError(f"CSeq names {method}, the request line {message.method}")
    if not message.call_id:
        raise SipProtocolError("Call-ID is empty")
    _ = message.from_, message.to, message.top_via
    for value in message.headers.all("Via"):
        parse_via(value)
    for name in ("Contact", "Route", "Record-Route"):
        for value in message.headers.all(name):
            if value != "*":
                parse_name_addr(value)


def parse_name_addr(value: str) -> NameAddr:
    """Read `"Display" <uri>;params` or `uri;params` (the params belong to the header then, RFC 3261 20.10)."""
    text = value.strip()
    quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s*(?=<)', text)
    display, rest = (quoted[1], text[quoted.end() :]) if quoted else ("", text)
    if not quoted and "<" in rest:
        display, _, rest = rest.partition("<")
        display, rest = display.strip(), "<" + rest
    if rest.startswith("<"):
        uri, closed, tail = rest[1:].partition(">")
        if not closed:
            raise SipProtocolError(f"address without closing '>': {text[:80]!r}")
    else:
        uri, semicolon, tail = rest.partition(";")
        tail = semicolon + tail
    if not uri.strip():
        raise SipProtocolError(f"address without a URI: {text[:80]!r}")
    return NameAddr(uri.strip(), display, _params(tail))


def parse_via(value: str) -> Via:
    """Read one Via value: `SIP/2.0/UDP host:port;branch=...`."""
    matched = re.match(
        r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9-]+)\s+(\[[0-9A-Fa-f:.]+\]|[^:;\s\[\]]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?\Z",
        value.strip(),
        re.IGNORECASE | re.DOTALL | re.ASCII,
    )
    if not matched:
        raise SipProtocolError(f"Via should read SIP/2.0/UDP host:port;branch=..., got {value[:80]!r}")
    port = number(matched[3], "Via port", 65535) if matched[3] else None
    return Via(matched[1].upper(), matched[2], port, _params(matched[4] or ""))


def parse_uri(text: str) -> SipUri:
    """Read a `sip:` or `sips:` URI.

    Raises:
        SipProtocolError: it is another scheme or malformed.
    """
    matched = _URI.match(text.strip())
    if not matched:
        raise SipProtocolError(f"not a sip: address: {text[:80]!r}")
    port = number(matched["port"], "port", 65535) if matched["port"] else None
    return SipUri(matched["user"] or "", matched["host"], port, _params(matched["params"]))


def split_commas(value: str) -> list[str]:
    """Split a list header at its commas, not at those inside quotes or angle brackets."""
    hidden = _QUOTED_OR_BRACKETED.sub(lambda found: "x" * len(found[0]), value)
    cuts = [-1, *(position for position, char in enumerate(hidden) if char == ","), len(value)]
    pieces = (value[start + 1 : end].strip() for start, end in pairwise(cuts))
    return [piece for piece in pieces if piece]


def _params(text: str) -> dict[str, str]:
    """`;name=value;flag` as a dictionary; a flag has an empty value, names are lower case."""
    params: dict[str, str] = {}
    for part in re.findall(r';((?:[^;"]|"(?:[^"\\]|\\.)*")*)', text):
        name, _, value = part.partition("=")
        if name.strip():
            params[name.strip().lower()] = value.strip()
    return params


def _written_params(params: dict[str, str]) -> str:
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())


def _canonical(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower, lower)

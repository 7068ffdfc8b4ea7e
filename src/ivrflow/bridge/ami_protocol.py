"""The Asterisk Manager Interface as bytes in, messages out; no sockets, no clock.

Asterisk greets with one banner line. Then messages go both ways: `Name: value` lines ended by CR LF, a message ended by
an empty line. Ours are actions; Asterisk's are responses, which carry our ActionID, and events. Some actions are
answered by a response, then one event per item of a list, then an event with `EventList: Complete`.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

MAX_BANNER_BYTES = 256
MAX_MESSAGE_BYTES = 1024 * 1024
"""Largest message taken from Asterisk: the output of a long listing fits, a peer gone mad does not."""
MAX_ACTION_LINE_BYTES = 1024
"""Longest line of an action, CR LF included. Asterisk's buffer holds 1025 bytes; it throws longer lines away."""
MAX_ACTION_LINES = 128
"""Most lines of an action; Asterisk ignores the rest."""
_BANNER = b"Asterisk Call Manager"
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_()-]*")
_FORBIDDEN = re.compile(r"[\x00\r\n\ud800-\udfff]")
_VARIABLE_NAME = re.compile(r"[^\s=,\"\\()\[\]]+(?:\([^=\"\\()\[\]]*\))?")
_VARIABLE_VALUE = str.maketrans({character: "\\" + character for character in '\\,"()[]'})


class AmiError(Exception):
    """Something went wrong between us and the manager interface."""


class AmiProtocolError(AmiError):
    """The peer did not speak AMI.

    The message says what was received (shortened, escaped, digits masked) and what was expected. `messages` is what had
    been received properly before, in order; deliver it first.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.messages: list[AmiMessage] = []


class _Headers(msgspec.Struct, frozen=True):
    headers: dict[str, str]
    """Every header's value by its name; of a repeated one, the first."""
    repeated: dict[str, tuple[str, ...]] = {}
    """All the values of the headers that came more than once."""

    def get(self, name: str, default: str = "") -> str:
        """The value of a header."""
        return self.headers.get(name, default)

    def get_all(self, name: str) -> tuple[str, ...]:
        """All the values of a header that may be repeated, such as `Output` or `ChanVariable`."""
        if name in self.repeated:
            return self.repeated[name]
        return (self.headers[name],) if name in self.headers else ()


class AmiEvent(_Headers, frozen=True):
    """Something happened in Asterisk, or one item of a list."""

    @property
    def name(self) -> str:
        """Which event: `Hangup`, `DTMFEnd` ..."""
        return self.headers["Event"]

    @property
    def action_id(self) -> str:
        """The action it belongs to; mostly ""."""
        return self.get("ActionID")


class AmiResponse(_Headers, frozen=True):
    """Asterisk's answer to an action."""

    @property
    def succeeded(self) -> bool:
        """Whether Asterisk did it, or has begun to."""
        return self.headers["Response"] in {"Success", "Goodbye", "Follows"}

    @property
    def message(self) -> str:
        """Asterisk's own words on it."""
        return self.get("Message")

    @property
    def action_id(self) -> str:
        """The action it answers."""
        return self.get("ActionID")


AmiMessage: TypeAlias = AmiEvent | AmiResponse


def build_action(
    name: str, action_id: str, headers: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
) -> bytes:
    """Write an action.

    Args:
        name: the action, e.g. `Originate`.
        action_id: what the response will carry.
        headers: the action's own headers; values are text as Asterisk expects it.
        variables: channel variables to set (one `Variable` header each), or dialplan functions to write to, such as
            `PJSIP_HEADER(add,X-Name)`; the values may be any text on one line.

    Raises:
        ValueError: a name or value would end its line, or is longer than Asterisk reads.
    """
    pairs = [("Action", name), ("ActionID", action_id), *(headers or {}).items()]
    for variable, value in (variables or {}).items():
        if not _VARIABLE_NAME.fullmatch(variable):
            raise ValueError(f"{variable!r} is not the name of a channel variable")
        pairs.append(("Variable", f"{variable}={value.translate(_VARIABLE_VALUE)}"))
    if len(pairs) > MAX_ACTION_LINES:
        raise ValueError(f"{name} has {len(pairs)} lines; Asterisk reads at most {MAX_ACTION_LINES}")
    lines = []
    for header, value in pairs:
        if not _HEADER_NAME.fullmatch(header):
            raise ValueError(f"{header!r} is not the name of a header")
        if bad := _FORBIDDEN.search(value):
            raise ValueError(f"{header} of {name} cannot hold the character {bad[0]!r} (position {bad.start()})")
        line = f"{header}: {value}\r\n".encode()
        if len(line) > MAX_ACTION_LINE_BYTES:
            raise ValueError(
                f"{header} of {name} makes a line of {len(line)} bytes; Asterisk reads at most {MAX_ACTION_LINE_BYTES}"
            )
        lines.append(line)
    return b"".join(lines) + b"\r\n"


def _shown(data: bytes) -> str:
    """Received bytes for an error message: short, escaped, and without digits that may be somebody's number."""
    return repr(re.sub(rb"[0-9]", b"#", data[:60]))[1:] + (f" ... ({len(data)} bytes)" if len(data) > 60 else "")


class AmiParser:
    """Cuts what arrives into messages. Text is UTF-8, decoded per message; bytes that are not are replaced."""

    def __init__(self) -> None:
        self.banner = ""
        """Asterisk's greeting, e.g. `Asterisk Call Manager/11.0.0`; "" until it has come."""
        self._buffer = bytearray()
        self._searched = 0

    def receive_data(self, data: bytes) -> list[AmiMessage]:
        """Take what the socket gave, cut anywhere.

        Raises:
            AmiProtocolError: this is not AMI. Close the connection; its `messages` came before the offence.
        """
        self._buffer += data
        messages: list[AmiMessage] = []
        try:
            if self.banner or self._receive_banner():
                while (end := self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))) >= 0:
                    self._refuse_large(end)
                    messages.append(_parse(bytes(self._buffer[:end])))
                    del self._buffer[: end + 4]
                    self._searched = 0
                self._searched = len(self._buffer)
                self._refuse_large(self._searched)
        except AmiProtocolError as error:
            error.messages = messages
            raise
        return messages

    def _receive_banner(self) -> bool:
        end = self._buffer.find(b"\n")
        line = bytes(self._buffer[: end if end >= 0 else MAX_BANNER_BYTES + 1])
        if not line.startswith(_BANNER[: len(line)]) or (end >= 0 and len(line) < len(_BANNER)):
            raise AmiProtocolError(f"{_shown(line)} as the greeting, expected `{_BANNER.decode()}/...`")
        if len(line) > MAX_BANNER_BYTES:
            raise AmiProtocolError(f"{_shown(line)} without end, expected a greeting of one line")
        if end < 0:
            return False
        self.banner = line.decode(errors="replace").rstrip()
        del self._buffer[: end + 1]
        return True

    def _refuse_large(self, size: int) -> None:
        if size > MAX_MESSAGE_BYTES:
            raise AmiProtocolError(
                f"a message without end, {_shown(bytes(self._buffer[:60]))} and on, "
                f"expected at most {MAX_MESSAGE_BYTES} bytes"
            )


def _parse(block: bytes) -> AmiMessage:
    headers: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    for line in block.decode(errors="replace").split("\r\n"):
        # A line without a colon is kept as a name: a dialplan's UserEvent may hold such.
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name not in headers:
            headers[name] = value
        else:
            repeated.setdefault(name, [headers[name]]).append(value)
    lists = {name: tuple(values) for name, values in repeated.items()}
    if "Event" in headers:
        return AmiEvent(headers, lists)
    if "Response" in headers:
        return AmiResponse(headers, lists)
    raise AmiProtocolError(f"{_shown(block)} as a message, expected an Event or a Response")

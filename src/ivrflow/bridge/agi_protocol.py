"""The Asterisk Gateway Interface as bytes in, events out; no sockets, no clock.

Asterisk opens the conversation with an environment block (`agi_...: value` lines up to a blank line), then answers one
command line with one reply. Three things make that less simple than it sounds, and all three are settled here:

* The bare line `HANGUP` may stand anywhere, also between a command and its reply.
* A command written while STREAM FILE runs stops the prompt, and the stopped command may or may not have answered by
  then. `AgiConnection.interrupt` therefore writes a mark (`NOOP`), whose reply never carries `endpos=`.
* A missing prompt and a caller who has just left are both answered with `result=-1 endpos=0`. The connection then
  writes a mark: Asterisk sends `HANGUP` before it reads on, so once the mark is answered the matter is settled.

One command is in flight at a time, because Asterisk reads commands through a buffered stream but waits on the bare
socket: a second command that it reads together with the first lies in that buffer unseen until more bytes come
(measured on Asterisk 22: within about 0.3 ms of a STREAM FILE, a second command neither stops it nor is it answered).
Commands sent meanwhile wait here, and a mark that is not answered soon is followed by another one, see `nudge`.
"""

import re
from collections import deque

from ivrflow.bridge.agi_commands import TELEPHONE_KEYS, Command, CommandKind, noop
from ivrflow.bridge.agi_events import (
    AgiEvent,
    AgiProtocolError,
    Environment,
    EnvironmentReceived,
    HungUp,
    PlaybackEnding,
    PlaybackFinished,
    Reply,
    ReplyReceived,
    read_environment,
)

MAX_LINE_BYTES = 64 * 1024
"""Longest line, and longest environment block, that is taken from a peer."""
MAX_ENVIRONMENT_LINES = 256
MAX_REPLY_LINES = 256
"""Most lines of one reply: usage texts have about ten, a variable's value may hold line feeds."""
MAX_WAITING_COMMANDS = 256
"""Commands that may wait behind the one in flight before the peer counts as one that does not answer."""
NUDGE_SECONDS = 0.005
"""How long a mark may go unanswered. Asterisk answers one within a millisecond."""

_REPLY = re.compile(r"([0-9]{3}) result=(\S*)(?: \((.*)\))?(?: endpos=([0-9]{1,18}))?", re.DOTALL)
_OPEN_TEXT = re.compile(r"[0-9]{3} result=\S* \(")
_STATUS = re.compile(r"([0-9]{3}) (.*)", re.DOTALL)
_COMMON_REPLIES = {b"200 result=%d\n" % number: Reply(200, str(number)) for number in (-1, 0, 1)}
_ENVIRONMENT_PREFIX = b"agi_"
_ENVIRONMENT_LINE = re.compile(r"^(agi_[^:\n]*): ?([^\n]*)$", re.MULTILINE)


def _complete_reply(lines: list[bytes]) -> Reply | None:
    """The reply that the lines make, or None while it goes on (usage text, a value with line feeds in it)."""
    text = b"\n".join(lines).decode(errors="replace")
    if found := _REPLY.fullmatch(text):
        code, result, value, endpos = found.groups()
        return Reply(int(code), result, value, None if endpos is None else int(endpos))
    if text.startswith("520-"):
        return Reply(520, message=text) if lines[-1].startswith(b"520 ") else None
    if _OPEN_TEXT.match(text):
        return None
    found = _STATUS.fullmatch(text)
    if found is None or (found[1] == "200" and "result=" not in found[2]):
        raise AgiProtocolError(f"{_shown(lines[-1])}, expected a reply such as `200 result=0` or `HANGUP`")
    return Reply(int(found[1]), message=found[2])


def _shown(line: bytes | bytearray) -> str:
    """A received line for an error message: short, escaped, and without digits that may be somebody's number."""
    line = line.removesuffix(b"\n")  # a line is shown the same whether it came alone or in pieces
    start = bytes(line[:60])
    code = 4 if re.match(rb"[0-9]{3}[ -]", start) else 0
    masked = start[:code] + re.sub(rb"[0-9]", b"#", start[code:])
    return repr(masked)[1:] + (f" ... ({len(line)} bytes)" if len(line) > len(start) else "")


_MARK = noop("ivrflow mark")
_PLAYBACK = CommandKind.PLAYBACK  # looking a member up in its class costs more than all else that a reply needs
_APPLICATION = CommandKind.APPLICATION
_INTERRUPTIBLE = frozenset({CommandKind.PLAYBACK, CommandKind.WAIT})


class AgiConnection:
    """One AGI session: feed it what arrives, write what `data_to_send` gives.

    Text is UTF-8; bytes that are not are replaced, since a telephone's display name must not cost the caller the call.
    """

    __slots__ = (
        "_held",
        "_in_flight",
        "_last_id",
        "_open_reply",
        "_outgoing",
        "_partial",
        "_waiting",
        "_withdrawn",
        "environment",
        "hung_up",
        "marks",
    )

    def __init__(self) -> None:
        self.environment: Environment | None = None
        self.hung_up = False
        """Whether `HANGUP` has come."""
        self.marks = 0
        """Marks written whose reply is still to come, right behind what was received last. What waits goes out when
        there are none."""
        self._partial = bytearray()
        self._open_reply: list[bytes] = []
        self._last_id = 0
        self._in_flight: tuple[int, Command] | None = None
        self._waiting: deque[tuple[int, Command]] = deque()
        self._withdrawn: set[int] = set()
        """Which of those that wait will not go out."""
        self._held: int | None = None
        """The STREAM FILE that answered `-1 endpos=0`, until it is known whether the file or the caller is missing."""
        self._outgoing = b""

    # --- going out

    def send(self, command: Command) -> int:
        """Queue a command; it goes out once everything sent before it is over, and never cuts a prompt.

        Returns:
            The number its `ReplyReceived` or `PlaybackFinished` will carry.

        Raises:
            AgiProtocolError: the peer has left too many commands unanswered.
        """
        if len(self._waiting) >= MAX_WAITING_COMMANDS:
            raise AgiProtocolError(f"{MAX_WAITING_COMMANDS} commands wait for an answer, expected replies to them")
        self._last_id += 1
        if self._in_flight is None and not self.marks and not self._waiting:
            self._in_flight = (self._last_id, command)
            self._outgoing = command.line
        else:
            self._waiting.append((self._last_id, command))
        return self._last_id

    def interrupt(self) -> bool:
        """Stop the STREAM FILE or WAIT FOR DIGIT in flight now, and withdraw those that wait behind it.

        Each of them still gets its event: PlaybackFinished (STOPPED, or what Asterisk said if it ended by itself in the
        same moment), or ReplyReceived with result 1. Other commands are left alone.

        Returns:
            Whether there was anything to stop.
        """
        self._withdrawn.update(command_id for command_id, command in self._waiting if command.kind in _INTERRUPTIBLE)
        if self._in_flight is None or self._in_flight[1].kind not in _INTERRUPTIBLE:
            return bool(self._withdrawn)
        if not self.marks:
            self._write_mark()
        return True

    def nudge(self) -> bool:
        """Write another mark if the last is still unanswered: Asterisk may have read it without looking at it.

        Call it `NUDGE_SECONDS` after `interrupt`, and again after growing pauses while it says so.

        Returns:
            Whether it was needed.
        """
        if self.marks:
            self._write_mark()
        return self.marks > 0

    def data_to_send(self) -> bytes:
        """What is to be written to the socket now; empty when nothing is. Ask after every other call."""
        data, self._outgoing = self._outgoing, b""
        return data

    def _write_mark(self) -> None:
        self.marks += 1
        self._outgoing += _MARK.line

    # --- coming in

    def receive_data(self, data: bytes) -> list[AgiEvent]:
        """Take what the socket gave, cut anywhere.

        Raises:
            AgiProtocolError: this is not AGI. Close the connection; its `events` came before the offence.
        """
        events: list[AgiEvent] = []
        try:
            if self._in_flight is not None and not self._partial and not self._open_reply and data in _COMMON_REPLIES:
                self._receive_reply(_COMMON_REPLIES[data], data, events)
            elif self.environment is not None:
                self._receive_lines(data, events)
            else:
                self._receive_environment(data, events)
        except AgiProtocolError as error:
            error.events = events
            raise
        return events

    def receive_eof(self) -> list[AgiEvent]:
        """Take the peer's end of stream. Commands still unanswered get no event, except a prompt held for certainty.

        Raises:
            AgiProtocolError: it came in the middle of the environment block, a line or a reply.
        """
        if self.environment is None:
            raise AgiProtocolError(
                f"the connection was closed after {len(self._partial)} bytes of environment, expected its blank line"
            )
        if self._partial:
            raise AgiProtocolError(
                f"the connection was closed in the line {_shown(self._partial)}, expected its line feed"
            )
        if self._open_reply:
            raise AgiProtocolError(
                f"the connection was closed in the reply {_shown(self._open_reply[0])}, expected the rest of it"
            )
        events: list[AgiEvent] = []
        self._settle(PlaybackEnding.HANGUP, events)
        return events

    def _receive_environment(self, data: bytes, events: list[AgiEvent]) -> None:
        searched = len(self._partial)
        self._partial += data
        if len(self._partial) >= len(_ENVIRONMENT_PREFIX) and not self._partial.startswith(_ENVIRONMENT_PREFIX):
            raise AgiProtocolError(f"{_shown(self._partial)} at the start, expected a line `agi_...: value`")
        end = self._partial.find(b"\n\n", max(0, searched - 1))
        if (end if end >= 0 else len(self._partial)) > MAX_LINE_BYTES:
            raise AgiProtocolError(
                f"an environment of more than {MAX_LINE_BYTES} bytes, {_shown(self._partial)}, expected its blank line"
            )
        if end < 0:
            return
        lines = self._partial.count(b"\n", 0, end) + 1
        if lines > MAX_ENVIRONMENT_LINES:
            raise AgiProtocolError(f"{lines} lines of environment, expected at most {MAX_ENVIRONMENT_LINES}")
        pairs = _ENVIRONMENT_LINE.findall(self._partial[:end].decode(errors="replace"))
        if len(pairs) != lines:
            raise AgiProtocolError(f"{self._odd_environment_line()} in the environment, expected `agi_...: value`")
        if len({name for name, _ in pairs}) != lines:
            # Asterisk writes a caller's number as it came, line ends and all: it may pretend to be more than a number.
            raise AgiProtocolError("a line twice in the environment, expected each `agi_...` once")
        rest = bytes(self._partial[end + 2 :])
        self._partial.clear()
        self.environment = read_environment(dict(pairs))
        events.append(EnvironmentReceived(self.environment))
        if rest:
            self._receive_lines(rest, events)

    def _odd_environment_line(self) -> str:
        return next(
            _shown(line)
            for line in self._partial.split(b"\n")
            if not _ENVIRONMENT_LINE.fullmatch(line.decode(errors="replace"))
        )

    def _receive_lines(self, data: bytes, events: list[AgiEvent]) -> None:
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and self._partial:
            lines[0] = bytes(self._partial) + lines[0]
            self._partial.clear()
        for line in lines:
            self._receive_line(line, events)
        if rest:
            self._partial += rest
            if len(self._partial) > MAX_LINE_BYTES:
                self._refuse_long(self._partial)

    def _receive_line(self, line: bytes, events: list[AgiEvent]) -> None:
        if line == b"HANGUP" and not self._open_reply:
            if not self.hung_up:
                self.hung_up = True
                self._settle(PlaybackEnding.HANGUP, events)
                events.append(HungUp())
            return
        self._open_reply.append(line)
        if len(self._open_reply) > MAX_REPLY_LINES or sum(map(len, self._open_reply)) > MAX_LINE_BYTES:
            self._refuse_long(self._open_reply[0])
        reply = _complete_reply(self._open_reply)
        if reply is not None:
            first = self._open_reply[0]
            self._open_reply.clear()
            if reply.code >= 200:  # 1xx only says that the command is being worked on
                self._receive_reply(reply, first, events)

    def _refuse_long(self, start: bytes | bytearray) -> None:
        raise AgiProtocolError(
            f"a reply without end, {_shown(start)}, expected at most {MAX_LINE_BYTES} bytes in {MAX_REPLY_LINES} lines"
        )

    # --- pairing

    def _receive_reply(self, reply: Reply, line: bytes, events: list[AgiEvent]) -> None:
        if self._in_flight is None:
            if not self.marks:
                raise AgiProtocolError(f"{_shown(line)} though no command waits for a reply, expected none")
            self.marks -= 1
            self._settle(PlaybackEnding.MISSING, events)
        else:
            (command_id, command), self._in_flight = self._in_flight, None
            if command.kind is not _PLAYBACK:
                events.append(ReplyReceived(command_id, reply))
                if reply.result == "-1" or command.kind is _APPLICATION:
                    self._ask_for_hangup()
            elif self.marks and reply.code == 200 and reply.endpos is None:
                # The mark is answered and the prompt was not: it was cut.
                self.marks -= 1
                events.append(PlaybackFinished(command_id, PlaybackEnding.STOPPED))
            else:
                self._finish_playback(command_id, reply, line, events)
        if self._waiting:
            self._write_next(events)

    def _finish_playback(self, command_id: int, reply: Reply, line: bytes, events: list[AgiEvent]) -> None:
        ending, key = PlaybackEnding.FINISHED, ""
        if reply.code == 511:
            ending = PlaybackEnding.HANGUP
        elif reply.code != 200:
            ending = PlaybackEnding.REFUSED
        elif reply.endpos is None:
            raise AgiProtocolError(f"{_shown(line)} to STREAM FILE, expected `200 result=... endpos=...`")
        elif reply.result == "-1":
            ending = PlaybackEnding.HANGUP
            if not self.hung_up:
                self._ask_for_hangup()
                if not reply.endpos:
                    self._held = command_id
                    return
        elif reply.result != "0":
            ending, key = PlaybackEnding.KEY, _key(reply.result)
            if not key:
                raise AgiProtocolError(f"{_shown(line)} to STREAM FILE, expected the character code of a key")
        events.append(PlaybackFinished(command_id, ending, reply.endpos, key))

    def _ask_for_hangup(self) -> None:
        """Write a mark so that a `HANGUP` on its way shows.

        Asterisk writes it right behind the reply, but its kernel holds the second small packet back until the first is
        acknowledged, about 40 ms. A packet of ours carries the acknowledgement.
        """
        if not self.hung_up and not self.marks:
            self._write_mark()

    def _settle(self, ending: PlaybackEnding, events: list[AgiEvent]) -> None:
        if self._held is not None:
            events.append(PlaybackFinished(self._held, ending, 0))
            self._held = None

    def _write_next(self, events: list[AgiEvent]) -> None:
        while self._waiting and self._in_flight is None and not self.marks:
            command_id, command = self._waiting.popleft()
            if command_id not in self._withdrawn:
                self._in_flight = (command_id, command)
                self._outgoing += command.line
                continue
            self._withdrawn.remove(command_id)
            if command.kind is _PLAYBACK:
                events.append(PlaybackFinished(command_id, PlaybackEnding.STOPPED, 0))
            else:
                events.append(ReplyReceived(command_id, _COMMON_REPLIES[b"200 result=1\n"]))


def _key(result: str) -> str:
    """The key with that character code, or "" when it is none."""
    key = chr(int(result)) if result.isascii() and result.isdigit() and len(result) <= 3 else ""
    return key if key in TELEPHONE_KEYS else ""

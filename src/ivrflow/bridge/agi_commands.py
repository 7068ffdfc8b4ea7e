"""The AGI commands ivrflow uses, and the quoting that keeps any text inside its argument.

Asterisk splits a command line at spaces unless they stand in double quotes, and takes the character after a backslash
as it is. A line feed ends the command whatever stands around it, and so does a full buffer.
"""

import enum
import re

import msgspec

MAX_COMMAND_BYTES = 2047
"""Longest command line, line feed included. Asterisk's command buffer holds 2048 bytes (8192 in version 22); it runs
the rest of a longer line as a command of its own."""


class CommandKind(enum.Enum):
    """What a command's reply can look like, as far as pairing depends on it."""

    PLAIN = enum.auto()
    PLAYBACK = enum.auto()
    """STREAM FILE: its reply carries `endpos=`; stopped by the next command, it may not reply at all."""
    WAIT = enum.auto()
    """WAIT FOR DIGIT: stopped by the next command too, but it always replies (`result=1` when stopped)."""
    APPLICATION = enum.auto()
    """EXEC: may answer 0 although the caller has left (EXEC Bridge does)."""


class Command(msgspec.Struct, frozen=True, gc=False):
    """One command as it goes on the wire; built by the functions below."""

    line: bytes
    kind: CommandKind = CommandKind.PLAIN


_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})
_APPLICATION_ARGUMENT = str.maketrans({character: "\\" + character for character in '\\,"()[]'})
TELEPHONE_KEYS = frozenset("0123456789*#ABCD")


def quote(text: str) -> str:
    """Write any text as one AGI argument that Asterisk reads back unchanged.

    Raises:
        ValueError: the text holds a control character (a line feed would start another command).
    """
    if bad := _CONTROL.search(text):
        raise ValueError(f"an AGI argument cannot hold the character {bad[0]!r} (position {bad.start()})")
    return f'"{text.translate(_QUOTED)}"'


def _command(verb: str, *arguments: str, kind: CommandKind = CommandKind.PLAIN) -> Command:
    line = (" ".join((verb, *map(quote, arguments))) + "\n").encode()
    if len(line) > MAX_COMMAND_BYTES:
        raise ValueError(f"{verb} is {len(line)} bytes long; Asterisk reads at most {MAX_COMMAND_BYTES}")
    return Command(line, kind)


def answer() -> Command:
    """Answer the channel."""
    return _command("ANSWER")


def hangup() -> Command:
    """Hang up the channel this session belongs to. Asterisk replies, then sends `HANGUP`."""
    return _command("HANGUP")


def noop(note: str = "") -> Command:
    """Do nothing. The note shows in Asterisk's `agi set debug on`."""
    return _command("NOOP", note) if note else _NOOP


def stream_file(path: str, escape_digits: str = "", offset: int = 0) -> Command:
    """Play a sound file.

    Args:
        path: the file as Asterisk finds it, without extension.
        escape_digits: keys that stop the prompt, e.g. `"12#"`.
        offset: samples to skip at the beginning.
    """
    if unknown := set(escape_digits) - TELEPHONE_KEYS:
        raise ValueError(f"not keys of a telephone: {sorted(unknown)}")
    if offset < 0:
        raise ValueError(f"a prompt cannot start at sample {offset}")
    arguments = (path, escape_digits, str(offset)) if offset else (path, escape_digits)
    return _command("STREAM FILE", *arguments, kind=CommandKind.PLAYBACK)


def wait_for_digit(milliseconds: int) -> Command:
    """Wait for one key: the reply's result is its character code, 0 when none came, -1 when the caller left."""
    if milliseconds <= 0:
        raise ValueError(f"a wait needs a bound above 0 ms, not {milliseconds}")
    return _command("WAIT FOR DIGIT", str(milliseconds), kind=CommandKind.WAIT)


def set_variable(name: str, value: str) -> Command:
    """Set a channel variable, or call a writable dialplan function such as `TALK_DETECT(set)`."""
    return _command("SET VARIABLE", name, value)


def get_variable(name: str) -> Command:
    """Read a channel variable. The reply's `text` is its value; result 0 and no text when it is not set."""
    return _command("GET VARIABLE", name)


def get_full_variable(expression: str, channel: str = "") -> Command:
    """Evaluate a dialplan expression such as `${CHANNEL(state)}`.

    Asterisk substitutes variables and calls functions in it: never put text of a caller's into the expression.
    """
    return _command("GET FULL VARIABLE", expression, *((channel,) if channel else ()))


def exec_(application: str, *arguments: str) -> Command:
    """Run a dialplan application, one string per argument: `exec_("Dial", "PJSIP/1000", "15", "gm(default)")`.

    Each argument arrives whole, whatever commas, quotes or brackets it holds, in every application that splits its
    arguments the standard way. (Set does not: it keeps the backslashes. Use `set_variable`.)
    """
    joined = ",".join(argument.translate(_APPLICATION_ARGUMENT) for argument in arguments)
    return _command("EXEC", application, joined, kind=CommandKind.APPLICATION)


def set_music(music_class: str | None) -> Command:
    """Start music on hold of that class on the idle channel, or stop it (None)."""
    return _command("SET MUSIC ON", music_class) if music_class is not None else _command("SET MUSIC OFF")


_NOOP = _command("NOOP")

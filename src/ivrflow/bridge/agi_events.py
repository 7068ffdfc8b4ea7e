"""What Asterisk says over AGI, as data: the environment of a call, replies, and the events made of them."""

import enum
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec


class AgiProtocolError(Exception):
    """The peer did not speak AGI.

    The message says what was received (shortened, escaped, digits masked) and what was expected. `events` is what had
    been received properly before, in order; deliver it first.
    """

    def __init__(self, message: str, events: "Iterable[AgiEvent]" = ()) -> None:
        super().__init__(message)
        self.events = list(events)


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One reply of Asterisk's."""

    code: int
    """200 done, 510 unknown command, 511 not on a dead channel, 520 wrong usage."""
    result: str = ""
    """What stands behind `result=`: mostly a number, for GET DATA the keys (leading zeros count), "" for none."""
    text: str | None = None
    """What stands in the parentheses: a variable's value, `timeout`, `dtmf` ..."""
    endpos: int | None = None
    """Where playback or recording ended, in samples."""
    message: str = ""
    """The words of a reply that has no result, usage lines included."""

    @property
    def failed(self) -> bool:
        """Whether Asterisk refused the command, could not do it, or lost the caller over it."""
        return self.code != 200 or self.result in {"-1", "-2"}


class PlaybackEnding(enum.Enum):
    """Why a prompt is over."""

    FINISHED = "finished"
    """Played to its end."""
    STOPPED = "stopped"
    """Cut by `interrupt`."""
    KEY = "key"
    """Cut by one of its escape digits."""
    MISSING = "missing"
    """Asterisk found no such file, or none it can play; nothing was heard."""
    HANGUP = "hangup"
    """The channel is gone. For a redirected channel that is not the caller leaving: the manager interface knows."""
    REFUSED = "refused"
    """Asterisk did not take the command."""


class Environment(msgspec.Struct, frozen=True):
    """What Asterisk says about the call before the first command."""

    variables: dict[str, str]
    """Every line of the block: `agi_channel`, `agi_uniqueid`, `agi_callerid` ..."""
    path: str
    """The script asked for: `gov12345` in `agi://engine/gov12345?lang=zh`. Percent escapes are resolved."""
    query: dict[str, str]
    """The parameters behind the question mark; of two equal names the last counts."""
    arguments: tuple[str, ...]
    """The arguments given to AGI() after the address."""

    @property
    def channel(self) -> str:
        """Name of the channel, e.g. `PJSIP/line-00000001`."""
        return self.variables.get("agi_channel", "")

    @property
    def unique_id(self) -> str:
        """Asterisk's identity of the channel; the manager interface calls it Uniqueid."""
        return self.variables.get("agi_uniqueid", "")

    @property
    def caller_number(self) -> str:
        """The caller's number; "" when withheld. Personal data."""
        number = self.variables.get("agi_callerid", "")
        return "" if number == "unknown" else number

    @property
    def dialled_number(self) -> str:
        """The number the caller dialled: agi_dnid, or the dialplan's extension where the trunk gives none."""
        number = self.variables.get("agi_dnid", "")
        return self.variables.get("agi_extension", "") if number in {"", "unknown"} else number


def read_environment(variables: dict[str, str]) -> Environment:
    """Take the script's address and the arguments apart."""
    path, question_mark, query = variables.get("agi_network_script", "").partition("?")
    arguments: list[str] = []
    while (argument := variables.get(f"agi_arg_{len(arguments) + 1}")) is not None:
        arguments.append(argument)
    parameters = dict(parse_qsl(query, keep_blank_values=True)) if question_mark else {}
    return Environment(variables, unquote(path), parameters, tuple(arguments))


class EnvironmentReceived(msgspec.Struct, frozen=True):
    """The environment block is complete; commands may be sent."""

    environment: Environment


class ReplyReceived(msgspec.Struct, frozen=True, gc=False):
    """A command other than STREAM FILE has been answered."""

    command_id: int
    reply: Reply


class PlaybackFinished(msgspec.Struct, frozen=True, gc=False):
    """A STREAM FILE is over."""

    command_id: int
    ending: PlaybackEnding
    endpos: int | None = None
    """Samples played, at the file's rate; None when Asterisk does not say."""
    key: str = ""
    """The key that ended it (ending KEY). Personal data."""


class HungUp(msgspec.Struct, frozen=True, gc=False):
    """Asterisk sent `HANGUP`: the channel has left this session. Reported once."""


AgiEvent: TypeAlias = EnvironmentReceived | ReplyReceived | PlaybackFinished | HungUp

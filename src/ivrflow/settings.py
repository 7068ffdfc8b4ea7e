"""What an operator can set: environment variables named `IVRFLOW_…`, optionally kept in a file.

A variable of the environment wins over the same one in the file, and an empty one counts as not set (that is what a
compose file makes of a variable nobody gave). All that is wrong is reported at once, in one `SettingsError`.
The table in `docs/settings.md` is written by `python -m ivrflow.settings`.
"""

# ruff: noqa: RUF009 -- `_setting` makes a dataclass field (the default, how it is read, its line in the table); nothing is shared

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar, cast

from dotenv.parser import parse_stream

from ivrflow.flow import notations
from ivrflow.flow.problems import did_you_mean

PREFIX = "IVRFLOW_"
ENV_FILE = "IVRFLOW_ENV_FILE"
DEFAULT_ENV_FILE = Path(".ivrflow/secrets.env")

LogFormat = Literal["text", "json"]


class SettingsError(Exception):
    """The program cannot work as it was deployed; every problem names what the operator has to change.

    Attributes:
        problems: one text each; never contains a secret.
    """

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


# ── reading one value: each reader returns it or raises ValueError("what is wrong; what to write") ────────────────────

T = TypeVar("T")


def _name(text: str) -> str:
    if not re.fullmatch(r"[^\s\x00-\x1f]+", text):
        raise ValueError(f"{text!r} holds blanks or control characters; write a plain name or address")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError(f"{text!r} is not a port; write a number from 1 to 65535")
    return int(text)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError(f"{text!r} will not do; write a whole number from {least} to {most}")
        return int(text)

    return read


def _decibels(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 60:
        raise ValueError(f"{text!r} will not do; write decibels from 0 to 60")
    return value


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _absolute(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if not path.is_absolute():
        raise ValueError(f"{text!r} is relative; write the whole path, beginning with '/', as Asterisk sees it")
    return path


def _secret(text: str) -> str:
    if re.search(r"[\x00-\x1f]", text):
        raise ValueError("it holds a line break or another control character; write it on one line")
    return text


def _database(text: str) -> str:
    if not re.match(r"[a-z][a-z0-9+_]*://", text):
        raise ValueError("it is not a database URL; for a file write sqlite:///PATH")  # unquoted: may hold a password
    return text


def _dial_string(text: str) -> str:
    if text.count("{number}") != 1 or not re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9_.:@/-]*", text.replace("{number}", "0")):
        raise ValueError(f"{text!r} will not do; write for example PJSIP/{{number}}@trunk")
    return text


def _digits_or_none(text: str) -> str:
    if not notations.EXTENSION.fullmatch(text):
        raise ValueError(f"{text!r} will not do; write up to 20 digits")
    return text


def _log_format(text: str) -> LogFormat:
    if text not in {"text", "json"}:
        raise ValueError(f"{text!r} is not a log format; write 'text' or 'json'")
    return cast("LogFormat", text)


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError(f"{text!r} will not do; write 'yes' or 'no'")
    return text == "yes"


def _setting(default: T, read: Callable[[str], T], about: str, *, shown: str = "", secret: bool = False) -> T:
    """A field of `Settings`: its default, how it is read, and its line in the table (`shown`: the default in words)."""
    found: Any = field(
        default=default, repr=not secret, metadata={"read": read, "about": about, "shown": shown, "secret": secret}
    )
    return cast("T", found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set; the variable of a field is its name in capitals after `IVRFLOW_`."""

    ami_host: str = _setting("127.0.0.1", _name, "Where Asterisk's manager interface (AMI) listens.")
    ami_port: int = _setting(5038, _port, "Its TCP port.")
    ami_user: str = _setting("ivrflow", _name, "The manager user, as in Asterisk's `manager.conf`.")
    ami_secret: str = _setting(
        "", _secret, "That user's secret. Needed to serve calls and by `ivrflow doctor`.", shown="none", secret=True
    )
    agi_host: str = _setting("127.0.0.1", _name, "The address on which ivrflow waits for Asterisk's FastAGI calls.")
    agi_port: int = _setting(4573, _port, "The TCP port on which it waits for them.")
    flows: Path = _setting(Path("callflows"), _path, "The folder with the call flows.")
    masters: Path = _setting(Path("prompts"), _path, "The folder with the audio masters of the phrases.")
    prompts_dir: Path = _setting(
        Path(".ivrflow/prompts"), _path, "The folder into which the formats that the PBX plays are written."
    )
    pbx_prompts_dir: PurePosixPath = _setting(
        PurePosixPath(),
        _absolute,
        "The same folder as Asterisk sees it (another path when it runs in a container or on another machine).",
        shown="`IVRFLOW_PROMPTS_DIR` as an absolute path",
    )
    recordings_dir: Path = _setting(
        Path(".ivrflow/recordings"), _path, "The folder into which the PBX writes recorded calls and callers' messages."
    )
    pbx_recordings_dir: PurePosixPath = _setting(
        PurePosixPath(),
        _absolute,
        "The same folder as Asterisk sees it. Asterisk's user must be able to write there, and ours to move and delete.",
        shown="`IVRFLOW_RECORDINGS_DIR` as an absolute path",
    )
    messages_keep_days: int = _setting(
        365,
        _whole(0, 36500),
        "Messages callers left are deleted after this many days; 0 keeps them for ever. (Recorded calls: `recording:` "
        "in the flow.)",
    )
    music: Path = _setting(
        Path(".ivrflow/music"),
        _path,
        "The folder with the hold music that the PBX plays, by which scenarios know it when they hear it.",
    )
    journal: str = _setting(
        "sqlite:///.ivrflow/journal.sqlite",
        _database,
        "The database with every call's events, actions and verdicts, as an SQLAlchemy URL.",
        secret=True,
    )
    journal_keep_days: int = _setting(
        0, _whole(0, 36500), "Calls older than this many days are deleted from the journal; 0 keeps them for ever."
    )
    max_calls: int = _setting(
        1000, _whole(1, 100_000), "How many calls are served at once; a further one gets the fallback of the dialplan."
    )
    echo_loss_db: float = _setting(
        12.0,
        _decibels,
        "How many decibels weaker our own prompt comes back from a caller's phone, at least. "
        "Less loss: the caller must speak louder to interrupt.",
    )
    dial: str = _setting(
        "PJSIP/{number}",
        _dial_string,
        "What Asterisk rings for a call that a flow places, with `{number}` for the digits: `PJSIP/{number}@trunk` for a "
        "trunk, `Local/{number}@outgoing/n` for a context of your dialplan.",
    )
    calling_number: str = _setting(
        "", _digits_or_none, "The number shown to people whom a flow rings, digits only.", shown="none"
    )
    callbacks_at_once: int = _setting(
        4,
        _whole(0, 1000),
        "How many calls the engine has under way at the same time to call people back who asked for it; 0: it calls nobody "
        "back, and who waits goes on waiting.",
    )
    talk_level: int = _setting(
        512, _whole(1, 32767), "Mean absolute sample of 20 ms (16-bit scale) from which a caller counts as speaking."
    )
    test_calls: bool = _setting(
        False,  # noqa: FBT003 - the default of a field, as in the lines above
        _yes_or_no,
        "`yes`: a call whose INVITE has the header `X-Ivrflow-At: 2026-11-20T10:00` counts as arriving at that local time "
        "of its flow. For testers; any caller who sends the header chooses the opening hours.",
        shown="`no`",
    )
    log_format: LogFormat = _setting("text", _log_format, "How log lines are written: `text` or `json`.")
    warnings: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """What was set but has no effect or is unwise; for the log."""

    def __post_init__(self) -> None:
        """Fill the defaults that depend on another setting."""
        if self.pbx_prompts_dir == PurePosixPath():
            object.__setattr__(self, "pbx_prompts_dir", PurePosixPath(self.prompts_dir.absolute()))
        if self.pbx_recordings_dir == PurePosixPath():
            object.__setattr__(self, "pbx_recordings_dir", PurePosixPath(self.recordings_dir.absolute()))


def variable(setting: str) -> str:
    """The environment variable of a field of `Settings`: "IVRFLOW_AMI_PORT" of "ami_port"."""
    return PREFIX + setting.upper()


def read_settings(environ: Mapping[str, str] = os.environ, *, needs: Collection[str] = ()) -> Settings:
    """Read the settings from the environment and from the file that `IVRFLOW_ENV_FILE` names.

    Args:
        environ: the environment.
        needs: fields without which the caller cannot work, such as `ami_secret`.

    Raises:
        SettingsError: with everything that is wrong, once.
    """
    problems: list[str] = []
    warnings: list[str] = []
    given = {name: text for name, text in _given(environ, problems, warnings).items() if name.startswith(PREFIX)}
    given.pop(ENV_FILE, None)
    values: dict[str, Any] = {}
    for setting in _declared():
        text = given.pop(variable(setting.name), "")
        if not text:
            if setting.name in needs:
                problems.append(
                    f"{variable(setting.name)} is not set; write it in the environment or in {DEFAULT_ENV_FILE} as "
                    f"{variable(setting.name)}=…"
                )
            continue
        try:
            values[setting.name] = setting.metadata["read"](text)
        except ValueError as problem:
            problems.append(f"{variable(setting.name)}: {problem}")
    known = [*(variable(setting.name) for setting in _declared()), ENV_FILE]
    warnings += [f"{name} is not a setting and changes nothing; {did_you_mean(name, known)}" for name in sorted(given)]
    if values.get("test_calls"):
        warnings.append(
            f"{variable('test_calls')} is yes: callers choose their own local time with the header X-Ivrflow-At. "
            f"Unset it where real callers ring"
        )
    if problems:
        raise SettingsError(*problems)
    return Settings(**values, warnings=tuple(warnings))


def given_values(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Every variable that is set in the environment or in the file that `IVRFLOW_ENV_FILE` names, whoever's it is.

    For what is not a setting of ours, such as the passwords of SIP accounts.

    Raises:
        SettingsError: the file cannot be read.
    """
    problems: list[str] = []
    given = _given(environ, problems, [])
    if problems:
        raise SettingsError(*problems)
    return given


def _declared() -> list[Field[Any]]:
    return [setting for setting in fields(Settings) if "read" in setting.metadata]


def _given(environ: Mapping[str, str], problems: list[str], warnings: list[str]) -> dict[str, str]:
    """All variables: the environment wins over the file, and an empty one counts as not set."""
    return {**dict(_file_values(environ, problems, warnings)), **{name: text for name, text in environ.items() if text}}


def _file_values(environ: Mapping[str, str], problems: list[str], warnings: list[str]) -> Iterator[tuple[str, str]]:
    """The `NAME=value` lines of the file."""
    named = environ.get(ENV_FILE)
    path = Path(named).expanduser() if named else DEFAULT_ENV_FILE
    try:
        with path.open(encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                warnings.append(f"{path} can be read by others; write: chmod 600 {path}")
            lines = list(parse_stream(file))
    except FileNotFoundError:
        if named:
            problems.append(f"{ENV_FILE}: there is no file {path}; make it, or unset the variable")
        return
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        problems.append(f"{ENV_FILE}: {path} cannot be read: {reason}; mend it, or unset the variable")
        return
    for line in lines:
        if line.error or (line.key and line.value is None):
            # The text itself stays out of the message: it may be the secret.
            problems.append(f"{path}:{line.original.line}: this line is not NAME=value; write {PREFIX}…=value")
        elif line.key and line.value:
            yield line.key, line.value


# ── the table in the documents ────────────────────────────────────────────────────────────────────────────────────────


def settings_table() -> str:
    """`docs/settings.md`, written from the fields above so that it cannot go stale."""
    lines = [
        "# Settings",
        "",
        "<!-- Written by `python -m ivrflow.settings`; a test compares. -->",
        "",
        "ivrflow reads these environment variables. They may also stand, one `NAME=value` a line, in",
        f"`{DEFAULT_ENV_FILE}` or in the file that `{ENV_FILE}` names; the environment wins over the file, and an empty",
        "variable counts as not set. What is wrong is reported all at once, with what to write instead; a variable that",
        "begins with `IVRFLOW_` and stands in no line below gets a warning. Paths are relative to the folder ivrflow",
        "was started in.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for setting in _declared():
        default = setting.default
        shown = setting.metadata["shown"] or (f"`{default:g}`" if isinstance(default, float) else f"`{default}`")
        lines.append(f"| `{variable(setting.name)}` | {shown} | {setting.metadata['about']} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(settings_table(), end="")

"""Notes of people on what the recogniser got wrong: `verification-notes.yaml` beside the recordings.

    gov12345/holiday.closed: "the name of the temple is known to nobody; listened to, it is right"
    yunda/general.positive: {homophones: "诶 and 哎 sound alike"}
    every phrase: {homophones: "..."}

The first excuses an error rate above the limit. The second has the phrase judged by sound: characters that sound the same
are no errors then. `every phrase` is for the second only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivrflow.flow.problems import ProblemList, did_you_mean
from ivrflow.flow.reading.encoding import decode
from ivrflow.flow.reading.source import Table, Text, parse
from ivrflow.prompts.hearings import Hearing

NOTES_NAME = "verification-notes.yaml"
EVERY_PHRASE = "every phrase"

_HOMOPHONES = "homophones"


@dataclass(frozen=True, slots=True)
class Notes:
    """Reasons by phrase: its key ("gov12345/silent_call.connected"), or the name of one hearing of it."""

    excuses: Mapping[str, str]
    by_sound: Mapping[str, str]

    def excuse(self, hearing: Hearing) -> str:
        """Why its rate may be high; empty without a note."""
        return _first(self.excuses, _names(hearing))

    def homophones(self, hearing: Hearing) -> str:
        """Why it is judged by sound; empty without a note."""
        return _first(self.by_sound, (*_names(hearing), EVERY_PHRASE))

    def unused(self, hearings: Iterable[Hearing]) -> list[str]:
        """Keys that are no phrase's, each as a warning."""
        known = {name for hearing in hearings for name in _names(hearing)}
        written = [key for key in (*self.excuses, *self.by_sound) if key != EVERY_PHRASE]
        return [
            f"{NOTES_NAME}: nothing is called '{key}'; {did_you_mean(key, known)}"
            for key in written
            if key not in known
        ]


def read_notes(masters: Path) -> Notes:
    """The notes beside the recordings; a missing file is no notes.

    Raises `FlowError` with everything that is wrong with the file.
    """
    path = masters / NOTES_NAME
    if not path.exists():
        return Notes({}, {})
    problems = ProblemList()
    text = decode(path.read_bytes(), str(path), problems)
    node = parse(text, str(path), problems) if text is not None else None
    excuses: dict[str, str] = {}
    by_sound: dict[str, str] = {}
    for entry in node.entries if isinstance(node, Table) else ():
        key, value = entry.key.text, entry.value
        if isinstance(value, Text) and value.text.strip() and key != EVERY_PHRASE:
            excuses[key] = value.text.strip()
        elif isinstance(value, Table) and (reason := _reason(value)):
            by_sound[key] = reason
        else:
            problems.error(
                entry.key.where,
                f"'{key}' has no reason",
                'write why: KEY: "a reason", or KEY: {homophones: "a reason"} to have it judged by sound',
            )
    problems.raise_errors()
    return Notes(excuses, by_sound)


def _reason(table: Table) -> str:
    written = {entry.key.text: entry.value for entry in table.entries}
    value = written.get(_HOMOPHONES)
    return value.text.strip() if len(written) == 1 and isinstance(value, Text) else ""


def _names(hearing: Hearing) -> tuple[str, ...]:
    return tuple(dict.fromkeys((hearing.name, hearing.judged[0].key)))


def _first(reasons: Mapping[str, str], names: Iterable[str]) -> str:
    return next((reasons[name] for name in names if name in reasons), "")

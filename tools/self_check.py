"""The self-check call: a real, silent caller to 12345, what it heard and when, and the verdict per rule.

The caller is our softphone over SIP and RTP; what it heard is recognised in the packets it received, so the seconds shown
are those in the caller's ear and not those the engine believes in.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivrflow.engine.trace import Fact, Judgement, TraceLine
from ivrflow.runtime.journal_reader import JournalReader, NoSuchCallError, StoredCall
from ivrflow.softphone.call import Call, CallEnd, PhoneError
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.listening import HeardPrompt, recognise
from ivrflow.softphone.softphone import SoftPhone
from ivrflow.timeline import show, timeline
from tools.pbx import PbxSettings
from tools.stages import SetupError, stage

NUMBER = "12345"
LONGEST_CALL_S = 90.0
"""Seconds after which a self-check call that has not ended is given up."""
JOURNAL_WRITTEN_S = 5.0
COMPLETE = 0.95
"""Share of a prompt that has to be heard for it to count as heard in full."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What one self-check call showed.

    Attributes:
        heard: recognised prompts; their seconds count from the moment the call was answered.
        ended: how the call ended, as the caller's phone saw it.
        stored: the same call in the engine's journal.
    """

    heard: tuple[HeardPrompt, ...]
    ended: CallEnd
    answered_at: float
    stored: StoredCall

    @property
    def notes(self) -> list[str]:
        """What does not count against the call but should be known: a machine that stalls tears prompts."""
        return [
            f"{prompt.name}: {prompt.completeness:.0%} of it was heard undisturbed; is this machine busy?"
            for prompt in self.heard
            if prompt.completeness < COMPLETE
        ]

    @property
    def faults(self) -> list[str]:
        """Why this call is no proof, in words; empty when every verdict is kept and every phrase was heard in order."""
        faults = [
            f"{verdict.rule} is broken: {verdict.observed}"
            for verdict in self.stored.verdicts
            if verdict.judgement is Judgement.BROKEN
        ]
        if not any(verdict.judgement is Judgement.KEPT for verdict in self.stored.verdicts):
            faults.append("no rule was kept: nothing was proven")
        said = [line.phrase for line in self.stored.trace if line.fact is Fact.PHRASE_STARTED]
        heard = [prompt.name for prompt in self.heard]
        if heard != said:
            faults.append(f"the caller heard {', '.join(heard) or 'nothing'}; the engine said {', '.join(said)}")
        return faults


async def place(settings: PbxSettings, prompts: Path, journal: str) -> SelfCheck:
    """Call 12345, stay silent until hung up on, and collect what that showed.

    Args:
        settings: the PBX to call.
        prompts: the folder with the prompts in the PBX's formats.
        journal: the engine's journal, as a database URL.

    Raises:
        SetupError: the call could not be placed, was not answered, or did not end.
    """
    server = (settings.sip_bind, settings.sip_port)
    try:
        async with SoftPhone("caller", settings.password("caller"), server, local_ip=settings.sip_bind) as phone:
            call = await phone.call(NUMBER)
            ended = await _ended(call)
    except PhoneError as error:
        raise SetupError(f"the self-check call failed: {error}") from error
    assert call.answered_at is not None
    stored = await _stored(journal)
    names = {line.phrase: line.phrase for line in stored.trace if line.fact is Fact.PHRASE_STARTED}
    heard = await asyncio.to_thread(recognise, call.recording, _sounds(names, prompts))
    return SelfCheck(tuple(heard), ended, call.answered_at, stored)


async def _ended(call: Call) -> CallEnd:
    with stage(f"self-check: a silent caller rings {NUMBER}"):
        try:
            async with asyncio.timeout(LONGEST_CALL_S):
                return await asyncio.shield(call.ended)
        except TimeoutError as error:
            raise SetupError(f"the self-check call did not end within {LONGEST_CALL_S:g} s") from error


async def _stored(journal: str) -> StoredCall:
    """The newest call of the journal, once its ending is written."""
    reader = JournalReader(journal)
    try:
        async with asyncio.timeout(JOURNAL_WRITTEN_S):
            while True:
                try:
                    stored = await asyncio.to_thread(reader.call, "last")
                except NoSuchCallError:
                    stored = None
                if stored is not None and stored.summary.is_over:
                    return stored
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise SetupError("the engine's journal does not hold the self-check call") from error
    finally:
        reader.close()


def _sounds(phrases: Mapping[str, str], prompts: Path) -> dict[str, Samples]:
    decoder = codec("ulaw")
    return {name: decoder.decode((prompts / f"{file}.ulaw").read_bytes()) for name, file in phrases.items()}


def show_check(check: SelfCheck) -> None:
    """Print what the caller heard, then the engine's timeline with the verdicts."""
    phrases = check.stored.phrases
    table = Table(
        title="What the caller heard (seconds since the call was answered, from the packets received)",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
        header_style="dim",
    )
    for heading in ("from", "to", "silence before"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("phrase", ratio=1, overflow="fold")
    table.add_column("rule", no_wrap=True)
    before: float | None = None
    rules = _rules(check.stored.trace)
    for prompt in check.heard:
        table.add_row(
            f"{prompt.start - check.answered_at:.2f}",
            f"{prompt.end - check.answered_at:.2f}",
            "" if before is None else f"{prompt.start - before:.2f}",
            f"{phrases.get(prompt.name, prompt.name)} ({prompt.completeness:.0%})",
            Text(rules.get(prompt.name, ""), style="dim"),
        )
        before = prompt.end
    by = {"peer": "ivrflow hung up", "phone": "the caller hung up"}.get(
        str(check.ended.by), f"ended by {check.ended.by}"
    )
    table.add_row(f"{check.ended.at - check.answered_at:.2f}", "", "", by, "")
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 110, highlight=False).print(table)
    print("\nWhat the engine did")
    show(timeline(check.stored.trace, check.stored.verdicts, lambda key: phrases.get(key, "")))
    print()
    faults = check.faults
    for fault in faults:
        print(f"FAULT: {fault}")
    for note in check.notes:
        print(f"note: {note}")
    if not faults:
        print("Every verdict is kept, and the caller heard every phrase in its order.")


def _rules(trace: tuple[TraceLine, ...]) -> dict[str, str]:
    """Rule of each phrase said, with its rung."""
    return {
        line.phrase: f"{line.rule} rung {line.rung}" if line.rule else ""
        for line in trace
        if line.fact is Fact.PHRASE_STARTED
    }

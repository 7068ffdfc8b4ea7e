"""Agents of queues, by telephone: logging in and out, pausing, being ready again, by the codes their telephones may dial.

The PBX answers each with a tone, and then hangs up: a long high one when it is done, three short low ones when it is not
possible. They are told by their pitch: on a busy machine packets come late, and cut a long tone into short ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from ivrflow.engine.trace import Fact
from ivrflow.flow.model import Queue
from ivrflow.scenario.script import InQueues, Scenario
from ivrflow.scenario.simulated import on_simulator
from ivrflow.softphone.call import Call, CallGone, CallRefused, NoAnswer, PhoneError
from ivrflow.softphone.codecs import RATE
from ivrflow.softphone.softphone import SoftPhone

Duty: TypeAlias = Literal["logs in", "logs out", "pauses", "is back"]

CODES: Mapping[Duty, str] = {"logs in": "*11", "logs out": "*12", "pauses": "*13", "is back": "*14"}
"""What an agent's telephone dials; the PBX's dialplan says the same."""

ANSWERED_WITHIN_S = 5.0
"""Seconds in which the PBX must answer a code."""

TOLD_WITHIN_S = 5.0
"""Seconds after the answer in which the high tone was heard or the PBX has hung up: it takes one, unless it stands still."""

LISTENS_EVERY_S = 0.1

DONE_HZ = 950
"""The high tone; the low ones have 400 Hz."""

_STEP = RATE // 25  # samples that are looked at by themselves
_PURE = 0.8  # share of their energy that the tone must have


async def on_duty(phone: SoftPhone, extension: str, duty: Duty) -> None:
    """Dial the code for it, and hear that it is done.

    Raises:
        PhoneError: it is not; one sentence that says whose telephone, and why.
    """
    code = CODES[duty]
    try:
        call = await phone.call(code, within_s=ANSWERED_WITHIN_S)
    except (CallRefused, NoAnswer, CallGone) as problem:
        raise PhoneError(f"agent {extension} {duty}: the PBX did not take {code}: {problem}") from problem
    ended = asyncio.ensure_future(call.ended)
    until = time.monotonic() + TOLD_WITHIN_S
    try:
        while not (is_done := _is_done(call)) and call.end is None and time.monotonic() < until:
            await asyncio.wait({ended}, timeout=LISTENS_EVERY_S)
    finally:
        call.hang_up_now()
    if not is_done:
        raise PhoneError(
            f"agent {extension} {duty}: the PBX says that {code} is not possible; which agents may log in to which queue is in "
            "asterisk/settings.env (PBX_QUEUE_...)"
        )


def _is_done(call: Call) -> bool:
    """Whether the high tone was heard, however short."""
    span = call.recording.span
    if span is None:
        return False
    heard = call.recording.samples(span.start, span.end).astype(np.float64)
    steps = heard[: len(heard) // _STEP * _STEP].reshape(-1, _STEP)
    at_pitch = 2 / _STEP * np.abs(steps @ np.exp(-2j * np.pi * DONE_HZ * np.arange(_STEP) / RATE)) ** 2
    energy = (steps**2).sum(axis=1)
    return bool(((energy > 0) & (at_pitch > _PURE * energy)).any())


def waits_in_a_queue(scenario: Scenario) -> bool:
    """Whether the caller of a scenario comes to stand in a queue, as the simulator sees it: a matter of milliseconds."""
    if not any(isinstance(step, Queue) for step in scenario.flow.steps.values()):
        return False
    engine = on_simulator.play(scenario).engine
    return engine is None or any(line.fact is Fact.QUEUED for line in engine.trace)


def before_the_call(queues: InQueues) -> list[Duty]:
    """What an agent does before the caller calls."""
    duties: list[Duty] = ["logs in"] if queues.logs_in is None else []
    pausing: list[Duty] = ["pauses"] if queues.pauses == 0 else []
    return duties + pausing


def during_the_call(queues: InQueues) -> list[tuple[float, Duty]]:
    """What an agent does then, each with its second after the answer, in order."""
    times: list[tuple[float | None, Duty]] = [
        (queues.logs_in, "logs in"),
        (queues.pauses or None, "pauses"),
        (queues.back, "is back"),
        (queues.logs_out, "logs out"),
    ]
    return sorted((second, duty) for second, duty in times if second is not None)

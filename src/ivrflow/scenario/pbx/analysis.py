"""What is worked out of a phone's packets once its call is over, in other processes: the live calls must not notice.

Recognising all that was heard takes a good part of a second of computing for each call. So it is done by processes of
low priority, which are given the recordings of the phrases once and the packets of each phone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from ivrflow.scenario.observation import Heard
from ivrflow.scenario.pbx.hearing import hear_all
from ivrflow.softphone.codecs import FRAME_S, RATE, Samples
from ivrflow.softphone.recording import Recording
from ivrflow.softphone.repertoire import Repertoire

STALL_S = 0.1
"""Seconds without a packet, in the middle of a phrase, that are worth a word."""

_NICE = 10
"""How far an analysing process stands back behind the phones, the engine and the PBX."""

AUDIO_ENDING = ".flac"
"""Every browser plays it, no sample is lost, and silence takes no room."""


@dataclass(frozen=True, slots=True)
class Take:
    """One call of a phone: the packets it heard and those it sent, and when it was answered (monotonic seconds)."""

    heard: Recording
    said: Recording | None
    answered_at: float


@dataclass(frozen=True, slots=True)
class Tape:
    """All that one phone heard and said.

    Attributes:
        takes: its answered calls.
        zero: the moment from which all times are counted, in monotonic seconds.
        likely: the phrases it most likely heard, by key.
        audio: where to keep it as a sound file; None: nowhere.
    """

    takes: tuple[Take, ...]
    zero: float
    likely: frozenset[str] = frozenset()
    audio: Path | None = None


@dataclass(frozen=True, slots=True)
class Analysed:
    """What a tape holds; times are seconds since its zero.

    Attributes:
        heard: in order.
        stalls: (from, seconds): where phrases stopped for longer than `STALL_S` and went on.
        audio: the sound file; None when none was to be kept, or could be.
        audio_from: when it begins.
        trouble: why there is no sound file although one was to be kept; empty otherwise.
    """

    heard: tuple[Heard, ...] = ()
    stalls: tuple[tuple[float, float], ...] = ()
    audio: Path | None = None
    audio_from: float = 0.0
    trouble: str = ""


def analyse(tape: Tape, repertoire: Repertoire) -> Analysed:
    """Work out what is on a tape, of which the PBX may have played anything in `repertoire`."""
    heard: list[Heard] = []
    stalls: list[tuple[float, float]] = []
    for take in tape.takes:
        offset = take.answered_at - tape.zero
        found = hear_all(take.heard, repertoire, likely=tape.likely, answered_at=take.answered_at)
        found = tuple(replace(one, start=one.start + offset, end=one.end + offset) for one in found)
        heard += found
        stalls += stalls_on_the_wire(take.heard, found, tape.zero)
    result = Analysed(tuple(heard), tuple(stalls))
    if tape.audio is None or not tape.takes:
        return result
    try:
        starts = write_audio(tape.takes, tape.audio)
    except (OSError, soundfile.LibsndfileError) as problem:
        return replace(result, trouble=f"what was heard could not be kept as {tape.audio}: {problem}")
    return replace(result, audio=tape.audio, audio_from=starts - tape.zero)


def stalls_on_the_wire(recording: Recording, heard: Collection[Heard], zero: float) -> list[tuple[float, float]]:
    """Where no packet came in the middle of a phrase for longer than `STALL_S`: the PBX, or this machine, stood still.

    A PBX sends a phrase without a break, its silences too; between phrases it may send nothing.
    """
    arrivals = [packet.arrival - zero for packet in recording.packets() if recording.codec_of(packet.payload_type)]
    phrases = [one for one in heard if one.kind == "phrase"]
    return [
        (before + FRAME_S, after - before - FRAME_S)
        for before, after in pairwise(sorted(arrivals))
        if after - before - FRAME_S > STALL_S and any(one.start < before and after < one.end for one in phrases)
    ]


def write_audio(takes: Sequence[Take], path: Path) -> float:
    """Write what a phone heard (left) and said (right); returns the moment of the first sample (monotonic seconds).

    Raises:
        OSError, soundfile.LibsndfileError: it cannot be written.
    """
    spans = [span for take in takes for recording in (take.heard, take.said) if recording and (span := recording.span)]
    start = min((take.answered_at for take in takes), default=0.0)
    start = min([start, *(span.start for span in spans)])
    end = max([start, *(span.end for span in spans)])
    sides = np.zeros((max(1, round((end - start) * RATE)), 2), np.int16)
    for take in takes:
        for side, recording in enumerate((take.heard, take.said)):
            if recording is not None:
                samples = recording.samples(start, end)
                sides[: len(samples), side] |= samples  # two calls of one phone never overlap
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sides, RATE, format="FLAC", subtype="PCM_16")
    return start


# ── other processes ───────────────────────────────────────────────────────────────────────────────────────────────────


class AnalysisPool(ProcessPoolExecutor):
    """Processes that hold the recordings and analyse tapes. Close it with `shutdown`, or use it as a context manager.

    Args:
        sounds: every phrase that may be heard, by key, at 8 kHz.
        music: the files played during hold.
        processes: how many; by default one for each processor of this machine.
    """

    def __init__(
        self, sounds: Mapping[str, Samples], music: Sequence[Samples] = (), processes: int | None = None
    ) -> None:
        self.processes = processes or os.cpu_count() or 1
        super().__init__(
            self.processes,
            mp_context=multiprocessing.get_context("spawn"),  # a fork would take locks of the journal's thread with it
            initializer=_stand_back,
            initargs=(dict(sounds), tuple(music)),
        )

    async def warm_up(self) -> None:
        """Start the processes, and wait until they are ready: else their start would fall into the first calls."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self, os.getpid) for _ in range(self.processes)))


async def analysed(tape: Tape, repertoire: Repertoire, executor: Executor | None) -> Analysed:
    """`analyse` without holding up anybody: in the pool; without one, in a thread, which a few calls at once can bear."""
    loop = asyncio.get_running_loop()
    if isinstance(executor, AnalysisPool):
        return await loop.run_in_executor(executor, _analyse_here, tape)
    return await loop.run_in_executor(executor, analyse, tape, repertoire)


_kept = Repertoire({})
"""What a process of the pool holds for as long as it lives."""


def _stand_back(sounds: Mapping[str, Samples], music: Sequence[Samples]) -> None:
    global _kept
    _kept = Repertoire(sounds, music)
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which lets us finish or ends us
    threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)  # the run was killed: nobody would ever tell us to stop


def _analyse_here(tape: Tape) -> Analysed:
    return analyse(tape, _kept)

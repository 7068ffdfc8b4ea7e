"""Reading and checking all flows beside running calls: in a process of its own, so that no timer waits for it.

Reading the flows takes a second of pure computing. In the engine's own process it would make rule timers late, in a thread
hardly less so; what comes back from another process is unpacked flow by flow, a few milliseconds each.

The other process is `python -m ivrflow.service.reading_aside`: settings come in over its standard input, flows or what is wrong
with them go out over its standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import pickle  # between two processes of our own, over pipes nobody else holds
import sys
from typing import Any, BinaryIO

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import load_flows
from ivrflow.prompts.formats import missing_formats
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.settings import Settings, SettingsError

LONGEST_S = 120.0
"""Seconds after which the reading process is ended: it takes one or two."""

GENTLENESS = 10
"""How much the reading process gives way to the calls, as of nice(1)."""


class ReadingFailed(Exception):
    """The files were not read to the end, through no fault of theirs."""


async def read_aside(settings: Settings) -> dict[str, CallFlow]:
    """Every flow, by id, checked as at the engine's start.

    Raises:
        FlowError: a flow or standard is not in order, or a phrase has no recording.
        SettingsError: a prompt has no file in some format, or a folder is not there.
        ReadingFailed: the process that reads was ended, or took too long.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ivrflow.service.reading_aside"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            output, _ = await process.communicate(pickle.dumps(settings))
    except TimeoutError:
        raise ReadingFailed(f"reading the flows took longer than {LONGEST_S:g} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ReadingFailed(
            f"the process that reads the flows ended with code {process.returncode}; the log above says why"
        )
    return await _unpacked(io.BytesIO(output))


async def _unpacked(stream: BinaryIO) -> dict[str, CallFlow]:
    """What the other process packed, one flow at a time, with a chance for the calls after each."""
    unpickler = pickle.Unpickler(stream)  # noqa: S301 - it comes from a process of our own
    outcome: str = unpickler.load()
    if outcome == "flow problems":
        raise FlowError(unpickler.load())
    if outcome == "settings problems":
        raise SettingsError(*unpickler.load())
    flows: dict[str, CallFlow] = {}
    count: int = unpickler.load()
    collects = gc.isenabled()
    gc.disable()  # so many new objects would call for rounds of tens of milliseconds; none of these is garbage
    try:
        for _ in range(count):
            flow: CallFlow = unpickler.load()
            flows[flow.id] = flow
            await asyncio.sleep(0)
        gc.freeze()  # they live as long as calls begin with them, and are freed without the collector's help
    finally:
        if collects:
            gc.enable()
    return flows


def load_for_service(settings: Settings) -> dict[str, CallFlow]:
    """Every flow, checked against the prompts the PBX can really play.

    Raises:
        FlowError: a flow or standard is not in order, or a phrase has no recording.
        SettingsError: a prompt has no file in some format.
    """
    index = PromptIndex.load(settings.masters, ahead_folder(settings.prompts_dir))
    flows = load_flows([settings.flows], index.catalogue())
    missing = missing_formats(index, settings.prompts_dir)
    if missing:
        raise SettingsError(
            f"{len(missing)} prompts have no files for the PBX in {settings.prompts_dir}; run: ivrflow prompts build"
        )
    return flows


def write_flows(settings: Settings, stream: BinaryIO) -> None:
    """Read all flows and write them, or what is wrong with them, for `read_aside`."""
    pickler = pickle.Pickler(stream)  # one for all: what flows share is packed once
    parcels: list[Any]
    try:
        flows = load_for_service(settings)
        parcels = ["flows", len(flows), *flows.values()]
    except FlowError as error:
        parcels = ["flow problems", error.problems]
    except SettingsError as error:
        parcels = ["settings problems", error.problems]
    for parcel in parcels:
        pickler.dump(parcel)


if __name__ == "__main__":
    os.nice(GENTLENESS)
    write_flows(pickle.load(sys.stdin.buffer), sys.stdout.buffer)  # noqa: S301 - from the engine that started us

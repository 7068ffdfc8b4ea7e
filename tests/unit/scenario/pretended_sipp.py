"""A few lines of shell in SIPp's place, and what SIPp writes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from ivrflow.scenario.load import sipp_load

COLUMNS = [
    "CurrentTime", "TotalCallCreated", "CurrentCall", "SuccessfulCall(C)", "FailedCall(C)", "FailedCannotSendMessage(C)",
    "FailedMaxUDPRetrans(C)", "FailedCallRejected(C)", "FailedOutboundCongestion(C)", "FailedTimeoutOnRecv(C)",
    "FailedTimeoutOnSend(C)", "FailedUnexpectedMessage(C)",
]  # fmt: skip
HEAD = ";".join(COLUMNS)


def line(at: float, *counts: int) -> str:
    return ";".join([f"2026-11-22\t01:40:06.159266\t{at:.6f}", *map(str, counts)])


def counts(*told: str) -> str:
    """Shell that writes SIPp's statistics."""
    return f"printf '%s\\n' '{HEAD}' {' '.join(map(shlex.quote, told))} > counts.csv"


Pretended: TypeAlias = Callable[[str], None]
"""Takes the script that is run instead of SIPp."""


def pretended_sipp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """Put a shell script of that folder in SIPp's place, and look more often."""
    monkeypatch.setattr(sipp_load, "LOOK_EVERY_S", 0.02)

    def made(script: str) -> None:
        file = folder / "sipp"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return made

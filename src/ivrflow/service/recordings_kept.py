"""For how many days the recordings of each flow are kept."""

from __future__ import annotations

from collections.abc import Iterable

from ivrflow.flow.model import CallFlow


def recordings_kept(flows: Iterable[CallFlow]) -> dict[str, int]:
    """Days per id of a flow that records its calls."""
    return {flow.id: flow.recording.keep_days for flow in flows if flow.recording is not None}

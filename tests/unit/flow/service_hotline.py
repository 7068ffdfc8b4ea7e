"""A small hotline with agents, messages, surveys, callbacks and look-ups, to be changed by a line or two per test."""

from pathlib import Path
from typing import TypeVar

from ivrflow.flow.compiling.compiler import Checked, check_flow
from ivrflow.flow.model import CallFlow

_HERE = Path(__file__).parents[2] / "problems" / "flows"

FLOW = "callflows/hotline.yaml"
SOURCE = {
    FLOW: (_HERE / "with_agents.yaml").read_text(encoding="utf-8"),
    "callflows/standards/service.yaml": (_HERE / "standards" / "service.yaml").read_text(encoding="utf-8"),
    "callflows/standards/house.yaml": (_HERE / "standards" / "house.yaml").read_text(encoding="utf-8"),
}

Kind = TypeVar("Kind")


def checked(*changes: tuple[str, str]) -> Checked:
    """The flow with changes; what is replaced must be there exactly once."""
    text = SOURCE[FLOW]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return check_flow({**SOURCE, FLOW: text}, FLOW)


def compiled(*changes: tuple[str, str]) -> CallFlow:
    """The changed flow, which must be in order."""
    result = checked(*changes)
    assert result.problems == ()
    assert result.flow is not None
    return result.flow


def step(kind: type[Kind], name: str, *changes: tuple[str, str]) -> Kind:
    """One step of the changed flow."""
    found = compiled(*changes).steps[name]
    assert isinstance(found, kind)
    return found


def told(*changes: tuple[str, str]) -> list[str]:
    """What is wrong with the changed flow."""
    return [problem.message for problem in checked(*changes).problems]

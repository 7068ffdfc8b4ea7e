"""Scenarios for the small hotline of `tests/problems`, to be read in a line or two, and for the real one."""

from pathlib import Path

from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.script import Scenario

TOP = Path(__file__).parents[3]
FILE = "tests/hotline.yaml"

HOTLINE: CallFlow = load_flows([TOP / "tests" / "problems" / "flows" / "nothing_wrong.yaml"])["hotline"]
GOV: CallFlow = load_flows([TOP / "callflows"], PromptIndex.load(TOP / "prompts").catalogue())["gov12345"]


def read(text: str, flow: CallFlow = HOTLINE) -> Scenario:
    """A scenario that is in order, its first two lines written for it."""
    return read_scenario(f"scenario: a call\nflow: {flow.id}\n{text}", FILE, {flow.id: flow})


def caller(*steps: str, flow: CallFlow = HOTLINE, more: str = "") -> Scenario:
    """A scenario with these steps of the caller."""
    return read("caller:\n" + "".join(f"  - {step}\n" for step in steps) + more, flow)


def told(text: str, flow: CallFlow = HOTLINE) -> list[str]:
    """What is wrong with a scenario, each as "line:column: message"; empty when nothing is."""
    try:
        read(text, flow)
    except FlowError as error:
        return [f"{p.where.line}:{p.where.column}: {p.message}" for p in error.problems]
    return []

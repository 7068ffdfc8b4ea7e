"""The flows in `docs/flows-with-agents.md`: whoever copies them has something that works."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivrflow.cli import main
from ivrflow.flow_files import check_paths

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/flows-with-agents.md").read_text(encoding="utf-8")
WHOLE, *PARTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

AROUND = """\
flow: parts
title: The parts
standard: gov12345
numbers: ["12399"]
timezone: Asia/Shanghai
start: welcome

steps:
  welcome: {say: greeting_inbound.standard, then: number}
  number:
    collect: case_number
    ask: house/collect.ask_number
    length: {min: 4, max: 12}
    first_digit: 6s
    inter_digit: 4s
    incomplete_say: house/collect.incomplete
    on: {done: look_up_case, no_input: wait_for_agent, incomplete: wait_for_agent}
  case_is_open: {say: house/collect.confirm, then: wait_for_agent}
  not_found: {say: house/lookup.failed, then: wait_for_agent}
  nothing_recorded: {say: house/record.nothing, then: farewell}
  number_refused: {say: house/callback.undiallable, then: leave_message}
  farewell: {close: {ask: anything_else, farewell: closing, guard: 10s}, on: {request: number}}
"""
ENDS = [
    "callback",
    "closing",
    "escalate",
    "survey",
    "take_message",
    "transfer",
    "unspecified",
    "wait_caller_hangup",
    "hold",
]


@pytest.fixture
def callflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the one flows are kept in, without a flow of its own but those that place calls."""
    folder = tmp_path / "callflows"
    folder.mkdir()
    (folder / "standards").symlink_to(ROOT / "callflows/standards")
    (folder / "gov12345_callback.yaml").symlink_to(ROOT / "callflows/gov12345_callback.yaml")
    (tmp_path / "prompts").symlink_to(ROOT / "prompts")
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_whole_flow_is_in_order_and_does_what_the_page_says(callflows: Path) -> None:
    (callflows / "service.yaml").write_text(WHOLE, encoding="utf-8")

    checked = CliRunner().invoke(main, ["check", "callflows/service.yaml"])
    drawn = CliRunner().invoke(main, ["draw", "service"])
    handed_over = CliRunner().invoke(
        main,
        ["try", "service", "--queue", "agents 1001 answers 25s talks 20s"],
        input="/silence 40s\n/agent keys *70\n",
    )
    alone = CliRunner().invoke(main, ["try", "service", "--queue", "agents nobody"], input="/silence 20s\n/speech 3s\n")

    assert checked.exit_code == 0, checked.output
    assert "in order" in checked.output
    assert '"*70"| step_to_colleague' in drawn.output
    assert "whispers to the agent house/transfer.whisper" in handed_over.output
    assert "goes to step leave_message" in alone.output


def test_the_parts_are_in_order_with_the_steps_they_lead_to(callflows: Path) -> None:
    steps = [part for part in PARTS if not part.startswith(("agents:", "recording:"))]
    tables = [part for part in PARTS if part not in steps]
    ends = "".join(f"  {word}: continue\n" for word in ENDS)
    flow = callflows / "parts.yaml"
    flow.write_text(
        AROUND
        + "".join(f"  {line}\n" if line else "\n" for part in steps for line in part.splitlines())
        + "".join(f"\n{part}" for part in tables)
        + f"\noutcomes:\n  hangup: hang_up\n{ends}",
        encoding="utf-8",
    )

    assert len(steps) == 6
    assert len(tables) == 2
    assert [str(problem) for problem in check_paths([flow]).problems] == []

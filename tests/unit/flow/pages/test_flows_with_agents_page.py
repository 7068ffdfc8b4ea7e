"""The page on flows with agents: what it gives to begin with works, and all its other examples together are a flow in order."""

import re
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivrflow.cli import main
from ivrflow.flow.compiling.compiler import check_flow
from ivrflow.flow.model import RETURN

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "flows-with-agents.md").read_text(encoding="utf-8")
WHOLE, *PARTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
TOP = ("agents:", "recording:")
REST = """
number:
  collect: case_number
  ask: house/collect.ask_number
  length: 8
  first_digit: 6s
  inter_digit: 4s
  incomplete_say: house/collect.incomplete
  on: {done: look_up_case, no_input: wait_for_agent, incomplete: wait_for_agent}
case_is_open: {say: hold_request.lookup, then: wait_for_agent}
not_found: {say: house/lookup.failed, then: wait_for_agent}
nothing_recorded: {say: house/record.nothing, then: farewell}
number_refused: {say: house/callback.undiallable, then: leave_message}
"""


def test_the_whole_flow_is_in_order_and_does_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callflows = tmp_path / "callflows"
    callflows.mkdir()
    (callflows / "standards").symlink_to(ROOT / "callflows/standards")
    (callflows / "service.yaml").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "prompts").symlink_to(ROOT / "prompts")
    monkeypatch.chdir(tmp_path)

    def told(command: str, *words: str, keyed: str = "") -> str:
        result = CliRunner().invoke(main, [command, *words], input=keyed)
        assert result.exit_code == 0, result.output
        return result.output

    assert "in order" in told("check", "callflows/service.yaml")
    assert '"*70"| step_to_colleague' in told("draw", "service")
    answered = ("try", "service", "--queue", "agents 1001 answers 25s talks 20s")
    assert "whispers to the agent" in told(*answered, keyed="/silence 40s\n/agent keys *70\n")
    assert "goes to step leave_message" in told("try", "service", "--queue", "agents nobody")


def test_the_examples_of_the_page_are_a_flow_in_order() -> None:
    steps = "".join(block for block in PARTS if not block.startswith(TOP)) + REST
    words = sorted(set(re.findall(r"^    then: (\w+)$", _file("standards/gov12345.yaml"), re.MULTILINE)) - {RETURN})
    flow = (
        "flow: example\ntitle: Example\nstandard: gov12345\nnumbers: ['100']\ntimezone: Asia/Shanghai\nstart: number\n"
        + "".join(block for block in PARTS if block.startswith(TOP))
        + "outcomes:\n"
        + "".join(f"  {word}: farewell\n" for word in words)
        + "steps:\n"
        + textwrap.indent(steps, "  ")
    )
    source = {"callflows/example.yaml": flow}
    source |= {f"callflows/{file}": _file(file) for file in ("standards/gov12345.yaml", "standards/house.yaml")}

    checked = check_flow(source, "callflows/example.yaml", lint=False)

    assert [str(problem) for problem in checked.problems] == []
    assert checked.flow is not None
    walked = set(re.findall(r"^\| `(\w+)` \| `\1`", PAGE, re.MULTILINE))
    parts = {
        name: [step.removeprefix(name) for step in checked.flow.steps if step.startswith(f"{name}.")] for name in walked
    }
    for name, told in parts.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        assert re.findall(r"`(\.\w+)`", row) == told


def _file(name: str) -> str:
    return (ROOT / "callflows" / name).read_text(encoding="utf-8")

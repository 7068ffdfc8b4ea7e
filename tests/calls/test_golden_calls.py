"""Golden calls: each `.call` file played again gives its transcript, to the last word.

After a change that is meant: pytest tests/calls --update, and read the difference before committing it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import pytest

from ivrflow.flow.model import CallFlow, Prompt, PromptCatalogue, Standard
from ivrflow.flow_files import load_flows
from ivrflow.prompts.pieces import PIECES_NAME, planned_pieces
from ivrflow.prompts.wording import load_standard, planned_prompts
from ivrflow.simulator.call_file import RULE, play, read_call_file
from ivrflow.simulator.caller import Vocabulary
from ivrflow.simulator.replay import replay
from ivrflow.simulator.transcript import whole_transcript

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
FLOWS = [Path("callflows"), *(Path(f"tests/calls/{name}/flows") for name in ("agents", "calendar", "values"))]
CALLS = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.call"))


@pytest.fixture(scope="module")
def flows() -> Mapping[str, CallFlow]:
    """The flows that are shipped, and those of `agents/`, `calendar/` and `values/`; places as seen from the root."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        catalogue = planned_catalogue()
        return {name: replace(flow, prompts=catalogue) for name, flow in load_flows(FLOWS).items()}


def planned_catalogue() -> PromptCatalogue:
    """Everything as recorded that a build would record: which recordings there are today changes no golden call."""
    planned = planned_pieces(Path("prompts") / PIECES_NAME, {})
    for path in sorted(path for folder in FLOWS for path in folder.glob("standards/*.yaml")):
        planned += planned_prompts(load_standard(path), {})
    return PromptCatalogue(
        {
            (prompt.key, prompt.values): Prompt(f"{prompt.standard}/{prompt.stem}", prompt.text, 0.0)
            for prompt in planned
        }
    )


@pytest.mark.parametrize("path", CALLS, ids=str)
def test_the_call_goes_as_before(path: Path, flows: Mapping[str, CallFlow], request: pytest.FixtureRequest) -> None:
    text = (FOLDER / path).read_text(encoding="utf-8")
    golden = read_call_file(text, f"tests/calls/{path}")
    assert golden.lengths == "wording", (
        "new recordings must not change golden calls: write lengths: wording in the head"
    )
    flow = flows[golden.flow]
    call = golden.place(flow)
    assert play(call, golden.commands(Vocabulary.of(flow))) == [], "every command does something"
    transcript = whole_transcript(call)
    if request.config.getoption("--update"):
        head = text.partition(f"\n{RULE}\n")[0].rstrip("\n")  # an empty line would be one more /next
        (FOLDER / path).write_text(f"{head}\n{RULE}\n{transcript}", encoding="utf-8")
    elif transcript != golden.transcript:
        difference = unified_diff(golden.transcript.splitlines(), transcript.splitlines(), "before", "now", lineterm="")
        pytest.fail("\n".join([*difference, "if this is meant: pytest tests/calls --update"]), pytrace=False)
    assert replay(call.session.flow, call.record).parting is None


def commands_of(path: Path) -> str:
    if not (FOLDER / path).exists():
        return ""
    return (FOLDER / path).read_text(encoding="utf-8").partition(f"\n{RULE}\n")[0]


def standards_of(flows: Mapping[str, CallFlow]) -> list[Standard]:
    shipped = {flow.standard.id: flow.standard for flow in flows.values() if flow.where.file.startswith("callflows/")}
    return list(shipped.values())


def test_every_rule_of_every_standard_is_tried_by_name(flows: Mapping[str, CallFlow]) -> None:
    missing = [
        rule.id
        for standard in standards_of(flows)
        for rule in standard.rules.values()
        if not rule.not_on_phone
        and f"\n/situation {rule.name}\n" not in commands_of(Path(standard.id) / f"{rule.name}.call")
    ]
    assert len(standards_of(flows)) == 11
    assert not missing, "ivrflow try FLOW --situation NAME --lengths wording --save tests/calls/STANDARD/NAME.call"


def test_every_word_that_leaves_a_rule_is_tried(flows: Mapping[str, CallFlow]) -> None:
    for standard in standards_of(flows):
        for rule in standard.rules.values():
            for word in {rung.leave_on for rung in rule.rungs if rung.leave_on and not rule.not_on_phone}:
                left = re.compile(
                    rf"leaves the ladder: {re.escape(word)}  \[{rule.id} |observed: .*left on|caller hung up"
                )
                calls = [FOLDER / path for path in CALLS if path.match(f"{standard.id}/{rule.name}*.call")]
                assert any(left.search(path.read_text(encoding="utf-8")) for path in calls), f"{rule.id}: {word}"


@pytest.mark.parametrize("path", CALLS, ids=str)
def test_a_broken_rule_is_meant(path: Path) -> None:
    """A call on which a rule is broken says so, and why, in its head: `# … breaks gov12345/silent_call: …`."""
    head, _, transcript = (FOLDER / path).read_text(encoding="utf-8").partition(f"\n{RULE}\n")
    assert set(re.findall(r"^broken +([^ :]+)", transcript, re.MULTILINE)) == set(
        re.findall(r"^#.* breaks ([^ :]+)", head, re.MULTILINE)
    )

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from ivrflow.commands.simulator_commands import _counted, replay, try_
from ivrflow.engine.messages import KeyPressed, StopMusic
from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.runtime.journal import Journal
from ivrflow.simulator.call_file import USUAL_TIME, place_call, play
from ivrflow.simulator.caller_commands import Bare, Press, Speak, Stay
from ivrflow.simulator.replay import Replay
from ivrflow.simulator.simulation import Simulation

ROOT = Path(__file__).parents[3]
FLOW = """\
flow: desk
title: the desk
standard: desk
phrase_files: []
numbers: ["100"]
timezone: UTC
start: welcome
steps:
  welcome:
    ladder: silent_call
    barge_in: [speech]
    on:
      speech: agent
    used_up: hang_up
  agent:
    transfer: "1001"
    ring_for: 20s
    talk_for: 10m
    on:
      agent_left: hang_up
      no_answer: hang_up
outcomes:
  hangup: hang_up
"""
STANDARD = """\
id: desk
name: the desk
source: by hand
channel: phone
direction: [inbound]
placeholders: {}
phrases:
  greeting: {text: "您好"}
  louder: {text: "请大声一点"}
rules:
  - id: desk/silent_call
    situation: silent_call
    trigger: "the caller is silent"
    ladder:
      - {say: greeting, wait_s: [3, 3], leave_on: speech}
    then: hangup
    limits: {}
    notes: "by hand"
  - id: desk/noise
    situation: noise
    trigger: "it is loud"
    ladder:
      - {say: louder, wait_s: [2, 2]}
    then: hangup
    limits: {}
    notes: "by hand"
"""


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a small flow, and no settings but the defaults."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "callflows" / "standards").mkdir(parents=True)
    (tmp_path / "callflows" / "desk.yaml").write_text(FLOW, encoding="utf-8")
    (tmp_path / "callflows" / "standards" / "desk.yaml").write_text(STANDARD, encoding="utf-8")
    for name in ("IVRFLOW_FLOWS", "IVRFLOW_MASTERS", "IVRFLOW_PROMPTS_DIR", "IVRFLOW_JOURNAL", "IVRFLOW_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def trying(*arguments: str, stdin: str = "") -> Result:
    result = CliRunner().invoke(try_, arguments, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


# ── try ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_silent_caller_by_pipe() -> None:
    result = trying("desk")
    assert result.exit_code == 0
    assert "says desk/greeting “您好” (0.44 s)  [desk/silent_call 1]  callflows/standards/desk.yaml:15" in result.output
    assert "kept      desk/silent_call" in result.output


def test_a_flow_can_be_named_by_its_file() -> None:
    assert trying("callflows/desk.yaml").exit_code == 0


def test_a_mistake_in_another_flow_does_not_matter(desk: Path) -> None:
    (desk / "callflows" / "broken.yaml").write_text("flow: [", encoding="utf-8")
    assert trying("desk").exit_code == 0
    assert trying("broken").exit_code == 2


def test_an_unknown_flow() -> None:
    result = trying("dusk")
    assert result.exit_code == 2
    assert "did you mean 'desk'?" in result.output


def test_a_flow_with_mistakes_is_refused_with_all_of_them(desk: Path) -> None:
    (desk / "callflows" / "desk.yaml").write_text(FLOW.replace("ring_for: 20s", "ring_for: 20"), encoding="utf-8")
    result = trying("desk")
    assert result.exit_code == 2
    assert "callflows/desk.yaml:17:15:" in result.stderr
    assert "Traceback" not in result.output


def test_a_script_a_situation_a_time_and_agents(desk: Path) -> None:
    (desk / "caller").write_text("/hangup\n", encoding="utf-8")
    result = trying("desk", "--situation", "noise", "--at", "2026-05-01T08:00", "--caller", "caller")
    assert result.exit_code == 0
    assert "on Fri 2026-05-01 08:00" in result.output
    assert "agent    starts the situation noise" in result.output
    assert "caller   hangs up" in result.output
    busy = trying("desk", "--agent", "busy", stdin="/listen\n/speech\n")
    assert "agent    cannot be had: busy" in busy.output


QUEUES = """\
flow: queues
title: queues
standard: desk
phrase_files: []
numbers: ["101"]
timezone: UTC
start: look
steps:
  look:
    look_up: https://crm.example/cases
    choose: status
    cases: {open: line}
    at_most: 5s
    on: {done: hang_up, failed: hang_up}
  line:
    queue: agents
    at_most: 1m
    talk_for: 10m
    on: {agent_left: hang_up, no_answer: hang_up}
outcomes:
  hangup: hang_up
"""


def test_queues_and_look_ups_behave_as_the_options_say(desk: Path) -> None:
    (desk / "callflows" / "queues.yaml").write_text(QUEUES)
    options = ["--queue", "agents 1001 answers 7s talks 3s", "--lookup", "answers 2s status=open"]
    tried = trying("queues", *options, stdin="/silence\n")
    assert "   2.00  line     the look-up is over: answered" in tried.stdout
    assert "   9.00  agent    1001 answers, rung for 4s" in tried.stdout
    assert "  12.00  agent    is off the line" in tried.stdout


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--queue", "agnets nobody", "the flow knows no queue 'agnets'; did you mean 'agents'?"),
        ("--queue", "agents nobdy", "did you mean 'nobody'?"),
        ("--lookup", "answers staus=open", "the flow knows no field 'staus'; did you mean 'status'?"),
        ("--lookup", "maybe", "'maybe' is no way a look-up ends"),
    ],
)
def test_queues_and_look_ups_that_cannot_be(desk: Path, option: str, text: str, message: str) -> None:
    (desk / "callflows" / "queues.yaml").write_text(QUEUES)
    tried = trying("queues", option, text)
    assert tried.exit_code == 2
    assert message in tried.stderr


def test_an_unknown_situation() -> None:
    result = trying("desk", "--situation", "nois")
    assert result.exit_code == 2
    assert "did you mean 'noise'?" in result.output


@pytest.mark.parametrize("option", [("--at", "tomorrow"), ("--agent", "sleeps"), ("--caller", "nowhere")])
def test_wrong_options(option: tuple[str, str]) -> None:
    assert trying("desk", *option).exit_code == 2


def test_a_script_with_mistakes_is_refused_with_all_of_them(desk: Path) -> None:
    (desk / "caller").write_text("flow: desk\nat: never\n\n/nonsense\n1\n/silence 5\n", encoding="utf-8")
    result = trying("desk", "--caller", "caller")
    assert result.exit_code == 2
    assert [line for line in result.stderr.splitlines() if line.startswith("caller:")] == [
        "caller:2:1: 'never' is no date and time",
        "caller:4:1: '/nonsense' is no command",
        "caller:6:1: '5' has no unit",
    ]


def test_a_script_that_is_no_text(desk: Path) -> None:
    (desk / "caller").write_bytes(b"\xff\xfe1")
    result = trying("desk", "--caller", "caller")
    assert result.exit_code == 2
    assert "caller:1:1: this is not UTF-8 text" in result.stderr


def test_a_command_that_came_to_nothing_is_named(desk: Path) -> None:
    (desk / "caller").write_text("/done\n", encoding="utf-8")
    assert "caller: note: /done was not done: no task is asked for" in trying("desk", "--caller", "caller").stderr


def test_a_wrong_line_in_a_pipe_is_a_wrong_use() -> None:
    result = trying("desk", stdin="/nonsense\n/hangup\n")
    assert result.exit_code == 2
    assert "<stdin>:1:1: '/nonsense' is no command" in result.stderr
    assert "caller   hangs up" in result.stdout


def test_what_is_saved_plays_again(desk: Path) -> None:
    first = trying("desk", "--save", "x.call", "--agent", "answers 1s talks 5s", stdin="/listen\n/speech 500ms\n\n")
    assert first.exit_code == 0
    text = (desk / "x.call").read_text(encoding="utf-8")
    assert text.startswith(
        "flow: desk\nat: 2026-11-20T10:00\nagent: answers 1s talks 5s\n\n/listen\n/speech 500ms\n/next\n---\n"
    )
    again = trying("desk", "--caller", "x.call", "--save", "y.call")
    assert again.stdout == first.stdout
    assert (desk / "y.call").read_text(encoding="utf-8") == text


def test_a_place_that_cannot_be_written() -> None:
    result = trying("desk", "--save", "nowhere/x.call")
    assert result.exit_code == 2
    assert "nowhere/x.call was not written" in result.stderr


def test_a_broken_rule_is_exit_code_1(desk: Path) -> None:
    """The standard hangs up after the ladder, this flow rings an agent."""
    (desk / "callflows" / "desk.yaml").write_text(FLOW.replace("used_up: hang_up", "used_up: agent"), encoding="utf-8")
    result = trying("desk")
    assert result.exit_code == 1
    assert "broken    desk/silent_call" in result.output


def test_programs_get_json() -> None:
    result = trying("desk", "--format", "json", stdin="/hangup\n")
    data = json.loads(result.stdout)
    assert (data["flow"], data["outcome"], data["is_over"]) == ("desk", "caller_hung_up", True)


def test_help_teaches_by_example() -> None:
    text = trying("--help").output
    for word in ("/speech", "--situation harassment", "Exit codes: 0", "/help"):
        assert word in text


def test_the_hotline_that_is_shipped_can_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVRFLOW_FLOWS", str(ROOT / "callflows"))
    monkeypatch.setenv("IVRFLOW_MASTERS", str(ROOT / "prompts"))
    result = trying("gov12345")
    assert result.exit_code == 0
    assert "kept      gov12345/silent_call" in result.output


# ── replay ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def journaled(desk: Path, *calls: Simulation, lose: int = -1) -> None:
    journal = Journal(f"sqlite:///{desk}/.ivrflow/journal.sqlite")
    journal.open()
    for number, call in enumerate(calls):
        session = call.session
        record = journal.call_arrived(f"call-{number}", session.flow, 1_795_168_800.0 + number)
        for index, happening in enumerate(call.record):
            if index == lose:
                record._lines += 1
            else:
                record.handled(happening.at, happening.event, happening.actions)
        record.over(session.outcome, session.first_to_hang_up, session.trace, session.verdicts)
    journal.close()


def a_flow() -> CallFlow:
    return load_flows([Path("callflows/desk.yaml")])["desk"]


def a_call() -> Simulation:
    call = place_call(a_flow(), USUAL_TIME)
    play(call, [Bare.LISTEN, Stay(2.5), Speak(1.0), Press("1"), Stay(30.0), Bare.HANG_UP])
    return call


def replaying(*arguments: str) -> Result:
    result = CliRunner().invoke(replay, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_the_same_engine_answers_the_same(desk: Path) -> None:
    call = a_call()
    journaled(desk, call)
    result = replaying("last")
    actions = sum(len(happening.actions) for happening in call.record)
    assert (result.exit_code, result.output) == (0, f"identical: {len(call.record)} events, {actions} actions\n")


def test_an_edited_flow_says_where_the_answers_part(desk: Path) -> None:
    journaled(desk, a_call())
    standard = desk / "callflows" / "standards" / "desk.yaml"
    standard.write_text(STANDARD.replace("wait_s: [3, 3]", "wait_s: [2, 2]"), encoding="utf-8")
    assert replaying("call-0").exit_code == 0, "the journal holds the flow as it was"
    result = replaying("call-0", "--flow", "callflows/desk.yaml")
    assert result.exit_code == 1
    assert "the answers part before event 4, second 2.44: the rung's wait is up" in result.output
    assert "expected  nothing" in result.output
    assert "got       EndCall(outcome='hung_up')" in result.output


def test_a_wait_that_is_longer_now(desk: Path) -> None:
    call = place_call(a_flow(), USUAL_TIME)
    call.run_out()
    journaled(desk, call)
    standard = desk / "callflows" / "standards" / "desk.yaml"
    standard.write_text(STANDARD.replace("wait_s: [3, 3]", "wait_s: [5, 5]"), encoding="utf-8")
    result = replaying("last", "--flow", "callflows/desk.yaml")
    assert result.exit_code == 1
    assert "the answers part at event 4, second 3.44: DeadlineReached" in result.output
    assert "got       nothing" in result.output


def test_programs_get_the_parting_as_json(desk: Path) -> None:
    journaled(desk, a_call(), a_call())
    assert json.loads(replaying("call-1", "--format", "json").output)["identical"] is True
    (desk / "callflows" / "desk.yaml").write_text(FLOW.replace("1001", "1002"), encoding="utf-8")
    data = json.loads(replaying("call-1", "--flow", "callflows/desk.yaml", "--format", "json").output)
    assert data["identical"] is False
    assert data["parting"]["expected"][1]["extension"] == "1001"
    assert data["parting"]["got"][1]["extension"] == "1002"


def test_no_key_is_printed(desk: Path) -> None:
    call = place_call(a_flow(), USUAL_TIME)
    play(call, [Bare.LISTEN, Press("7"), Bare.HANG_UP])
    number = next(i for i, happening in enumerate(call.record) if isinstance(happening.event, KeyPressed))
    call.record[number] = msgspec.structs.replace(call.record[number], actions=(StopMusic(),))
    journaled(desk, call)
    for form in ("text", "json"):
        result = replaying("last", "--format", form)
        assert result.exit_code == 1
        assert "KeyPressed" in result.output
        assert "7" not in result.output


def test_lost_lines_are_owned_up_to(desk: Path) -> None:
    journaled(desk, a_call(), lose=2)
    result = replaying("last")
    assert "1 events of this call never reached the journal" in result.stderr


@pytest.mark.parametrize(("call", "words"), [("call-9", "no call is called 'call-9'"), ("call-", "several calls")])
def test_a_call_that_cannot_be_found(desk: Path, call: str, words: str) -> None:
    journaled(desk, a_call(), a_call())
    result = replaying(call)
    assert result.exit_code == 2
    assert words in result.output


def test_no_journal_yet() -> None:
    result = replaying("last")
    assert result.exit_code == 2
    assert "there is no journal" in result.output


@pytest.mark.parametrize(
    ("events", "actions", "said"),
    [(1, 1, "1 event, 1 action"), (2, 1, "2 events, 1 action"), (0, 3, "0 events, 3 actions")],
)
def test_one_is_not_counted_as_many(events: int, actions: int, said: str) -> None:
    assert _counted(Replay(None, events, actions, None)) == said  # type: ignore[arg-type] # the session is not looked at

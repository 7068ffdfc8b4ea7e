import json
from datetime import UTC
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.commands.journal_commands import calls, trace
from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement, TraceLine, Verdict
from ivrflow.flow.model import CallFlow, HangUp, Limits, Phrase, PromptCatalogue, Standard
from ivrflow.flow.problems import Location
from ivrflow.runtime.journal import Journal

CALLER = "13912345678"
NAME = "欧阳女士"
PLACE = Location("gov12345.yaml", 7, 1)


def flow() -> CallFlow:
    return CallFlow(
        id="gov12345",
        title="12345",
        numbers=("12345",),
        standard=Standard("gov12345", "12345", "", PLACE, {}, {}),
        start="hang_up",
        steps={"hang_up": HangUp("hang_up", PLACE, "done")},
        outcomes={},
        situations={},
        phrases={"gov12345/greet": Phrase("gov12345/greet", "您好，请讲！", PLACE)},
        prompts=PromptCatalogue(),
        limits=Limits(),
        timezone=UTC,
        where=PLACE,
        source={"gov12345.yaml": "…"},
    )


@pytest.fixture(autouse=True)
def _journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three calls: one kept, one broken, one cut off."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    url = f"sqlite:///{tmp_path}/journal.sqlite"
    monkeypatch.setenv("IVRFLOW_JOURNAL", url)
    journal = Journal(url)
    journal.open()
    for n, judgement in enumerate((Judgement.KEPT, Judgement.BROKEN, None), 1):
        record = journal.call_arrived(f"pbx-{n}.0", flow(), 1_790_000_000.0 + n)
        record.handled(
            10.0,
            m.CallArrived(number="12345", arrived_at=1.0, caller=CALLER, values={"honorific": NAME}),
            [m.Answer(), m.Play(ticket=1, phrase="gov12345/greet", prompt="greet", seconds=1.5)],
        )
        record.handled(75.25, m.KeyPressed(key="7"), [])
        if judgement:
            lines = [
                TraceLine(0.0, Fact.PHRASE_STARTED, phrase="gov12345/greet", where="gov12345.yaml:7:1"),
                TraceLine(65.25, Fact.KEY_PRESSED, key="7"),
                TraceLine(65.25, Fact.DIGITS_COLLECTED, detail="done, 2 digits", key="77"),
            ]
            verdicts = [Verdict("gov12345/greeting_inbound", judgement, "say", "as it was")]
            record.over("caller_hung_up", "caller", lines, verdicts)
    journal.close()


def run(command: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)  # type: ignore[arg-type]  # click's commands


def test_calls_are_listed_newest_first() -> None:
    result = run(calls)
    assert result.exit_code == 0
    lines = [line.split(maxsplit=2)[2] for line in result.stdout.splitlines()[1:]]
    assert lines == [
        "pbx-3.0  gov12345    1:05  no ending stored  -              0 kept",
        "pbx-2.0  gov12345    1:05  caller hung up    caller         0 kept, 1 BROKEN: greeting_inbound",
        "pbx-1.0  gov12345    1:05  caller hung up    caller         1 kept",
    ]


def test_calls_can_be_chosen() -> None:
    assert [call["call"] for call in json.loads(run(calls, "--broken", "--format", "json").stdout)] == ["pbx-2.0"]
    assert [call["call"] for call in json.loads(run(calls, "--limit", "1", "--format", "json").stdout)] == ["pbx-3.0"]
    assert run(calls, "--flow", "yunda").stdout == "no calls\n"
    assert run(calls, "--since", "2099-01-31T08:30").stdout == "no calls\n"
    assert "pbx-1.0" in run(calls, "--since", "2026-01-31").stdout
    assert "pbx-1.0" in run(calls, "--since", "5000w").stdout


def test_calls_for_programs() -> None:
    _, broken, _ = json.loads(run(calls, "--format", "json").stdout)
    assert broken.pop("arrived_at").startswith("2026-09-21T")
    assert broken == {
        "call": "pbx-2.0",
        "flow": "gov12345",
        "seconds": 65.25,
        "direction": "inbound",
        "caller": "•••",
        "outcome": "caller_hung_up",
        "first_to_hang_up": "caller",
        "kept": [],
        "broken": ["gov12345/greeting_inbound"],
    }


def test_one_call_is_told_with_its_wording_and_verdicts() -> None:
    result = run(trace, "pbx-2")
    assert result.exit_code == 0
    first, _, *picture = result.stdout.splitlines()
    assert first.startswith("call pbx-2.0, flow gov12345, 2026-09-21 ")
    assert [line.split() for line in picture] == [
        ["second", "what", "happened", "rule", "place"],
        ["0.00", ">", "您好，请讲！", "gov12345.yaml:7"],
        ["65.25", "<", "key", "•"],
        ["65.25", "<", "entry", "done,", "2", "digits:", "••"],
        [],
        ["verdicts:", "1", "broken,", "0", "kept,", "0", "not", "applicable"],
        ["BROKEN", "gov12345/greeting_inbound", "expected", "say"],
        ["observed", "as", "it", "was"],
    ]


def test_a_call_leads_to_what_was_recorded_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVRFLOW_RECORDINGS_DIR", str(tmp_path / "recordings"))
    assert "recorded in" not in run(trace, "pbx-2").stdout
    file = tmp_path / "recordings/calls/gov12345/2026-09-21/pbx-2.0.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(44))
    assert run(trace, "pbx-2").stdout.splitlines()[1] == f"recorded in {file}"
    assert json.loads(run(trace, "pbx-2", "--format", "json").stdout)["recordings"] == [str(file)]
    assert json.loads(run(trace, "pbx-1", "--format", "json").stdout)["recordings"] == []


def test_one_call_for_programs() -> None:
    told = json.loads(run(trace, "pbx-2", "--format", "json").stdout)
    assert told["trace"] == [
        {
            "at": 0.0,
            "fact": "phrase started",
            "phrase": "gov12345/greet",
            "where": "gov12345.yaml:7:1",
            "text": "您好，请讲！",
        },
        {"at": 65.25, "fact": "key pressed", "key": "•"},
        {"at": 65.25, "fact": "digits collected", "detail": "done, 2 digits", "key": "••"},
    ]
    assert told["verdicts"][0]["judgement"] == "broken"
    assert (told["call"], told["missing_lines"]) == ("pbx-2.0", 0)


def test_a_call_cut_off_is_told_as_far_as_it_went() -> None:
    out = run(trace, "last").stdout
    assert "note: no ending is stored: the call is live, or the engine stopped under it." in out
    assert "ivrflow replay pbx-3.0" in out
    assert "您好，请讲！" in out
    assert "key •" in out


@pytest.mark.parametrize(
    "arguments",
    [
        [calls],
        [calls, "--format", "json"],
        [trace, "pbx-1"],
        [trace, "pbx-1", "--format", "json"],
        [trace, "last"],
        [trace, "last", "--format", "json"],
    ],
)
def test_nothing_personal_is_printed_unless_asked_for(arguments: list[object]) -> None:
    command, *options = arguments
    masked = run(command, *map(str, options)).output
    shown = run(command, *map(str, options), "--show-personal").output
    assert CALLER not in masked
    assert NAME not in masked
    assert "77" not in masked.replace("17900", "")
    assert CALLER in shown


def test_what_is_wrong_is_said_in_one_line_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = run(trace, "nope")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == "Error: no call is called 'nope'; `ivrflow calls` lists them\n"
    monkeypatch.setenv("IVRFLOW_JOURNAL", "sqlite:////nowhere/journal")
    for result in (run(calls), run(trace, "last")):
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: there is no journal at /nowhere/journal yet; `ivrflow serve` makes it")


def test_wrong_usage_ends_with_2() -> None:
    result = run(calls, "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is no point in time; write 2h, 30m or 7d, or 2027-01-31" in result.stderr
    assert run(trace).exit_code == 2
    assert run(calls, "--limit", "0").exit_code == 2

"""What doctor looks at, one thing wrong at a time."""

from pathlib import Path

import pytest
from served import free_port, stand_in

from bench.stand_in import StandInManager
from ivrflow.bridge.queue_members import NotPossible, QueueSeen
from ivrflow.commands.diagnosis import Finding, diagnose


async def findings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return [finding async for finding in diagnose()]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"IVRFLOW_AMI_PORT": str(free_port())}, "PBX"),
        ({"IVRFLOW_PROMPTS_DIR": "/nonexistent/prompts"}, "prompts"),
        ({"IVRFLOW_FLOWS": "/nonexistent/flows"}, "flows"),
        ({"IVRFLOW_RECORDINGS_DIR": "/nonexistent/recordings"}, "recordings"),
        ({"IVRFLOW_JOURNAL": "sqlite:////proc/journal.sqlite"}, "journal"),
        ({"IVRFLOW_AMI_PORT": "none"}, "settings"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_one_thing_wrong_is_one_bad_finding(
    changed: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand_in(tmp_path, **changed) as environment:
        found = await findings(environment, monkeypatch)
    bad = [finding for finding in found if finding.state == "bad"]
    assert [finding.what.partition(":")[0] for finding in bad] == [told]
    assert bad[0].as_dict()["state"] == "bad"


@pytest.mark.parametrize(
    ("module", "why"), [("bridge_native_rtp", "go unheard"), ("bridge_builtin_features", "can run programs")]
)
async def test_a_module_that_should_not_be_loaded_is_worth_a_note(
    module: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand_in(tmp_path) as environment:
        found = await findings(environment, monkeypatch)
    (note,) = [finding for finding in found if module in finding.what]
    assert note.state == "unsure"
    assert why in note.advice


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        pytest.param(b"", "which modules are loaded cannot be seen, since func_module.so is not", id="nobody can tell"),
        pytest.param(b"1", "all 15 modules a call needs are loaded", id="all there"),
    ],
)
async def test_modules_are_asked_for_as_a_dialplan_does(
    answered: bytes, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandInManager, "value", answered)
    async with stand_in(tmp_path) as environment:
        found = await findings(environment, monkeypatch)
    assert f"PBX: {told}" in [finding.what for finding in found]
    assert not [finding for finding in found if finding.state == "bad"]


@pytest.mark.parametrize(
    ("there", "told", "advice"),
    [
        pytest.param(
            (b"agentz", b"seniors"), "PBX: there is no queue 'agents'; ", "did you mean 'agentz'?", id="misspelt"
        ),
        pytest.param((), "PBX: there is no queue 'agents'; ", "queues.conf", id="none at all"),
    ],
)
async def test_a_queue_that_a_flow_names_and_the_pbx_has_not_is_bad(
    there: tuple[bytes, ...], told: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StandInManager, "queues", there)
    async with stand_in(tmp_path) as environment:
        found = await findings(environment, monkeypatch)
    bad = [finding for finding in found if finding.state == "bad"]
    assert bad[0].what.startswith(told)
    assert ".yaml:" in bad[0].what
    assert advice in bad[0].advice


async def test_a_pbx_that_does_not_tell_of_its_queues_is_worth_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_manager: object) -> list[QueueSeen]:
        raise NotPossible("Asterisk does not tell of its queues")

    monkeypatch.setattr("ivrflow.commands.diagnosis.queues", refused)
    async with stand_in(tmp_path) as environment:
        found = await findings(environment, monkeypatch)
    (note,) = [finding for finding in found if "queues of the flows" in finding.what]
    assert (note.state, note.advice) == ("unsure", "Asterisk does not tell of its queues")


async def test_queues_that_are_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand_in(tmp_path) as environment:
        found = await findings(environment, monkeypatch)
    assert Finding("good", "PBX: the queues of the flows are there: agents, seniors") in found


async def test_callers_who_choose_their_own_time_are_worth_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stand_in(tmp_path, IVRFLOW_TEST_CALLS="yes") as environment:
        found = await findings(environment, monkeypatch)
    (note,) = [finding for finding in found if "IVRFLOW_TEST_CALLS" in finding.what]
    assert note.state == "unsure"


async def test_a_holiday_file_that_is_over_is_worth_a_note_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, flows = Path(__file__).parents[3] / "callflows", tmp_path / "flows"
    (flows / "standards").mkdir(parents=True)
    for name in ("gov12345.yaml", "gov12345_callback.yaml", "standards/gov12345.yaml", "standards/house.yaml"):
        (flows / name).write_bytes((shipped / name).read_bytes())
    (flows / "holidays.yaml").write_text("until: 2020-12-31\nreason: r\n", encoding="utf-8")
    async with stand_in(tmp_path, IVRFLOW_FLOWS=str(flows)) as environment:
        found = await findings(environment, monkeypatch)
    assert (
        Finding(
            "unsure",
            f"holidays: {flows}/holidays.yaml:1:1: the holiday file ended on 2020-12-31; the published holidays count alone",
            "write the coming holidays and a later until:",
        )
        in found
    )
    assert any(finding.state == "good" and finding.what.startswith("flow gov12345") for finding in found)

"""The stage of a run with real phones: opened as far as there is something to open, nothing guessed, nothing left."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from little_pbx import SOUNDS, LittlePbx, phrase
from made_results import a_scenario

from ivrflow.flow.problems import Location
from ivrflow.scenario.pbx import pbx_stage as module
from ivrflow.scenario.pbx.analysis import AnalysisPool
from ivrflow.scenario.pbx.cast import Cast
from ivrflow.scenario.pbx.engine_watch import EngineWatch, ProcessState
from ivrflow.scenario.pbx.pbx_stage import PbxStage, StageWishes, pbx_stage, pbx_stages
from ivrflow.scenario.pbx.pbx_watch import Channel, PbxWatch
from ivrflow.scenario.script import AgentPart, Hear, InQueues, Scenario
from ivrflow.settings import Settings, SettingsError
from ivrflow.softphone.call import PhoneError
from ivrflow.softphone.repertoire import Repertoire

NOBODY = Settings(agi_port=9)  # discard: no engine of this machine listens there

HELLO = next(iter(SOUNDS))
WHERE = Location("scenarios/a.yaml", 3, 5)
WITHOUT = "no situations can be started, nobody looks for channels left behind, and there are no verdicts"


class Threads(ThreadPoolExecutor):
    """What an analysis pool does, without the seconds its processes take to start."""

    def __init__(self, *_: object) -> None:
        super().__init__(1)

    async def warm_up(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _light(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .ivrflow/secrets.env of the checkout
    monkeypatch.setattr(module, "load_sounds", lambda _settings: (SOUNDS, (phrase(4),)))
    monkeypatch.setattr(module, "AnalysisPool", Threads)
    monkeypatch.setattr(module, "ANSWERS_WITHIN_S", 0.5)
    monkeypatch.setattr(module, "GONE_WITHIN_S", 0.05)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)


@pytest_asyncio.fixture
async def pbx(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LittlePbx]:
    async with LittlePbx() as pbx:
        host, port = pbx.accounts.server
        monkeypatch.setenv("PBX_SIP_BIND", host)
        monkeypatch.setenv("PBX_SIP_PORT", str(port))
        for account, password in pbx.accounts.passwords.items():
            monkeypatch.setenv(f"PBX_PASSWORD_{account.upper()}", password)
        yield pbx


def a_call(*agents: AgentPart) -> Scenario:
    return replace(a_scenario(within=10.0), number="12345", caller=(Hear(f"{HELLO}", WHERE),), agents=agents)


async def test_a_call_is_played_on_what_there_is_and_the_rest_is_said(pbx: LittlePbx) -> None:
    scenario = a_call()
    async with pbx_stage(NOBODY, [scenario], StageWishes()) as stage:
        playing = asyncio.create_task(stage.play(scenario))
        call = await pbx.answered()
        await call.say(SOUNDS[HELLO])
        call.hang_up_now()
        observation = await playing
        assert await stage.left_behind() == ()
    assert [heard.name for heard in observation.caller.heard] == [HELLO]
    assert observation.engine is None
    host, port = pbx.accounts.server
    assert stage.called == f"{host}:{port}"
    assert stage.remarks == (
        f"the manager's secret is not known (IVRFLOW_AMI_SECRET): {WITHOUT}",
        "the engine's process was not looked at: it runs elsewhere, or belongs to somebody else",
    )
    assert pbx.live == 0


async def test_every_call_has_a_folder_of_its_own_for_its_sound(pbx: LittlePbx, tmp_path: Path) -> None:
    scenario = a_call()
    async with pbx_stage(NOBODY, [scenario], StageWishes(audio=tmp_path / "sound")) as stage:
        kept = []
        for _ in range(2):
            playing = asyncio.create_task(stage.play(scenario))
            call = await pbx.answered()
            await call.say(SOUNDS[HELLO])
            call.hang_up_now()
            kept.append((await playing).caller.audio)
    assert [path and path.relative_to(tmp_path) for path in kept] == [
        Path("sound/0/caller.flac"),
        Path("sound/1/caller.flac"),
    ]


async def test_a_further_lane_is_where_its_file_says_with_passwords_of_the_environment(
    pbx: LittlePbx, tmp_path: Path
) -> None:
    scenario = a_call()
    async with LittlePbx() as other:
        file = tmp_path / "other.env"
        host, port = other.accounts.server
        file.write_text(f"PBX_SIP_PORT={port}\n")
        wishes = StageWishes(audio=tmp_path / "sound", lanes=(file,))
        async with pbx_stages(NOBODY, [scenario], wishes) as (first, second):
            assert first.called != second.called == f"{host}:{port}"
            kept = []
            for stage, there in ((first, pbx), (second, other)):
                playing = asyncio.create_task(stage.play(scenario))
                call = await there.answered()
                await call.say(SOUNDS[HELLO])
                call.hang_up_now()
                kept.append((await playing).caller.audio)
        assert other.live == 0
    assert [path and path.parent.name for path in kept] == ["0", "1"], "one does not write over the other's sound"


async def test_a_refused_password_ends_it_before_the_first_call_with_what_to_check(pbx: LittlePbx) -> None:
    pbx.refuses.add("caller")
    pbx.refusal = (401, "Unauthorized")
    with pytest.raises(
        PhoneError, match=r"refuses the SIP account 'caller': 401 Unauthorized.*; check its name, and its"
    ):
        async with pbx_stage(NOBODY, [a_call()], StageWishes()):
            pytest.fail("nothing can be played")


async def test_an_account_that_may_only_call_need_not_register(pbx: LittlePbx) -> None:
    pbx.refuses.add("caller")
    async with pbx_stage(NOBODY, [a_call()], StageWishes()) as stage:
        assert stage.called


async def test_where_nothing_answers_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PBX_PASSWORD_CALLER", "c")
    monkeypatch.setenv("PBX_SIP_PORT", "9")
    with pytest.raises(PhoneError, match=r"nothing answers SIP at 127\.0\.0\.1:9: start a PBX .* --on simulator"):
        async with pbx_stage(NOBODY, [a_call()], StageWishes()):
            pytest.fail("nothing can be played")


@pytest.mark.usefixtures("pbx")
async def test_the_passwords_of_agents_are_needed_too_but_not_of_one_who_is_not_there() -> None:
    absent = a_call(AgentPart("1003", "unreachable", WHERE))
    async with pbx_stage(NOBODY, [absent], StageWishes()) as stage:
        assert stage.called
    with pytest.raises(SettingsError, match="set PBX_PASSWORD_1003"):
        async with pbx_stage(NOBODY, [a_call(AgentPart("1003", "answers", WHERE))], StageWishes()):
            pytest.fail("nobody can be the agent")


@pytest.mark.usefixtures("pbx")
async def test_music_that_nobody_knows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_sounds", lambda _settings: (SOUNDS, ()))
    async with pbx_stage(NOBODY, [a_call()], StageWishes()) as stage:
        assert stage.remarks[0] == (
            "there is no hold music in .ivrflow/music (IVRFLOW_MUSIC): what is music is called unknown"
        )


@pytest.mark.usefixtures("pbx")
async def test_a_manager_that_cannot_be_reached_is_said() -> None:
    settings = Settings(ami_secret="s", ami_port=9)
    async with pbx_stage(settings, [a_call()], StageWishes()) as stage:
        assert WITHOUT in stage.remarks[0]
        assert "9" in stage.remarks[0]


async def test_our_own_manager_is_not_asked_about_somebody_elses_pbx(pbx: LittlePbx) -> None:
    _, port = pbx.accounts.server
    elsewhere = StageWishes(pbx=f"localhost:{port}")
    async with pbx_stage(Settings(ami_secret="s"), [a_call()], elsewhere) as stage:
        assert stage.remarks[0] == f"the manager of localhost:{port} is not known (IVRFLOW_AMI_HOST): {WITHOUT}"


# ── what is left behind ───────────────────────────────────────────────────────────────────────────────────────────────


class Sees:
    """A manager connection that sees these channels."""

    def __init__(self, *names: str, since: float | None = None) -> None:
        began = time.time() if since is None else since
        self._channels = [Channel(str(n), str(n), name, "AGI", began) for n, name in enumerate(names)]

    async def channels(self) -> list[Channel]:
        return self._channels


class Holds:
    """An engine with so many calls."""

    def __init__(self, connections: int, pid: int = 1) -> None:
        self._state = ProcessState(pid, connections, 20, 3, 1.0, 1000)

    def look(self) -> ProcessState:
        return self._state


def a_stage(watch: Sees | None, engine: Holds | None, before: int = 0) -> PbxStage:
    return PbxStage(
        called="",
        remarks=(),
        _cast=cast("Cast", None),
        _repertoire=cast("Repertoire", None),
        _pool=cast("AnalysisPool", None),
        _watch=cast("PbxWatch | None", watch),
        _journal=None,
        _engine=cast("EngineWatch | None", engine),
        _engine_before=Holds(before).look() if engine else None,
        _accounts=frozenset({"caller", "1001"}),
        _audio=None,
        _numbers=itertools.count(),
    )


async def test_our_channels_and_the_engines_calls_are_told() -> None:
    stage = a_stage(Sees("PJSIP/caller-00000001", "PJSIP/1001-0000000a"), Holds(3), before=1)
    assert await stage.left_behind() == (
        "the PBX's channel PJSIP/caller-00000001",
        "the PBX's channel PJSIP/1001-0000000a",
        "2 calls that the engine still has",
    )


async def test_somebody_elses_call_is_none_of_ours() -> None:
    assert await a_stage(Sees("PJSIP/trunk-00000001", "Local/x@y-1;1"), Holds(1)).left_behind() == ()
    assert await a_stage(Sees("PJSIP/caller-00000001", since=time.time() - 60), Holds(1)).left_behind() == ()


async def test_an_engine_that_ended_meanwhile_is_told() -> None:
    (told,) = await a_stage(Sees(), Holds(0, pid=2)).left_behind()
    assert "ended meanwhile" in told


async def test_what_goes_in_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GONE_WITHIN_S", 30.0)
    watch = Sees("PJSIP/caller-00000001")
    looks = itertools.count()

    async def channels() -> list[Channel]:
        return watch._channels if next(looks) < 3 else []

    watch.channels = channels  # type: ignore[method-assign]  # it goes while we look
    assert await a_stage(watch, None).left_behind() == ()


# ── who can be there at once ──────────────────────────────────────────────────────────────────────────────────────────


def test_with_the_manager_scenarios_share_an_extension_in_one_state() -> None:
    stage = a_stage(Sees(), None)
    there, gone = (a_call(AgentPart("1001", manner, WHERE)) for manner in ("answers", "unreachable"))
    assert stage.needs(there) == stage.needs(there) != stage.needs(gone)
    assert stage.needs(a_call()) == {}


def test_who_has_agents_in_a_queue_starts_when_no_other_does_and_their_telephones_are_free() -> None:
    stage = a_stage(Sees(), None)
    queued = a_call(AgentPart("1001", "answers", WHERE, queues=InQueues(("agents",), WHERE)))
    once, again = stage.needs(queued), stage.needs(queued)
    assert set(once) == {"1001", "queues"}
    assert all(once[name] != again[name] for name in once)
    assert once["1001"] not in stage.needs(a_call(AgentPart("1001", "answers", WHERE))).values()


def test_without_it_nobody_shares_one() -> None:
    stage = a_stage(None, None)
    there = a_call(AgentPart("1001", "answers", WHERE))
    assert stage.needs(there) != stage.needs(there)

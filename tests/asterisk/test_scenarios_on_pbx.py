"""Scenarios on the real PBX, with the engine as it is served: what the phones heard, did and signalled, and the engine's side."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
import soundfile
from engine_here import real_flows, serving, settings_for

from ivrflow.engine.trace import Fact, Judgement
from ivrflow.flow.model import CallFlow
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.observation import Heard, Observation, PhoneSide
from ivrflow.scenario.pbx.analysis import AnalysisPool
from ivrflow.scenario.pbx.cast import Accounts, Cast
from ivrflow.scenario.pbx.on_pbx import play
from ivrflow.scenario.pbx.pbx_watch import PbxWatch
from ivrflow.scenario.run.run import MOST_TRIES
from ivrflow.scenario.script import Scenario
from ivrflow.softphone.call import PhoneError, Unreachable
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.repertoire import Repertoire
from tools.pbx import Pbx, PbxSettings
from tools.places import PROMPTS

GREETING = "gov12345/greeting_inbound.standard"
CONNECTED = "gov12345/silent_call.connected"
CHANGE_PHONE = "gov12345/silent_call.change_phone"
MENU = "house/menu.main"
CONNECTING = "house/transfer.connecting"
NOBODY = "house/transfer.no_answer"
NIGHT = "house/night.greeting"
ANYTHING_ELSE = "gov12345/anything_else.ask"
PLEASE_HOLD = "gov12345/hold_request.lookup"
SORRY_TO_HOLD = "gov12345/hold_return.lookup.alt1"

BY_DAY = "flow: gov12345\nat: 2026-11-20T10:00\n"
TO_THE_AGENT = (
    "caller:\n  - hear_start: greeting_inbound.standard\n  - press: '0'\n  - hear: house/transfer.connecting\n"
)


@pytest.fixture(scope="session")
def flows() -> dict[str, CallFlow]:
    return real_flows()


@pytest.fixture(scope="session")
def repertoire(flows: dict[str, CallFlow], pbx_prompts: Path, pbx_tree: Path) -> Repertoire:
    """Every wording and the hold music, as the PBX plays them."""
    assert pbx_prompts.exists()
    decoder = codec("ulaw")
    sounds: dict[str, Samples] = {}
    for flow in flows.values():
        for (key, values), prompt in flow.prompts.prompts.items():
            if not values:
                sounds[key] = decoder.decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
    music = [
        soundfile.read(file, dtype="int16")[0] for file in sorted((pbx_tree / "usr/share/asterisk/moh").glob("*.wav"))
    ]
    assert music
    return Repertoire(sounds, music)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pool(repertoire: Repertoire) -> AsyncIterator[AnalysisPool]:
    with AnalysisPool(repertoire.sounds, repertoire.music.files, processes=1) as pool:
        await pool.warm_up()
        yield pool


def accounts(settings: PbxSettings, **changed: str) -> Accounts:
    passwords = {name: settings.password(name) for name in ("caller", "1000", "1001", "1002")}
    return Accounts(server=(settings.sip_bind, settings.sip_port), caller="caller", passwords={**passwords, **changed})


@dataclass
class AtHand:
    """Everything a tester has at hand."""

    flows: dict[str, CallFlow]
    cast: Cast
    repertoire: Repertoire
    pool: AnalysisPool
    watch: PbxWatch
    journal: JournalReader

    def read(self, text: str, *, header: str = BY_DAY) -> Scenario:
        return read_scenario(f"scenario: a call\n{header}{text}", "call.yaml", self.flows)

    async def play(self, scenario: Scenario | str, keep_audio: Path | None = None) -> Observation:
        """Play it; again, twice at most, when this machine or the PBX stood still meanwhile, as a run of scenarios does.

        What was late or lost then is no fault of the flow; what goes wrong while nothing stands still is returned at once.
        """
        scenario = self.read(scenario) if isinstance(scenario, str) else scenario
        for _ in range(MOST_TRIES):
            observation = await self._play(scenario, keep_audio)
            if not observation.stalls:
                break
        return observation

    async def _play(self, scenario: Scenario, keep_audio: Path | None) -> Observation:
        async with asyncio.timeout(scenario.within + 30):
            return await play(
                scenario,
                self.cast,
                sounds=self.repertoire,
                watch=self.watch,
                journal=self.journal,
                keep_audio=keep_audio,
                analyse=self.pool,
            )

    async def sees_channels(self, count: int, *, within_s: float) -> None:
        """Wait until the PBX has so many."""
        async with asyncio.timeout(within_s):
            while len(await self.watch.channels()) != count:  # noqa: ASYNC110 - Asterisk tells nobody
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(loop_scope="session")
async def testers(
    pbx: Pbx, flows: dict[str, CallFlow], repertoire: Repertoire, pool: AnalysisPool, tmp_path: Path
) -> AsyncIterator[AtHand]:
    settings = settings_for(pbx, tmp_path)
    async with (
        serving(pbx, flows["gov12345"], tmp_path, IVRFLOW_TEST_CALLS="yes"),
        PbxWatch(settings) as watch,
        Cast(accounts(pbx.settings)) as cast,
    ):
        journal = JournalReader(settings.journal)
        try:
            yield AtHand(flows, cast, repertoire, pool, watch, journal)
        finally:
            journal.close()
        assert cast.strays == []


def phrases(side: PhoneSide) -> list[str]:
    return [heard.name for heard in side.heard if heard.kind == "phrase"]


def one(side: PhoneSide, name: str) -> Heard:
    (found,) = [heard for heard in side.heard if heard.name == name]
    return found


def in_order(observation: Observation, names: Sequence[str] = ("caller",)) -> None:
    """Nothing went wrong, and nothing was left behind."""
    sides = [observation.caller, *observation.agents.values()]
    assert [(side.name, side.trouble) for side in sides if side.trouble] == []
    assert [(side.name, side.gave_up) for side in sides if side.gave_up] == []
    assert observation.leaks == ()
    assert observation.engine is not None
    assert {side.name for side in sides} == set(names)


def judged(observation: Observation, word: Judgement) -> set[str]:
    assert observation.engine is not None
    return {verdict.rule for verdict in observation.engine.verdicts if verdict.judgement is word}


async def test_a_silent_caller_meets_the_whole_ladder(testers: AtHand, tmp_path: Path) -> None:
    observation = await testers.play(
        "background: no_rtp\n"
        "caller:\n"
        "  - hear: greeting_inbound.standard\n"
        "  - pause: as the rule says\n"
        "  - hear: silent_call.connected\n"
        "  - pause: as the rule says\n"
        "  - hear: silent_call.change_phone\n",
        tmp_path,
    )
    in_order(observation)
    caller, engine = observation.caller, observation.engine
    assert engine is not None
    assert phrases(caller) == [GREETING, CONNECTED, CHANGE_PHONE]
    assert (caller.ended_by, engine.hung_up_first, engine.outcome) == ("peer", "ivrflow", "hung_up")
    assert judged(observation, Judgement.KEPT) == {"gov12345/greeting_inbound", "gov12345/silent_call"}
    assert judged(observation, Judgement.BROKEN) == set()
    began = {line.phrase: line.at - engine.answered_at for line in engine.trace if line.fact is Fact.PHRASE_STARTED}
    for heard in caller.heard:
        assert heard.start == pytest.approx(began[heard.name], abs=0.3), "both clocks count from the answer"
        assert heard.completeness > 0.6
    assert caller.audio == tmp_path / "caller.flac"
    sides, _ = soundfile.read(tmp_path / "caller.flac", dtype="int16")
    assert sides[:, 0].any()
    assert not sides[:, 1].any(), "it never sent a packet"
    assert caller.ended_at is not None
    assert len(sides) / 8000 + caller.audio_from == pytest.approx(caller.ended_at, abs=0.5)
    assert "X-Ivrflow-At: 2026-11-20T10:00" in caller.sip[0].text
    assert all("12345678" not in line.text for line in caller.sip)


async def test_speech_cuts_the_greeting_and_a_key_after_the_menu_leads_on(testers: AtHand) -> None:
    observation = await testers.play(
        "caller:\n"
        "  - hear_start: {phrase: greeting_inbound.standard, at_most: 90%}\n"
        "  - say: 1s\n"
        "  - hear: house/menu.main\n"
        "  - wait: 1s\n"
        "  - press: '1'\n"
        "  - hear_start: hold_request.lookup\n"
        "  - hang_up\n"
    )
    in_order(observation)
    caller = observation.caller
    greeting, menu, lookup = (heard for heard in caller.heard if heard.kind == "phrase")
    assert (greeting.name, menu.name) == (GREETING, MENU)
    assert 0.1 < greeting.completeness < 0.9
    assert menu.completeness > 0.6
    assert lookup.completeness < 0.95
    say, press, hang_up = caller.acts
    assert (say.what, press.what, press.keys, hang_up.what) == ("say 1s", "press keys", "1", "hang up")
    assert greeting.end == pytest.approx(say.start, abs=0.5), "it was cut by the speech"
    assert menu.end + 0.7 < press.start < menu.end + 2.5
    assert caller.ended_by == "phone"
    assert observation.engine is not None
    assert observation.engine.hung_up_first == "caller"
    assert {line.key for line in observation.engine.trace if line.key} == {"•"}


async def test_a_caller_hangs_up_in_the_middle_of_the_second_phrase(testers: AtHand) -> None:
    observation = await testers.play(
        "caller:\n  - hear: greeting_inbound.standard\n  - hear_start: silent_call.connected\n  - hang_up\n"
    )
    in_order(observation)
    connected = one(observation.caller, CONNECTED)
    assert 0.1 < connected.completeness < 0.9
    assert observation.caller.ended_at == pytest.approx(connected.end, abs=0.5)


async def test_an_agent_answers_holds_resumes_and_hangs_up_first(testers: AtHand) -> None:
    observation = await testers.play(
        TO_THE_AGENT + "  - hear_music\n"  # while it rings
        "  - hear: house/night.greeting\n"
        "  - hear: hold_request.lookup\n"
        "  - hear_music\n"
        "  - hear: hold_return.lookup.alt1\n"
        "  - hear: gov12345/anything_else.ask\n"
        "  - hang_up\n"
        "agents:\n"
        "  '1001':\n"
        "    - ring: 1s\n"
        "    - wait: 1s\n"  # what is said before the PBX has joined the two is lost
        "    - say: house/night.greeting\n"
        "    - hold: 6s\n"
        "    - hear: hold_return.lookup.alt1\n"
        "    - wait: 500ms\n"
        "    - hang_up\n"
    )
    in_order(observation, ("caller", "1001"))
    caller, agent = observation.caller, observation.agents["1001"]
    assert phrases(caller) == [GREETING, CONNECTING, NIGHT, PLEASE_HOLD, SORRY_TO_HOLD, ANYTHING_ELSE]
    assert phrases(agent) == [SORRY_TO_HOLD], "on hold it heard nothing; back, what the caller heard too"
    held = [heard for heard in caller.heard if heard.kind == "music" and heard.start > one(caller, NIGHT).end - 0.5]
    assert len(held) == 1
    please_hold = one(caller, PLEASE_HOLD)
    assert held[0].start > please_hold.end, "the phrase is alone on the line"
    assert 5.4 < held[0].end - please_hold.start < 8.0
    assert agent.rang_at is not None
    assert agent.answered_at is not None
    assert 0.7 < agent.answered_at - agent.rang_at < 2.5
    assert agent.ended_by == "phone"
    assert [act.what for act in agent.acts] == [f"say {NIGHT}", "hold", "resume", "hang up"]
    assert observation.engine is not None
    assert observation.engine.hung_up_first == "agent"
    assert observation.engine.call in agent.sip[0].text


async def test_a_busy_agent(testers: AtHand) -> None:
    observation = await testers.play(
        TO_THE_AGENT + "  - hear: house/transfer.no_answer\n  - hang_up\nagents: {'1001': [busy]}\n"
    )
    in_order(observation, ("caller", "1001"))
    agent = observation.agents["1001"]
    assert agent.answered_at is None
    assert agent.ended_by == "phone"
    assert observation.engine is not None
    (told,) = [line.detail for line in observation.engine.trace if line.fact is Fact.AGENT_UNAVAILABLE]
    assert "busy" in told


@pytest.mark.complains("Endpoint '1001': Could not create dialog", "endpoint '1001'")
async def test_an_agent_who_is_not_there_and_one_who_is_in_turns(testers: AtHand) -> None:
    script = TO_THE_AGENT + "  - hear: house/transfer.no_answer\n  - hang_up\n"
    away = testers.read(script + "agents: {'1001': [unreachable]}\n")
    declines = testers.read(script + "agents: {'1001': [declines]}\n")
    observations = await asyncio.gather(*map(testers.play, (declines, away, declines)))
    told = []
    for observation in observations:
        in_order(observation, ("caller", "1001"))
        assert observation.engine is not None
        told += [line.detail for line in observation.engine.trace if line.fact is Fact.AGENT_UNAVAILABLE]
    assert ["unreachable" in detail for detail in told] == [False, True, False]


async def test_two_scenarios_at_once_on_one_extension_get_their_own_calls(testers: AtHand) -> None:
    def scenario(said: str) -> Scenario:
        return testers.read(
            TO_THE_AGENT
            + f"  - hear: {said}\n  - wait: 1s\n  - hang_up\nagents:\n  '1001':\n    - ring: 500ms\n    - wait: 1s\n    - say: {said}\n"
        )  # the wait: what is said before the PBX has joined the two is lost, and that takes longer on a busy machine

    said = (NIGHT, MENU)
    observations = await asyncio.gather(*(testers.play(scenario(one_said)) for one_said in said))
    for observation, expected in zip(observations, said, strict=True):
        in_order(observation, ("caller", "1001"))
        assert phrases(observation.caller)[-1] == expected
        assert observation.engine is not None
        agent = observation.agents["1001"]
        assert observation.engine.call in agent.sip[0].text
        assert [act.what for act in agent.acts] == [f"say {expected}"]
    assert len({observation.engine.call for observation in observations if observation.engine}) == 2


async def test_a_situation_begins_by_order(testers: AtHand) -> None:
    observation = await testers.play(
        "caller:\n"
        "  - hear: greeting_inbound.standard\n"
        "  - situation: hold_request_short\n"
        "  - hear: hold_request.short.alt1\n"
        "  - hang_up\n"
    )
    in_order(observation)
    assert observation.engine is not None
    assert Fact.SITUATION_STARTED in [line.fact for line in observation.engine.trace]
    assert phrases(observation.caller) == [GREETING, "gov12345/hold_request.short.alt1"]


async def test_night_at_any_hour(testers: AtHand) -> None:
    night = testers.read(
        "caller:\n  - hear: greeting_inbound.standard\n  - press: '0'\n  - hear_start: house/night.greeting\n  - hang_up\n",
        header="flow: gov12345\nat: 2026-11-20T23:00\n",
    )
    in_order(await testers.play(night))


# ── trouble ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_engine_that_takes_no_test_calls(
    pbx: Pbx, flows: dict[str, CallFlow], repertoire: Repertoire, tmp_path: Path
) -> None:
    settings = settings_for(pbx, tmp_path)
    scenario = read_scenario(
        "scenario: a call\nflow: gov12345\nat: 2026-11-20T10:03\n"
        "caller:\n  - hear_start: greeting_inbound.standard\n  - hang_up\n",
        "call.yaml",
        flows,
    )
    async with (
        serving(pbx, flows["gov12345"], tmp_path),
        PbxWatch(settings) as watch,
        Cast(accounts(pbx.settings)) as cast,
    ):
        journal = JournalReader(settings.journal)
        observation = await play(scenario, cast, sounds=repertoire, watch=watch, journal=journal)
        journal.close()
    assert observation.caller.trouble == (
        "the engine went by its own clock, not by the scenario's 2026-11-20 10:03: "
        "start the engine with IVRFLOW_TEST_CALLS=yes"
    )


@pytest.mark.complains("AGI", "FastAGI", "agi")
async def test_no_engine_at_all_is_the_fallback_and_said_so(
    pbx: Pbx, flows: dict[str, CallFlow], repertoire: Repertoire, tmp_path: Path
) -> None:
    settings = settings_for(pbx, tmp_path)
    async with serving(pbx, flows["gov12345"], tmp_path):
        pass  # so that there is a journal
    scenario = read_scenario(
        "scenario: a call\nflow: gov12345\ncaller:\n  - hear: {phrase: greeting_inbound.standard, within: 2s}\n",
        "call.yaml",
        flows,
    )
    async with PbxWatch(settings) as watch, Cast(accounts(pbx.settings)) as cast:
        journal = JournalReader(settings.journal)
        observation = await play(scenario, cast, sounds=repertoire, watch=watch, journal=journal)
        journal.close()
    assert observation.caller.trouble.startswith("the journal does not know this call: ")
    assert observation.caller.gave_up is not None
    assert observation.engine is None


async def test_a_pbx_that_is_not_there(testers: AtHand, pbx_settings: PbxSettings) -> None:
    async with Cast(accounts(pbx_settings)) as cast:
        with pytest.raises(Unreachable, match="nothing answers SIP at the server's address"):
            await play(testers.read("caller: [hang_up]\n"), cast, sounds=testers.repertoire)


@pytest.mark.complains("failed to authenticate", "Failed to authenticate", "wrong password", "No matching endpoint")
async def test_wrong_passwords(testers: AtHand, pbx: Pbx) -> None:
    script = testers.read("caller: [hang_up]\nagents: {'1001': [busy]}\n")
    async with Cast(accounts(pbx.settings, caller="wrong")) as cast:
        observation = await play(replace(script, agents=()), cast, sounds=testers.repertoire)
        assert observation.caller.trouble.startswith("the call was refused: 40")
        assert "password" in observation.caller.trouble
    async with Cast(accounts(pbx.settings, **{"1001": "wrong"})) as cast:
        with pytest.raises(
            PhoneError, match=r"agent 1001: registration refused: 40. .*check the account and its password"
        ):
            await play(script, cast, sounds=testers.repertoire)


@pytest.mark.complains("rejected because extension not found")
async def test_a_number_the_pbx_does_not_know(testers: AtHand) -> None:
    observation = await testers.play(replace(testers.read("caller: [hang_up]\n"), number="nobody"))
    assert observation.caller.trouble == (
        "the call was refused: 404 Not Found: usually the PBX does not know the number that was dialled"
    )
    assert observation.caller.answered_at is None
    assert observation.leaks == ()


async def test_cancelling_leaves_no_channel_and_no_task(testers: AtHand) -> None:
    before = asyncio.all_tasks()
    script = TO_THE_AGENT + "  - hear: house/night.greeting\nagents: {'1001': [{ring: 200ms}, {say: 20s}]}\n"
    playing = asyncio.create_task(testers.play(script))
    await testers.sees_channels(4, within_s=30)  # the telephones of both, and the two halves of the agent's leg
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert testers.cast.caller.calls == []
    await testers.sees_channels(0, within_s=5)
    assert asyncio.all_tasks() <= before

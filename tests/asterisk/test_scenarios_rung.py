"""The scenarios in which ivrflow calls, on the real PBX: the tester's telephone is rung, and nothing else differs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from engine_here import serving, settings_for

from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.pbx.cast import Accounts, Cast
from ivrflow.scenario.pbx.on_pbx import play
from ivrflow.scenario.pbx.pbx_watch import PbxWatch
from ivrflow.scenario.script import Scenario
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.repertoire import Repertoire
from tools.pbx import Pbx
from tools.places import CHECKOUT, PROMPTS

OUTBOUND = CHECKOUT / "scenarios" / "outbound"


@pytest.fixture(scope="session")
def flows() -> dict[str, CallFlow]:
    """The flows as they are shipped; of one whose recordings are not needed here it does not matter whether it has any."""
    catalogue = PromptIndex.load(CHECKOUT / "prompts").catalogue()
    callflows = CHECKOUT / "callflows"
    return {
        **load_flows([callflows / "gov12345_callback.yaml"], catalogue),
        **load_flows([callflows / "china_mobile.yaml"]),
    }


@pytest.fixture(scope="session")
def repertoire(flows: dict[str, CallFlow], pbx_prompts: Path) -> Repertoire:
    assert pbx_prompts.exists()
    decoder = codec("ulaw")
    prompts = flows["gov12345_callback"].prompts.prompts.items()
    sounds: dict[str, Samples] = {
        key: decoder.decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
        for (key, values), prompt in prompts
        if not values and key.startswith(("gov12345/", "house/transfer", "house/closing")) and prompt.file
    }
    return Repertoire(sounds, ())


class AtHand:
    """What a tester has at hand."""

    def __init__(self, pbx: Pbx, flows: dict[str, CallFlow], repertoire: Repertoire, tmp_path: Path) -> None:
        self.pbx, self.flows, self.repertoire, self.tmp_path = pbx, flows, repertoire, tmp_path

    def scenario(self, name: str) -> Scenario:
        (scenario,) = load_scenarios([OUTBOUND / f"{name}.yaml"], self.flows)
        return scenario

    async def play(self, scenario: Scenario) -> Observation:
        settings = settings_for(self.pbx, self.tmp_path)
        sip = self.pbx.settings
        passwords = {name: sip.password(name) for name in ("caller", "1000", "1001", "1002")}
        accounts = Accounts(server=(sip.sip_bind, sip.sip_port), caller="caller", passwords=passwords)
        flow = self.flows[scenario.flow.id]
        async with (
            serving(self.pbx, flow, self.tmp_path, IVRFLOW_TEST_CALLS="yes"),
            PbxWatch(settings) as watch,
            Cast(accounts) as cast,
        ):
            journal = JournalReader(settings.journal)
            try:
                return await play(scenario, cast, sounds=self.repertoire, watch=watch, journal=journal)
            finally:
                journal.close()


@pytest_asyncio.fixture(loop_scope="session")
async def testers(
    pbx: Pbx, flows: dict[str, CallFlow], repertoire: Repertoire, tmp_path: Path
) -> AsyncIterator[AtHand]:
    yield AtHand(pbx, flows, repertoire, tmp_path)


@pytest.mark.parametrize("name", ["callback_inconvenient", "busy", "quiet_noon", "nobody_answers"])
async def test_it_passes(testers: AtHand, name: str) -> None:
    scenario = testers.scenario(name)
    observation = await testers.play(scenario)
    findings, _ = judge(scenario, observation)
    assert [finding for finding in findings if finding.fails] == []


async def test_who_is_rung_is_the_caller_in_everything_observed(testers: AtHand) -> None:
    observation = await testers.play(testers.scenario("callback_inconvenient"))
    caller, engine = observation.caller, observation.engine
    assert engine is not None
    assert caller.rang_at is not None
    assert -4.0 < caller.rang_at < -1.5, "second 0 is the answer; it rang for two seconds before that"
    assert caller.answered_at == 0.0
    assert [heard.name for heard in caller.heard] == ["gov12345/callback.opening", "gov12345/callback.inconvenient"]
    assert observation.leaks == ()
    assert engine.call.startswith("out-")
    assert 1.5 < engine.answered_at < 5.0, "the engine counts from the order"


async def test_a_telephone_that_nobody_picks_up_is_proof_all_the_same(testers: AtHand) -> None:
    observation = await testers.play(testers.scenario("nobody_answers"))
    caller, engine = observation.caller, observation.engine
    assert engine is not None
    assert (caller.answered_at, caller.ended_by) == (None, "peer")
    assert caller.ended_at is not None
    assert 29.0 < caller.ended_at < 32.0, "by the telephone's own clock: from the first ring to the last"
    (verdict,) = [verdict for verdict in engine.verdicts if verdict.rule == "china_mobile/outbound_no_answer"]
    (wait,) = verdict.waits
    assert 30.0 <= wait.observed < 30.25

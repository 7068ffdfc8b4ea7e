"""Callers and agents of queues on the real PBX, as scenarios: who hears what, and when, with telephones that hold and key."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import soundfile
from engine_here import serving, settings_for

from ivrflow.flow.model import CallFlow
from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.runtime.journal_reader import JournalReader
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.reading import load_scenarios
from ivrflow.scenario.pbx.analysis import AnalysisPool
from ivrflow.scenario.pbx.cast import Accounts, Cast
from ivrflow.scenario.pbx.on_pbx import play
from ivrflow.scenario.pbx.pbx_watch import PbxWatch
from ivrflow.scenario.script import Scenario
from ivrflow.softphone.codecs import Samples, codec
from ivrflow.softphone.repertoire import Repertoire
from tools.pbx import Pbx
from tools.places import CHECKOUT, PROMPTS

TALKS = CHECKOUT / "tests" / "talks"
FLOW: CallFlow = load_flows([TALKS / "flows"], PromptIndex.load(CHECKOUT / "prompts").catalogue())["talks"]
SCENARIOS = [
    scenario for scenario in load_scenarios([TALKS / "scenarios"], {FLOW.id: FLOW}) if "pbx" in scenario.stages
]


@pytest.fixture(scope="session")
def talk_repertoire(pbx_prompts: Path, pbx_tree: Path) -> Repertoire:
    """What may be heard on a call of the flow, and the hold music, as the PBX plays them."""
    assert pbx_prompts.exists()
    decoder = codec("ulaw")
    sounds: dict[str, Samples] = {
        key: decoder.decode((PROMPTS / f"{prompt.file}.ulaw").read_bytes())
        for (key, values), prompt in FLOW.prompts.prompts.items()
        if not values
    }
    music = [
        soundfile.read(file, dtype="int16")[0] for file in sorted((pbx_tree / "usr/share/asterisk/moh").glob("*.wav"))
    ]
    assert music
    return Repertoire(sounds, music)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def talk_pool(talk_repertoire: Repertoire) -> AsyncIterator[AnalysisPool]:
    with AnalysisPool(talk_repertoire.sounds, talk_repertoire.music.files, processes=1) as pool:
        await pool.warm_up()
        yield pool


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: Path(scenario.file).stem)
async def test_it_is_as_written(
    scenario: Scenario, pbx: Pbx, talk_repertoire: Repertoire, talk_pool: AnalysisPool, tmp_path: Path
) -> None:
    settings = settings_for(pbx, tmp_path)
    server = (pbx.settings.sip_bind, pbx.settings.sip_port)
    passwords = {name: pbx.settings.password(name) for name in ("caller", "1001", "1002")}
    async with (
        serving(pbx, FLOW, tmp_path, IVRFLOW_TEST_CALLS="yes"),
        PbxWatch(settings) as watch,
        Cast(Accounts(server=server, caller="caller", passwords=passwords)) as cast,
    ):
        journal = JournalReader(settings.journal)
        try:
            async with asyncio.timeout(scenario.within + 30):
                observation = await play(
                    scenario,
                    cast,
                    sounds=talk_repertoire,
                    watch=watch,
                    journal=journal,
                    analyse=talk_pool,
                )
        finally:
            journal.close()
        assert cast.strays == []
    findings, _ = judge(scenario, observation)
    assert [str(finding) for finding in findings if finding.fails] == []

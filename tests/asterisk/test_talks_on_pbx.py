"""Callers and agents of queues on the real PBX, as scenarios: who hears what, and when, with telephones that hold and key.

They are played before the first test, several at once, each on a PBX that has nobody else logged in.
"""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lanes_here import complaints_of, lanes_for_tests, nothing_is_left, play_scenarios

from ivrflow.flow_files import load_flows
from ivrflow.prompts.index import PromptIndex
from ivrflow.scenario.language.reading import load_scenarios
from tools.places import CHECKOUT

TALKS = CHECKOUT / "tests" / "talks"
FLOWS = load_flows([TALKS / "flows"], PromptIndex.load(CHECKOUT / "prompts").catalogue())
NAMES = [
    Path(scenario.file).stem for scenario in load_scenarios([TALKS / "scenarios"], FLOWS) if "pbx" in scenario.stages
]

LANES = 6
AT_MOST_S = 600
"""They take two to three minutes; longer than this and something hangs, which it must not."""

Played = dict[str, dict[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(
    request: pytest.FixtureRequest, pbx_tree: Path, pbx_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """What came of each that is asked for, by its name."""
    asked = dict.fromkeys(
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_it_is_as_written.__name__
    )
    files = [str(TALKS / "scenarios" / f"{name}.yaml") for name in asked]
    place = tmp_path_factory.mktemp("talks")
    async with lanes_for_tests(
        place,
        min(LANES, len(files)),
        pbx_tree,
        IVRFLOW_FLOWS=str(TALKS / "flows"),
        IVRFLOW_PROMPTS_DIR=str(pbx_prompts),
    ) as lanes:
        told = await play_scenarios(lanes, files, within_s=AT_MOST_S)
        await nothing_is_left(lanes)
        complained = complaints_of(lanes)
    assert told["left_behind"] == []
    assert complained == []
    return {Path(result["file"]).stem: result for result in told["results"]}


@pytest.mark.timeout(2 * AT_MOST_S)
@pytest.mark.parametrize("name", NAMES)
async def test_it_is_as_written(name: str, played: Played) -> None:
    result = played[name]
    assert (result["trouble"], [finding for finding in result["findings"] if finding["fails"]]) == ("", [])
    assert result["result"] == "passed"

"""Every scenario of the project, many at once, as `ivrflow scenario run` plays them: all pass, and nothing is left."""

from pathlib import Path

import pytest
from lanes_here import complaints_of, held_by, lanes_for_tests, nothing_is_left, play_scenarios, run_scenarios

from ivrflow.scenario.language.reading import scenario_files
from tools.places import CHECKOUT
from tools.scenarios import MOST_LANES

AT_MOST_S = 1500
"""The set takes about a quarter of an hour; longer than this and it hangs, which it must not."""

GREETING = "scenarios/gov12345/hang_ups/01_greeting.yaml"


@pytest.mark.timeout(2 * AT_MOST_S)
@pytest.mark.usefixtures("pbx_prompts")
async def test_the_whole_set_passes_and_leaves_nothing_in_pbxs_and_engines(pbx_tree: Path, tmp_path: Path) -> None:
    async with lanes_for_tests(tmp_path, MOST_LANES, pbx_tree) as lanes:
        # The first call of each engine opens the journal's files.
        await run_scenarios(lanes, [GREETING, "--repeat", str(MOST_LANES)], within_s=120)
        before = held_by(lanes)
        told = await play_scenarios(lanes, ["scenarios"], within_s=AT_MOST_S)
        after = held_by(lanes)
        await nothing_is_left(lanes)
        complained = complaints_of(lanes)
    results = told["results"]
    assert [result for result in results if result["result"] == "failed"] == []
    assert [result["file"] for result in results if result["result"] == "not run"] == [], "all are for telephones"
    assert [CHECKOUT / result["file"] for result in results] == scenario_files([CHECKOUT / "scenarios"]), (
        "each, and once"
    )
    assert told["code"] == 0
    assert [connections for connections, _, _ in after] == [0] * MOST_LANES
    assert after == before
    assert complained == []

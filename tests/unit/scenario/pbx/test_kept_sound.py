"""Which sound of a run is kept: that of failures, or all of it; under the names of the report's pages."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_results import a_result, a_scenario, an_observation

from ivrflow.scenario.observation import Observation, PhoneSide, Result
from ivrflow.scenario.pbx.kept_sound import kept_sound
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.writing import page_names, write_report

SUMMARY = RunSummary(datetime(2026, 11, 20, 10, 0, tzinfo=UTC), 93.2, ("pbx",), "127.0.0.1:15060", "0.1.0")


def recorded(folder: Path, title: str, *, trouble: str = "") -> Result:
    """A result with the sound of a caller and of an agent, as a call leaves it."""
    folder.mkdir(parents=True)
    for name in ("caller", "1001"):
        (folder / f"{name}.flac").write_bytes(f"{title} {name}".encode())
    observation: Observation = an_observation()
    observation = replace(
        observation,
        caller=replace(observation.caller, audio=folder / "caller.flac"),
        agents={"1001": PhoneSide("1001", audio=folder / "1001.flac")},
    )
    return a_result(a_scenario(title, file=f"scenarios/{title}.yaml"), trouble=trouble, observation=observation)


def sound_of(result: Result) -> list[Path | None]:
    assert result.observation is not None
    return [result.observation.caller.audio, *(phone.audio for phone in result.observation.agents.values())]


@pytest.fixture
def results(tmp_path: Path) -> tuple[Result, Result]:
    return recorded(tmp_path / "0", "fine"), recorded(tmp_path / "1", "wrong", trouble="a phone broke")


def test_only_the_sound_of_failures_is_kept(results: tuple[Result, ...], tmp_path: Path) -> None:
    fine, wrong = kept_sound(results, tmp_path / "audio", all_of_it=False)
    assert sound_of(fine) == [None, None]
    assert [path and path.read_text() for path in sound_of(wrong)] == ["wrong caller", "wrong 1001"]
    assert sorted(path.name for path in (tmp_path / "audio").iterdir()) == [
        "scenarios-wrong.pbx.1001.flac",
        "scenarios-wrong.pbx.caller.flac",
    ]


def test_all_of_it_is_kept_when_asked_for(results: tuple[Result, ...], tmp_path: Path) -> None:
    kept = kept_sound(results, tmp_path / "audio", all_of_it=True)
    assert [path and path.read_text() for result in kept for path in sound_of(result)] == [
        "fine caller",
        "fine 1001",
        "wrong caller",
        "wrong 1001",
    ]


def test_without_a_folder_nothing_is_kept(results: tuple[Result, ...]) -> None:
    assert [sound_of(result) for result in kept_sound(results, None, all_of_it=True)] == [[None, None], [None, None]]


def test_what_made_no_sound_needs_no_folder(tmp_path: Path) -> None:
    unplayed = a_result(a_scenario("a"), trouble="refused")
    assert kept_sound([unplayed, a_result(a_scenario("b"))], tmp_path / "audio", all_of_it=True)[0] == unplayed
    assert not (tmp_path / "audio").exists()


def test_a_file_that_is_gone_is_not_named(results: tuple[Result, ...], tmp_path: Path) -> None:
    (tmp_path / "1" / "caller.flac").unlink()
    _, wrong = kept_sound(results, tmp_path / "audio", all_of_it=False)
    assert sound_of(wrong)[0] is None


def test_the_report_plays_it_from_where_it_is(results: tuple[Result, ...], tmp_path: Path) -> None:
    kept = kept_sound(results, tmp_path / "report" / "audio", all_of_it=True)
    before = sorted((tmp_path / "report" / "audio").iterdir())
    write_report(tmp_path / "report", SUMMARY, kept)
    assert sorted((tmp_path / "report" / "audio").iterdir()) == before, "nothing is there twice"
    page = (tmp_path / "report" / f"{page_names(kept)[0]}.html").read_text(encoding="utf-8")
    assert "audio/scenarios-fine.pbx.caller.flac" in page

"""What was understood of a run's sound: cut out of the right place, held against every wording, told where it differs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_results import a_result, a_scenario, an_observation

from ivrflow.flow.problems import Location
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.progress import unreported
from ivrflow.scenario.observation import Heard, PhoneSide, Result
from ivrflow.scenario.run.transcripts import transcribed, wordings_of
from ivrflow.scenario.script import Hear
from ivrflow.softphone.codecs import Samples
from tools.places import CHECKOUT

GREETING = "gov/greeting"
WORDINGS = {GREETING: ("您好，政府热线", "女士您好，政府热线")}
HEAR = Location("scenarios/a_call.yaml", 6, 5)


def sound(path: Path, *levels: int) -> Path:
    """A second of each level on the left, silence on the right."""
    left = np.repeat(np.array(levels, np.int16), 8000)
    soundfile.write(path, np.stack([left, np.zeros_like(left)], axis=1), 8000)
    return path


def level(samples: Samples) -> str:
    """A recogniser for these sounds: says how loud and how long."""
    return f"{int(samples[0])}" if len(samples) and samples.min() == samples.max() else f"a mixture of {len(samples)}"


def heard_in(audio: Path | None, *heard: Heard, audio_from: float = 0.0) -> Result:
    scenario = replace(a_scenario("a call"), caller=(Hear(GREETING, HEAR),))
    observation = an_observation()
    caller = replace(observation.caller, heard=heard, audio=audio, audio_from=audio_from)
    return a_result(scenario, observation=replace(observation, caller=caller))


def texts(result: Result) -> list[str]:
    assert result.observation is not None
    return [heard.text for heard in result.observation.caller.heard]


def test_each_sound_is_cut_out_of_its_place(tmp_path: Path) -> None:
    audio = sound(tmp_path / "a.flac", 100, 200, 300)
    result = heard_in(
        audio,
        Heard("phrase", "gov/x", 9.1, 9.9),
        Heard("unknown", "", 11.0, 12.0),
        Heard("music", "", 10, 11),
        audio_from=9.0,
    )
    (done,) = transcribed([result], level, {}, unreported)
    assert texts(done) == ["100", "300", ""]
    assert done.findings == ()


def test_a_sound_that_reaches_beyond_the_file_is_cut_there(tmp_path: Path) -> None:
    audio = sound(tmp_path / "a.flac", 100)
    (done,) = transcribed([heard_in(audio, Heard("unknown", "", -0.5, 9.0))], level, {}, unreported)
    assert texts(done) == ["100"]


def test_what_differs_is_told_with_the_nearest_wording_where_the_script_hears_it(tmp_path: Path) -> None:
    audio = sound(tmp_path / "a.flac", 100)
    result = heard_in(audio, Heard("phrase", GREETING, 0.0, 1.0))
    (done,) = transcribed([result], lambda _: "女士再见", WORDINGS, unreported)
    (finding,) = done.findings
    assert (finding.kind, finding.where, finding.at, finding.fails) == ("transcript", HEAR, 0.0, False)
    assert finding.observed == "a speech recogniser understood “女士再见”"
    (strict,) = transcribed([result], lambda _: "女士再见", WORDINGS, unreported, strict=True)
    assert strict.word == "failed"


@pytest.mark.parametrize("said", ["您好政府热线", "女士，您好！政府热线。", "您好,政府热先"])
def test_any_wording_will_do_and_what_sounds_the_same_is_the_same(tmp_path: Path, said: str) -> None:
    audio = sound(tmp_path / "a.flac", 100)
    (done,) = transcribed([heard_in(audio, Heard("phrase", GREETING, 0.0, 1.0))], lambda _: said, WORDINGS, unreported)
    assert texts(done) == [said]
    assert done.findings == ()


def test_nothing_understood_is_said_so(tmp_path: Path) -> None:
    audio = sound(tmp_path / "a.flac", 100)
    (done,) = transcribed([heard_in(audio, Heard("phrase", GREETING, 0.0, 1.0))], lambda _: "", WORDINGS, unreported)
    assert [finding.observed for finding in done.findings] == ["a speech recogniser understood nothing"]


def test_a_phrase_that_was_cut_is_written_down_and_not_compared(tmp_path: Path) -> None:
    audio = sound(tmp_path / "a.flac", 100)
    half = Heard("phrase", GREETING, 0.0, 0.5, completeness=0.5)
    (done,) = transcribed([heard_in(audio, half)], lambda _: "您好", WORDINGS, unreported)
    assert (texts(done), done.findings) == (["您好"], ())


def test_the_same_sound_is_transcribed_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def transcribe(samples: Samples) -> str:
        asked.append(int(samples[0]))
        return "您好政府热线"

    results = [
        heard_in(sound(tmp_path / f"{number}.flac", 100, number), Heard("phrase", GREETING, 0.0, 1.0))
        for number in range(3)
    ]
    done = transcribed(results, transcribe, WORDINGS, unreported)
    assert [texts(result) for result in done] == [["您好政府热线"]] * 3
    assert asked == [100]


def test_agents_hear_too(tmp_path: Path) -> None:
    agent = PhoneSide("1001", heard=(Heard("unknown", "", 0.0, 1.0),), audio=sound(tmp_path / "b.flac", 700))
    result = a_result(observation=replace(an_observation(), agents={"1001": agent}))
    (done,) = transcribed([result], level, {}, unreported)
    assert done.observation is not None
    assert done.observation.agents["1001"].heard[0].text == "700"


def test_what_made_no_sound_stays_as_it_is(tmp_path: Path) -> None:
    unplayed = a_result(trouble="refused")
    gone = heard_in(tmp_path / "gone.flac", Heard("phrase", GREETING, 0.0, 1.0))
    assert transcribed([unplayed, gone], level, WORDINGS, unreported) == (unplayed, gone)


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(b"no sound")
    with pytest.raises(OSError) as error:
        transcribed([heard_in(damaged, Heard("unknown", "", 0.0, 1.0))], level, {}, unreported)
    assert error.value.filename == str(damaged)


def test_how_far_it_is_is_told() -> None:
    told: list[tuple[int, int, str]] = []
    transcribed([a_result(trouble="refused")] * 2, level, {}, lambda *progress: told.append(progress))
    assert told == [(1, 2, "a call"), (2, 2, "a call")]


def test_every_wording_of_a_phrase_counts() -> None:
    wordings = wordings_of(PromptIndex.load(CHECKOUT / "prompts"))
    assert len(wordings["gov12345/caller_greets.reply"]) > 1
    assert all(text for texts in wordings.values() for text in texts)

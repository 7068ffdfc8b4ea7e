"""From written steps to a script."""

import wave
from dataclasses import replace
from pathlib import Path

import pytest
from hotline_scenarios import FILE, GOV, HOTLINE, caller, read, told

from ivrflow.flow.model import Band, PromptCatalogue
from ivrflow.flow.problems import FlowError, Location
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.script import (
    PATIENCE_S,
    AgentPart,
    Background,
    HangUp,
    Hear,
    HearMusic,
    HearStart,
    Hold,
    Order,
    Pause,
    Press,
    Resume,
    Say,
    Step,
    Wait,
    WaitUntil,
)
from ivrflow.softphone.audio_source import Breathing, ComfortNoise, Noise, NoRtp, Silence, Tone


def at(line: int, column: int = 5) -> Location:
    return Location(FILE, line + 3, column)


def only(step: str) -> Step:
    (found,) = caller(step).caller
    return found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hear: hello", Hear("tiny/hello", at(1))),
        ("hear: tiny/hello", Hear("tiny/hello", at(1))),
        ("hear: {phrase: house/menu, at_least: 90%}", Hear("house/menu", at(1), 0.9)),
        ("hear: {phrase: hello, within: 5s}", Hear("tiny/hello", at(1), within=5.0)),
        ("hear_start: silent.again", HearStart("tiny/silent.again", at(1))),
        ("hear_start: {phrase: hello, at_most: 60%}", HearStart("tiny/hello", at(1), 0.6)),
        ("hear_start: {phrase: hello, at_least: 90%}", HearStart("tiny/hello", at(1), at_least=0.9)),
        ("hear_music", HearMusic(at(1))),
        ("wait: 1s", Wait(1.0, at(1))),
        ("wait: 0s", Wait(0.0, at(1))),
        ("wait_until: 1m30s", WaitUntil(90.0, at(1))),
        ("say: 2s", Say(2.0, at(1))),
        ('press: "1"', Press("1", at(1))),
        ("press: 1", Press("1", at(1))),
        ('press: "*#0A"', Press("*#0A", at(1))),
        ('press: {keys: "86#", hold: 80ms, gap: 300ms}', Press("86#", at(1), 80, 300)),
        ("background: silence", Background(Silence(), at(1))),
        ("background: no_rtp", Background(NoRtp(), at(1))),
        ("background: comfort_noise", Background(ComfortNoise(), at(1))),
        ("background: breathing", Background(Breathing(-45.0), at(1))),
        ("background: breathing -50.5dB", Background(Breathing(-50.5), at(1))),
        ("background: noise", Background(Noise(-40.0), at(1))),
        ("background: noise 0dB", Background(Noise(0.0), at(1))),
        ("background: tone 440Hz", Background(Tone(440, -20.0), at(1))),
        ("background: tone 1200Hz -30dB", Background(Tone(1200, -30.0), at(1))),
        ("hold", Hold(at(1))),
        ("situation: noise", Order("situation", at(1), "noise")),
        ("signal: audible", Order("signal", at(1), "audible")),
        ("value: {topic: 路灯}", Order("value", at(1), "topic", "路灯")),
        ("cancel", Order("cancel", at(1))),
        ("done", Order("done", at(1))),
        ("hang_up", HangUp(at(1))),
    ],
)
def test_each_step(written: str, meant: Step) -> None:
    assert only(written) == meant


def test_a_hold_of_some_length_is_three_steps_in_one_place() -> None:
    assert caller("hold: 5s").caller == (Hold(at(1)), Wait(5.0, at(1)), Resume(at(1)))


def test_several_values_are_several_orders() -> None:
    steps = caller("value: {honorific: 女士, surname: 王}", flow=GOV).caller

    assert [(step.word, step.value) for step in steps if isinstance(step, Order)] == [
        ("honorific", "女士"),
        ("surname", "王"),
    ]


def test_a_placeholder_with_a_list_takes_nothing_else() -> None:
    assert told("caller: [{value: {honorific: 王先生}}]\n", GOV) == ["3:30: 'honorific' has no such value"]


def test_a_phrase_is_said_as_long_as_its_recording() -> None:
    recorded = GOV.prompts.best(GOV.phrases["house/menu.main"], {})
    assert recorded

    assert caller("say: house/menu.main", flow=GOV).caller == (Say(recorded.seconds, at(1), phrase="house/menu.main"),)


def test_a_phrase_without_a_recording_cannot_be_said() -> None:
    prompts = {wording: prompt for wording, prompt in GOV.prompts.prompts.items() if wording[0] != "house/menu.main"}
    flow = replace(GOV, prompts=PromptCatalogue(prompts))

    assert told("caller: [say: house/menu.main]\n", flow) == ["3:15: there is no recording of 'house/menu.main'"]


def test_where_nothing_is_recorded_a_phrase_takes_as_long_as_its_wording() -> None:
    (step,) = caller("say: hello").caller

    assert step == Say(0.66, at(1), phrase="tiny/hello")


def wav(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\x10\x10" * round(8000 * seconds))


def test_a_sound_file_lies_beside_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "sounds").mkdir(parents=True)
    wav(tmp_path / "here" / "sounds" / "knock.WAV", 0.25)
    monkeypatch.chdir(tmp_path)

    text = "scenario: x\nflow: hotline\ncaller: [say: sounds/knock.WAV]\n"
    (step,) = read_scenario(text, "here/one.yaml", {"hotline": HOTLINE}).caller

    assert isinstance(step, Say)
    assert step.file == tmp_path / "here" / "sounds" / "knock.WAV"
    assert step.seconds == 0.25


def test_a_sound_file_is_no_lecture(tmp_path: Path) -> None:
    wav(tmp_path / "long.wav", 601)

    with pytest.raises(FlowError, match=r"'long.wav' is 10m1s long"):
        read_scenario(
            "scenario: x\nflow: hotline\ncaller: [say: long.wav]\n", str(tmp_path / "a.yaml"), {"hotline": HOTLINE}
        )


# ── pauses ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pauses(*steps: str) -> list[Pause]:
    return [step for step in caller(*steps).caller if isinstance(step, Pause)]


def test_a_pause_as_the_rule_says_has_the_seconds_of_the_standard_and_its_rule() -> None:
    (pause,) = pauses("hear: hello", "pause: as the rule says", "hear: silent.again")

    assert pause == Pause(Band(3.0, 5.0), at(2), 0.25, "tiny/silent")


def test_a_pause_of_the_flow_itself_has_no_rule() -> None:
    (pause,) = pauses("hear: house/menu", "pause: AS the  rule says", "hear: house/menu")

    assert (pause.band, pause.rule) == (Band(5.0, 5.0), "")


@pytest.mark.parametrize(
    ("written", "band"), [("3s", Band(3, 3)), ("2.5s-4s", Band(2.5, 4)), ("500ms-1m", Band(0.5, 60))]
)
def test_a_pause_in_seconds(written: str, band: Band) -> None:
    (pause,) = pauses("hear: hello", f"pause: {written}", "hear: silent.again")

    assert (pause.band, pause.tolerance, pause.rule) == (band, 0.25, "")


def test_a_pause_before_the_end_of_the_call() -> None:
    (pause,) = pauses("hear: closing.thanks", "pause: as the rule says")
    assert (pause.band, pause.tolerance, pause.rule) == (Band(10.0, 10.0), 0.25, "")

    noise = caller("hear: noise.change_phone", "wait: 500ms", "pause: as the rule says", "press: 5", flow=GOV)
    (pause,) = [step for step in noise.caller if isinstance(step, Pause)]
    assert (pause.band, pause.rule) == (Band(2.0, 2.0), "gov12345/noise")


def test_other_steps_may_stand_between_a_pause_and_its_phrases() -> None:
    (pause,) = pauses("hear: hello", "wait: 1s", "pause: as the rule says", "press: 9", "hear_start: silent.again")

    assert pause.rule == "tiny/silent"


def test_a_phrase_is_waited_for_beyond_the_pause_before_it() -> None:
    steps = caller(
        "hear: hello",
        "pause: 2m",
        "press: 9",
        "hear: silent.again",
        "hear: {phrase: house/menu, within: 5s}",
        "pause: 10s-15s",
        "hear_start: house/menu",
    ).caller

    assert [step.within for step in steps if isinstance(step, Hear | HearStart)] == [
        PATIENCE_S,
        120 + PATIENCE_S,
        5.0,
        15 + PATIENCE_S,
    ]


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("written", "manner", "after"),
    [
        ("[ring: 2s]", "answers", 2.0),
        ("[answers]", "answers", 0.0),
        ("answers", "answers", 0.0),
        ("busy", "busy", 0.0),
        ("[busy: 2s]", "busy", 2.0),
        ("{busy: 2s}", "busy", 2.0),
        ("declines", "declines", 0.0),
        ("[declines: 3s]", "declines", 3.0),
        ("rings_on", "rings_on", 0.0),
        ("unreachable", "unreachable", 0.0),
    ],
)
def test_how_a_telephone_rings(written: str, manner: str, after: float) -> None:
    (agent,) = read(f'agents: {{"1001": {written}}}\n').agents

    assert (agent.extension, agent.manner, agent.after, agent.steps) == ("1001", manner, after, ())


def test_an_agent_has_a_script_like_the_caller() -> None:
    (agent,) = read(
        'agents:\n  "1001":\n    - ring: 2s\n    - hold: 3s\n    - situation: noise\n    - hang_up\n'
    ).agents

    def here(line: int) -> Location:
        return Location(FILE, line, 7)

    assert agent == AgentPart(
        "1001",
        "answers",
        Location(FILE, 4, 3),
        2.0,
        (Hold(here(6)), Wait(3.0, here(6)), Resume(here(6)), Order("situation", here(7), "noise"), HangUp(here(8))),
    )

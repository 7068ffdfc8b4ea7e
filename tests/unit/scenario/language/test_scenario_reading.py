from datetime import datetime
from pathlib import Path

import pytest
from hotline_scenarios import FILE, GOV, HOTLINE, TOP, caller, read, told

from ivrflow.engine.trace import Judgement
from ivrflow.flow.model import Band
from ivrflow.flow.problems import FlowError, Location
from ivrflow.scenario.language.reading import load_scenarios, read_scenario, scenario_files
from ivrflow.scenario.script import Background, Expectations, ExpectedVerdict, Hear
from ivrflow.settings import SettingsError
from ivrflow.softphone.audio_source import Noise, NoRtp, Silence

WHOLE = TOP / "tests" / "problems" / "scenarios" / "nothing_wrong.yaml"
FLOWS = {"hotline": HOTLINE}


def test_the_least_that_a_scenario_needs() -> None:
    scenario = read("")

    assert scenario.title == "a call"
    assert scenario.file == FILE
    assert scenario.flow is HOTLINE
    assert scenario.number == "100"
    assert scenario.at is None
    assert scenario.proves == ()
    assert scenario.stages == ("simulator", "pbx")
    assert scenario.background == Silence()
    assert scenario.caller == ()
    assert scenario.agents == ()
    assert scenario.where == Location(FILE, 1, 1)


def test_everything_there_is() -> None:
    scenario = load_scenarios([WHOLE], FLOWS)[0]

    assert scenario.title == "the whole language"
    assert scenario.text == WHOLE.read_text(encoding="utf-8")
    assert scenario.about == ("Everything there is, once.", "A second line about it.")
    assert scenario.at == datetime(2026, 11, 20, 10, 0)  # noqa: DTZ001 - local to the flow
    assert scenario.proves == ("tiny/hello", "tiny/silent")
    assert scenario.stages == ("simulator",)
    assert scenario.why_not == "two telephones at one extension cannot be had"
    assert scenario.within == 600.0
    assert scenario.background is not None
    expect = scenario.expect
    assert (expect.hung_up_first, expect.outcome, expect.heard_else) == ("agent", "closed_by_ivrflow", True)
    assert expect.lasts == Band(60.0, 300.0)
    assert {rule: one.judgement for rule, one in expect.verdicts.items()} == {
        "tiny/silent": Judgement.KEPT,
        "tiny/noise": Judgement.NOT_APPLICABLE,
    }
    assert list(expect.never_hear) == ["house/menu", "tiny/lookup.alt1"]


def test_expectations_know_their_places() -> None:
    scenario = read("expect:\n  outcome: hung_up\n  verdicts: {silent: kept}\n  never_hear: house/menu\n")

    expect = scenario.expect
    assert expect.places["outcome"] == Location(FILE, 4, 3)
    assert expect.verdicts == {"tiny/silent": ExpectedVerdict(Judgement.KEPT, Location(FILE, 5, 14))}
    assert expect.never_hear == {"house/menu": Location(FILE, 6, 15)}
    assert expect.places["lasts"] == Location(FILE, 3, 1), "what is not written has the place of the section"


def test_without_expectations_they_stand_at_the_top() -> None:
    expect = read("").expect

    assert set(expect.places) == {
        *("hung_up_first", "outcome", "verdicts", "promises", "never_hear", "heard_else", "lasts"),
        *("messages", "scores", "callbacks"),
    }
    assert set(expect.places.values()) == {Location(FILE, 1, 1)}
    assert expect == Expectations(places=expect.places)


def test_no_is_a_word_and_011_a_number() -> None:
    scenario = read("expect: {heard_else: no}\n")

    assert scenario.expect.heard_else is False
    assert told("call: 0100\n") == ["3:7: this number does not lead to the flow"]


def test_the_comments_at_the_head_are_about_the_scenario() -> None:
    def about(text: str) -> tuple[str, ...]:
        return read_scenario(text, FILE, FLOWS).about

    assert about("\n#  One.\n#Two.\n\n# Three.\nscenario: x # no\nflow: hotline\n") == ("One.", "Two.")
    assert about("scenario: x\n# no\nflow: hotline\n") == ()


def test_a_byte_order_mark_is_no_reason_to_refuse_a_scenario() -> None:
    scenario = read_scenario("\ufeff# About it.\nscenario: x\nflow: hotline\n", FILE, FLOWS)

    assert scenario.about == ("About it.",)


def test_backgrounds_of_the_caller() -> None:
    scenario = read("background: no_rtp\ncaller: [{background: noise -30dB}]\n")

    assert scenario.background == NoRtp()
    assert scenario.caller == (Background(Noise(-30.0), Location(FILE, 4, 11)),)


def test_a_single_word_may_stand_for_a_list_of_steps() -> None:
    assert len(read("caller: hang_up\n").caller) == 1


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("scenario: x\nflow: hotlin\n")
    (tmp_path / "a.yaml").write_text("scenario: x\nflow: hotline\ncaller: [hear: helo, wait: 3]\n")
    (tmp_path / "c.yaml").write_bytes("scenario: 安静\nflow: hotline\n".encode("gb18030"))

    with pytest.raises(FlowError) as error:
        load_scenarios([tmp_path], FLOWS)

    problems = [(Path(p.where.file).name, p.where.line, p.message) for p in error.value.problems]
    assert problems == [
        ("a.yaml", 3, "there is no phrase 'helo'"),
        ("a.yaml", 3, "'3' has no unit"),
        ("b.yaml", 2, "there is no flow 'hotlin'"),
        ("c.yaml", 1, "the file is not UTF-8; it looks like GB18030 (GBK)"),
    ]


def test_folders_are_searched_with_everything_below(tmp_path: Path) -> None:
    names = ["b.yaml", "a/z.yml", "a/a.yaml", "a/.hidden.yaml", ".git/x.yaml", "a/sound.wav"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("scenario: x\nflow: hotline\n")

    files = scenario_files([tmp_path / "b.yaml", tmp_path])

    assert [str(file.relative_to(tmp_path)) for file in files] == ["b.yaml", "a/a.yaml", "a/z.yml"]
    assert [scenario.file for scenario in load_scenarios([tmp_path / "a"], FLOWS)] == [
        str(tmp_path / "a" / "a.yaml"),
        str(tmp_path / "a" / "z.yml"),
    ]


def test_a_path_without_scenarios_is_the_operators_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no file or folder"):
        load_scenarios([tmp_path / "nowhere"], FLOWS)
    with pytest.raises(SettingsError, match="holds no scenario"):
        load_scenarios([tmp_path], FLOWS)


def test_a_folder_with_the_name_of_a_file_is_searched_too(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").mkdir()
    (tmp_path / "odd.yaml" / "one.yaml").write_text("scenario: x\nflow: hotline\n")

    assert [scenario.title for scenario in load_scenarios([tmp_path], FLOWS)] == ["x"]


def test_a_file_full_of_mistakes_is_read_up_to_a_bound() -> None:
    problems = told("caller:\n" + "  - hear: nothing_like_it\n" * 400)

    assert len(problems) == 201
    assert sum("the rest is not shown" in problem for problem in problems) == 1


def test_every_step_knows_its_line() -> None:
    (first, second) = caller("hear: hello", "{hear: silent.again}").caller

    assert (first, second) == (
        Hear("tiny/hello", Location(FILE, 4, 5)),
        Hear("tiny/silent.again", Location(FILE, 5, 6)),
    )


def test_the_real_hotline_has_a_scenario_too() -> None:
    scenario = caller("hear: greeting_inbound.standard", "hear: house/menu.main", flow=GOV)

    assert [step.phrase for step in scenario.caller if isinstance(step, Hear)] == [
        "gov12345/greeting_inbound.standard",
        "house/menu.main",
    ]

import re
from dataclasses import replace
from pathlib import Path

import pytest
import sample_results as made
from strict_html import StrictHtml

from ivrflow.scenario.observation import Result
from ivrflow.scenario.report.writing import page_names, write_report

NAMES = list(made.samples())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of one of every kind."""
    folder = tmp_path_factory.mktemp("report")
    sound = made.sound_file(tmp_path_factory.mktemp("sound"), "heard", 1.0)
    write_report(folder, made.summary(), list(made.samples(sound).values()))
    return folder


def page(folder: Path, name: str) -> str:
    names = page_names(list(made.samples().values()))
    return (folder / f"{names[NAMES.index(name)]}.html").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_result_has_a_well_formed_page(folder: Path, name: str) -> None:
    html = StrictHtml(page(folder, name))
    assert html.problems == []
    assert made.samples()[name].word in html.text


def test_the_run_has_a_well_formed_page_that_leads_to_all_others(folder: Path) -> None:
    html = StrictHtml((folder / "index.html").read_text("utf-8"))
    assert html.problems == []
    pages = {f"{name}.html" for name in page_names(list(made.samples().values()))}
    assert pages <= set(html.addresses)
    assert "5 of 12 failed" in html.text


def test_nothing_is_fetched_from_anywhere_else(folder: Path) -> None:
    for path in folder.glob("*.html"):
        html = StrictHtml(path.read_text("utf-8"))
        assert html.outside == []
        beside = [one.partition("#")[0] for one in html.addresses if not one.startswith(("#", "data:"))]
        assert [one for one in beside if not (folder / one).is_file()] == []
    for name in ("report.css", "report.js"):
        text = (folder / name).read_text("utf-8")
        assert not re.search(r"https?:|@import|url\((?!#)|fetch\(|XMLHttpRequest", text)


def test_markup_in_what_was_observed_stays_text(folder: Path) -> None:
    html = StrictHtml(page(folder, "hostile"))
    assert html.tags.count("script") == 1  # the report's own
    assert "img" not in html.tags
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in html.text
    assert "{{ 7 * 7 }}" in html.text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", page(folder, "hostile"))


def test_keys_are_covered_unless_asked_for(tmp_path: Path) -> None:
    [name] = page_names([made.with_agents()])

    def without_the_scenario() -> str:
        return (tmp_path / f"{name}.html").read_text("utf-8").partition('id="scenario"')[0]

    write_report(tmp_path, made.summary(), [made.with_agents()])
    assert "86420" not in without_the_scenario()
    assert "13800138000" not in without_the_scenario()
    write_report(tmp_path, made.summary(), [made.with_agents()], show_personal=True)
    assert "86420#" in without_the_scenario()
    assert "13800138000" in without_the_scenario()


def test_what_proves_a_password_is_nowhere(tmp_path: Path) -> None:
    write_report(tmp_path, made.summary(), [made.passed()], show_personal=True)
    text = "".join(path.read_text("utf-8") for path in tmp_path.glob("*.html"))
    assert "5f8a1b7c6d9e0f112233445566778899" not in text
    assert "(removed)" in text


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("simulated", ["simulator knows how long phrases are", "The simulator has no wire", "no signalling"]),
        ("nothing_heard", ["no sound was kept", "Nothing was heard", "no journal to look into", "No signalling was recorded"]),
        ("not_played", ["It could not be played: nothing answers at 127.0.0.1:5060"]),
        ("not_run", ["Not run: only on the pbx"]),
        ("caller_leaves", ["No wait that the standard documents came about"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_where_it_would_have_been(folder: Path, name: str, sentences: list[str]) -> None:
    text = StrictHtml(page(folder, name)).text
    for sentence in sentences:
        assert sentence in text


def test_a_sound_file_is_put_beside_its_page(folder: Path) -> None:
    html = StrictHtml(page(folder, "agents"))
    sounds = [one for one in html.addresses if one.startswith("audio/")]
    assert len(sounds) == 2
    assert all((folder / one).stat().st_size > 1000 for one in sounds)


def test_a_sound_file_that_already_lies_there_is_left_as_it_is(tmp_path: Path) -> None:
    [name] = page_names([made.passed()])
    (tmp_path / "audio").mkdir()
    sound = made.sound_file(tmp_path / "audio", f"{name}.caller", 0.1)
    before = sound.stat()
    write_report(tmp_path, made.summary(), [made.passed(audio=sound)])
    assert sound.stat() == before


def test_a_sound_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    [name] = page_names([made.passed()])
    write_report(tmp_path, made.summary(), [made.passed(audio=tmp_path / "gone.wav")])
    html = StrictHtml((tmp_path / f"{name}.html").read_text("utf-8"))
    assert "audio" not in html.tags
    assert "the sound file was gone" in html.text


def test_a_finding_leads_to_its_line_and_its_second(folder: Path) -> None:
    html = StrictHtml(page(folder, "failed"))
    assert {"#L8", "#L9", "#L11", "#L15"} <= set(html.addresses)
    assert {"#finding-1", "#finding-2", "#finding-3"} <= set(html.addresses)


def test_many_findings_are_folded(folder: Path) -> None:
    html = page(folder, "sixty_findings")
    assert "<summary>42 more</summary>" in html
    assert 'id="finding-60"' in html


def test_a_report_without_any_result(tmp_path: Path) -> None:
    html = StrictHtml(write_report(tmp_path, made.summary(), []).read_text("utf-8"))
    assert html.problems == []
    assert "No scenario was played" in html.text


def test_a_report_is_written_over_an_earlier_one(tmp_path: Path) -> None:
    write_report(tmp_path, made.summary(), [made.failed()])
    start = write_report(tmp_path, made.summary(), [made.passed()])
    assert "All passed" in start.read_text("utf-8")


# ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def results(*files: str) -> list[Result]:
    base = made.passed()
    return [replace(base, scenario=replace(base.scenario, file=file)) for file in files]


def test_a_page_is_named_after_its_scenario_and_stage() -> None:
    assert page_names(results("scenarios/gov/silent_call.yaml")) == ["scenarios-gov-silent_call.pbx"]
    assert page_names(results("./a.yml", "../a.yml", "/a.yaml")) == ["a.pbx", "a.pbx.2", "a.pbx.3"]


def test_names_differ_whatever_the_capitals() -> None:
    names = page_names(results("a.yaml", "A.yaml", "a.yaml"))
    assert len({name.lower() for name in names}) == 3


@pytest.mark.parametrize(
    "file",
    ["", ".", "../..", "/", "con.yaml", "有空 格.yaml", "a\\b.yaml", "x" * 400 + ".yaml", '<>:"|?*\x00.yaml', "a%2e#?.yaml", "index.yaml"],
)  # fmt: skip
def test_names_are_safe_in_any_address(file: str) -> None:
    [name] = page_names(results(file))
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.pbx", name)
    assert len(name) < 130
    assert name != "index"


def test_different_files_never_share_a_name() -> None:
    files = ["有.yaml", "空.yaml", "a-b.yaml", "a/b.yaml", "a b.yaml", "a_b.yaml"]
    assert len(set(page_names(results(*files)))) == len(files)

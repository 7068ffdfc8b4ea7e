"""`ivrflow prompts verify` with recordings of tones and a recogniser that knows what they say."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result
from tone_voice import ToneVoice, standards_folder

from ivrflow.prompts import verify_command
from ivrflow.prompts.commands import prompts
from ivrflow.prompts.index import PromptIndex
from ivrflow.prompts.recogniser import Language, Recognise
from ivrflow.prompts.renderer import render_masters
from ivrflow.prompts.wording import load_standard, planned_prompts
from ivrflow.settings import SettingsError

Invoke = Callable[..., Result]


class Recogniser:
    """Understands everything by its length, and some of it wrongly."""

    def __init__(self, masters: Path) -> None:
        self.heard: list[str] = []
        self.loaded = 0
        self.wrong: dict[str, str] = {}
        self.stop_after = 1000
        self._by_length = {
            entry.duration_ms: entry.spoken
            for entry in PromptIndex.load(masters).everything
            if entry.standard == "demo"
        }

    def load(self, _at_once: int) -> Recognise:
        self.loaded += 1
        return self

    def __call__(self, sound: npt.NDArray[np.float32], _language: Language) -> str:
        if len(self.heard) == self.stop_after:
            raise KeyboardInterrupt
        said = self._by_length[round(len(sound) / 16)]
        self.heard.append(said)
        return self.wrong.get(said, said)


@pytest.fixture
def masters(tmp_path: Path) -> Path:
    """Wordings of two to seven characters: each is known by its length."""
    standards_folder(
        tmp_path,
        'id: demo\nname: "Demo"\nsource: "made up for tests"\nphrases:\n'
        '  greet: {text: "您好！"}\n  ask: {text: "请您讲。"}\n  wait: {text: "请您稍等。"}\n'
        '  thank: {text: "感谢您来电。"}\n  close: {text: "祝您生活愉快。"}\n  sorry: {text: "很抱歉让您久等。"}\nrules: []\n',
    )
    planned = planned_prompts(load_standard(tmp_path / "standards" / "demo.yaml"), {})
    render_masters(planned, ToneVoice(), tmp_path / "masters", "demo")
    return tmp_path / "masters"


@pytest.fixture
def recogniser(masters: Path, monkeypatch: pytest.MonkeyPatch) -> Recogniser:
    made = Recogniser(masters)
    assert len(made._by_length) == 6
    monkeypatch.setattr(verify_command, "packaged_recogniser", made.load)
    return made


@pytest.fixture
def invoke(masters: Path, recogniser: Recogniser) -> Invoke:
    assert recogniser.loaded == 0

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(prompts, ["verify", "--masters", str(masters), "--jobs", "1", *arguments])

    return run


def test_all_is_well_and_nothing_is_heard_twice(invoke: Invoke, recogniser: Recogniser) -> None:
    result = invoke()
    assert result.exit_code == 0, result.output
    assert len(recogniser.heard) == 6
    assert result.stdout.splitlines()[1].split() == ["demo", "6", "6", "0.0%", "0.0%", "0.0%", "0.0%", "0"]
    assert "sound of 6" in result.stdout
    assert "hearing 6/6" in result.stderr
    again = invoke()
    assert (again.exit_code, len(recogniser.heard), recogniser.loaded) == (0, 6, 1)
    assert again.stdout == result.stdout


def test_a_changed_recording_is_heard_again_and_one_that_went_is_forgotten(
    invoke: Invoke, recogniser: Recogniser, masters: Path, tmp_path: Path
) -> None:
    invoke()
    standard = tmp_path / "standards" / "demo.yaml"
    changed = standard.read_text(encoding="utf-8").replace("请您讲。", "请您说。")
    standard.write_text(changed.replace('  greet: {text: "您好！"}\n', ""), encoding="utf-8")
    render_masters(planned_prompts(load_standard(standard), {}), ToneVoice(), masters, "demo")
    recogniser._by_length = Recogniser(masters)._by_length
    result = invoke()
    assert (result.exit_code, recogniser.heard[6:]) == (0, ["请您说。"])
    kept = json.loads((masters / "verification.json").read_text(encoding="utf-8"))["understood"]
    assert sorted(one["name"] for one in kept) == ["demo/ask", "demo/close", "demo/sorry", "demo/thank", "demo/wait"]


def test_a_stopped_run_goes_on(invoke: Invoke, recogniser: Recogniser) -> None:
    recogniser.stop_after = 4
    stopped = invoke()
    assert stopped.exit_code == 130
    assert "the same command goes on from here" in stopped.stderr
    recogniser.stop_after = 1000
    assert invoke().exit_code == 0
    assert sorted(recogniser.heard) == sorted(set(recogniser.heard))
    assert len(recogniser.heard) == 6


def test_what_is_misheard_fails_until_there_is_a_note(invoke: Invoke, recogniser: Recogniser, masters: Path) -> None:
    recogniser.wrong = {"您好！": "你好"}
    result = invoke()
    assert result.exit_code == 1
    assert "demo/greet is understood as “你好”: 50% of its characters are others" in result.stdout
    assert "the mean error rate is 8.3%; 5% is the most" in result.stdout
    note = masters / "verification-notes.yaml"
    note.write_text('demo/greet: "listened to"\ndemo/greeet: "a slip"\n', encoding="utf-8")
    noted = invoke()
    assert noted.exit_code == 1, "the mean is too high, whatever the note says"
    assert "is understood as" not in noted.stdout
    assert "(note: listened to)" in noted.stdout
    assert "nothing is called 'demo/greeet'; did you mean" in noted.stderr


def test_a_sample_is_no_reason_to_fail(invoke: Invoke, recogniser: Recogniser) -> None:
    assert invoke("--sample", "2").exit_code == 0
    assert len(recogniser.heard) == 2
    assert invoke("--sample", "3").exit_code == 0
    assert len(set(recogniser.heard)) == 5


def test_reports_for_machines(invoke: Invoke, recogniser: Recogniser, tmp_path: Path) -> None:
    recogniser.wrong = {"您好！": "你好"}
    result = invoke("--format", "json", "--report", str(tmp_path / "all.csv"))
    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert len(rows) == 6
    assert (rows[0]["phrase"], rows[0]["rate"], rows[0]["heard"]) == ("demo/greet", 0.5, "你好")
    assert rows[0]["files"] == ["demo/greet.opus"]
    assert "the mean error rate" in result.stderr
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["phrase"] for row in written] == [row["phrase"] for row in rows]
    assert invoke("--format", "csv").stdout == (tmp_path / "all.csv").read_text(encoding="utf-8")
    assert invoke("--report", "all.txt").exit_code == 2


def test_the_page_shows_the_worst_first_with_players(invoke: Invoke, recogniser: Recogniser, tmp_path: Path) -> None:
    recogniser.wrong = {"感谢您来电。": "<b>干谢</b>"}
    invoke("--html", str(tmp_path / "pages" / "voice.html"))
    page = (tmp_path / "pages" / "voice.html").read_text(encoding="utf-8")
    assert page.count("<audio") == 6
    assert page.index("demo/thank.opus") < page.index("demo/greet.opus")
    assert "../masters/demo/thank.opus" in page
    assert "&lt;b&gt;干谢" in page
    assert "<b>干谢" not in page


def test_without_the_recogniser_it_could_not_run(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_at_once: int) -> Recognise:
        raise SettingsError("the speech recogniser is not installed")

    monkeypatch.setattr(verify_command, "packaged_recogniser", missing)
    result = invoke()
    assert (result.exit_code, "not installed" in result.stderr) == (2, True)


def test_without_the_recogniser_what_was_heard_is_judged(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke()
    monkeypatch.setattr(verify_command, "packaged_recogniser", None)
    assert invoke().exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("demmo",), "nothing of 'demmo' is recorded"), (("--voice", "zm"), "nothing is spoken by 'zm'")],
)
def test_names_there_are_not(invoke: Invoke, arguments: tuple[str, ...], message: str) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, message in result.stderr) == (2, True)


def test_a_missing_recording_and_none_at_all(invoke: Invoke, masters: Path, tmp_path: Path) -> None:
    (masters / "demo" / "ask.opus").unlink()
    result = invoke()
    assert (result.exit_code, "missing or damaged" in result.stderr) == (1, True)
    nothing = CliRunner().invoke(prompts, ["verify", "--masters", str(tmp_path / "none")])
    assert (nothing.exit_code, "there are no recordings here" in nothing.stderr) == (1, True)

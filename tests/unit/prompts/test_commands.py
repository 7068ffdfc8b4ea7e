import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.prompts import commands
from ivrflow.prompts.formats import BYTES_PER_SECOND
from ivrflow.prompts.index import PromptIndex, ahead_folder
from ivrflow.prompts.renderer import read_master

Invoke = Callable[..., Result]


@pytest.fixture
def voices(monkeypatch: pytest.MonkeyPatch) -> list[ToneVoice]:
    """The voices that builds have used; they speak in tones."""
    used: list[ToneVoice] = []

    def voices_in(_folder: Path, threads: int) -> Callable[[str], ToneVoice]:
        assert threads >= 1
        known: dict[str, ToneVoice] = {}

        def named(name: str) -> ToneVoice:
            if name not in known:
                known[name] = ToneVoice(f"kokoro-82m-int8/{name}")
                used.append(known[name])
            return known[name]

        return named

    monkeypatch.setattr(commands, "voices_in", voices_in)
    return used


_INSTALL = "install it with: pip install 'ivrflow[voice]'"


def _only(monkeypatch: pytest.MonkeyPatch, **voices: ToneVoice) -> None:
    """Builds from now on have these voices, and any other is not installed."""
    named = lambda name: voices.get(name) or ToneVoice(f"tones/{name}", missing=_INSTALL)  # noqa: E731 - a one-liner
    monkeypatch.setattr(commands, "voices_in", lambda _folder, _threads: named)


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voices: list[ToneVoice]) -> Invoke:
    assert voices == []
    standards_folder(tmp_path)
    monkeypatch.setenv("IVRFLOW_MASTERS", str(tmp_path / "masters"))
    monkeypatch.setenv("IVRFLOW_PROMPTS_DIR", str(tmp_path / "out"))
    monkeypatch.chdir(tmp_path)

    def run(command: str, *arguments: str) -> Result:
        folders = () if command == "play" else ("--standards", "standards")
        return CliRunner().invoke(commands.prompts, [command, *folders, *arguments])

    return run


def test_build_renders_and_makes_the_formats(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("build")
    assert result.exit_code == 0, result.output
    assert "recordings: 6 new, 0 up to date, 0 removed" in result.stdout
    assert "6 prompts made" in result.stdout
    assert "recording 6/6" in result.stderr
    for entry in PromptIndex.load(tmp_path / "masters").entries.values():
        for name in BYTES_PER_SECOND:
            assert (tmp_path / "out" / f"{entry.sound}.{name}").exists()
    again = invoke("build")
    assert "recordings: 0 new, 6 up to date, 0 removed" in again.stdout
    assert "0 prompts made" in again.stdout
    assert "telephone formats" in result.stderr
    assert "telephone formats" not in again.stderr, "nothing was made"


def test_build_without_the_voice_says_what_to_install(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    _only(monkeypatch)
    result = invoke("build")
    assert result.exit_code == 1
    assert "6 wordings" in result.stderr
    assert "standards/demo.yaml:8:" in result.stderr
    assert "pip install 'ivrflow[voice]'" in result.stderr
    assert not (tmp_path / "masters").exists()


def test_build_needs_no_voice_while_no_wording_changed(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("build")
    _only(monkeypatch)
    assert invoke("build").exit_code == 0


def test_values_are_rendered_ahead_and_kept_up_to_date(tmp_path: Path, invoke: Invoke) -> None:
    result = invoke("build", "--value", "agent_id=1024", "--value", "agent_id=7", "--value", "honorific=女士")
    assert result.exit_code == 0, result.output
    roots = (tmp_path / "masters", ahead_folder(tmp_path / "out"))
    entry = PromptIndex.load(*roots).lookup("demo/both", {"agent_id": "1024", "honorific": "女士"})
    assert entry is not None
    assert entry.spoken == "女士，我的工号是幺零二四。"
    assert (tmp_path / "out" / f"{entry.sound}.alaw").exists()

    standards_folder(tmp_path, STANDARD.replace('我的工号是{agent_id}。", without', '本人工号{agent_id}。", without'))
    assert "recordings: 4 new, 6 up to date, 0 removed" in invoke("build").stdout
    index = PromptIndex.load(*roots)
    changed = index.lookup("demo/number", {"agent_id": "7"})
    assert changed is not None
    assert changed.text == "本人工号7。"
    assert len(list(ahead_folder(tmp_path / "out").glob("demo/*.opus"))) == 4


def test_a_wording_that_went_takes_its_values_along(tmp_path: Path, invoke: Invoke) -> None:
    invoke("build", "--value", "agent_id=7")
    standards_folder(tmp_path, STANDARD.replace('"我的工号是{agent_id}。", without: "很高兴为您服务。"', '"您好。"'))
    assert invoke("build").exit_code == 0
    index = PromptIndex.load(ahead_folder(tmp_path / "out"))
    assert {key for key, _ in index.entries} == {"demo/both"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("agent_id", "not NAME=VALUE"),
        ("=7", "not NAME=VALUE"),
        ("agent=7", "did you mean 'agent_id'"),
        ("honorific=博士", "先生, 女士"),
    ],
)
def test_a_value_that_fits_nowhere_is_a_usage_error(invoke: Invoke, value: str, said: str) -> None:
    result = invoke("build", "--value", value)
    assert result.exit_code == 2
    assert said in result.stderr


def test_all_authors_errors_of_all_standards_are_reported(tmp_path: Path, invoke: Invoke) -> None:
    folder = standards_folder(tmp_path, 'id: demo\nname: x\nsource: x\nphrases:\n  a: {text: "您好@"}\n')
    (folder / "other.yaml").write_text(
        'id: other\nname: x\nsource: x\nphrases:\n  b: {text: "您好#"}\n', encoding="utf-8"
    )
    result = invoke("build")
    assert result.exit_code == 1
    assert "demo.yaml:5:" in result.stderr
    assert "other.yaml:5:" in result.stderr


def test_no_standards_is_an_operators_error(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "standards" / "demo.yaml").unlink()
    result = invoke("build")
    assert result.exit_code == 1
    assert "--standards" in result.stderr


def test_list_shows_every_prompt_and_its_state(tmp_path: Path, invoke: Invoke) -> None:
    invoke("build")
    changed = STANDARD.replace("我是话务员。", "我是接线员。").replace(
        "rules: []", '  late: {text: "再见！"}\nrules: []'
    )
    standards_folder(tmp_path, changed)
    (tmp_path / "out" / "demo" / "greet.g722").unlink()
    rows = {(row["key"], row["variant"]): row for row in json.loads(invoke("list", "--format", "json").stdout)}
    assert len(rows) == 6, "two variants with values share a key"
    assert rows["demo/late", "none"]["state"] == "missing"
    assert rows["demo/both", "without"]["state"] == "outdated"
    assert rows["demo/both", "without"]["text"] == "我是话务员。"
    assert rows["demo/greet", "none"]["state"] == "ready"
    assert rows["demo/greet", "none"]["formats"] == ["ulaw", "alaw", "sln16"]
    assert rows["demo/greet", "none"]["duration_ms"] > 400
    table = invoke("list").stdout.splitlines()
    assert len(table) == 1 + 7
    assert any("honorific=女士" in line and "ulaw alaw sln16 g722" in line and "女士，您好！" in line for line in table)


def test_list_of_nothing_rendered(invoke: Invoke) -> None:
    rows = json.loads(invoke("list", "--format", "json").stdout)
    assert {row["state"] for row in rows} == {"missing"}
    assert len(rows) == 6


def test_play_to_a_file(tmp_path: Path, invoke: Invoke) -> None:
    invoke("build")
    result = invoke("play", "demo/reply", "--value", "honorific=女士", "--to", "heard.wav")
    assert result.exit_code == 0, result.output
    assert "女士，您好！" in result.stdout
    samples, rate = soundfile.read(tmp_path / "heard.wav", dtype="float32")
    entry = PromptIndex.load(tmp_path / "masters").lookup("demo/reply", {"honorific": "女士"})
    assert entry is not None
    assert rate == 24000
    assert np.allclose(samples, read_master(tmp_path / "masters" / "demo" / entry.file), atol=1e-4)


@pytest.fixture
def only_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Leave one program on the PATH: an aplay that does this."""

    def install(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "aplay"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


def test_play_hands_the_sound_to_the_player(tmp_path: Path, invoke: Invoke, only_player: Callable[[str], None]) -> None:
    invoke("build")
    only_player(f'/bin/cp "$2" {tmp_path}/played.wav')
    result = invoke("play", "demo/greet")
    assert result.exit_code == 0, result.output
    assert soundfile.info(tmp_path / "played.wav").samplerate == 24000


def test_play_without_a_sound_device_says_what_to_do(invoke: Invoke, only_player: Callable[[str], None]) -> None:
    invoke("build")
    only_player("exit 1")
    result = invoke("play", "demo/greet")
    assert result.exit_code == 1
    assert "--to FILE.wav" in result.stderr


def test_play_without_a_player_says_what_to_install(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("build")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = invoke("play", "demo/greet")
    assert result.exit_code == 1
    assert "alsa-utils" in result.stderr


def test_play_what_is_not_there(tmp_path: Path, invoke: Invoke) -> None:
    invoke("build")
    unknown = invoke("play", "demo/gret")
    assert unknown.exit_code == 1
    assert "did you mean 'demo/greet'?" in unknown.stderr
    nowhere = invoke("play", "demo/greet", "--to", "no/such/folder/x.wav")
    assert nowhere.exit_code == 1
    assert "could not be written" in nowhere.stderr
    (tmp_path / "masters" / "demo" / "greet.opus").unlink()
    lost = invoke("play", "demo/greet")
    assert lost.exit_code == 1
    assert "greet.opus is missing" in lost.stderr


# ── the folders ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voices: list[ToneVoice]) -> Path:
    """A project's folder whose settings stand in its file and nowhere else."""
    assert voices == []
    for name in ("IVRFLOW_FLOWS", "IVRFLOW_MASTERS", "IVRFLOW_PROMPTS_DIR", "IVRFLOW_ENV_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    standards_folder(tmp_path / "flows")
    file = tmp_path / ".ivrflow" / "secrets.env"
    file.parent.mkdir()
    file.write_text("IVRFLOW_FLOWS=flows\nIVRFLOW_MASTERS=recorded\nIVRFLOW_PROMPTS_DIR=played\n", encoding="utf-8")
    file.chmod(0o600)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.prompts, arguments)


def test_without_options_the_folders_are_those_of_the_settings(at_home: Path) -> None:
    built = run("build")
    assert built.exit_code == 0, built.output
    assert (at_home / "recorded" / "demo" / "greet.opus").exists()
    assert (at_home / "played" / "demo" / "greet.ulaw").exists()
    rows = json.loads(run("list", "--format", "json").stdout)
    assert {row["state"] for row in rows} == {"ready"}
    assert run("play", "demo/greet", "--to", "heard.wav").exit_code == 0


def test_an_option_wins_over_the_settings(at_home: Path) -> None:
    (at_home / "flows" / "standards").rename(at_home / "elsewhere")
    built = run("build", "--standards", "elsewhere", "--masters", "mine", "--out", "files")
    assert built.exit_code == 0, built.output
    assert (at_home / "mine" / "demo" / "greet.opus").exists()
    assert (at_home / "files" / "demo" / "greet.ulaw").exists()
    assert not (at_home / "recorded").exists()
    assert not (at_home / "played").exists()


@pytest.mark.parametrize("command", [["build"], ["list"], ["play", "demo/greet"]])
def test_wrong_settings_are_said_in_their_words(
    command: list[str], at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVRFLOW_ENV_FILE", "gone.env")
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr == "Error: IVRFLOW_ENV_FILE: there is no file gone.env; make it, or unset the variable\n"
    assert not (at_home / "prompts").exists()


@pytest.mark.parametrize("command", ["build", "list", "play"])
def test_help_names_the_setting_behind_each_folder_even_where_the_settings_are_wrong(
    command: str, at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IVRFLOW_ENV_FILE", str(at_home / "gone.env"))
    result = run(command, "--help")
    assert result.exit_code == 0
    for taught in ("IVRFLOW_MASTERS", "IVRFLOW_PROMPTS_DIR", ".ivrflow/prompts"):
        assert taught in result.stdout


def test_a_flow_that_asks_for_a_voice_gets_it(tmp_path: Path, invoke: Invoke) -> None:
    (tmp_path / "low.yaml").write_text("flow: low\nstandard: demo\nvoice: zm_yunxi\n", encoding="utf-8")
    assert "recordings: 12 new" in invoke("build").stdout
    rows = json.loads(invoke("list", "--format", "json").stdout)
    assert {row["voice"] for row in rows} == {"zf_xiaobei", "zm_yunxi"}
    assert {row["state"] for row in rows} == {"ready"}
    assert (tmp_path / "out" / "demo" / "zm_yunxi" / "greet.ulaw").exists()
    played = invoke("play", "demo/greet", "--voice", "zm_yunxi", "--to", "heard.wav")
    assert played.exit_code == 0, played.output


def test_a_voice_may_be_tried_before_a_flow_asks_for_it(invoke: Invoke) -> None:
    assert "recordings: 12 new" in invoke("build", "--voice", "zm_yunjian").stdout
    assert "recordings: 0 new, 6 up to date" in invoke("build").stdout
    assert invoke("build", "--voice", "nobody").exit_code == 2


def test_what_a_person_recorded_wins_and_is_listed(tmp_path: Path, invoke: Invoke) -> None:
    invoke("build")
    path = tmp_path / "masters" / "recorded" / "demo" / "greet.wav"
    path.parent.mkdir(parents=True)
    samples, rate = ToneVoice().render("早安", {})
    soundfile.write(path, samples, rate)
    (path.parent / "gret.wav").write_bytes(path.read_bytes())
    result = invoke("build")
    assert "recordings: 1 new, 5 up to date" in result.stdout
    assert "warning: masters/recorded/demo/gret.wav is not used" in result.stderr.replace(f"{tmp_path}/", "")
    rows = {row["key"]: row for row in json.loads(invoke("list", "--format", "json").stdout)}
    assert rows["demo/greet"]["voice"] == "recorded"
    assert rows["demo/greet"]["spoken_by"].startswith("recorded/")
    path.unlink()
    assert "recordings: 1 new, 5 up to date" in invoke("build").stdout, "the voice speaks again"


def test_a_last_resort_is_never_silent(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, espeak_ng=ToneVoice("espeak-ng/cmn"))
    assert invoke("build").exit_code == 1
    result = invoke("build", "--engine", "espeak-ng")
    assert result.exit_code == 0, result.output
    assert "warning: 6 wordings (demo/greet, " in result.stderr
    assert "spoken by espeak-ng until a build with Kokoro" in result.stderr
    assert {row["voice"] for row in json.loads(invoke("list", "--format", "json").stdout)} == {"espeak-ng/cmn"}
    assert invoke("build").exit_code == 0, "nothing is missing now"
    _only(monkeypatch, zf_xiaobei=ToneVoice("tones/zf_xiaobei"))
    assert "recordings: 6 new" in invoke("build").stdout

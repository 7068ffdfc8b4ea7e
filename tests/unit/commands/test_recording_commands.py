"""`ivrflow recordings`, `ivrflow messages`, and what they do to the folder."""

import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivrflow.bridge.recording_files import call_file, message_file
from ivrflow.commands.recording_commands import messages, recordings, recordings_of
from ivrflow.settings import read_settings

ENDED_AT = datetime(2026, 11, 22, 10, 0, 8).astimezone()
DAY = date(2026, 11, 22)


def write(folder: Path, name: object, seconds: int, ended_at: float = ENDED_AT.timestamp()) -> Path:
    path = folder / str(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(44 + 16_000 * seconds))
    os.utime(path, (ended_at, ended_at))
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two recorded calls and two messages."""
    folder = tmp_path / "recordings"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVRFLOW_RECORDINGS_DIR", str(folder))
    write(folder, call_file("gov12345", "pbx-1.0", DAY), 68)
    write(folder, call_file("telecom", "pbx-2.0", DAY), 5, ENDED_AT.timestamp() + 60)
    write(folder, message_file("gov12345", "voicemail", "pbx-1.0", 1, DAY), 8)
    write(folder, message_file("gov12345", "complaints", "pbx-3.0", 2, DAY), 4)
    return folder


def run(command: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)  # type: ignore[arg-type]  # click's commands


def test_recordings_are_listed_newest_first(folder: Path) -> None:
    shown = run(recordings)
    assert shown.exit_code == 0
    heading, second, first = shown.output.splitlines()
    assert heading.split() == ["began", "call", "flow", "lasts", "file"]
    assert second.split()[2:] == ["pbx-2.0", "telecom", "0:05", f"{folder}/calls/telecom/2026-11-22/pbx-2.0.wav"]
    assert first.split()[1:5] == ["09:59:00", "pbx-1.0", "gov12345", "1:08"]


def test_recordings_of_one_call_for_programs(folder: Path) -> None:
    shown = run(recordings, "--call", "pbx-1", "--format", "json")
    assert json.loads(shown.output) == [
        {
            "call": "pbx-1.0",
            "flow": "gov12345",
            "began_at": (ENDED_AT - timedelta(seconds=68)).isoformat(),
            "seconds": 68.0,
            "file": f"{folder}/calls/gov12345/2026-11-22/pbx-1.0.wav",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [((), ["pbx-3.0", "pbx-1.0"]), (("--box", "complaints"), ["pbx-3.0"]), (("--flow", "telecom"), [])],
)
def test_messages_are_listed(arguments: tuple[str, ...], calls: list[str], folder: Path) -> None:
    told = json.loads(run(messages, *arguments, "--format", "json").output)
    assert [(one["call"], one["flow"]) for one in told] == [(call, "gov12345") for call in calls]
    assert all(Path(one["file"]).is_relative_to(folder) for one in told)
    assert [(one["box"], one["number"], one["seconds"]) for one in told if one["call"] == "pbx-3.0"] in (
        [],
        [("complaints", 2, 4.0)],
    )


def test_messages_for_people_name_their_box(folder: Path) -> None:
    heading, first, _second = run(messages).output.splitlines()
    assert heading.split() == ["began", "call", "flow", "box", "lasts", "file"]
    assert first.split()[2:6] == ["pbx-3.0", "gov12345", "complaints", "0:04"]
    assert folder.name in first


def test_where_nothing_was_recorded_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVRFLOW_RECORDINGS_DIR", str(tmp_path / "none"))
    assert run(recordings).output == "no recordings\n"
    assert run(messages).output == "no messages\n"
    assert run(messages, "--format", "json").output == "[]\n"


def test_pruning_deletes_what_is_older_than_the_flow_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.commands.recording_commands.load_flows", lambda _paths: {})
    monkeypatch.setattr(
        "ivrflow.commands.recording_commands.recordings_kept", lambda _flows: {"gov12345": 3, "telecom": 36_000}
    )
    monkeypatch.setenv("IVRFLOW_MESSAGES_KEEP_DAYS", "7")
    today = datetime.now().astimezone().date()
    for number, days in enumerate((1, 3, 4, 8)):
        write(folder, call_file("gov12345", f"new-{number}", today - timedelta(days=days)), 1)
        write(folder, message_file("telecom", "box", f"new-{number}", 1, today - timedelta(days=days)), 1)
    for path in (folder / "calls/gov12345/2026-11-22", folder / "messages/gov12345"):
        for file in path.rglob("*.wav"):
            file.unlink()
    assert run(recordings, "prune").output == "3 deleted\n"
    left = {path.stem for path in folder.glob("*/*/**/*.wav")}
    assert left == {"pbx-2.0", "new-0", "new-1", "new-0-1", "new-1-1", "new-2-1"}
    assert run(recordings, "prune").output == "nothing is too old\n"


def test_pruning_takes_no_filter(folder: Path) -> None:
    assert folder.exists()
    refused = run(recordings, "--call", "pbx-1.0", "prune")
    assert refused.exit_code == 2
    assert "--call and --flow belong to the list, not to 'prune'" in refused.output


def test_broken_flows_delete_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/broken.yaml").write_text("flow: [", encoding="utf-8")
    monkeypatch.setenv("IVRFLOW_FLOWS", str(tmp_path / "flows"))
    refused = run(recordings, "prune")
    assert refused.exit_code == 1
    assert "broken.yaml:2:1" in refused.output
    assert len(list(folder.rglob("*.wav"))) == 4


def test_a_call_leads_to_its_files(folder: Path) -> None:
    assert recordings_of(read_settings(), "gov12345", "pbx-1.0") == [
        f"{folder}/calls/gov12345/2026-11-22/pbx-1.0.wav",
        f"{folder}/messages/gov12345/voicemail/2026-11-22/pbx-1.0-1.wav",
    ]
    assert recordings_of(read_settings(), "gov12345", "pbx-9.0") == []

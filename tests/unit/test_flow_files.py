import os
from pathlib import Path

import pytest

from ivrflow.flow.problems import FlowError
from ivrflow.flow_files import check_paths, load_flows
from ivrflow.settings import SettingsError

CASES = Path(__file__).parents[1] / "problems" / "flows"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `callflows` with one good flow and its standards; the tests run beside it."""
    flows = tmp_path / "callflows"
    (flows / "standards").mkdir(parents=True)
    (flows / "hotline.yaml").write_bytes((CASES / "nothing_wrong.yaml").read_bytes())
    for name in ("tiny", "house"):
        (flows / "standards" / f"{name}.yaml").write_bytes((CASES / "standards" / f"{name}.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return Path("callflows")


def second(folder: Path, *changes: tuple[str, str]) -> Path:
    text = (folder / "hotline.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = folder / "second.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(*paths: Path) -> list[str]:
    return [str(problem).partition("\n")[0] for problem in check_paths(paths).problems]


def test_a_folder_or_a_file_gives_the_same_flow(folder: Path) -> None:
    by_folder, by_file = load_flows([folder]), load_flows([folder / "hotline.yaml"])

    assert by_folder == by_file
    assert list(by_folder) == ["hotline"]
    assert set(by_folder["hotline"].source) == {
        "callflows/hotline.yaml",
        "callflows/standards/tiny.yaml",
        "callflows/standards/house.yaml",
    }


def test_several_flows_by_id(folder: Path) -> None:
    second(folder, ("flow: hotline", "flow: second"), ('["100"]', '["200"]'))

    assert set(load_flows([folder])) == {"hotline", "second"}


def test_two_flows_cannot_share_a_name_or_a_number(folder: Path) -> None:
    second(folder)

    assert told(folder) == [
        "callflows/second.yaml:1:7: another flow is called 'hotline' too: callflows/hotline.yaml",
        "callflows/second.yaml:4:11: this number leads to the flow 'hotline' already: callflows/hotline.yaml:4:11",
    ]
    assert told(folder / "second.yaml") == []


def test_a_good_flow_beside_a_broken_one_is_still_reported(folder: Path) -> None:
    second(folder, ("flow: hotline", "flow: second"), ('["100"]', '["200"]'), ("used_up: hang_up", "used_up: hangup"))

    report = check_paths([folder])

    assert list(report.flows) == ["hotline"]
    assert report.files == 2
    with pytest.raises(FlowError, match="there is no step 'hangup'"):
        load_flows([folder])


def test_a_problem_in_a_shared_standard_is_told_once(folder: Path) -> None:
    second(folder, ("flow: hotline", "flow: second"), ('["100"]', '["200"]'))
    tiny = folder / "standards" / "tiny.yaml"
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("[3, 5]", "[5, 3]"), encoding="utf-8")

    assert told(folder) == ["callflows/standards/tiny.yaml:28:40: [5, 3] is in the wrong order"]
    assert check_paths([folder]).flows == {}


def test_standards_nobody_uses_are_read_with_their_folder(folder: Path) -> None:
    (folder / "standards" / "spare.yml").write_text("id: spare\n", encoding="utf-8")

    assert all(line.startswith("callflows/standards/spare.yml:1:1: a standard needs") for line in told(folder))
    assert told(folder)
    assert told(folder / "hotline.yaml") == []


def test_a_standard_can_be_read_by_itself(folder: Path) -> None:
    report = check_paths([folder / "standards" / "tiny.yaml"])

    assert (report.files, report.problems, list(report.standards)) == (0, [], ["callflows/standards/tiny.yaml"])


def test_a_standard_alone_is_no_flow_to_load(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"tiny\.yaml holds no call flow"):
        load_flows([folder / "standards" / "tiny.yaml"])


def test_a_near_standard_in_the_folder_is_suggested(folder: Path) -> None:
    second(folder, ("flow: hotline", "flow: second"), ('["100"]', '["200"]'), ("standard: tiny", "standard: tinny"))

    assert [problem.hint for problem in check_paths([folder]).problems] == ["did you mean 'tiny'?"]


def test_the_other_ending_is_a_flow_too_and_hidden_files_are_none(folder: Path) -> None:
    (folder / "hotline.yaml").rename(folder / "hotline.yml")
    (folder / ".hotline.yaml").write_text("{", encoding="utf-8")
    (folder / "notes.txt").write_text("{", encoding="utf-8")

    assert list(load_flows([folder])) == ["hotline"]


def test_a_byte_problem_refuses_a_flow_that_could_be_guessed(folder: Path) -> None:
    path = folder / "hotline.yaml"
    path.write_bytes(path.read_bytes().replace(b"title: Hotline", b"title: Hotl\xefne"))

    assert told(folder) == ["callflows/hotline.yaml:2:12: byte 0xef is not UTF-8"]
    assert check_paths([folder]).flows == {}


def test_ten_megabytes_are_refused(folder: Path) -> None:
    with (folder / "hotline.yaml").open("r+b") as stream:
        stream.truncate(10_000_000)

    assert told(folder) == ["callflows/hotline.yaml:1:1: the file has 10.0 MB; at most 1 MB are read"]


def test_a_standard_of_ten_megabytes_is_refused_and_not_missed(folder: Path) -> None:
    with (folder / "standards" / "tiny.yaml").open("r+b") as stream:
        stream.truncate(10_000_000)

    assert told(folder) == ["callflows/standards/tiny.yaml:1:1: the file has 10.0 MB; at most 1 MB are read"]


def test_a_link_to_nowhere_and_a_pipe_are_problems_of_those_files(folder: Path) -> None:
    (folder / "gone.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(folder / "pipe.yaml")

    assert told(folder) == [
        "callflows/gone.yaml:1:1: the file cannot be read: no such file or directory",
        "callflows/pipe.yaml:1:1: this is not a file",
    ]


def test_paths_that_are_not_there_are_the_operators_problem(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no file or folder callflows/x\.yaml"):
        load_flows([folder / "x.yaml"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no call flow"):
        load_flows([Path("empty")])

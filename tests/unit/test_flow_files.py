import os
from datetime import date
from pathlib import Path

import pytest

from ivrflow.flow.compiling.compiler import compile_flow
from ivrflow.flow.compiling.glances import is_flow
from ivrflow.flow.days import TABLE_YEARS
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


HOLIDAYS = (CASES.parent / "holidays" / "nothing_wrong.yaml").read_text(encoding="utf-8")


def test_the_holiday_file_beside_a_flow_goes_with_it(folder: Path) -> None:
    (folder / "holidays.yaml").write_text(HOLIDAYS, encoding="utf-8")

    by_folder, by_file = load_flows([folder]), load_flows([folder / "hotline.yaml"])

    assert by_folder == by_file
    flow = by_folder["hotline"]
    assert flow.source["callflows/holidays.yaml"] == HOLIDAYS
    assert flow.calendar.on(date(2027, 2, 9)).holiday == "spring_festival"
    assert check_paths([folder]).files == 1


def test_a_broken_holiday_file_refuses_no_flow(folder: Path) -> None:
    (folder / "holidays.yaml").write_text("until: never\nreason: r\n", encoding="utf-8")

    flow = load_flows([folder])["hotline"]
    report = check_paths([folder])

    assert flow.calendar.on(date(2026, 10, 1)).kind == "holiday"
    assert (report.errors, report.problems) == ([], [])
    assert [str(problem.where) for problem in report.calendar_problems] == ["callflows/holidays.yaml:1:8"]


def test_a_holiday_file_that_cannot_be_read_refuses_no_flow(folder: Path) -> None:
    (folder / "holidays.yaml").mkdir()

    flow = load_flows([folder])["hotline"]

    assert "callflows/holidays.yaml" not in flow.source
    assert flow.calendar.problems == tuple(check_paths([folder]).calendar_problems) != ()


def test_a_flow_compiled_again_from_its_files_has_the_same_calendar(folder: Path) -> None:
    (folder / "holidays.yaml").write_text(HOLIDAYS, encoding="utf-8")
    window = '  open:\n    hours:\n      - {days: workdays, from: "08:00", to: "18:00", then: welcome}\n    otherwise: bye\n\n'
    file = folder / "hotline.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace("start: welcome", "start: open")
        .replace("steps:\n", f"steps:\n{window}")
    )
    file.write_text(text, encoding="utf-8")
    flow = load_flows([folder])["hotline"]
    years = f"{TABLE_YEARS[0]}-{TABLE_YEARS[1]}\n"

    stored = dict(sorted(flow.source.items()))  # as a journal keeps them
    main = next(name for name, text in stored.items() if is_flow(text, name))

    assert (main, stored["holidays.table"]) == ("callflows/hotline.yaml", years)
    assert compile_flow(stored, main) == flow
    older = compile_flow({**stored, "holidays.table": "2004-2025\n"}, main)
    assert older.calendar.on(date(2026, 10, 1)).source == "weekday"
    assert older.source["holidays.table"] == "2004-2025\n"


def test_the_taboo_of_other_standards_counts_on_request(folder: Path) -> None:
    other = "id: other\nname: Other\nsource: made up\nphrases:\n  hello: {text: 您好！}\ntaboo:\n  shirk: [听不到您的声音]\n"
    (folder / "standards" / "other.yaml").write_text(other, encoding="utf-8")
    one = folder / "hotline.yaml"

    by_file = check_paths([one], every_taboo=True).problems

    assert check_paths([one]).problems == []
    assert [problem.severity for problem in by_file] == ["warning"]
    assert by_file[0].message == (
        "'tiny/silent.goodbye' says “听不到您的声音”, which another standard forbids: other taboo shirk"
    )
    assert check_paths([folder], every_taboo=True).problems == by_file
    assert check_paths([folder / "standards" / "tiny.yaml"], every_taboo=True).problems == by_file


# ── flows that call people back for others ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def callbacks(folder: Path) -> Path:
    """The folder with a flow that orders callbacks, and the one that places them."""
    (folder / "hotline.yaml").write_bytes((CASES / "with_agents.yaml").read_bytes())
    (folder / "hotline_callback.yaml").write_bytes((CASES / "hotline_callback.yaml").read_bytes())
    (folder / "standards" / "service.yaml").write_bytes((CASES / "standards" / "service.yaml").read_bytes())
    return folder


def test_the_flow_that_calls_back_is_looked_for_beside_the_other(callbacks: Path) -> None:
    assert told(callbacks) == []
    assert told(callbacks / "hotline.yaml") == []

    (callbacks / "hotline_callback.yaml").unlink()

    place = "callflows/hotline.yaml:83:15"
    assert told(callbacks) == told(callbacks / "hotline.yaml") == [f"{place}: there is no flow 'hotline_callback'"]


def test_it_must_be_allowed_to_ring_whom_callers_name(callbacks: Path) -> None:
    file = callbacks / "hotline_callback.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace('["0*", "1*"]', '["021*", "1*"]'), encoding="utf-8")

    refused = ["callflows/hotline.yaml:83:15: the flow 'hotline_callback' may not ring 0*"]
    assert told(callbacks) == told(callbacks / "hotline.yaml") == refused


def test_it_must_place_calls_whether_it_was_named_or_lies_beside(callbacks: Path) -> None:
    (callbacks / "hotline_callback.yaml").unlink()
    hotline = callbacks / "hotline.yaml"
    text = hotline.read_text(encoding="utf-8")
    (callbacks / "other.yaml").write_text(
        text.replace("flow: hotline\n", "flow: hotline_callback\n").replace('"12399"', '"12398"'), encoding="utf-8"
    )

    assert told(hotline) == ["callflows/hotline.yaml:83:15: the flow 'hotline_callback' places no calls"]


def test_a_broken_flow_that_calls_back_is_not_missed_too(callbacks: Path) -> None:
    file = callbacks / "hotline_callback.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("start: greeting", "start: greting"), encoding="utf-8")

    assert told(callbacks) == ["callflows/hotline_callback.yaml:5:8: there is no step 'greting'"]

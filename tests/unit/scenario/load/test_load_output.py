import io
import json
from dataclasses import replace

from load_shown import SILENT, a_side, an_ending, shown
from made_results import a_finding, a_result, a_scenario
from rich.console import Console

from ivrflow.engine.trace import Judgement
from ivrflow.scenario.load.load_figures import LoadFigures
from ivrflow.scenario.load.load_output import as_json, print_figures
from ivrflow.scenario.load.packets import PacketFigures


def printed(told: LoadFigures, *short: str, remarks: tuple[str, ...] = (), stopped: bool = False) -> str:
    screen = io.StringIO()
    print_figures(told, short, remarks, stopped=stopped, console=Console(file=screen, width=120, highlight=False))
    return screen.getvalue()


def rows(text: str) -> list[list[str]]:
    """Each line as its cells."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_people_read_what_was_played_what_came_of_it_and_the_verdict() -> None:
    packets = [PacketFigures(100, 1, 0.012, 0.031, 0.0005)]
    text = printed(shown(a_side(packets=packets, listened=[a_result()])))
    cells = rows(text)
    assert text.startswith("a silent caller: 10 calls by our own phone to 1 (small), 5 a second, at most 4 at once\n")
    assert ["calls", "10 placed, 10 answered, 10 well, 0 failed; 4 at once, 5.0 a second; 3.0 s"] in cells
    assert ["rules kept", f"10 × {SILENT}"] in cells
    assert ["late waits", "0 of 10 (0.0%) by more than 20 ms, 0 (0.0%) by more than 100 ms"] in cells
    assert ["listened to", "1, of which 1 went as the scenario says"] in cells
    assert ["answered after", "10", "3.0", "3.0", "3.0", "3.0", "3.0"] in cells
    assert ["longest gap in a call's audio", "1", "31.0", "31.0", "31.0", "31.0", "31.0"] in cells
    assert ["waits off, by the engine", "10", "0.0", "0.0", "0.0", "0.0", "0.0"] in cells
    assert ["engine", "10 %", "10 %", "50 MiB", "50 MiB", "50 MiB"] in cells
    assert cells[-1] == ["PASSED"]


def test_people_read_what_failed_and_why_it_has_not_passed() -> None:
    side = a_side(well=7, failed=3, faults={"over before its time": 1, "refused: 503": 2}, statuses={503: 2})
    broken = an_ending(4.0, judgement=Judgement.BROKEN)
    cells = rows(printed(shown(side, [broken]), "3 of 10 calls failed", "1 calls broke a rule", remarks=("look here",)))
    assert ["failures", "2 × refused: 503, 1 × over before its time"] in cells
    assert ["SIP statuses", "2 × 503"] in cells
    assert ["rules broken", f"1 × {SILENT}"] in cells
    assert cells[-2:] == [["note: look here"], ["NOT PASSED: 3 of 10 calls failed; 1 calls broke a rule"]]


def test_people_read_what_was_wrong_with_a_call_that_was_listened_to() -> None:
    scenario = a_scenario()
    result = a_result(scenario, findings=(a_finding(scenario),))
    text = printed(shown(a_side(listened=[a_result(), result])))
    assert "a call that was listened to:" in text
    assert "expected  a pause of 3 s" in text
    assert text.count("a call that was listened to:") == 1
    text = printed(shown(a_side(listened=[result] * 5)))
    assert text.count("a call that was listened to:") == 2
    assert "… and 3 more that were listened to" in text


def test_a_load_that_was_stopped_says_so() -> None:
    assert rows(printed(shown(), stopped=True))[-1] == ["stopped before the end; passed so far"]


def test_programs_read_the_same() -> None:
    data = json.loads(as_json(shown(), ("it is late",), ("look here",), stopped=True))
    assert (data["passed"], data["shortcomings"], data["remarks"], data["stopped"]) == (
        False,
        ["it is late"],
        ["look here"],
        True,
    )
    assert data["caller"] == "own"
    assert data["asked"] == {"calls": 10, "rate": 5.0, "at_once": 4}
    assert (data["placed"], data["answered"], data["well"], data["failed"]) == (10, 10, 10, 0)
    assert data["spreads"]["setup"]["p99"] == 0.003
    assert data["spreads"]["waits"]["count"] == 10
    assert data["spreads"]["wire"] is None
    assert data["late"] == {"over_20_ms": 0, "over_100_ms": 0}
    assert data["processes"]["engine"]["cpu_peak"] == 10.0
    assert [second["at"] for second in data["each_second"]] == [1.0, 2.0]
    passed = json.loads(as_json(shown(replace(a_side(), statuses={486: 1})), (), (), stopped=False))
    assert passed["passed"] is True
    assert passed["statuses"] == {"486": 1}

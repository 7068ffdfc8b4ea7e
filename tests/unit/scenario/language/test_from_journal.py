from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hotline_scenarios import GOV
from recorded_calls import FRIDAY_AT_TEN, call, events, stored

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, Judgement, Verdict
from ivrflow.flow.model import CallFlow
from ivrflow.flow.problems import FlowError
from ivrflow.runtime.journal import Journal
from ivrflow.runtime.journal_reader import JournalReader, StoredCall
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language import from_journal
from ivrflow.scenario.language.from_journal import scenario_of
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.observation import Observation
from ivrflow.scenario.script import Press as PressStep
from ivrflow.scenario.script import Scenario
from ivrflow.scenario.simulated.on_simulator import play
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller_commands import (
    Bare,
    Command,
    GiveSignal,
    LearnValue,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
)
from ivrflow.simulator.simulation import Simulation

SILENCE = Stay(None)


def written(of: StoredCall, flow: CallFlow = GOV, *, show_personal: bool = False) -> str:
    return scenario_of(of, flow, show_personal=show_personal)


def scenario(of: StoredCall, flow: CallFlow = GOV, *, show_personal: bool = False) -> Scenario:
    return read_scenario(written(of, flow, show_personal=show_personal), "recorded.yaml", {flow.id: flow})


def script(*commands: Command, agent: AgentChange | None = None, show_personal: bool = False) -> list[str]:
    """The steps of the caller, as they are written."""
    text = written(stored(call(*commands, agent=agent)), show_personal=show_personal)
    lines = text.partition("caller:\n")[2].splitlines()
    return [line.removeprefix("  - ") for line in lines if line.startswith("  - ")]


def verdicts(given: tuple[Verdict, ...]) -> dict[str, Judgement]:
    return {verdict.rule: verdict.judgement for verdict in given}


def same(recorded: Simulation, seen: Observation) -> None:
    """A scenario that was played came to the same end as the call it was recorded from, in the same time."""
    session, engine = recorded.session, seen.engine
    assert engine is not None
    assert engine.outcome == session.outcome
    assert engine.hung_up_first == (session.first_to_hang_up or "nobody")
    assert verdicts(engine.verdicts) == verdicts(session.verdicts)
    assert engine.trace[-1].at == pytest.approx(session.trace[-1].at, abs=0.5)


ANSWERS = AgentChange(manner="answers", after=4.0, talks=30.0)

COMPLAINT = (Stay(1.0), Press("2"), Stay(3.0), Press("86420#"), SILENCE)

CALLS: dict[str, Callable[[], Simulation]] = {
    "silent": lambda: call(SILENCE),
    "hangs up in the greeting": lambda: call(Stay(2.0), Bare.HANG_UP),
    "hangs up at once": lambda: call(Stay(0.3), Bare.HANG_UP),
    "menu": lambda: call(Stay(1.5), Speak(2.0), Bare.LISTEN, Stay(1.0), Press("0"), SILENCE, agent=ANSWERS),
    "wrong keys": lambda: call(
        Speak(1.0), Bare.LISTEN, Press("7"), Bare.LISTEN, Press("9"), Bare.LISTEN, Press("1"), SILENCE
    ),
    "complaint": lambda: call(*COMPLAINT, agent=ANSWERS),
    "too few digits": lambda: call(Press("2"), Bare.LISTEN, Press("1"), SILENCE, agent=ANSWERS),
    "busy": lambda: call(Press("0"), SILENCE, agent=AgentChange(manner="busy", after=1.5)),
    "nobody there": lambda: call(Press("0"), SILENCE, agent=AgentChange(manner="away")),
    "unreachable": lambda: call(Press("0"), SILENCE, agent=AgentChange(manner="unreachable")),
    "caller leaves the talk": lambda: call(Press("0"), Stay(20.0), Bare.HANG_UP, agent=ANSWERS),
    "agent leaves the talk": lambda: call(Press("0"), Stay(60.0), Bare.HANG_UP, agent=ANSWERS),
    "noise": lambda: call(Stay(7.0), StartSituation("noise"), SILENCE),
    "noise, then heard": lambda: call(Stay(2.0), StartSituation("noise"), Stay(6.0), GiveSignal("audible"), SILENCE),
    "taken back": lambda: call(Stay(2.0), StartSituation("noise"), Stay(1.0), Bare.CANCEL, SILENCE),
    "a task": lambda: call(Stay(2.0), StartSituation("media_inquiry"), Stay(12.0), Bare.DONE, Stay(30.0), Bare.HANG_UP),
    "a name": lambda: call(
        Stay(2.0), LearnValue("honorific", "老太太"), Stay(0.5), StartSituation("caller_greets"), SILENCE
    ),
    "a request at the end": lambda: call(Press("0"), Stay(40.0), Speak(1.0), SILENCE, agent=ANSWERS),
    "speaks through a phrase": lambda: call(Stay(8.5), Speak(4.0), SILENCE),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("show_personal", [False, True], ids=["replaced", "personal"])
def test_played_again_it_ends_the_same_and_passes(name: str, show_personal: bool) -> None:
    recorded = CALLS[name]()
    found = scenario(stored(recorded), show_personal=show_personal)

    seen = play(found)

    same(recorded, seen)
    assert [finding for finding in judge(found, seen)[0] if finding.fails] == []


def through_the_journal(recorded: Simulation, folder: Path, *, show_personal: bool = True) -> StoredCall:
    """The call as it comes back out of a journal, its session time counted from the engine's start."""
    url = f"sqlite:///{folder}/journal.sqlite"
    journal = Journal(url)
    journal.open()
    record = journal.call_arrived("1795140000.17", GOV, FRIDAY_AT_TEN)
    for one in recorded.record:
        record.handled(4711.125 + one.at, one.event, one.actions)
    session = recorded.session
    record.over(session.outcome, session.first_to_hang_up, session.trace, session.verdicts)
    journal.close()
    reader = JournalReader(url, show_personal=show_personal)
    try:
        return reader.call("last")
    finally:
        reader.close()


def test_a_call_out_of_the_journal(tmp_path: Path) -> None:
    recorded = CALLS["complaint"]()
    of = through_the_journal(recorded, tmp_path)

    assert written(of) == written(stored(recorded))
    same(recorded, play(scenario(of)))


def test_a_call_that_was_read_masked_can_still_be_written(tmp_path: Path) -> None:
    of = through_the_journal(call(LearnValue("honorific", "女士"), *COMPLAINT), tmp_path, show_personal=False)

    for show_personal in (False, True):
        found = scenario(of, show_personal=show_personal)
        assert [step.keys for step in found.caller if isinstance(step, PressStep)] == ["0", "000000"]


# ── what is written ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_silent_caller_in_full() -> None:
    assert written(stored(call(SILENCE))) == (
        "# Recorded from the call 1795140000.17.\n"
        "# Entries and names are not the caller's: they were replaced.\n"
        "scenario: a recorded call, hung up\n"
        "flow: gov12345\n"
        'call: "12345"\n'
        "at: 2026-11-20T10:00:00\n"
        "within: 47s\n"
        "caller:\n"
        "  - hear: greeting_inbound.standard\n"
        "  - pause: as the rule says\n"
        "  - hear: silent_call.connected\n"
        "  - pause: as the rule says\n"
        "  - hear: silent_call.change_phone\n"
        "expect:\n"
        "  hung_up_first: ivrflow\n"
        "  outcome: hung_up\n"
        "  verdicts:\n"
        "    greeting_inbound: kept\n"
        "    silent_call: kept\n"
    )


NOISY = (Stay(4.0), StartSituation("noise"), SILENCE)


def test_the_pause_before_ivrflow_hangs_up_is_written() -> None:
    assert script(*NOISY)[-2:] == ["hear: noise.change_phone", "pause: as the rule says"]
    closed = script(Press("0"), SILENCE, agent=ANSWERS)
    assert closed[-2:] == ["hear: house/closing.please_hang_up", "pause: as the rule says"], "the agent left first"


def test_a_caller_who_hangs_up_ends_no_pause() -> None:
    assert script(Stay(4.0), StartSituation("noise"), Stay(1.0), Bare.HANG_UP)[-1] == "hang_up"
    trace = call(Press("0"), SILENCE, agent=ANSWERS).session.trace
    guarded = next(
        line.at for line in trace if line.fact is Fact.WAIT_BEGUN and line.detail.startswith("for the caller")
    )
    closed = script(Press("0"), Stay(guarded + 9.72), Bare.HANG_UP, agent=ANSWERS)
    assert closed[-2:] == ["wait: 9.72s", "hang_up"], "just as long as the guard, and yet the caller's own doing"


def test_a_pause_before_the_end_that_was_not_as_the_rule_says_is_not_written() -> None:
    *before, last = stored(call(*NOISY)).happenings

    assert "change_phone\nexpect:" in written(stored(call(*NOISY), happenings=[*before, replace(last, at=last.at + 1)]))


def test_a_script_that_is_cut_short_expects_no_pause_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_journal, "MOST_STEPS", 2)

    assert script(SILENCE) == ["hear: greeting_inbound.standard"]


def test_moments_count_from_what_was_heard() -> None:
    steps = script(Stay(1.0), Press("2"), Bare.LISTEN, Stay(2.25), Press("9"), Bare.HANG_UP, show_personal=True)

    assert steps[:2] == ["hear_start: {phrase: greeting_inbound.standard, at_most: 40%}", "wait: 1s"]
    assert steps[2:] == ['press: "2"', "hear: house/collect.ask_number", "wait: 2.25s", 'press: "9"', "hang_up"]


def test_what_nobody_can_have_recognised_by_then_is_told_by_what_came_before() -> None:
    steps = script(Stay(0.3), Press("2"), Bare.NEXT, Stay(0.5), Press("5"), Bare.HANG_UP, show_personal=True)

    assert steps == [
        "wait_until: 300ms",
        'press: "2"',
        "hear: house/collect.ask_number",
        "wait: 500ms",
        'press: "5"',
        "hang_up",
    ]
    text = written(stored(call(Stay(0.3), Press("2"), SILENCE)))
    assert "  heard_else: yes\n" in text
    assert "too little was heard" in text


def test_what_fell_into_a_phrase_that_began_late_still_falls_into_it() -> None:
    """On a PBX a prompt begins a little later than it was asked for, so it ends later than its length tells."""
    late = events(
        (0.0, m.CallArrived(number="12345", arrived_at=1_795_140_000.0)),
        (0.0, m.CallAnswered()),
        (3.9, m.SituationStarted(name="noise")),
        (9.0, m.CallerHungUp()),
        actions={
            2: (m.Play(ticket=1, phrase="gov12345/greeting_inbound.standard", prompt="", seconds=3.82),),
            3: (m.StopPlaying(ticket=1), m.Play(ticket=2, phrase="gov12345/noise.ask_louder", prompt="", seconds=4.5)),
        },
    )

    text = written(stored(call(SILENCE), happenings=late))

    assert "  - hear_start: greeting_inbound.standard\n  - wait: 3.77s\n  - situation: noise\n" in text


def test_keys_of_one_entry_are_one_step() -> None:
    together = script(Press("2"), Stay(4.0), Press("864#"), SILENCE, show_personal=True)
    assert 'press: {keys: "864#", gap: 200ms}' in together

    apart = script(
        Press("2"),
        Stay(4.0),
        Press("8"),
        Stay(1.5),
        Press("6"),
        Stay(0.5),
        Press("4"),
        Bare.HANG_UP,
        show_personal=True,
    )
    assert apart[-4:] == ['press: "8"', "wait: 1.4s", 'press: {keys: "64", gap: 400ms}', "hang_up"]


def test_keys_pressed_faster_than_they_can_be_held_are_held_shorter() -> None:
    fast = call(Press("2"), Stay(4.0), Press("8"), Stay(0.08), Press("6"), Stay(0.08), Press("4"), SILENCE)

    assert 'press: {keys: "864", hold: 40ms, gap: 40ms}' in written(stored(fast), show_personal=True)


def test_a_phrase_after_a_long_talk_is_waited_for() -> None:
    text = written(stored(call(Press("0"), SILENCE, agent=replace(ANSWERS, talks=120.0))))

    assert "  - hear: {phrase: anything_else.ask, within: 2m34s}\n" in text
    assert '  "1001":\n    - ring: 4s\n    - wait: 2m\n    - hang_up\n' in text


def test_a_phrase_after_more_than_an_hour_is_not_waited_for_all_the_time() -> None:
    flow = replace(GOV, limits=replace(GOV.limits, call_length=86_000.0))
    long = events(
        (0.0, m.CallArrived(number="12345", arrived_at=1_795_140_000.0)),
        (0.0, m.CallAnswered()),
        (5000.0, m.DeadlineReached()),
        (5002.0, m.PromptEnded(ticket=1)),
        (5003.0, m.CallerHungUp()),
        actions={3: (m.Play(ticket=1, phrase="gov12345/anything_else.ask", prompt="", seconds=2.0),)},
    )

    text = written(stored(call(SILENCE), happenings=long), flow)

    assert "  - wait_until: 1h22m50s\n  - hear: anything_else.ask\n  - wait: 1s\n  - hang_up\n" in text


@pytest.mark.parametrize(
    ("agent", "lines"),
    [
        (AgentChange(manner="busy", after=1.5), "    - busy: 1.5s\n"),
        (AgentChange(manner="unreachable"), "    - unreachable\n"),
        (AgentChange(manner="away"), "    - rings_on\n"),
        (replace(ANSWERS, talks=0.0), "    - ring: 4s\n    - hang_up\n"),
    ],
)
def test_agents(agent: AgentChange, lines: str) -> None:
    assert f'agents:\n  "1001":\n{lines}' in written(stored(call(Press("0"), SILENCE, agent=agent)))


def test_an_agent_who_does_not_answer_for_another_reason_declines() -> None:
    ring = m.Ring(ticket=1, extension="1001", seconds=20.0)
    refused = events(
        (0.0, m.CallArrived(number="12345", arrived_at=1_795_140_000.0)),
        (0.0, m.CallAnswered()),
        (1.0, m.AgentUnavailable(ticket=1)),
        (2.0, m.CallerHungUp()),
        actions={2: (ring,)},
    )

    assert '  "1001":\n    - declines: 1s\n' in written(stored(call(SILENCE), happenings=refused))


def test_one_telephone_that_did_not_do_the_same_each_time() -> None:
    recorded = call(
        Press("0"),
        Stay(33.0),
        TellAgent(AgentChange(manner="busy")),
        Speak(1.0),
        Bare.LISTEN,
        Press("0"),
        SILENCE,
        agent=replace(ANSWERS, talks=25.0),
    )

    text = written(stored(recorded))

    assert "# 1001 rang 2 times and did not do the same each time; one of them is here.\n" in text
    assert "    - hang_up\n" in text, "the one that ends the talk"


# ── personal ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_entries_are_replaced_and_ways_stay() -> None:
    steps = script(Press("2"), Stay(4.0), Press("8642#"), SILENCE, agent=ANSWERS)

    pressed = [step for step in steps if step.startswith("press")]
    assert pressed[0] == 'press: "2"'
    assert "8642" not in pressed[1]
    assert pressed[1].count("#") == 1
    assert len(pressed[1]) == len('press: {keys: "8642#", gap: 200ms}')


def test_names_are_replaced() -> None:
    def values(*, show_personal: bool) -> list[str]:
        steps = script(
            LearnValue("surname", '王"\\\u200b五'),
            LearnValue("honorific", "老太太"),
            SILENCE,
            show_personal=show_personal,
        )
        return [step for step in steps if step.startswith("value")]

    assert values(show_personal=False) == ['value: {surname: "某"}', 'value: {honorific: "先生"}']
    assert values(show_personal=True) == ['value: {surname: "王\\"\\\\\\U0000200b五"}', 'value: {honorific: "老太太"}']


def test_a_name_is_read_back_as_it_was() -> None:
    recorded = call(LearnValue("surname", '王"\\\u200b: #五'), SILENCE)

    (first, *_) = scenario(stored(recorded), show_personal=True).caller

    assert getattr(first, "value", "") == '王"\\\u200b: #五'


def test_the_calling_number_stands_nowhere() -> None:
    recorded = stored(call(SILENCE))
    first = recorded.happenings[0]
    arrived = m.CallArrived(number="12345", arrived_at=1_795_140_000.0, caller="13912345678", values={"surname": "王"})
    of = replace(recorded, happenings=(replace(first, event=arrived), *recorded.happenings[1:]))

    assert "139" not in written(of, show_personal=True)
    assert '  - value: {surname: "王"}\n' in written(of, show_personal=True)
    assert "王" not in written(of)


# ── what cannot be played, or not any more ────────────────────────────────────────────────────────────────────────────


def test_a_call_that_was_never_answered_cannot_be_played() -> None:
    nobody = events((0.0, m.CallArrived(number="12345", arrived_at=0.0)), (3.0, m.CallerHungUp()))

    with pytest.raises(FlowError, match="was never answered"):
        written(stored(call(SILENCE), happenings=nobody))


def test_what_a_scenario_cannot_make_happen_is_said() -> None:
    lost = events(
        (0.0, m.CallArrived(number="12345", arrived_at=1_795_140_000.0)),
        (0.0, m.CallAnswered()),
        (1.0, m.HearingLost()),
        (3.0, m.LineLost()),
    )
    of = stored(call(SILENCE), happenings=lost, missing=2)
    text = written(replace(of, summary=replace(of.summary, outcome="line_lost", ended_by="")))

    assert "# Its line was lost; a scenario cannot make that happen.\n" in text
    assert "# For a while the caller could not be heard; a scenario cannot make that happen.\n" in text
    assert "# 2 events of it were lost on the way into the journal.\n" in text
    assert "outcome" not in text


def test_a_call_without_an_ending_expects_none() -> None:
    simulation = call(Stay(2.0))
    text = written(stored(simulation))

    assert "# Its end was not recorded.\n" in text
    assert "scenario: a recorded call, without an ending\n" in text
    assert "expect" not in text


def test_what_todays_flow_does_not_know_any_more_is_left_out() -> None:
    recorded = stored(call(Stay(2.0), StartSituation("noise"), Stay(1.0), GiveSignal("audible"), SILENCE))
    standard = replace(GOV.standard, rules={name: rule for name, rule in GOV.standard.rules.items() if name != "noise"})
    today = replace(
        GOV,
        standard=standard,
        situations={name: ladder for name, ladder in GOV.situations.items() if name != "noise"},
    )

    text = written(recorded, today)

    assert "noise" not in text
    assert "  heard_else: yes\n" in text
    read_scenario(text, "recorded.yaml", {"gov12345": today})


def test_a_call_of_no_year_has_no_time() -> None:
    recorded = stored(Simulation(GOV, arrived_at=0.0))

    assert "at:" not in written(recorded)


def test_a_number_that_leads_elsewhere_today_is_not_dialled() -> None:
    assert 'call: "' not in written(stored(call(SILENCE)), replace(GOV, numbers=("999",)))


def test_a_script_is_not_longer_than_a_script_may_be() -> None:
    keys: list[Command] = [command for _ in range(520) for command in (Press("9"), Stay(1.2))]
    text = written(stored(call(Press("0"), Stay(10.0), *keys, Bare.HANG_UP, agent=replace(ANSWERS, talks=1400.0))))

    assert "# Only its first 500 steps are here.\n" in text
    assert "outcome" not in text
    read_scenario(text, "recorded.yaml", {"gov12345": GOV})

"""Whatever a caller and an agent do: the call recorded as a scenario, and played, comes to the same end and verdicts."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ivrflow.engine.trace import Judgement, Verdict
from ivrflow.flow_files import load_flows
from ivrflow.runtime.journal_reader import CallSummary, Happening, StoredCall
from ivrflow.scenario.judging.judgement import judge
from ivrflow.scenario.language.from_journal import scenario_of
from ivrflow.scenario.language.reading import read_scenario
from ivrflow.scenario.simulated.on_simulator import play
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller import Vocabulary
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

FLOW = load_flows([Path(__file__).parents[2] / "callflows"])["gov12345"]
KNOWN = Vocabulary.of(FLOW)


def milliseconds(least: int, most: int) -> st.SearchStrategy[float]:
    return st.integers(least, most).map(lambda ms: ms / 1000)


# What happens within one packet of something else may as well happen before it: everything is 0.15 s apart, and speech
# is as the speech gate lets it through: at least half a second, with a longer silence around it.
doings: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([Bare.NEXT, Bare.LISTEN, Bare.CANCEL, Bare.DONE]),
    st.builds(Press, st.text("0123456789*#", min_size=1, max_size=6)),
    st.builds(StartSituation, st.sampled_from(sorted(KNOWN.situations))),
    st.builds(GiveSignal, st.sampled_from(sorted(KNOWN.signals))),
    st.builds(LearnValue, st.just("honorific"), st.sampled_from(["女士", "先生"])),
)
spaced: st.SearchStrategy[list[Command]] = st.one_of(
    st.builds(lambda doing, then: [doing, Stay(then)], doings, milliseconds(150, 30_000)),
    st.builds(
        lambda before, speech, after: [Stay(before), Speak(speech), Stay(after)],
        milliseconds(700, 20_000),
        milliseconds(500, 20_000),
        milliseconds(700, 20_000),
    ),
)
agents = st.builds(
    AgentChange,
    st.just("1001"),
    st.sampled_from(["answers", "busy", "away", "unreachable"]),
    st.none(),
    milliseconds(500, 40_000),
    milliseconds(500, 40_000),
)
endings = st.sampled_from([Bare.HANG_UP, Stay(None)])


def recorded(agent: AgentChange, doings: list[list[Command]], ending: Command) -> Simulation:
    call = Simulation(FLOW, arrived_at=1_795_140_000.0)
    for command in [TellAgent(agent), *(one for few in doings for one in few), ending]:
        call.caller(command)
    return call


def stored(call: Simulation) -> StoredCall:
    session = call.session
    happenings = tuple(Happening(number, one.at, one.event, one.actions) for number, one in enumerate(call.record, 1))
    summary = CallSummary(
        "1.1", FLOW.id, 1_795_140_000.0, call.now, "", session.outcome, session.first_to_hang_up, (), ()
    )
    return StoredCall(summary, FLOW.source, FLOW.prompts, {}, happenings, 0, tuple(session.trace), session.verdicts)


def judged(verdicts: tuple[Verdict, ...]) -> dict[str, Judgement]:
    return {verdict.rule: verdict.judgement for verdict in verdicts}


@settings(max_examples=150)
@given(call=st.builds(recorded, agents, st.lists(spaced, max_size=8), endings), show_personal=st.booleans())
def test_a_recorded_call_goes_the_same_way_again(call: Simulation, show_personal: bool) -> None:
    assert call.is_over
    text = scenario_of(stored(call), FLOW, show_personal=show_personal)

    scenario = read_scenario(text, "recorded.yaml", {FLOW.id: FLOW})
    seen = play(scenario)

    if "did not do the same each time" in text:
        return  # a scenario has one part for each telephone, so this one may end otherwise
    assert seen.engine is not None
    assert seen.engine.outcome == call.session.outcome, text
    assert seen.engine.hung_up_first == (call.session.first_to_hang_up or "nobody"), text
    assert judged(seen.engine.verdicts) == judged(call.session.verdicts), text
    assert seen.caller.trouble == ""
    assert seen.caller.gave_up is None, text
    assert [found for found in judge(scenario, seen)[0] if found.kind == "pause"] == [], text

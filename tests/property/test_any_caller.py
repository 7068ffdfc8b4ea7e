"""Whatever a caller, an agent and a tester do: nothing raises, one deadline is armed, and a replay is identical."""

from contextlib import suppress
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_flows import hotline
from watched_line import WatchedLine

from ivrflow.engine import messages as m
from ivrflow.simulator.agents import AgentChange
from ivrflow.simulator.caller import KEYS, Mistake, Vocabulary, read_command
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
from ivrflow.simulator.replay import replay
from ivrflow.simulator.simulation import Happening, Simulation

FLOW = hotline()
KNOWN = Vocabulary.of(FLOW)

seconds = st.integers(0, 30_000).map(lambda milliseconds: milliseconds / 1000)
manners = st.sampled_from(["answers", "busy", "away", "unreachable", "leaves", None])
changes = st.builds(
    AgentChange,
    st.sampled_from(["", "1001"]),
    manners,
    st.none(),
    st.none() | seconds,
    seconds,
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([command for command in Bare if command is not Bare.HANG_UP]),
    st.builds(Press, st.text(sorted(KEYS), min_size=1, max_size=5)),
    st.builds(Speak, seconds),
    st.builds(Stay, seconds),
    st.builds(StartSituation, st.sampled_from(sorted(KNOWN.situations))),
    st.builds(GiveSignal, st.sampled_from(sorted(KNOWN.signals))),
    st.builds(LearnValue, st.just("honorific"), st.sampled_from(["女士", "先生"])),
    st.builds(TellAgent, changes),
)
endings = st.sampled_from([Bare.HANG_UP, Stay(None)])
scripts = st.builds(lambda doing, ending: [*doing, ending], st.lists(commands, max_size=25), endings)


class WatchedSimulation(Simulation):
    """A simulation that looks at every answer."""

    def feed(self, event: m.CallEvent) -> Happening | None:
        happening = super().feed(event)
        session = self.session
        assert (session.deadline is None) == session.is_over, "one deadline is armed until the call is over"
        assert bool(session.waiting_for) != session.is_over, "and it has a purpose"
        return happening


@settings(max_examples=300, deadline=None)
@given(script=scripts)
def test_any_script_runs_to_an_end_and_replays_identically(script: list[Command]) -> None:
    call = WatchedSimulation(FLOW, arrived_at=1_795_140_000.0)
    for command in script:
        call.caller(command)
    assert call.session.is_over

    line = WatchedLine()
    times = [happening.at for happening in call.record]
    assert times == sorted(times), "time never goes back"
    for happening in call.record:
        line.happens(happening.event, happening.actions)

    report = replay(FLOW, call.record)
    assert report.parting is None
    assert report.session.trace == call.session.trace
    assert len(report.session.verdicts) == len(FLOW.standard.rules)


@settings(max_examples=300, deadline=None)
@given(command=commands)
def test_any_command_is_read_back_as_it_is_written(command: Command) -> None:
    known = replace(KNOWN, placeholders={"honorific"})
    assert read_command(str(command), known) == command


@settings(max_examples=500, deadline=None)
@given(line=st.text(max_size=40) | st.from_regex(r"/[a-z]{0,9} ?[a-z0-9# =]{0,12}", fullmatch=True))
def test_any_line_is_a_command_a_comment_or_a_mistake(line: str) -> None:
    with suppress(Mistake):
        assert read_command(line, KNOWN) is not None or "#" in line

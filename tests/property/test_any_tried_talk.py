"""Whatever a tester tells caller, agents, queues and look-ups of a tried call: it ends, is told in full, and replays."""

from any_centre import CENTRE, CODES, FLOWS
from hypothesis import given, settings
from hypothesis import strategies as st
from watched_line import WatchedLine

from ivrflow.engine import messages as m
from ivrflow.simulator.agents import AgentChange, AgentDeed
from ivrflow.simulator.caller import Vocabulary, read_command
from ivrflow.simulator.caller_commands import (
    AgentActs,
    Bare,
    Command,
    Press,
    Speak,
    StartSituation,
    Stay,
    TellAgent,
    TellLookUp,
    TellQueue,
)
from ivrflow.simulator.look_ups import LookUp
from ivrflow.simulator.queues import QueueChange
from ivrflow.simulator.replay import replay
from ivrflow.simulator.simulation import Happening, Simulation
from ivrflow.simulator.transcript import Transcript, whole_transcript

WALKED = st.sampled_from([name for name in sorted(FLOWS) if FLOWS[name].start in {"menu", "queue", "agent", "ask"}])
KNOWN = Vocabulary.of(CENTRE)

seconds = st.integers(0, 30_000).map(lambda milliseconds: milliseconds / 1000)
somebody = st.sampled_from(["", "", "", "1001", "1002", "2001"])
manners = st.sampled_from(["answers", "busy", "away", "unreachable", "paused", "logged_out", "leaves", None])
changes = st.builds(AgentChange, somebody, manners, st.none(), st.none() | seconds, seconds, st.none() | seconds)
deeds = st.one_of(
    st.builds(lambda who, length: AgentDeed("holds", who, seconds=length), somebody, st.none() | seconds),
    st.builds(lambda who: AgentDeed("back", who), somebody),
    st.builds(lambda who, code: AgentDeed("keys", who, code), somebody, st.sampled_from([*CODES, "*99"])),
    st.builds(lambda who, step: AgentDeed("transfers", who, step), somebody, st.sampled_from(["colleague", "agent"])),
)
queues = st.sampled_from(["agents", "experts"])
queue_changes = st.one_of(
    st.builds(QueueChange, queues, st.sampled_from(["nobody", "full", "open"])),
    st.builds(lambda name, place, length: QueueChange(name, None, place, length), queues, st.integers(1, 9), seconds),
    st.builds(
        lambda name, who, manner, length: QueueChange(name, agent=AgentChange(who, manner, talks=length)),
        queues,
        st.sampled_from(["1001", "2001", "2002"]),
        st.sampled_from(["answers", "busy", "away", "paused", "logged_out"]),
        seconds,
    ),
)
look_ups = st.one_of(
    st.builds(
        lambda length, state: LookUp("answers", length, (("state", state),)),
        seconds,
        st.sampled_from(["open", "in use"]),
    ),
    st.builds(LookUp, st.sampled_from(["wrong", "fails"]), seconds),
    st.just(LookUp("never", 0.0)),
)
commands: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from([Bare.NEXT, Bare.LISTEN, Bare.CANCEL, Bare.DONE, Bare.DEAF, Bare.HEAR]),
    st.builds(Press, st.text("0123456789*#", min_size=1, max_size=3)),
    st.builds(Speak, seconds),
    st.builds(Stay, seconds),
    st.builds(StartSituation, st.sampled_from(sorted(KNOWN.situations))),
    st.builds(TellAgent, changes),
    st.builds(AgentActs, deeds),
    st.builds(AgentActs, deeds),
    st.builds(TellQueue, queue_changes),
    st.builds(TellLookUp, look_ups),
)
openings: st.SearchStrategy[list[Command]] = st.sampled_from(
    [
        [],
        [TellAgent(AgentChange("", "answers", 2.0, 300.0)), Stay(10.0)],
        [TellAgent(AgentChange("", "away")), Stay(30.0)],
    ]
)
"""Nothing at all; a talk; a long wait."""

scripts = st.builds(
    lambda opening, doing, ending: [*opening, *doing, ending],
    openings,
    st.lists(commands, max_size=30),
    st.sampled_from([Bare.HANG_UP, Stay(None)]),
)


class WatchedSimulation(Simulation):
    """A simulation whose line is looked at after every answer."""

    line: WatchedLine

    def feed(self, event: m.CallEvent) -> Happening | None:
        if not self.record:
            self.line = WatchedLine()
        happening = super().feed(event)
        if happening:
            self.line.happens(event, happening.actions)
            self.line.check(self.session, self.now)
        return happening


@settings(max_examples=300, deadline=None)
@given(WALKED, scripts)
def test_any_script_runs_to_an_end_is_told_and_replays_identically(name: str, script: list[Command]) -> None:
    call = WatchedSimulation(FLOWS[name], arrived_at=1_795_140_000.0, caller="13800001111")
    for command in script:
        call.caller(command)
    assert call.session.is_over
    times = [happening.at for happening in call.record]
    assert times == sorted(times), "time never goes back"
    assert "does " not in "".join(line.what for line in Transcript(call).news() if line.who == "ivrflow"), "no words"
    assert "13800001111" not in whole_transcript(call)
    report = replay(FLOWS[name], call.record)
    assert report.parting is None
    assert report.session.trace == call.session.trace


@settings(max_examples=300, deadline=None)
@given(command=commands)
def test_any_command_is_read_back_as_it_is_written(command: Command) -> None:
    assert read_command(str(command), KNOWN) == command

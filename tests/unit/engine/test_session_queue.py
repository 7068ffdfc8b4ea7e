"""Waiting for an agent: announcements on our own clock, keys at every moment, levels and bounds, thanks when it took long."""

from dataclasses import replace

from agent_flows import QUEUE_EXITS, queue
from driven_call import DrivenCall, call
from small_flows import WHERE, flow, rung, say

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact
from ivrflow.flow.model import CallFlow, Ladder, Phrase, Prompt, PromptCatalogue, Queue

ANNOUNCEMENTS = Ladder(
    "queue",
    (rung(wait=10.0), rung("please wait", wait=30.0), rung("still busy", wait=30.0)),
    "continue",
    WHERE,
    loops_from=3,
    rounds=2,
)


def queued(step: Queue | None = None) -> DrivenCall:
    return call(flow(step or queue(), *QUEUE_EXITS, say("elsewhere", "elsewhere")))


def answered(waiting: DrivenCall, after: float) -> DrivenCall:
    return waiting.silence(after).happens(m.AgentAnswered(ticket=waiting.ticket(m.JoinQueue), agent="1001", rang=4.0))


def test_the_caller_stands_in_the_queue_with_music_and_one_bound() -> None:
    waiting = queued(queue("queue", "connecting"))
    assert waiting.says == ["connecting"]
    waiting.prompt_ends()
    assert waiting.last == [m.StartMusic(), m.JoinQueue(ticket=waiting.ticket(m.JoinQueue), queue="agents")]
    assert (waiting.session.phase, waiting.waits_for) == ("queued", 180.0)
    assert waiting.session.waiting_for == "an agent of the queue"


def test_announcements_come_each_at_its_time_alone_and_go_round() -> None:
    waiting = queued(queue(waiting=ANNOUNCEMENTS)).silence(120)
    begun = [(line.at, line.phrase) for line in waiting.trace if line.fact is Fact.PHRASE_STARTED]
    assert begun == [(10.0, "please wait"), (42.0, "still busy"), (74.0, "still busy"), (106.0, "still busy")]
    music = [type(action).__name__ for action in waiting.actions if isinstance(action, m.StartMusic | m.StopMusic)]
    assert music == ["StartMusic", "StopMusic"] * 4 + ["StartMusic"]


def test_when_the_announcements_are_used_up_the_caller_waits_on_to_the_bound() -> None:
    waiting = queued(queue(waiting=ANNOUNCEMENTS)).silence(179)
    assert waiting.says.count("still busy") == 3
    assert (waiting.session.waiting_for, waiting.waits_for) == ("an agent of the queue", 1.0)
    waiting.silence(1)
    assert (waiting.steps[-1], waiting.session.phase) == ("no_answer", "conversing")
    assert waiting.last[:2] == [m.StopRinging(ticket=waiting.ticket(m.JoinQueue)), m.StopMusic()]


def test_the_bound_cuts_an_announcement() -> None:
    late = Ladder("queue", (rung(wait=179.0), rung("please wait")), "continue", WHERE)
    waiting = queued(queue(waiting=late)).silence(180)
    assert waiting.says == ["please wait", "no_answer"]


def test_who_answers_is_joined_at_once_even_in_an_announcement() -> None:
    talking = answered(queued(queue(waiting=ANNOUNCEMENTS)), 11)
    ticket = talking.ticket(m.JoinQueue)
    assert talking.last == [m.StopPlaying(ticket=talking.ticket(m.Play)), m.Bridge(ticket=ticket)]
    assert (talking.session.phase, talking.session.step, talking.waits_for) == ("bridged", "queue", 600.0)
    (line,) = [line for line in talking.trace if line.fact is Fact.AGENT_ANSWERED]
    assert (line.detail, line.seconds) == ("1001", 4.0)


def test_who_waited_long_is_thanked_before_the_talk_and_the_agent_hears_it() -> None:
    thanked = answered(queued(), 61)
    ticket = thanked.ticket(m.JoinQueue)
    assert [type(action) for action in thanked.last] == [m.Part, m.StopMusic, m.Play]
    play = thanked.playing
    assert play is not None
    assert (play.phrase, play.hearer, play.leg) == ("thanks for waiting", "both", ticket)
    assert thanked.prompt_ends().last == [m.Bridge(ticket=ticket)]


def test_a_key_leads_out_of_the_queue_at_every_moment() -> None:
    for seconds in (0.0, 5.0, 11.0, 30.0, 170.0):
        left = queued(queue(waiting=ANNOUNCEMENTS, keys={"1": "elsewhere"})).silence(seconds).key("1", 0.5)
        assert left.steps[-1] == "elsewhere", seconds
        assert m.StopRinging(ticket=left.ticket(m.JoinQueue)) in left.last
        assert left.session.phase == "conversing"


def test_a_key_leads_to_another_queue_where_the_waiting_begins_anew() -> None:
    experts = queue("experts", levels={"experts": 0.0})
    steps = (queue(keys={"2": "experts"}), experts)
    moved = call(flow(*steps, *QUEUE_EXITS)).silence(12).key("2", 0.5)
    assert moved.steps[-1] == "experts"
    assert [action.queue for action in moved.last if isinstance(action, m.JoinQueue)] == ["experts"]
    assert len([action for action in moved.last if isinstance(action, m.StopRinging)]) == 1
    assert answered(moved, 5).session.phase == "bridged"


def test_a_key_pressed_in_the_announcement_before_counts() -> None:
    left = queued(queue("queue", "connecting", keys={"1": "elsewhere"})).key("1", 0.5)
    assert left.steps == ["queue", "elsewhere"]


def test_the_next_level_is_asked_after_its_time_and_the_first_one_no_more() -> None:
    waiting = queued(queue(levels={"agents": 0.0, "seniors": 30.0}, waiting=ANNOUNCEMENTS))
    first = waiting.ticket(m.JoinQueue)
    waiting.silence(30)
    assert waiting.last == [
        m.StopRinging(ticket=first),
        m.JoinQueue(ticket=first + 2, queue="seniors", waited=30.0),
    ]
    assert waiting.happens(m.AgentAnswered(ticket=first)).last == [], "the first level is asked no more"
    assert waiting.silence(13).says == ["please wait", "still busy"], "announcements go on as if nothing had happened"
    assert answered(waiting, 1).session.phase == "bridged"


def test_who_finds_nobody_at_the_next_level_goes_on_waiting_for_the_one_before() -> None:
    waiting = queued(queue(levels={"agents": 0.0, "seniors": 30.0}, waiting=ANNOUNCEMENTS)).silence(30.5)
    seniors = waiting.ticket(m.JoinQueue)
    waiting.happens(m.AgentUnavailable(ticket=seniors, why="nobody"))
    assert waiting.last == [m.JoinQueue(ticket=seniors + 1, queue="agents", waited=30.5)]
    assert waiting.silence(12.5).says == ["please wait", "still busy"], "announcements go on as if nothing had happened"
    waiting.happens(m.AgentUnavailable(ticket=seniors + 1, why="nobody"))
    assert waiting.steps[-1] == "nobody", "and then nobody is there at all"


def test_a_level_that_is_empty_is_not_asked_again() -> None:
    waiting = queued(queue(levels={"agents": 0.0, "seniors": 30.0})).silence(30.5)
    waiting.happens(m.AgentUnavailable(ticket=waiting.ticket(m.JoinQueue), why="nobody")).silence(200)
    asked = [action.queue for action in waiting.actions if isinstance(action, m.JoinQueue)]
    assert asked == ["agents", "seniors", "agents"]
    assert waiting.steps[-2:] == ["no_answer", "hang_up"], "its time is over when it would have been anyway"


def test_nobody_at_the_first_level_asks_the_next_one_at_once() -> None:
    waiting = queued(queue(levels={"agents": 0.0, "seniors": 30.0})).silence(0.2)
    agents = waiting.ticket(m.JoinQueue)
    waiting.happens(m.AgentUnavailable(ticket=agents, why="nobody"))
    assert waiting.last == [m.JoinQueue(ticket=agents + 1, queue="seniors", waited=0.2)]
    assert waiting.happens(m.AgentAnswered(ticket=agents + 1, agent="1003"), 5.0).session.phase == "bridged"


def test_nobody_at_any_level_ends_the_waiting() -> None:
    waiting = queued(queue(levels={"agents": 0.0, "seniors": 30.0}))
    for _ in range(3):
        waiting.happens(m.AgentUnavailable(ticket=waiting.ticket(m.JoinQueue), why="nobody"))
    asked = [action.queue for action in waiting.actions if isinstance(action, m.JoinQueue)]
    assert asked == ["agents", "seniors", "agents"], "who has logged in meanwhile is found"
    assert waiting.steps[-1] == "nobody"


def test_nobody_is_there_and_the_queue_is_full() -> None:
    for why in ("nobody", "full", "no_answer"):
        waiting = queued().silence(1)
        waiting.happens(m.AgentUnavailable(ticket=waiting.ticket(m.JoinQueue), why=why))
        assert waiting.steps[-1] == why
        assert waiting.last[0] == m.StopMusic()


def test_the_place_in_the_queue_can_be_said() -> None:
    waiting = queued().happens(m.QueueMoved(ticket=2, position=3, expected_s=61.0))
    assert not [line for line in waiting.trace if line.fact is Fact.QUEUE_MOVED], "an old ticket"
    waiting.happens(m.QueueMoved(ticket=waiting.ticket(m.JoinQueue), position=3, expected_s=61.0))
    (line,) = [line for line in waiting.trace if line.fact is Fact.QUEUE_MOVED]
    assert (line.detail, line.seconds) == ("position 3", 61.0)


def telling(step: Queue) -> CallFlow:
    """A flow whose announcement tells position and minutes, where both are known."""
    made = flow(step, *QUEUE_EXITS, say("elsewhere", "elsewhere"))
    names = ("queue_minutes", "queue_position")
    told = Phrase("please wait", "{queue_position}, {queue_minutes}", WHERE, names, "please wait")
    prompts = dict(made.prompts.prompts)
    prompts["please wait", (("queue_minutes", "8"), ("queue_position", "4"))] = Prompt("small/4-8", "4, 8", 1.0)
    return replace(made, phrases={**made.phrases, "please wait": told}, prompts=PromptCatalogue(prompts))


def moved(waiting: DrivenCall, position: int, expected_s: float = 0.0) -> DrivenCall:
    ticket = waiting.ticket(m.JoinQueue)
    return waiting.happens(m.QueueMoved(ticket=ticket, position=position, expected_s=expected_s), 1.0)


def test_minutes_that_are_known_no_longer_are_not_said() -> None:
    waiting = moved(call(telling(queue(waiting=ANNOUNCEMENTS))), 4, 480.0)
    assert said(waiting.silence(9.0)) == "small/4-8"
    waiting = moved(moved(call(telling(queue(waiting=ANNOUNCEMENTS))), 4, 480.0), 4)
    assert said(waiting.silence(8.0)) == "small/please wait"


def test_the_place_in_one_queue_says_nothing_of_the_next() -> None:
    levels = {"agents": 0.0, "seniors": 5.0}
    waiting = moved(call(telling(queue(levels=levels, waiting=ANNOUNCEMENTS))), 4, 480.0)
    assert said(waiting.silence(9.0)) == "small/please wait"


def test_who_queues_again_has_no_place_yet() -> None:
    step = replace(queue(waiting=ANNOUNCEMENTS), nobody="queue")
    waiting = moved(call(telling(step)), 4, 480.0)
    waiting.happens(m.AgentUnavailable(ticket=waiting.ticket(m.JoinQueue), why="nobody"))
    assert said(waiting.silence(10.0)) == "small/please wait"


def said(waiting: DrivenCall) -> str:
    assert waiting.playing is not None
    return waiting.playing.prompt


def test_the_caller_hangs_up_while_waiting() -> None:
    gone = queued().hangs_up(5.0)
    assert gone.last == [m.StopMusic(), m.StopRinging(ticket=gone.ticket(m.JoinQueue))]


def test_no_situation_while_an_agent_is_sought() -> None:
    waiting = queued(queue(waiting=ANNOUNCEMENTS)).situation("thanks", 1.0)
    assert waiting.trace[-1].detail == "situation thanks: not while an agent is sought"

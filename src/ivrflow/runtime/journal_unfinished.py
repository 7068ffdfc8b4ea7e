"""What can be told of a call whose ending was never stored: its happenings as trace lines, without the flow.

It works for any call, also with lines missing or a source that no longer compiles. It knows no steps, rules and
waits: those are the engine's, and a replay brings them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from ivrflow.engine import messages as m
from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.runtime.journal_reader import Happening


def lines_of(happenings: Sequence[Happening]) -> list[TraceLine]:
    """The happenings in the trace's words; seconds count from the first of them."""
    playing: dict[m.Ticket, str] = {}
    lines: list[TraceLine] = []
    for happening in happenings:
        at = round(happening.at - happenings[0].at, 6)
        lines += _of_event(at, happening.event, playing)
        lines += _of_actions(at, happening.actions, playing)
    return lines


def _of_event(at: float, event: m.CallEvent, playing: dict[m.Ticket, str]) -> Iterator[TraceLine]:  # noqa: C901 - the one list of all events; each branch is one line
    match event:
        case m.CallArrived():
            yield TraceLine(at, Fact.ARRIVED)
        case m.CallOrdered():
            yield TraceLine(at, Fact.ORDERED)
        case m.CallNotAnswered(why=why):
            yield TraceLine(at, Fact.NOT_ANSWERED, detail=why)
        case m.CallAnswered():
            yield TraceLine(at, Fact.ANSWERED)
        case m.KeyPressed(key=key):
            yield TraceLine(at, Fact.KEY_PRESSED, key=key)
        case m.SpeechStarted():
            yield TraceLine(at, Fact.SPEECH_STARTED)
        case m.SpeechEnded():
            yield TraceLine(at, Fact.SPEECH_ENDED)
        case m.PromptEnded(ticket=ticket, how=how):
            if ticket in playing:
                yield TraceLine(at, Fact.PHRASE_ENDED, phrase=playing.pop(ticket), detail=how)
        case m.AgentAnswered(agent=agent, rang=rang):
            yield TraceLine(at, Fact.AGENT_ANSWERED, detail=agent, seconds=rang or None)
        case m.AgentUnavailable(why=why):
            yield TraceLine(at, Fact.AGENT_UNAVAILABLE, detail=why)
        case m.AgentLeft():
            yield TraceLine(at, Fact.AGENT_LEFT)
        case m.QueueMoved(position=position):
            yield TraceLine(at, Fact.QUEUE_MOVED, detail=f"position {position or 'unknown'}")
        case m.HoldStarted():
            yield TraceLine(at, Fact.AGENT_HOLDS)
        case m.HoldEnded():
            yield TraceLine(at, Fact.AGENT_BACK)
        case m.AgentKeyed(code=code):
            yield TraceLine(at, Fact.ORDER_GIVEN, detail=code)
        case m.TransferOrdered(step=step):
            yield TraceLine(at, Fact.ORDER_GIVEN, detail=f"transfer {step}")
        case m.MessageRecorded(how=how, seconds=seconds):
            yield TraceLine(at, Fact.MESSAGE_RECORDED, detail=how, seconds=seconds)
        case m.AnswerReceived(how=how):
            yield TraceLine(at, Fact.ENQUIRY_OVER, detail=how)
        case m.SituationStarted(name=name):
            yield TraceLine(at, Fact.SITUATION_STARTED, detail=name)
        case m.SignalGiven(word=word):
            yield TraceLine(at, Fact.SIGNAL_GIVEN, detail=word)
        case m.HearingLost():
            yield TraceLine(at, Fact.HEARING_LOST)
        case m.HearingRestored():
            yield TraceLine(at, Fact.HEARING_RESTORED)
        case m.CallerHungUp(cause=cause):
            yield TraceLine(at, Fact.CALLER_HUNG_UP, detail=f"cause {cause}" if cause else "")
        case m.LineLost():
            yield TraceLine(at, Fact.LINE_LOST)
        case m.DeadlineReached() | m.SituationCancelled() | m.TaskDone() | m.ValuesLearned():
            pass  # what they led to is told by the actions, or only the engine knows what they meant
        case _:
            assert_never(event)


def _of_actions(  # noqa: C901 - the one list of all actions that tell something; each branch is one line
    at: float, actions: Iterable[m.Action], playing: dict[m.Ticket, str]
) -> Iterator[TraceLine]:
    for action in actions:
        match action:
            case m.Play(ticket=ticket, phrase=phrase, seconds=seconds):
                playing[ticket] = phrase
                yield TraceLine(at, Fact.PHRASE_STARTED, phrase=phrase, seconds=seconds)
            case m.StopPlaying(ticket=ticket):
                if ticket in playing:
                    yield TraceLine(at, Fact.PHRASE_ENDED, phrase=playing.pop(ticket), detail="stopped: by ivrflow")
            case m.Dial(seconds=seconds):
                yield TraceLine(at, Fact.DIALLING, seconds=seconds)
            case m.Ring(seconds=seconds):
                yield TraceLine(at, Fact.RINGING, seconds=seconds)
            case m.JoinQueue(queue=queue, waited=waited):
                yield TraceLine(at, Fact.LEVEL_RAISED if waited else Fact.QUEUED, detail=queue)
            case m.Part():
                yield TraceLine(at, Fact.PARTED)
            case m.StartRecording():
                yield TraceLine(at, Fact.RECORDING, detail="begun")
            case m.PauseRecording():
                yield TraceLine(at, Fact.RECORDING, detail="paused")
            case m.ResumeRecording():
                yield TraceLine(at, Fact.RECORDING, detail="goes on")
            case m.KeepMessage(about=about, seconds=seconds):
                yield TraceLine(at, Fact.MESSAGE_KEPT, detail=about, seconds=seconds)
            case m.NoteScore(survey=survey, score=score, most=most):
                yield TraceLine(at, Fact.SCORED, detail=f"{survey}: {score} of {most}")
            case m.OrderCallback(flow=flow, made_at=made_at, due_at=due_at):
                yield TraceLine(at, Fact.CALLBACK_ORDERED, detail=f"by {flow}", seconds=due_at - made_at)
            case m.Enquire(seconds=seconds):
                yield TraceLine(at, Fact.ENQUIRED, seconds=seconds)
            case m.Instruct(task=task):
                yield TraceLine(at, Fact.TASK_ASKED, detail=task)
            case m.NotePromise(rule=rule, about=about, counted=counted):
                yield TraceLine(at, Fact.PROMISE_MADE, rule=rule, detail=f"an answer: {about} ({counted})")
            case m.EndCall(outcome=outcome):
                yield TraceLine(at, Fact.ENDED, detail=outcome)
            case m.FallBack(reason=reason):
                yield TraceLine(at, Fact.HANDED_OVER, detail=reason)
            case _:
                pass  # a means to one of the above

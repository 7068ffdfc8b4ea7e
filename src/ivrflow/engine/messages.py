"""The whole vocabulary between a call and the engine: events in the past tense, actions in the imperative.

Everything is frozen and serialisable: the journal stores exactly these, and a replay feeds exactly these. A `ticket`
numbers an action that will have an ending; an ending that carries an old ticket is ignored by the session. Personal
data stands only in fields named `caller`, `key` and `values`; readers mask those unless asked.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Ticket: TypeAlias = int


class _Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True, gc=False):
    """Base of the wire form: a `type` field names the message. Nothing in one can point back at it, so none is collected."""


# ── events: what happened ─────────────────────────────────────────────────────────────────────────────────────────────


class CallArrived(_Message, frozen=True, tag="call_arrived"):
    """A call rings at our door.

    Attributes:
        number: the number that was dialled (ours: not personal).
        caller: the calling number; personal.
        arrived_at: Unix time in seconds; the only wall clock the engine sees.
        values: what is known for placeholders already (`honorific`, …); personal.
    """

    number: str
    arrived_at: float
    caller: str = ""
    values: dict[str, str] = {}


class CallOrdered(_Message, frozen=True, tag="call_ordered"):
    """Somebody wants a person to be rung: the other way for a call to begin.

    Attributes:
        caller: the number of the person who is rung, who is the caller from then on; personal.
        arrived_at: Unix time of the order in seconds; the only wall clock the engine sees.
        values: what is known for placeholders already (`honorific`, …); personal.
    """

    caller: str
    arrived_at: float
    values: dict[str, str] = {}


class CallAnswered(_Message, frozen=True, tag="call_answered"):
    """The line is open: what we play from now on is heard. On a call we place: the person picked up."""


class CallNotAnswered(_Message, frozen=True, tag="call_not_answered"):
    """The person rung will not pick up. `cancelled`: whoever ordered the call, or who stops the engine, takes it back."""

    why: Literal["no_answer", "busy", "refused", "unreachable", "cancelled"] = "no_answer"


class KeyPressed(_Message, frozen=True, tag="key_pressed"):
    """The caller pressed a key (0-9, *, #, A-D)."""

    key: str


class SpeechStarted(_Message, frozen=True, tag="speech_started"):
    """The caller is speaking: loud enough and long enough not to be a click, nor our own prompt's echo."""


class SpeechEnded(_Message, frozen=True, tag="speech_ended"):
    """The caller stopped speaking."""


class PromptEnded(_Message, frozen=True, tag="prompt_ended"):
    """A prompt is over. `missing`: the PBX has no such file; `failed`: the PBX could not play it."""

    ticket: Ticket
    how: Literal["finished", "stopped", "missing", "failed"] = "finished"


class DeadlineReached(_Message, frozen=True, tag="deadline_reached"):
    """The session's own deadline has come."""


class AgentAnswered(_Message, frozen=True, tag="agent_answered"):
    """The extension rung for `ticket` was answered."""

    ticket: Ticket


class AgentUnavailable(_Message, frozen=True, tag="agent_unavailable"):
    """The extension rung for `ticket` will not answer."""

    ticket: Ticket
    why: Literal["no_answer", "busy", "unreachable"] = "no_answer"


class AgentLeft(_Message, frozen=True, tag="agent_left"):
    """The agent bridged for `ticket` hung up; the caller is still there."""

    ticket: Ticket


class SituationStarted(_Message, frozen=True, tag="situation_started"):
    """An agent, a tester or later a listener says which documented situation this is."""

    name: str


class SituationCancelled(_Message, frozen=True, tag="situation_cancelled"):
    """Whoever started the situation takes it back."""


class SignalGiven(_Message, frozen=True, tag="signal_given"):
    """A judgement that leaves a ladder: `understood`, `caller_agrees`, `refusal`, …."""

    word: str


class TaskDone(_Message, frozen=True, tag="task_done"):
    """The agent did what `Instruct` asked for."""

    ticket: Ticket


class ValuesLearned(_Message, frozen=True, tag="values_learned"):
    """Values for placeholders became known; personal."""

    values: dict[str, str]


class HearingLost(_Message, frozen=True, tag="hearing_lost"):
    """We cannot hear the caller for now (no keys, no speech): silence means nothing until hearing is restored."""


class HearingRestored(_Message, frozen=True, tag="hearing_restored"):
    """We hear the caller again."""


class CallerHungUp(_Message, frozen=True, tag="caller_hung_up"):
    """The caller is gone. `cause` is the Q.850 cause, 0 when unknown."""

    cause: int = 0


class LineLost(_Message, frozen=True, tag="line_lost"):
    """The line to the caller is gone and nobody hung up: the PBX died, or its session broke off."""


CallEvent: TypeAlias = (
    CallArrived
    | CallOrdered
    | CallAnswered
    | CallNotAnswered
    | KeyPressed
    | SpeechStarted
    | SpeechEnded
    | PromptEnded
    | DeadlineReached
    | AgentAnswered
    | AgentUnavailable
    | AgentLeft
    | SituationStarted
    | SituationCancelled
    | SignalGiven
    | TaskDone
    | ValuesLearned
    | HearingLost
    | HearingRestored
    | CallerHungUp
    | LineLost
)


# ── actions: what to do ───────────────────────────────────────────────────────────────────────────────────────────────


class Answer(_Message, frozen=True, tag="answer"):
    """Open the line; ends in `CallAnswered`."""


class Dial(_Message, frozen=True, tag="dial"):
    """Ring the person the call was ordered for; ends in `CallAnswered` or `CallNotAnswered`.

    The engine keeps the bound of so many seconds and stops it.
    """

    seconds: float


class StopDialling(_Message, frozen=True, tag="stop_dialling"):
    """Stop ringing the person. One who picks up all the same is too late."""


class Play(_Message, frozen=True, tag="play"):
    """Play a prompt; ends in `PromptEnded`.

    Attributes:
        phrase: the phrase's key, "gov12345/silent_call.greeting".
        prompt: the audio file below the prompts folder, without extension; empty when the wording has no audio, or parts.
        seconds: how long it takes.
        loudest_frame: mean |sample| of its loudest 20 ms (16-bit scale).
        parts: the audio files to play one after the other instead; they spell out values, so they are personal.
    """

    ticket: Ticket
    phrase: str
    prompt: str
    seconds: float
    loudest_frame: int = 0
    parts: tuple[str, ...] = ()


class StopPlaying(_Message, frozen=True, tag="stop_playing"):
    """Cut the prompt now. Its ending, if one still comes, carries an old ticket."""

    ticket: Ticket


class StartMusic(_Message, frozen=True, tag="start_music"):
    """Play music until told otherwise."""


class StopMusic(_Message, frozen=True, tag="stop_music"):
    """Stop the music."""


class Ring(_Message, frozen=True, tag="ring"):
    """Ring an extension; ends in `AgentAnswered` or `AgentUnavailable`. The engine keeps the bound and stops it."""

    ticket: Ticket
    extension: str
    seconds: float


class StopRinging(_Message, frozen=True, tag="stop_ringing"):
    """Stop ringing the extension."""

    ticket: Ticket


class Bridge(_Message, frozen=True, tag="bridge"):
    """Join the caller with the agent who answered; ends in `AgentLeft`."""

    ticket: Ticket


class DropAgent(_Message, frozen=True, tag="drop_agent"):
    """Take the agent off the line; the caller stays."""

    ticket: Ticket


class Instruct(_Message, frozen=True, tag="instruct"):
    """Ask the agent to do something a ladder calls for; ends in `TaskDone`."""

    ticket: Ticket
    task: str


class NotePromise(_Message, frozen=True, tag="note_promise"):
    """Note that the caller was promised an answer. The same `number` again: it is due earlier than was noted.

    Attributes:
        number: of the promise on this call, from 1.
        rule: id of the rule that promises.
        about: "enquiry", "complaint" or "other".
        made_at, due_at: Unix time in seconds.
        counted: the time that counts and where it comes from, in words.
        owed_by: who keeps it.
        repeats_h: once kept, the same is owed again so many hours later, until the matter is closed; 0 never.
        then_h: once kept, the next one owes an answer so many hours later; 0 nobody does.
        then_owed_by: who that is.
    """

    number: int
    rule: str
    about: str
    made_at: float
    due_at: float
    counted: str
    owed_by: str = "agent"
    repeats_h: float = 0.0
    then_h: float = 0.0
    then_owed_by: str = ""


class EndCall(_Message, frozen=True, tag="end_call"):
    """Hang up. `outcome` is the worded ending."""

    outcome: str


class FallBack(_Message, frozen=True, tag="fall_back"):
    """Give the caller to the PBX's fallback: an apology, then the duty extension. Never silence."""

    reason: str


Action: TypeAlias = (
    Answer
    | Dial
    | StopDialling
    | Play
    | StopPlaying
    | StartMusic
    | StopMusic
    | Ring
    | StopRinging
    | Bridge
    | DropAgent
    | Instruct
    | NotePromise
    | EndCall
    | FallBack
)

CallBegun: TypeAlias = CallArrived | CallOrdered
"""How a call begins: somebody rings us, or we are to ring somebody."""

Message: TypeAlias = CallEvent | Action

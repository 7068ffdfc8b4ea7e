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
    """The extension rung for `ticket`, or an agent of the queue joined for it, answered.

    Attributes:
        agent: the extension or the queue's name of the agent; empty when the PBX did not say.
        rang: seconds that agent's telephone rang.
    """

    ticket: Ticket
    agent: str = ""
    rang: float = 0.0


class AgentUnavailable(_Message, frozen=True, tag="agent_unavailable"):
    """The extension rung for `ticket` will not answer; or the queue gave up: `nobody` is logged in, or it is `full`."""

    ticket: Ticket
    why: Literal["no_answer", "busy", "unreachable", "nobody", "full"] = "no_answer"


class QueueMoved(_Message, frozen=True, tag="queue_moved"):
    """The caller stands elsewhere in the queue joined for `ticket`.

    Attributes:
        position: 1 is the next one; 0 when nobody knows it any more.
        expected_s: seconds until it is the caller's turn, as the PBX reckons; 0 when it does not know.
    """

    ticket: Ticket
    position: int
    expected_s: float = 0.0


class AgentLeft(_Message, frozen=True, tag="agent_left"):
    """The agent bridged for `ticket` hung up; the caller is still there."""

    ticket: Ticket


class HoldStarted(_Message, frozen=True, tag="hold_started"):
    """The telephone of the agent joined for `ticket` put the caller on hold."""

    ticket: Ticket


class HoldEnded(_Message, frozen=True, tag="hold_ended"):
    """It took the caller back."""

    ticket: Ticket


class AgentKeyed(_Message, frozen=True, tag="agent_keyed"):
    """The agent joined for `ticket` keyed a code: a star and two digits, "*80"."""

    ticket: Ticket
    code: str


class TransferOrdered(_Message, frozen=True, tag="transfer_ordered"):
    """The agent sends the caller to a transfer step of the flow that agents may send callers to."""

    step: str


class MessageRecorded(_Message, frozen=True, tag="message_recorded"):
    """The recording of `ticket` is over, by a key, by silence, because it was full or because the PBX could not.

    Attributes:
        seconds: its length, the silence that ended it left out.
    """

    ticket: Ticket
    how: Literal["key", "silence", "full", "failed"]
    seconds: float = 0.0


class AnswerReceived(_Message, frozen=True, tag="answer_received"):
    """The look-up of `ticket` is over.

    Attributes:
        how: `wrong`: what came is no JSON object, or too large; `failed`: nobody could be asked, or an error came back.
        values: the fields of the answer that were asked for; personal.
    """

    ticket: Ticket
    how: Literal["answered", "wrong", "failed"] = "answered"
    values: dict[str, str] = {}


class SituationStarted(_Message, frozen=True, tag="situation_started"):
    """An agent or a tester says which documented situation this is."""

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
    | QueueMoved
    | HoldStarted
    | HoldEnded
    | AgentKeyed
    | TransferOrdered
    | MessageRecorded
    | AnswerReceived
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
        hearer: who hears it: the caller; the caller and the agent of `leg`, in step; or only that agent, always after
            `Part` of that leg.
        leg: ticket of that agent; 0 for the caller alone.
        message: plays the message recorded for that ticket instead of a prompt; 0 for none.
    """

    ticket: Ticket
    phrase: str
    prompt: str
    seconds: float
    loudest_frame: int = 0
    parts: tuple[str, ...] = ()
    hearer: Literal["caller", "both", "agent"] = "caller"
    leg: Ticket = 0
    message: Ticket = 0


class StopPlaying(_Message, frozen=True, tag="stop_playing"):
    """Cut the prompt now. Its ending, if one still comes, carries an old ticket."""

    ticket: Ticket


class StartMusic(_Message, frozen=True, tag="start_music"):
    """Play music until told otherwise."""


class StopMusic(_Message, frozen=True, tag="stop_music"):
    """Stop the music."""


class Ring(_Message, frozen=True, tag="ring"):
    """Ring an extension (digits only); ends in `AgentAnswered` or `AgentUnavailable`. The engine keeps the bound and stops it."""

    ticket: Ticket
    extension: str
    seconds: float


class StopRinging(_Message, frozen=True, tag="stop_ringing"):
    """Stop ringing the extension."""

    ticket: Ticket


class Bridge(_Message, frozen=True, tag="bridge"):
    """Join the caller with the agent who answered; ends in `AgentLeft`."""

    ticket: Ticket


class JoinQueue(_Message, frozen=True, tag="join_queue"):
    """Stand in a queue of the PBX for the caller; ends in `AgentAnswered` or `AgentUnavailable`, told by `QueueMoved`.

    The engine keeps every bound, and takes it back with `StopRinging`. `Bridge` joins the caller with who answered.

    Attributes:
        queue: its name on the PBX.
        priority: callers of a greater one are served first.
        waited: seconds the caller has waited already, in a queue before this one.
    """

    ticket: Ticket
    queue: str
    priority: int = 0
    waited: float = 0.0


class Part(_Message, frozen=True, tag="part"):
    """Take caller and agent apart, both still on the line: `Play` reaches both, neither hears the other. `Bridge` rejoins.

    Also before they were ever joined: an agent who answered is then ready to hear a prompt.
    """

    ticket: Ticket


class DropAgent(_Message, frozen=True, tag="drop_agent"):
    """Take the agent off the line; the caller stays."""

    ticket: Ticket


class Instruct(_Message, frozen=True, tag="instruct"):
    """Ask the agent to do something a ladder calls for; ends in `TaskDone`."""

    ticket: Ticket
    task: str


class StartRecording(_Message, frozen=True, tag="start_recording"):
    """Record the call from now on, both sides, until it ends."""


class PauseRecording(_Message, frozen=True, tag="pause_recording"):
    """Record nothing for now: the caller keys in personal data."""


class ResumeRecording(_Message, frozen=True, tag="resume_recording"):
    """Go on recording."""


class RecordMessage(_Message, frozen=True, tag="record_message"):
    """Sound a tone and record what the caller says; ends in `MessageRecorded`. The engine keeps the bound too.

    Attributes:
        seconds: how long it may last.
        silence: seconds of silence that end it.
        end_key: key that ends it, or "" for none.
    """

    ticket: Ticket
    seconds: float
    silence: float
    end_key: str = ""


class StopRecordingMessage(_Message, frozen=True, tag="stop_recording_message"):
    """Stop it now. What was recorded so far stays for `Play` and `KeepMessage`."""

    ticket: Ticket


class KeepMessage(_Message, frozen=True, tag="keep_message"):
    """Keep the message recorded for `ticket`; every other message of the call is deleted when it ends.

    Attributes:
        about: the message box.
        seconds: its length.
    """

    ticket: Ticket
    about: str
    seconds: float


class NoteScore(_Message, frozen=True, tag="note_score"):
    """Note what the caller gave in a survey: `score` of `most`."""

    survey: str
    score: int
    most: int


class OrderCallback(_Message, frozen=True, tag="order_callback"):
    """Note that the caller is to be called back, by the engine itself.

    Attributes:
        number: of the callback on this call, from 1.
        caller: whom to ring; personal.
        flow: the flow that places the call.
        made_at, due_at: Unix time in seconds.
        tries: how often it is tried.
        retry_after: seconds from one try to the next.
        values: what is known for placeholders; personal.
    """

    number: int
    caller: str
    flow: str
    made_at: float
    due_at: float
    tries: int = 3
    retry_after: float = 900.0
    values: dict[str, str] = {}


class Enquire(_Message, frozen=True, tag="enquire"):
    """Look something up over HTTP; ends in `AnswerReceived`. The engine keeps the bound and stops waiting.

    Attributes:
        url: where to ask.
        values: what is sent, as fields of a JSON object; personal.
        wanted: the fields of the answer that are told.
        seconds: how long anybody waits for it.
    """

    ticket: Ticket
    url: str
    values: dict[str, str]
    wanted: tuple[str, ...]
    seconds: float


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
    | JoinQueue
    | Bridge
    | Part
    | DropAgent
    | StartRecording
    | PauseRecording
    | ResumeRecording
    | RecordMessage
    | StopRecordingMessage
    | KeepMessage
    | NoteScore
    | OrderCallback
    | Enquire
    | Instruct
    | NotePromise
    | EndCall
    | FallBack
)

CallBegun: TypeAlias = CallArrived | CallOrdered
"""How a call begins: somebody rings us, or we are to ring somebody."""

Message: TypeAlias = CallEvent | Action

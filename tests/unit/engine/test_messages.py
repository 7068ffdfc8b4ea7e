import typing

import msgspec
import pytest

from ivrflow.engine import messages as m

EXAMPLES: list[m.Message] = [
    m.CallArrived(number="12345", arrived_at=1.7e9, caller="+8613800000000", values={"honorific": "女士"}),
    m.CallAnswered(),
    m.KeyPressed(key="#"),
    m.SpeechStarted(),
    m.SpeechEnded(),
    m.PromptEnded(ticket=3, how="missing"),
    m.DeadlineReached(),
    m.AgentAnswered(ticket=4),
    m.AgentUnavailable(ticket=4, why="busy"),
    m.AgentLeft(ticket=4),
    m.QueueMoved(ticket=4, position=2, expected_s=95.0),
    m.HoldStarted(ticket=4),
    m.HoldEnded(ticket=4),
    m.AgentKeyed(ticket=4, code="*80"),
    m.TransferOrdered(step="to_colleague"),
    m.MessageRecorded(ticket=6, how="silence", seconds=12.5),
    m.AnswerReceived(ticket=7, values={"state": "open"}),
    m.SituationStarted(name="noise"),
    m.SituationCancelled(),
    m.SignalGiven(word="understood"),
    m.TaskDone(ticket=5),
    m.ValuesLearned(values={"topic": "路灯"}),
    m.HearingLost(),
    m.HearingRestored(),
    m.CallerHungUp(cause=16),
    m.LineLost(),
    m.CallOrdered(caller="1001", arrived_at=1.5, values={"surname": "王"}),
    m.CallNotAnswered(why="busy"),
    m.Answer(),
    m.Dial(seconds=30.0),
    m.StopDialling(),
    m.NotePromise(
        number=1, rule="gov/answer", about="enquiry", made_at=1.5, due_at=86401.5, counted="24 h", repeats_h=24.0
    ),
    m.Play(ticket=1, phrase="gov/greeting", prompt="gov/greeting", seconds=2.5, loudest_frame=4000),
    m.StopPlaying(ticket=1),
    m.StartMusic(),
    m.StopMusic(),
    m.Ring(ticket=2, extension="1001", seconds=20.0),
    m.StopRinging(ticket=2),
    m.Bridge(ticket=2),
    m.DropAgent(ticket=2),
    m.JoinQueue(ticket=2, queue="agents", priority=1, waited=30.0),
    m.Part(ticket=2),
    m.StartRecording(),
    m.PauseRecording(),
    m.ResumeRecording(),
    m.RecordMessage(ticket=4, seconds=120.0, silence=4.0, end_key="#"),
    m.StopRecordingMessage(ticket=4),
    m.KeepMessage(ticket=4, about="voicemail", seconds=12.5),
    m.NoteScore(survey="satisfaction", score=4, most=5),
    m.OrderCallback(
        number=1, caller="1001", flow="callback", made_at=1.5, due_at=86401.5, tries=2, values={"honorific": "女士"}
    ),
    m.Enquire(ticket=5, url="https://crm.example/", values={"case": "12"}, wanted=("state",), seconds=8.0),
    m.Instruct(ticket=3, task="mute"),
    m.EndCall(outcome="hung_up"),
    m.FallBack(reason="limit"),
]

MINIMAL: list[m.Message] = [
    m.CallArrived(number="12345", arrived_at=0.0),
    m.PromptEnded(ticket=1),
    m.AgentUnavailable(ticket=1),
    m.CallerHungUp(),
    m.CallOrdered(caller="1001", arrived_at=0.0),
    m.CallNotAnswered(),
    m.Play(ticket=1, phrase="p", prompt="", seconds=1.0),
]


def test_there_is_an_example_of_every_message() -> None:
    assert {type(example) for example in EXAMPLES} == set(typing.get_args(m.Message))


@pytest.mark.parametrize("message", [*EXAMPLES, *MINIMAL], ids=lambda message: type(message).__name__)
def test_a_message_comes_back_from_its_wire_form_as_it_was(message: m.Message) -> None:
    wire = msgspec.json.encode(message)
    assert msgspec.json.decode(wire, type=m.Message) == message


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_the_wire_form_names_the_message_in_snake_case(message: m.Message) -> None:
    name = type(message).__name__
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    assert msgspec.json.decode(msgspec.json.encode(message))["type"] == snake


def test_personal_data_stands_only_in_fields_named_for_it() -> None:
    personal = {"caller", "key", "values"}
    named = {field for message in typing.get_args(m.Message) for field in message.__struct_fields__}
    assert personal <= named
    assert not named & {"digits", "phone", "text", "callerid"}


def test_a_message_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        m.KeyPressed(key="1").key = "2"  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    "wire", [b"{}", b'{"type":"no_such"}', b'{"type":"key_pressed"}', b'{"type":"play","ticket":"x"}']
)
def test_what_is_no_message_is_refused(wire: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wire, type=m.Message)

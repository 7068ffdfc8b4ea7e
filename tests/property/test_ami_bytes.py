"""Whatever arrives over AMI, cut anywhere: the same messages, or `AmiProtocolError`. No value makes a second header."""

from agi_argument_model import application_arguments
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge.ami_protocol import AmiMessage, AmiParser, AmiProtocolError, build_action

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
PIECES = st.sampled_from(
    [
        "Event: Hangup\r\nUniqueid: pbx-1.1\r\nCallerIDName: 你好\r\n\r\n".encode(),
        b"Response: Success\r\nActionID: a-1\r\nOutput: a\r\nOutput: b: c\r\n\r\n",
        b"Response: Error\r\n\r\n",
        b"Event: X\r\nodd\r\n\r\n",
        b"Event: X\r\n",
        b"\r\n",
        b"\n",
        b"Name: value\r\n\r\n",
    ]
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
ONE_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)


def outcome(chunks: list[bytes]) -> tuple[list[AmiMessage], str]:
    parser = AmiParser()
    messages: list[AmiMessage] = []
    try:
        for chunk in chunks:
            messages += parser.receive_data(chunk)
    except AmiProtocolError as error:
        return messages + error.messages, str(error)
    return messages, ""


@given(st.lists(PIECES, max_size=8), st.data())
def test_cut_anywhere_it_means_the_same(pieces: list[bytes], data: st.DataObject) -> None:
    stream = BANNER + b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = outcome([stream])
    assert outcome(chunks) == whole
    assert outcome([stream[i : i + 1] for i in range(len(stream))]) == whole


@given(st.lists(st.one_of(st.binary(max_size=40), PIECES), max_size=12), st.booleans())
def test_arbitrary_bytes_are_at_worst_a_protocol_error(chunks: list[bytes], greeted: bool) -> None:
    _, said = outcome([BANNER, *chunks] if greeted else chunks)
    assert "expected" in said or not said


@given(st.dictionaries(NAMES.filter(lambda name: name not in {"Action", "ActionID", "Response"}), ONE_LINE, max_size=8))
def test_an_action_reads_back(headers: dict[str, str]) -> None:
    data = build_action("Originate", "a-1", headers)
    (message,) = AmiParser().receive_data(BANNER + b"Response: x\r\n" + data)
    assert message.headers == {"Response": "x", "Action": "Originate", "ActionID": "a-1"} | headers


@given(ONE_LINE)
def test_a_variable_reaches_asterisk_unchanged(value: str) -> None:
    data = build_action("Originate", "a-1", variables={"NAME": value})
    (message,) = AmiParser().receive_data(BANNER + b"Response: x\r\n" + data)
    assert application_arguments(message.get("Variable")) == [f"NAME={value}"]


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_makes_a_second_header(name: str, value: str) -> None:
    try:
        data = build_action("Ping", "a-1", {name: value}, {name: value})
    except ValueError:
        return
    assert data.count(b"\r\n") == 5  # Action, ActionID, the header, the variable, the end
    assert data.count(b"\n") == 5

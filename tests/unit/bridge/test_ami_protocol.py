import pytest

from ivrflow.bridge.ami_protocol import (
    MAX_ACTION_LINES,
    MAX_MESSAGE_BYTES,
    AmiEvent,
    AmiParser,
    AmiProtocolError,
    AmiResponse,
    build_action,
)

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


@pytest.fixture
def parser() -> AmiParser:
    """A parser that has been greeted."""
    made = AmiParser()
    made.receive_data(BANNER)
    return made


def test_greeting(parser: AmiParser) -> None:
    assert parser.banner == "Asterisk Call Manager/11.0.0"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", r"'HTTP/#.# ### Bad Request.*expected `Asterisk Call Manager"),
        (b"A short one\r\n", "as the greeting"),
        (b"Asterisk\r\n", "as the greeting"),
        (b"\n", "as the greeting"),
        (b"x", "as the greeting"),
        (b"Asterisk Call Manager/" + b"1" * 300, "without end"),
        (b"Asterisk Call Manager/" + b"1" * 300 + b"\n", "without end"),
    ],
)
def test_another_greeting(data: bytes, said: str) -> None:
    with pytest.raises(AmiProtocolError, match=said):
        AmiParser().receive_data(data)


def test_event(parser: AmiParser) -> None:
    data = (
        "Event: UserEvent\r\nUserEvent: AgentUp\r\nCallerIDName: 张三\r\nUrl: http://h:80/\r\nEmpty: \r\nBare:\r\n\r\n"
    )
    (event,) = parser.receive_data(data.encode())
    assert isinstance(event, AmiEvent)
    assert event.name == "UserEvent"
    assert event.get("CallerIDName") == "张三"
    assert event.get("Url") == "http://h:80/"
    assert (event.get("Empty", "x"), event.get("Bare", "x"), event.get("Absent", "x")) == ("", "", "x")
    assert event.action_id == ""


def test_response(parser: AmiParser) -> None:
    (good, bad) = parser.receive_data(
        b"Response: Success\r\nActionID: a-1\r\nMessage: Authentication accepted\r\n\r\n"
        b"Response: Error\r\nActionID: a-2\r\nMessage: No such channel\r\n\r\n"
    )
    assert isinstance(good, AmiResponse)
    assert isinstance(bad, AmiResponse)
    assert (good.succeeded, good.action_id, good.message) == (True, "a-1", "Authentication accepted")
    assert (bad.succeeded, bad.action_id, bad.message) == (False, "a-2", "No such channel")


def test_repeated_headers(parser: AmiParser) -> None:
    (response,) = parser.receive_data(
        b"Response: Success\r\nOutput: one: 1\r\nOutput: \r\nOutput: three\r\nX: y\r\n\r\n"
    )
    assert response.get_all("Output") == ("one: 1", "", "three")
    assert response.get("Output") == "one: 1"
    assert response.get_all("X") == ("y",)
    assert response.get_all("Absent") == ()


def test_a_line_without_a_colon_is_kept(parser: AmiParser) -> None:
    (event,) = parser.receive_data(b"Event: UserEvent\r\nsomething odd\r\n\r\n")
    assert event.headers == {"Event": "UserEvent", "something odd": ""}


def test_bytes_that_are_not_utf8(parser: AmiParser) -> None:
    (event,) = parser.receive_data(b"Event: X\r\nName: \xc4\xe3:1\r\n\r\n")
    assert event.get("Name").endswith(":1")


def test_a_character_cut_between_two_reads(parser: AmiParser) -> None:
    data = "Event: X\r\nName: 你好\r\n\r\n".encode()
    for cut in range(len(data)):
        events = parser.receive_data(data[:cut]) + parser.receive_data(data[cut:])
        assert [event.get("Name") for event in events] == ["你好"]


def test_neither_event_nor_response(parser: AmiParser) -> None:
    with pytest.raises(
        AmiProtocolError, match=r"'Caller: ###', as|'Caller: ###' as a message, expected an Event"
    ) as error:
        parser.receive_data(b"Event: X\r\n\r\nCaller: 138\r\n\r\nEvent: Y\r\n\r\n")
    assert [message.get("Event") for message in error.value.messages] == ["X"]


@pytest.mark.parametrize("ended", [b"", b"\r\n\r\n"])
def test_a_message_without_end(parser: AmiParser, ended: bytes) -> None:
    with pytest.raises(AmiProtocolError, match=r"a message without end, 'Event: XXX.*expected at most 1048576 bytes"):
        parser.receive_data(b"Event: " + b"X" * MAX_MESSAGE_BYTES + ended)


def test_action() -> None:
    data = build_action(
        "Originate", "a-7", {"Channel": "PJSIP/1001", "Async": "true"}, {"__CALL": 'a,b"c', "NAME": "张三 (x)"}
    )
    assert data.decode() == (
        "Action: Originate\r\nActionID: a-7\r\nChannel: PJSIP/1001\r\nAsync: true\r\n"
        'Variable: __CALL=a\\,b\\"c\r\nVariable: NAME=张三 \\(x\\)\r\n\r\n'
    )


def test_a_variable_may_be_a_function_to_write_to() -> None:
    data = build_action("Originate", "a-7", variables={"PJSIP_HEADER(add,X-Call)": "pbx-1.7"})
    assert b"Variable: PJSIP_HEADER(add,X-Call)=pbx-1.7\r\n" in data


@pytest.mark.parametrize(
    ("headers", "variables", "said"),
    [
        (
            {"Channel": "x\r\nAction: Logoff"},
            {},
            r"Channel of Originate cannot hold the character '\\r' \(position 1\)",
        ),
        ({"Channel": "x\n"}, {}, "cannot hold"),
        ({"Channel": "\x00"}, {}, "cannot hold"),
        ({"Chan: x\r\nnel": "x"}, {}, "not the name of a header"),
        ({"": "x"}, {}, "not the name of a header"),
        ({}, {"A": "x\ny"}, "Variable of Originate cannot hold"),
        ({}, {"A=b": "x"}, "not the name of a channel variable"),
        ({}, {"": "x"}, "not the name of a channel variable"),
        ({}, {"A,B": "x"}, "not the name of a channel variable"),
        ({}, {"SET(A=1)": "x"}, "not the name of a channel variable"),
        ({}, {"SET(A),B": "x"}, "not the name of a channel variable"),
        ({"Data": "x" * 1020}, {}, "makes a line of 1028 bytes; Asterisk reads at most 1024"),
        ({}, {f"V{number}": "" for number in range(MAX_ACTION_LINES - 1)}, "129 lines; Asterisk reads at most 128"),
    ],
)
def test_what_cannot_be_an_action(headers: dict[str, str], variables: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_action("Originate", "a-1", headers, variables)


def test_a_refused_value_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="cannot hold") as error:
        build_action("Originate", "a-1", {"CallerID": "13800138000\n"})
    assert "138" not in str(error.value)

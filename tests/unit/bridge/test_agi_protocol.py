import pytest

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import (
    AgiProtocolError,
    EnvironmentReceived,
    HungUp,
    PlaybackEnding,
    PlaybackFinished,
    Reply,
    ReplyReceived,
)
from ivrflow.bridge.agi_protocol import (
    MAX_ENVIRONMENT_LINES,
    MAX_LINE_BYTES,
    MAX_REPLY_LINES,
    MAX_WAITING_COMMANDS,
    AgiConnection,
)

MARK = b'NOOP "ivrflow mark"\n'
OK = b"200 result=0\n"


@pytest.fixture
def connection() -> AgiConnection:
    """A session whose environment has been read."""
    made = AgiConnection()
    made.receive_data(b"agi_network: yes\nagi_channel: PJSIP/line-1\n\n")
    return made


def play(connection: AgiConnection) -> int:
    command_id = connection.send(agi.stream_file("prompt"))
    assert connection.data_to_send() == b'STREAM FILE "prompt" ""\n'
    return command_id


# --- environment


def test_environment() -> None:
    connection = AgiConnection()
    events = connection.receive_data(b"agi_network: yes\nagi_network_script: a?b=1\nagi_accountcode: \nagi_x:y\n\n")
    assert len(events) == 1
    assert isinstance(events[0], EnvironmentReceived)
    environment = events[0].environment
    assert environment is connection.environment
    assert environment.variables == {
        "agi_network": "yes",
        "agi_network_script": "a?b=1",
        "agi_accountcode": "",
        "agi_x": "y",
    }
    assert (environment.path, environment.query) == ("a", {"b": "1"})


def test_a_display_name_that_is_not_utf8_does_not_cost_the_call() -> None:
    events = AgiConnection().receive_data(b"agi_calleridname: \xc4\xe3\xba\xc3: x\n\n")
    assert isinstance(events[0], EnvironmentReceived)
    assert events[0].environment.variables["agi_calleridname"].endswith(": x")


def test_what_follows_the_environment_in_the_same_packet_counts() -> None:
    events = AgiConnection().receive_data(b"agi_network: yes\n\nHANGUP\n")
    assert [type(event) for event in events] == [EnvironmentReceived, HungUp]


@pytest.mark.parametrize(
    ("garbage", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", r"'GET / HTTP/#.#.*at the start, expected a line `agi_"),
        (b"\n\n\n\n", "at the start"),
        (b"\x16\x03\x01\x02\x00\x01", r"\\x16\\x03"),
        (b"agi_network: yes\nnonsense\n\n", "'nonsense' in the environment, expected `agi_...: value`"),
        (b"agi_network yes\n\n", "'agi_network yes' in the environment"),
        (b"agi_callerid: 1\nagi_uniqueid: x\nagi_uniqueid: y\n\n", "a line twice in the environment"),
        (b"agi_" + b"x" * 1_000_000, r"more than 65536 bytes, 'agi_xxx.* \.\.\. \(1000004 bytes\)"),
        (b"agi_a: b\n" * (MAX_ENVIRONMENT_LINES + 1) + b"\n", "257 lines of environment, expected at most 256"),
    ],
)
def test_garbage_instead_of_an_environment(garbage: bytes, said: str) -> None:
    with pytest.raises(AgiProtocolError, match=said):
        AgiConnection().receive_data(garbage)


def test_a_megabyte_in_small_pieces_is_refused_early() -> None:
    connection = AgiConnection()
    for _ in range(MAX_LINE_BYTES // 1024):
        connection.receive_data(b"agi_" * 256)
    with pytest.raises(AgiProtocolError, match="expected its blank line"):
        connection.receive_data(b"agi_" * 256)


def test_an_error_names_no_numbers() -> None:
    with pytest.raises(AgiProtocolError) as error:
        AgiConnection().receive_data(b"agi_callerid 13800138000\n\n")
    assert "agi_callerid ###########" in str(error.value)
    assert "138" not in str(error.value)


# --- replies


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"200 result=0\n", Reply(200, "0")),
        (b'200 result=1 (a (b) "c" endpos=5)\n', Reply(200, "1", 'a (b) "c" endpos=5')),
        (b"200 result=1 ()\n", Reply(200, "1", "")),
        ("200 result=1 (你好)\n".encode(), Reply(200, "1", "你好")),
        (b"200 result=1 (two\nlines)\n", Reply(200, "1", "two\nlines")),
        (b"200 result=1 (\nHANGUP\n)\n", Reply(200, "1", "\nHANGUP\n")),
        (b"200 result=0012 (timeout)\n", Reply(200, "0012", "timeout")),
        (b"200 result= (timeout)\n", Reply(200, "", "timeout")),
        (b"200 result=\n", Reply(200, "")),
        (b"200 result=35 (dtmf) endpos=8320\n", Reply(200, "35", "dtmf", 8320)),
        (b"200 result=-2\n", Reply(200, "-2")),
        (b"510 Invalid or unknown command\n", Reply(510, message="Invalid or unknown command")),
        (
            b"511 Command Not Permitted on a dead channel\n",
            Reply(511, message="Command Not Permitted on a dead channel"),
        ),
        (b"520 No usage.\n", Reply(520, message="No usage.")),
        (
            b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\n more\n520 End of proper usage.\n",
            Reply(
                520,
                message="520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\n more\n"
                "520 End of proper usage.",
            ),
        ),
        (b"100 result=0 Trying...\n200 result=7\n", Reply(200, "7")),
    ],
)
def test_reply(connection: AgiConnection, line: bytes, reply: Reply) -> None:
    command_id = connection.send(agi.answer())
    assert connection.receive_data(line) == [ReplyReceived(command_id, reply)]


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"200\n",
        b"200 \n",
        b"200 OK\n",
        b"\n",
        b"20 result=0\n",
        b"hangup\n",
        b"200 result=0\r\n x\n",
        b"-1\n",
    ],
)
def test_what_is_no_reply(connection: AgiConnection, line: bytes) -> None:
    connection.send(agi.answer())
    with pytest.raises(AgiProtocolError, match="expected a reply such as"):
        connection.receive_data(line)


def test_a_reply_nobody_asked_for(connection: AgiConnection) -> None:
    with pytest.raises(AgiProtocolError, match="no command waits for a reply"):
        connection.receive_data(OK)


def test_events_before_the_offence_are_kept(connection: AgiConnection) -> None:
    command_id = connection.send(agi.answer())
    with pytest.raises(AgiProtocolError) as error:
        connection.receive_data(b"200 result=1 (x)\nHANGUP\nnonsense\n")
    assert error.value.events == [ReplyReceived(command_id, Reply(200, "1", "x")), HungUp()]


@pytest.mark.parametrize(
    "data",
    [b"200 result=1 (" + b"x" * MAX_LINE_BYTES, b"x" * (MAX_LINE_BYTES + 1), b"520-\n" + b"\n" * MAX_REPLY_LINES],
)
def test_a_reply_without_end(connection: AgiConnection, data: bytes) -> None:
    connection.send(agi.answer())
    with pytest.raises(AgiProtocolError, match="a reply without end"):
        connection.receive_data(data)


# --- one command at a time


def test_commands_go_out_one_by_one_in_order(connection: AgiConnection) -> None:
    first, second, third = connection.send(agi.answer()), connection.send(agi.noop()), connection.send(agi.hangup())
    assert connection.data_to_send() == b"ANSWER\n"
    assert connection.data_to_send() == b""
    assert connection.receive_data(OK) == [ReplyReceived(first, Reply(200, "0"))]
    assert connection.data_to_send() == b"NOOP\n"
    assert connection.receive_data(OK) == [ReplyReceived(second, Reply(200, "0"))]
    assert connection.data_to_send() == b"HANGUP\n"
    assert connection.receive_data(b"200 result=1\nHANGUP\n") == [ReplyReceived(third, Reply(200, "1")), HungUp()]


def test_a_command_never_cuts_a_prompt(connection: AgiConnection) -> None:
    prompt = play(connection)
    connection.send(agi.noop())
    assert connection.data_to_send() == b""
    assert connection.receive_data(b"200 result=0 endpos=8000\n") == [
        PlaybackFinished(prompt, PlaybackEnding.FINISHED, 8000)
    ]
    assert connection.data_to_send() == b"NOOP\n"


def test_a_peer_that_never_answers(connection: AgiConnection) -> None:
    connection.send(agi.answer())
    for _ in range(MAX_WAITING_COMMANDS):
        connection.send(agi.noop())
    with pytest.raises(AgiProtocolError, match="256 commands wait for an answer"):
        connection.send(agi.noop())


# --- hang-up


def test_hangup_between_a_command_and_its_reply(connection: AgiConnection) -> None:
    command_id = connection.send(agi.noop())
    assert connection.receive_data(b"HANGUP\n") == [HungUp()]
    assert connection.hung_up
    assert connection.receive_data(OK) == [ReplyReceived(command_id, Reply(200, "0"))]


def test_hangup_is_told_once(connection: AgiConnection) -> None:
    assert connection.receive_data(b"HANGUP\nHANGUP\n") == [HungUp()]


def test_a_prompt_on_a_dead_channel(connection: AgiConnection) -> None:
    connection.receive_data(b"HANGUP\n")
    prompt = play(connection)
    assert connection.receive_data(b"511 Command Not Permitted on a dead channel\n") == [
        PlaybackFinished(prompt, PlaybackEnding.HANGUP)
    ]
    assert connection.data_to_send() == b""


def test_the_caller_hangs_up_during_a_prompt(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.receive_data(b"200 result=-1 endpos=1760\n") == [
        PlaybackFinished(prompt, PlaybackEnding.HANGUP, 1760)
    ]
    assert connection.data_to_send() == MARK  # its packet makes Asterisk's kernel let HANGUP go
    assert connection.receive_data(b"HANGUP\n200 result=0\n") == [HungUp()]
    assert connection.marks == 0


@pytest.mark.parametrize("command", [agi.wait_for_digit(3000), agi.exec_("Wait", "5"), agi.answer()])
def test_a_failed_command_asks_for_the_hangup(connection: AgiConnection, command: agi.Command) -> None:
    command_id = connection.send(command)
    connection.data_to_send()
    assert connection.receive_data(b"200 result=-1\n") == [ReplyReceived(command_id, Reply(200, "-1"))]
    assert connection.data_to_send() == MARK
    after = connection.send(agi.noop())
    assert connection.data_to_send() == b""  # not before the mark is answered
    assert connection.receive_data(OK) == []
    assert connection.data_to_send() == b"NOOP\n"
    assert connection.receive_data(OK) == [ReplyReceived(after, Reply(200, "0"))]


def test_bridge_answers_0_also_when_the_caller_left(connection: AgiConnection) -> None:
    command_id = connection.send(agi.exec_("Bridge", "PJSIP/1001-1"))
    connection.data_to_send()
    assert connection.receive_data(OK) == [ReplyReceived(command_id, Reply(200, "0"))]
    assert connection.data_to_send() == MARK
    assert connection.receive_data(b"HANGUP\n200 result=0\n") == [HungUp()]


# --- missing prompt or hang-up: both are -1 endpos=0


def test_missing_prompt(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.receive_data(b"200 result=-1 endpos=0\n") == []
    assert connection.data_to_send() == MARK
    assert connection.receive_data(OK) == [PlaybackFinished(prompt, PlaybackEnding.MISSING, 0)]


def test_hangup_in_the_first_moment_of_a_prompt(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.receive_data(b"200 result=-1 endpos=0\nHANGUP\n") == [
        PlaybackFinished(prompt, PlaybackEnding.HANGUP, 0),
        HungUp(),
    ]
    assert connection.data_to_send() == MARK
    assert connection.receive_data(OK) == []


def test_missing_prompt_while_being_interrupted(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.interrupt()
    assert connection.data_to_send() == MARK
    assert connection.receive_data(b"200 result=-1 endpos=0\n") == []
    assert connection.data_to_send() == b""  # the mark on its way settles it
    assert connection.receive_data(OK) == [PlaybackFinished(prompt, PlaybackEnding.MISSING, 0)]


def test_the_peer_closes_before_the_matter_is_settled(connection: AgiConnection) -> None:
    prompt = play(connection)
    connection.receive_data(b"200 result=-1 endpos=0\n")
    assert connection.receive_eof() == [PlaybackFinished(prompt, PlaybackEnding.HANGUP, 0)]


def test_what_waits_goes_out_after_the_matter_is_settled(connection: AgiConnection) -> None:
    play(connection)
    following = connection.send(agi.stream_file("next"))
    connection.receive_data(b"200 result=-1 endpos=0\n")
    assert connection.data_to_send() == MARK
    connection.receive_data(OK)
    assert connection.data_to_send() == b'STREAM FILE "next" ""\n'
    assert connection.receive_data(b"200 result=0 endpos=9\n") == [
        PlaybackFinished(following, PlaybackEnding.FINISHED, 9)
    ]


# --- other endings


def test_a_key_ends_a_prompt(connection: AgiConnection) -> None:
    prompt = connection.send(agi.stream_file("prompt", "5"))
    assert connection.receive_data(b"200 result=53 endpos=800\n") == [
        PlaybackFinished(prompt, PlaybackEnding.KEY, 800, "5")
    ]


@pytest.mark.parametrize("reply", [b"510 Invalid or unknown command\n", b"520-a\n520 End of proper usage.\n"])
def test_a_prompt_that_is_refused(connection: AgiConnection, reply: bytes) -> None:
    prompt = play(connection)
    assert connection.receive_data(reply) == [PlaybackFinished(prompt, PlaybackEnding.REFUSED)]


@pytest.mark.parametrize(
    "reply",
    [b"200 result=0\n", b"200 result=x endpos=1\n", b"200 result=65536 endpos=1\n", b"200 result=\xb2 endpos=1\n"],
)
def test_a_prompt_cannot_end_like_that(connection: AgiConnection, reply: bytes) -> None:
    play(connection)
    with pytest.raises(AgiProtocolError, match="to STREAM FILE"):
        connection.receive_data(reply)


# --- interruption


def test_interrupted_prompt_that_does_not_answer(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.interrupt()
    assert connection.data_to_send() == MARK
    following = connection.send(agi.noop())
    assert connection.data_to_send() == b""
    assert connection.receive_data(OK) == [PlaybackFinished(prompt, PlaybackEnding.STOPPED)]
    assert connection.data_to_send() == b"NOOP\n"
    assert connection.receive_data(OK) == [ReplyReceived(following, Reply(200, "0"))]


@pytest.mark.parametrize("cut", range(1, 40))
def test_interrupted_prompt_that_had_just_ended(connection: AgiConnection, cut: int) -> None:
    prompt = play(connection)
    connection.interrupt()
    connection.data_to_send()
    following = connection.send(agi.noop())
    replies = b"200 result=0 endpos=24000\n" + OK
    events = connection.receive_data(replies[:cut]) + connection.receive_data(replies[cut:])
    assert events == [PlaybackFinished(prompt, PlaybackEnding.FINISHED, 24000)]
    assert connection.data_to_send() == b"NOOP\n"
    assert connection.receive_data(OK) == [ReplyReceived(following, Reply(200, "0"))]


def test_interrupted_prompt_of_a_caller_who_hangs_up(connection: AgiConnection) -> None:
    prompt = play(connection)
    connection.interrupt()
    events = connection.receive_data(b"200 result=-1 endpos=160\nHANGUP\n200 result=0\n")
    assert events == [PlaybackFinished(prompt, PlaybackEnding.HANGUP, 160), HungUp()]
    assert connection.data_to_send() == MARK


def test_interrupted_prompt_that_was_on_a_dead_channel(connection: AgiConnection) -> None:
    prompt = play(connection)
    connection.interrupt()
    events = connection.receive_data(b"HANGUP\n511 Command Not Permitted on a dead channel\n200 result=0\n")
    assert events == [HungUp(), PlaybackFinished(prompt, PlaybackEnding.HANGUP)]


def test_interrupted_wait_always_answers(connection: AgiConnection) -> None:
    command_id = connection.send(agi.wait_for_digit(3000))
    assert connection.interrupt()
    assert connection.data_to_send() == b'WAIT FOR DIGIT "3000"\n' + MARK
    assert connection.receive_data(b"200 result=1\n") == [ReplyReceived(command_id, Reply(200, "1"))]
    assert connection.receive_data(OK) == []
    assert connection.marks == 0


def test_interrupting_withdraws_what_has_not_begun(connection: AgiConnection) -> None:
    prompt = play(connection)
    never = connection.send(agi.stream_file("never"))
    variable = connection.send(agi.set_variable("A", "1"))
    wait = connection.send(agi.wait_for_digit(9))
    assert connection.interrupt()
    after = connection.send(agi.stream_file("after"))
    assert connection.data_to_send() == MARK
    assert connection.receive_data(OK) == [
        PlaybackFinished(prompt, PlaybackEnding.STOPPED),
        PlaybackFinished(never, PlaybackEnding.STOPPED, 0),
    ]
    assert connection.data_to_send() == b'SET VARIABLE "A" "1"\n'
    assert connection.receive_data(b"200 result=1\n") == [
        ReplyReceived(variable, Reply(200, "1")),
        ReplyReceived(wait, Reply(200, "1")),
    ]
    assert connection.data_to_send() == b'STREAM FILE "after" ""\n'
    assert connection.receive_data(b"200 result=0 endpos=1\n") == [PlaybackFinished(after, PlaybackEnding.FINISHED, 1)]


def test_interrupting_leaves_other_commands_alone(connection: AgiConnection) -> None:
    connection.send(agi.exec_("Bridge", "x"))
    connection.data_to_send()
    assert not connection.interrupt()
    assert connection.data_to_send() == b""


def test_interrupting_twice_is_interrupting_once(connection: AgiConnection) -> None:
    prompt = play(connection)
    assert connection.interrupt()
    assert connection.interrupt()
    assert connection.data_to_send() == MARK
    assert connection.receive_data(OK) == [PlaybackFinished(prompt, PlaybackEnding.STOPPED)]
    assert not connection.interrupt()


def test_an_overlooked_mark_is_followed_by_another(connection: AgiConnection) -> None:
    """Asterisk read prompt and mark together: it plays on, and answers the mark when more bytes come."""
    prompt = play(connection)
    connection.interrupt()
    assert connection.data_to_send() == MARK
    assert connection.nudge()
    assert connection.data_to_send() == MARK
    following = connection.send(agi.noop())
    assert connection.receive_data(OK) == [PlaybackFinished(prompt, PlaybackEnding.STOPPED)]
    assert connection.nudge()  # the second may lie unseen in its turn
    assert connection.data_to_send() == MARK
    assert connection.receive_data(OK + OK) == []
    assert connection.marks == 0
    assert not connection.nudge()
    assert connection.data_to_send() == b"NOOP\n"
    assert connection.receive_data(OK) == [ReplyReceived(following, Reply(200, "0"))]


# --- the end of the stream, between any two bytes


def test_closed_in_the_environment() -> None:
    block = b"agi_network: yes\nagi_channel: x\n\n"
    for cut in range(len(block)):
        connection = AgiConnection()
        assert connection.receive_data(block[:cut]) == []
        with pytest.raises(AgiProtocolError, match=f"closed after {cut} bytes of environment"):
            connection.receive_eof()


def test_closed_in_a_reply() -> None:
    replies = [b"200 result=1 (two\nlines)\n", b"520-Usage\nx\n520 End\n", b"HANGUP\n"]
    stream = b"".join(replies)
    complete = {sum(map(len, replies[:count])): count for count in range(4)}
    for cut in range(len(stream) + 1):
        connection = AgiConnection()
        connection.receive_data(b"agi_network: yes\n\n")
        connection.send(agi.noop())
        connection.send(agi.noop())
        events = connection.receive_data(stream[:cut])
        if cut in complete:
            assert len(events) == complete[cut]
            assert connection.receive_eof() == []
        else:
            with pytest.raises(AgiProtocolError, match=r"the connection was closed in the (line|reply) "):
                connection.receive_eof()

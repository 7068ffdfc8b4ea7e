"""Whatever arrives over AGI, cut anywhere: the same events, or `AgiProtocolError`. Whatever is sent stays its argument."""

import string
from urllib.parse import unquote

from agi_argument_model import application_arguments, words
from hypothesis import given
from hypothesis import strategies as st

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import (
    AgiEvent,
    AgiProtocolError,
    EnvironmentReceived,
    HungUp,
    PlaybackEnding,
    PlaybackFinished,
    ReplyReceived,
    read_environment,
)
from ivrflow.bridge.agi_protocol import AgiConnection

BLOCK = b"agi_network: yes\nagi_channel: PJSIP/line-1\n\n"
MARK = b'NOOP "ivrflow mark"'

PIECES = st.sampled_from(
    [
        b"200 result=0\n",
        b"200 result=1 (text with ) and \xe4\xbd\xa0\xe5\xa5\xbd)\n",
        b"200 result=1 (two\nlines)\n",
        b"200 result=-1\n",
        b"200 result=-1 endpos=0\n",
        b"200 result=0 endpos=24000\n",
        b"200 result=53 endpos=80\n",
        b"HANGUP\n",
        b"510 Invalid or unknown command\n",
        b"511 Command Not Permitted on a dead channel\n",
        b"520-Invalid command syntax.\nUsage: X\n\n520 End of proper usage.\n",
        b"100 result=0 Trying...\n",
        b"nonsense\n",
        b"\n",
    ]
)
COMMANDS = st.sampled_from(
    [agi.noop(), agi.stream_file("prompt"), agi.wait_for_digit(3000), agi.exec_("Wait", "1"), agi.hangup()]
)
ONE_LINE = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)


def outcome(chunks: list[bytes], commands: list[agi.Command], *, interrupt: bool) -> tuple[list[AgiEvent], str]:
    connection = AgiConnection()
    connection.receive_data(BLOCK)
    for command in commands:
        connection.send(command)
    if interrupt:
        connection.interrupt()
    events: list[AgiEvent] = []
    try:
        for chunk in chunks:
            events += connection.receive_data(chunk)
        events += connection.receive_eof()
    except AgiProtocolError as error:
        return events + error.events, str(error)
    return events, ""


@given(st.lists(PIECES, max_size=8), st.lists(COMMANDS, max_size=8), st.booleans(), st.data())
def test_cut_anywhere_it_means_the_same(
    pieces: list[bytes], commands: list[agi.Command], interrupt: bool, data: st.DataObject
) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = outcome([stream], commands, interrupt=interrupt)
    assert outcome(chunks, commands, interrupt=interrupt) == whole
    assert outcome([stream[i : i + 1] for i in range(len(stream))], commands, interrupt=interrupt) == whole


@given(
    st.dictionaries(st.text(string.ascii_lowercase + "_0123456789", min_size=1), ONE_LINE, min_size=1, max_size=20),
    st.data(),
)
def test_an_environment_reads_back(lines: dict[str, str], data: st.DataObject) -> None:
    block = "".join(f"agi_{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"
    cut = data.draw(st.integers(0, len(block)))
    connection = AgiConnection()
    events = connection.receive_data(block[:cut]) + connection.receive_data(block[cut:])
    assert len(events) == 1
    assert isinstance(events[0], EnvironmentReceived)
    assert events[0].environment.variables == {f"agi_{name}": value for name, value in lines.items()}


@given(ONE_LINE, ONE_LINE)
def test_any_address_is_taken_apart(path: str, query: str) -> None:
    environment = read_environment({"agi_network_script": f"{path}?{query}"})
    assert environment.path == unquote(path.partition("?")[0])


@given(st.lists(st.one_of(st.binary(max_size=40), PIECES), max_size=12), st.lists(COMMANDS, max_size=6), st.booleans())
def test_arbitrary_bytes_are_at_worst_a_protocol_error(
    chunks: list[bytes], commands: list[agi.Command], begun: bool
) -> None:
    connection = AgiConnection()
    try:
        if begun:
            connection.receive_data(BLOCK)
        for command in commands:
            connection.send(command)
        for number, chunk in enumerate(chunks):
            connection.receive_data(chunk)
            if number % 3 == 1:
                connection.interrupt()
            if number % 4 == 1:
                connection.nudge()
        connection.receive_eof()
    except AgiProtocolError as error:
        assert "expected" in str(error)  # noqa: PT017 - not raising is as good


@given(st.lists(ONE_LINE, min_size=1, max_size=5))
def test_arguments_reach_asterisk_unchanged(arguments: list[str]) -> None:
    assert words(agi.set_variable("NAME", arguments[0]).line) == ["SET", "VARIABLE", "NAME", arguments[0]]
    if len(line := agi.exec_("App", *arguments).line) > agi.MAX_COMMAND_BYTES:
        raise AssertionError(len(line))
    assert application_arguments(words(line)[2]) == arguments


@given(st.text(max_size=30))
def test_no_text_makes_a_second_line(text: str) -> None:
    try:
        line = agi.noop(text).line
    except ValueError:
        return
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    assert b"\x00" not in line


class Asterisk:
    """Plays the other end: runs one command after the other, a stopped prompt answers or not as `answers` says."""

    def __init__(self, answers: list[bool], hang_up_at: int) -> None:
        self._answers = answers
        self._hang_up_at = hang_up_at
        self._playing = False
        self._steps = 0
        self.hung_up = False
        self.output = b""

    def run(self, data: bytes) -> None:
        for line in data.splitlines():
            self._steps += 1
            if self._playing:  # any bytes stop the prompt
                self._playing = False
                if self._answers and self._answers.pop():
                    self.output += b"200 result=0 endpos=160\n"
            if self._steps == self._hang_up_at:
                self.hung_up = True
                self.output += b"HANGUP\n"
            if not line.startswith(b"STREAM FILE"):
                self.output += b"200 result=0\n"
            elif self.hung_up:
                self.output += b"511 Command Not Permitted on a dead channel\n"
            elif b"missing" in line:
                self.output += b"200 result=-1 endpos=0\n"
            else:
                self._playing = True

    def end_prompt(self) -> None:
        if self._playing:
            self._playing = False
            self.output += b"200 result=0 endpos=24000\n"

    def hang_up(self) -> None:
        if not self.hung_up:
            self.hung_up = True
            if self._playing:
                self._playing = False
                self.output += b"200 result=-1 endpos=80\n"
            self.output += b"HANGUP\n"


STEPS = st.lists(st.sampled_from(["play", "missing", "noop", "interrupt", "deliver", "end", "nudge"]), max_size=40)


@given(STEPS, st.lists(st.booleans(), max_size=10), st.integers(0, 30), st.booleans())
def test_every_command_gets_its_own_ending(
    steps: list[str], answers: list[bool], hang_up_at: int, hang_up_last: bool
) -> None:
    """In any order of plays, interruptions, natural endings and a hang-up: each command ends once, as what it was."""
    asterisk = Asterisk(answers, hang_up_at)
    connection = AgiConnection()
    connection.receive_data(BLOCK)
    sent: dict[int, str] = {}
    events: list[AgiEvent] = []

    def deliver() -> None:
        asterisk.run(connection.data_to_send())
        while asterisk.output:
            output, asterisk.output = asterisk.output, b""
            events.extend(connection.receive_data(output))
            asterisk.run(connection.data_to_send())

    for step in steps:
        if step in {"play", "missing"}:
            sent[connection.send(agi.stream_file(step))] = step
        elif step == "noop":
            sent[connection.send(agi.noop())] = step
        elif step == "interrupt":
            connection.interrupt()
        elif step == "nudge":
            connection.nudge()
        elif step == "end":
            deliver()
            asterisk.end_prompt()
        deliver() if step == "deliver" else asterisk.run(connection.data_to_send())
    if hang_up_last:
        asterisk.hang_up()
    for _ in sent:
        deliver()
        asterisk.end_prompt()
    deliver()

    ended = {event.command_id: event for event in events if not isinstance(event, EnvironmentReceived | HungUp)}
    assert sorted(ended) == sorted(sent)
    assert len(ended) == sum(isinstance(event, ReplyReceived | PlaybackFinished) for event in events)
    for command_id, what in sent.items():
        event = ended[command_id]
        assert isinstance(event, ReplyReceived if what == "noop" else PlaybackFinished)
        if isinstance(event, PlaybackFinished):
            possible = {PlaybackEnding.STOPPED, PlaybackEnding.HANGUP}
            possible.add(PlaybackEnding.MISSING if what == "missing" else PlaybackEnding.FINISHED)
            assert event.ending in possible
            if event.ending is PlaybackEnding.HANGUP:
                assert asterisk.hung_up
    assert sum(isinstance(event, HungUp) for event in events) == asterisk.hung_up

"""No text from outside gets into a dial string, an AMI header, a command or a file's name: it is checked or refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date
from pathlib import PurePosixPath

import pytest
from agi_argument_model import words
from hypothesis import given, settings
from hypothesis import strategies as st
from pretended_line import PretendedLine

from ivrflow.bridge import agi_commands as agi
from ivrflow.bridge.agi_events import read_environment
from ivrflow.bridge.ami_protocol import AmiEvent, build_action
from ivrflow.bridge.orders.answered import asked_fields, read_asked
from ivrflow.bridge.orders.to_calls import ORDER_EVENT, OrderRefused, masked, order_fields, read_order
from ivrflow.bridge.orders.to_place_calls import CallWanted, read_call_order
from ivrflow.bridge.queue_members import NotPossible, interface_of
from ivrflow.bridge.recording_files import RecordingRefusedError, call_file, message_file
from ivrflow.engine import messages as m
from ivrflow.flow.keys.outgoing import may_be_rung

HOSTILE = [
    *("1001&PJSIP/0", "1001@other", "1001,60,U(macro)", "1001|60", "1001)", "1001/n", "${SHELL(id)}", "$(id)", "`id`"),
    *("a;b", "a\r\nAction: Originate", "a\nb", "a\x00b", "../../etc/x", "..", "agents,,,,,/bin/sh", "x\u2028y", "१००१"),
    *("", " ", "1001 ", "\t1001", "general", "-1", "a" * 3000, '"', "\\", "^", "\ud800", "*80", "١٢٣"),
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.from_regex(r"[0-9a-z&|,)@/;$ \r\n-]{1,30}"))


def orders_of(*actions: m.Action, spoken: str = "(ulaw)") -> list[bytes]:
    """The bytes that go to the manager when a line is told to do that."""

    async def told() -> PretendedLine:
        setup = PretendedLine()
        environment = {"agi_uniqueid": "pbx-1.7", "agi_extension": "12345", "agi_arg_1": spoken}
        setup.channel.environment = read_environment(environment)
        for action in actions:
            setup.line.perform(action)
        await asyncio.sleep(0)
        return setup

    manager = asyncio.run(told()).manager
    return [
        build_action(name, "1", headers, variables)
        for (name, headers), variables in zip(manager.orders, manager.variables, strict=True)
    ]


def headers_of(action: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in action.decode().rstrip("\r\n").split("\r\n"))


@settings(max_examples=150, deadline=None)
@given(texts)
def test_only_digits_are_rung(extension: str) -> None:
    for action in orders_of(m.Ring(ticket=3, extension=extension, seconds=20)):
        headers = headers_of(action)
        if headers["Action"] == "Originate":
            assert headers["Channel"] == f"Local/{extension}@ivrflow-ring/n"
            assert re.fullmatch(r"[0-9]{1,32}", extension, flags=re.ASCII)
        else:
            assert headers == {"Action": "Hangup", "ActionID": "1", "Channel": "pbx-1.7-agent3a", "Cause": "16"}


@settings(max_examples=150, deadline=None)
@given(texts, st.integers(0, 100), st.floats(0, 1e5))
def test_only_a_queues_name_is_queued_for(queue: str, priority: int, waited: float) -> None:
    for action in orders_of(m.JoinQueue(ticket=3, queue=queue, priority=priority, waited=waited)):
        headers = headers_of(action)
        if headers["Action"] == "Originate":
            assert headers["Channel"] == f"Local/{queue}@ivrflow-queue/n"
            assert re.fullmatch(r"[a-z][a-z0-9_-]{1,63}", queue)
            assert queue != "general"


@settings(max_examples=100, deadline=None)
@given(texts)
def test_of_what_a_channel_speaks_only_a_codec_we_know_is_ordered(spoken: str) -> None:
    (action,) = orders_of(m.Ring(ticket=3, extension="1001", seconds=20), spoken=spoken)
    assert headers_of(action)["Codecs"] in {"alaw", "ulaw", "g722"}


@pytest.mark.parametrize("text", HOSTILE)
def test_an_agent_is_digits_or_refused(text: str) -> None:
    with pytest.raises(NotPossible, match="write its digits"):
        interface_of(text)


@settings(deadline=None)
@given(texts)
def test_only_digits_may_be_called_back(number: str) -> None:
    """A caller's own number is whatever the telephone says it is."""
    if may_be_rung(("1*", "0*", "a*", "*"), number):
        assert re.fullmatch(r"[0-9]{1,20}", number, flags=re.ASCII)


@settings(deadline=None)
@given(texts, texts, st.integers(1, 99))
def test_a_recordings_name_stays_in_its_folder_and_is_one_argument(flow: str, call: str, number: int) -> None:
    day = date(2026, 11, 22)
    names: list[Callable[[], PurePosixPath]] = [
        lambda: call_file(flow, call, day),
        lambda: message_file(flow, "voicemail", call, number, day),
        lambda: message_file("desk", flow, call, number, day),
    ]
    for name in names:
        try:
            file = name()
        except RecordingRefusedError:
            continue
        assert not file.is_absolute()
        assert ".." not in file.parts
        assert len(file.parts) == (4 if file.parts[0] == "calls" else 5)
        path = f"/var/lib/ivrflow/recordings/{file}"
        for command in (agi.exec_("MixMonitor", path), agi.exec_("MixMonitor", "", f"r({path})i(IVRFLOW_MESSAGE)")):
            assert command.line.count(b"\n") == 1
            assert not re.search(r"[,;|&()$`\"'\s]", str(file)), "no character that means anything to anybody"


_BOUNDS = re.compile(r"(?:1 to|8 to|at most|texts of) [0-9]+")
"""The numbers in our own sentences."""


def holds_digits(shown: str) -> bool:
    """Whether there is a digit that is not part of a character's escape."""
    return bool(re.search(r"\d", re.sub(r"\\(?:x..|u....|U........)", "", shown)))


fields = st.dictionaries(st.sampled_from(["Ask", "Call", "Order", "Word", "Value", "Number", "Flow", "Values"]), texts)


@settings(max_examples=300, deadline=None)
@given(
    fields, st.sampled_from(["situation", "value", "transfer", "signal", "done", "cancel", "call", "reload", "live"])
)
def test_an_order_is_names_or_refused_in_words_without_its_text(given_fields: dict[str, str], what: str) -> None:
    event = AmiEvent({"Event": "UserEvent", "UserEvent": ORDER_EVENT, **given_fields, "Order": what})
    for read in (read_asked, read_call_order, lambda event: read_order(event, 3)):
        why = ""
        try:
            order = read(event)
        except OrderRefused as refused:
            why = str(refused)
        if why:
            assert why.isprintable()
            assert not holds_digits(_BOUNDS.sub("", why))
            continue
        match order:
            case m.SituationStarted(name=name):
                assert re.fullmatch(r"[a-z0-9_.]+", name)
            case m.TransferOrdered(step=word) | m.SignalGiven(word=word):
                assert re.fullmatch(r"[a-z0-9_]+", word)
            case m.ValuesLearned(values=values):
                assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in values)
                assert all(value.isprintable() for value in values.values())
            case CallWanted(number=number, flow=flow):
                assert re.fullmatch(r"[0-9]{1,20}", number, flags=re.ASCII)
                assert re.fullmatch(r"[a-z0-9_]+", flow)
            case _:
                pass


@settings(deadline=None)
@given(texts, texts)
def test_an_order_from_a_command_is_one_action_or_none(call: str, word: str) -> None:
    for fields_of_it in (
        asked_fields("ask-12345678", "transfer", call, word),
        order_fields(call, "value", "name", word),
    ):
        try:
            action = build_action("UserEvent", "1", fields_of_it)
        except ValueError:
            continue
        lines = action.rstrip(b"\r\n").split(b"\r\n")
        assert len(lines) == 2 + len(fields_of_it)
        assert [line.split(b": ")[0].decode() for line in lines[2:]] == list(fields_of_it)


@settings(deadline=None)
@given(texts)
def test_what_is_played_is_one_argument(file: str) -> None:
    try:
        command = agi.stream_file(file)
    except ValueError:
        return
    assert command.line.endswith(b"\n")
    assert words(command.line)[2] == file


@settings(deadline=None)
@given(texts)
def test_masked_text_is_short_printable_and_holds_no_digit(text: str) -> None:
    shown = masked(text)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 40 * len("\\U0010ffff") + 2
    assert not holds_digits(shown)

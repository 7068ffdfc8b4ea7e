"""`ivrflow call` against a manager behind which an engine answers as told."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from ivrflow.bridge.orders.giving import NotAsked
from ivrflow.bridge.orders.ordering_calls import Ordering
from ivrflow.bridge.orders.to_place_calls import Answer, CallWanted, answer_fields
from ivrflow.commands.call_commands import Report, call, in_words
from ivrflow.settings import read_settings

Script = Callable[[dict[str, str]], list[Answer]]
"""What the engine answers to an order, given the order's fields."""


class Manager(asyncio.Protocol):
    """Says yes to everything; an order gets the engine's answers."""

    def __init__(self, script: Script, orders: list[dict[str, str]]) -> None:
        self._script = script
        self._orders = orders
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            packet, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            fields = dict(line.split(": ", 1) for line in packet.decode().splitlines())
            self._transport.write(f"Response: Success\r\nActionID: {fields['ActionID']}\r\n\r\n".encode())
            if fields["Action"] == "UserEvent":
                self._orders.append(fields)
                for answer in self._script(fields):
                    lines = "".join(f"{name}: {text}\r\n" for name, text in answer_fields(answer).items())
                    self._transport.write(f"Event: UserEvent\r\n{lines}\r\n".encode())


@asynccontextmanager
async def manager(script: Script) -> AsyncIterator[tuple[dict[str, str], list[dict[str, str]]]]:
    orders: list[dict[str, str]] = []
    server = await asyncio.get_running_loop().create_server(lambda: Manager(script, orders), "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield {"IVRFLOW_AMI_PORT": str(port), "IVRFLOW_AMI_SECRET": "any"}, orders
    finally:
        server.close()
        await server.wait_closed()


def engine(*answers: Answer) -> Script:
    """Answers a call's order with these, whatever it is called."""

    def script(fields: dict[str, str]) -> list[Answer]:
        if fields["Order"] != "call":
            return []
        return [msgspec.structs.replace(answer, ask=fields["Ask"]) for answer in answers]

    return script


DIALLING = Answer("", "dialling", "out-1.a", 30.0)
ANSWERED = Answer("", "answered", "out-1.a", 6.25)
NOBODY = Answer("", "over", "out-1.a", outcome="no_answer")
OVER = Answer("", "over", "out-1.a", outcome="caller_hung_up", by="caller")
QUIET = Answer("", "refused", why="quiet hours until 2026-11-20 14:00", again="2026-11-20T14:00+08:00")


async def run(script: Script, *arguments: str, number: str = "1002") -> tuple[int, str, str, list[dict[str, str]]]:
    """The command as a program: exit code, stdout, stderr, and what was ordered."""
    async with manager(script) as (environment, orders), asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivrflow", "call", number, "--flow", "china_mobile", *arguments),
            env={**environment, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[3],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode(), orders


async def test_somebody_picks_up() -> None:
    code, out, err, (order,) = await run(engine(DIALLING, ANSWERED), "--value", "surname=李")
    assert code == 0
    assert out == "answered after 6.2 s of ringing; ivrflow trace out-1.a\n"
    assert err == "ringing, 30 s at most (call out-1.a)\n"
    assert (order["Number"], order["Flow"]) == ("1002", "china_mobile")
    assert json.loads(order["Values"]) == {"surname": "李"}


async def test_waiting_until_it_is_over() -> None:
    code, out, _, _ = await run(engine(DIALLING, ANSWERED, OVER), "--wait", "--format", "json")
    assert code == 0
    assert json.loads(out) == {
        "flow": "china_mobile",
        "state": "answered",
        "call": "out-1.a",
        "rang_s": 6.25,
        "outcome": "caller_hung_up",
        "first_to_hang_up": "caller",
    }


async def test_nobody_picks_up() -> None:
    code, out, _, _ = await run(engine(DIALLING, NOBODY))
    assert code == 1
    assert out == "not answered: no answer; ivrflow trace out-1.a\n"


async def test_a_quiet_hour() -> None:
    code, out, err, _ = await run(engine(QUIET))
    assert code == 1
    assert out == "not placed: quiet hours until 2026-11-20 14:00; allowed again from Friday 2026-11-20 14:00\n"
    assert err == ""


async def test_ctrl_c_takes_it_back_while_it_rings() -> None:
    def script(fields: dict[str, str]) -> list[Answer]:
        if fields["Order"] == "call":
            return [Answer(fields["Ask"], "dialling", "out-1.a", 30.0)]
        return [Answer(fields["Ask"], "over", "out-1.a", outcome="cancelled")]

    async with manager(script) as (environment, orders), asyncio.timeout(60):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ivrflow", "call", "1002", "--flow", "china_mobile"),
            env={**environment, "PATH": "/usr/bin:/bin"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        await process.stderr.readline()  # it rings
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
    assert process.returncode == 1
    assert out.decode() == "taken back while it rang; ivrflow trace out-1.a\n"
    assert [order["Order"] for order in orders] == ["call", "call_off"]


def ordering_with(environment: dict[str, str]) -> Ordering:
    return Ordering(read_settings(environment), CallWanted("ask-00000001", "f", "1"))


async def test_no_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.bridge.orders.ordering_calls.ENGINE_WITHIN_S", 0.05)
    async with manager(lambda _fields: []) as (environment, _), ordering_with(environment) as ordering:
        with pytest.raises(NotAsked, match="is `ivrflow serve` running"):
            await ordering.give()


async def test_answers_to_others_are_not_ours() -> None:
    def script(fields: dict[str, str]) -> list[Answer]:
        return [Answer("somebody-else", "refused", why="no"), Answer(fields["Ask"], "dialling", "out-1.a", 30.0)]

    async with manager(script) as (environment, _), ordering_with(environment) as ordering:
        assert (await ordering.give()).state == "dialling"
        assert await ordering.next(0.01) is None


async def test_a_manager_that_goes_away_ends_the_waiting() -> None:
    async with manager(engine(DIALLING)) as (environment, _), ordering_with(environment) as ordering:
        await ordering.give()
        assert ordering._manager._link is not None
        ordering._manager._link.drop("pulled")
        with pytest.raises(NotAsked, match=r"broke \(pulled\)"):
            await ordering.next(5)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["+8613800001111", "--flow", "f"], "write its digits"),
        (["1002&1003", "--flow", "f"], "write its digits"),
        (["1002", "--flow", "f", "--value", "surname"], "write NAME=VALUE"),
        (["1002", "--flow", "f", "--value", "Surname=x"], "write NAME=VALUE"),
        (["1002"], "Missing option '--flow'"),
    ],
)
def test_wrong_usage(arguments: list[str], why: str) -> None:
    told = CliRunner().invoke(call, arguments)
    assert told.exit_code == 2
    assert why in told.output


def test_no_manager_is_said_with_exit_code_2() -> None:
    told = CliRunner(env={"IVRFLOW_AMI_SECRET": "x", "IVRFLOW_AMI_PORT": "1"}).invoke(call, ["1002", "--flow", "f"])
    assert told.exit_code == 2
    assert "no Asterisk manager interface answers" in told.output


def test_reports_in_words() -> None:
    assert in_words(Report("f", "cancelled", "out-1.a")) == "taken back while it rang; ivrflow trace out-1.a"
    assert in_words(Report("f", "refused", why="it may not")) == "not placed: it may not"
    assert in_words(Report("f", "answered", "c", rang_s=2.0, outcome="hung_up")).startswith(
        "answered after 2.0 s of ringing; ended: hung up; "
    )

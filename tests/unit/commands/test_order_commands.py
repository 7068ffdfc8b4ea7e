"""Orders at the command line, against an engine that answers as told."""

import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner
from little_manager import DONE, Answering, Fields, command, little_manager, refused

from ivrflow.bridge.orders.answered import CallSeen, Reply, heard_fields, reply_pages
from ivrflow.cli import main
from ivrflow.flow.problems import Location, Problem


def engine(*replies: Reply, heard: bool = False) -> Answering:
    """Answers an order with these."""

    def answering(fields: Fields) -> Sequence[Fields]:
        if fields["Action"] != "UserEvent":
            return [DONE]
        told = [heard_fields(fields["Ask"])] if heard else []
        pages = [page for reply in replies for page in reply_pages(fields["Ask"], reply)]
        return [DONE, *({"Event": "UserEvent", **fields} for fields in [*told, *pages])]

    return answering


STARTED = Reply(done=True, call="pbx-1.1", words=("the call is at situation noise, waiting for the end of a prompt",))
REFUSED = Reply(done=False, call="pbx-1.1", words=("not now: not while an agent is sought",))


@pytest.mark.parametrize(
    ("arguments", "order", "done", "not_done"),
    [
        (["play", "pbx-1", "noise"], {"Order": "situation", "Word": "noise"}, "started", "not started"),
        (["cancel", "pbx-1"], {"Order": "cancel"}, "taken back", "not taken back"),
        (["done", "pbx-1"], {"Order": "done"}, "noted", "not noted"),
        (["signal", "pbx-1", "refusal"], {"Order": "signal", "Word": "refusal"}, "given", "no effect"),
        (["transfer", "pbx-1", "desk"], {"Order": "transfer", "Word": "desk"}, "on the way", "not sent"),
    ],
)
async def test_an_order_to_a_call(arguments: list[str], order: dict[str, str], done: str, not_done: str) -> None:
    async with little_manager(engine(STARTED)) as (environment, actions):
        told = await command(environment, *arguments)
    assert (told.exit_code, told.stdout, told.stderr) == (0, f"{done}: {STARTED.words[0]}\n", "")
    (given,) = actions
    assert given["Call"] == "pbx-1"
    assert order.items() <= given.items()
    async with little_manager(engine(REFUSED)) as (environment, _):
        told = await command(environment, *arguments)
    assert (told.exit_code, told.stdout) == (1, f"{not_done}: {REFUSED.words[0]}\n")


async def test_an_order_for_programs() -> None:
    async with little_manager(engine(REFUSED)) as (environment, _):
        told = await command(environment, "play", "pbx-1", "noise", "--format", "json")
    assert told.exit_code == 1
    assert json.loads(told.stdout) == {"done": False, "call": "pbx-1.1", "words": list(REFUSED.words)}


async def test_the_running_calls() -> None:
    seen = CallSeen("pbx-1.1", "gov12345", 1_790_000_000.0, "situation noise", "bridged", "the next phrase", "1001")
    async with little_manager(engine(Reply(done=True, calls=(seen,), more_calls=2))) as (environment, _):
        told = await command(environment, "live")
        data = await command(environment, "live", "--format", "json")
    head, row, more = told.stdout.splitlines()
    assert head.split() == ["call", "since", "lasts", "flow", "at", "waits", "for", "agent"]
    for word in ("pbx-1.1", "gov12345", "situation noise", "the next phrase", "1001"):
        assert word in row
    assert more == "and 2 more"
    (each,) = json.loads(data.stdout)
    assert (each["call"], each["agent"], each["step"]) == ("pbx-1.1", "1001", "situation noise")


async def test_no_call_runs() -> None:
    async with little_manager(engine(Reply(done=True))) as (environment, _):
        told = await command(environment, "live")
    assert (told.exit_code, told.stdout) == (0, "no call runs\n")


async def test_a_reload() -> None:
    words = ("changed: gov12345", "calls that run keep the flow they began with: 2")
    async with little_manager(engine(Reply(done=True, words=words), heard=True)) as (environment, _):
        told = await command(environment, "reload")
    assert told.exit_code == 0
    assert told.stdout == "reloaded: changed: gov12345\ncalls that run keep the flow they began with: 2\n"
    assert told.stderr == "reading the flows …\n"


PROBLEMS = (
    Problem(Location("callflows/a.yaml", 3, 7), "there is no step 'agnt'", "did you mean 'agent'?"),
    Problem(Location("callflows/b.yaml", 1, 1), "this is unwise", "", "warning"),
)
BROKEN = Reply(done=False, words=("the flows are not in order; the old ones stay",), problems=PROBLEMS)


async def test_a_refused_reload_tells_every_problem() -> None:
    async with little_manager(engine(BROKEN, heard=True)) as (environment, _):
        told = await command(environment, "reload")
        data = await command(environment, "reload", "--format", "json")
    assert told.exit_code == 1
    assert told.stdout == (
        "callflows/a.yaml:3:7: there is no step 'agnt'\n"
        "    hint: did you mean 'agent'?\n"
        "callflows/b.yaml:1:1: warning: this is unwise\n"
        "not reloaded: 1 problem\n"
        "the flows are not in order; the old ones stay\n"
    )
    assert data.exit_code == 1
    assert json.loads(data.stdout)["problems"][0] == {
        "file": "callflows/a.yaml",
        "line": 3,
        "column": 7,
        "severity": "error",
        "message": "there is no step 'agnt'",
        "hint": "did you mean 'agent'?",
    }


async def test_an_answer_of_many_pages() -> None:
    long = Reply(done=False, words=("no",), problems=tuple(PROBLEMS[0] for _ in range(200)))
    async with little_manager(engine(long, heard=True)) as (environment, _):
        told = await command(environment, "reload")
    assert told.stdout.count("there is no step") == 200


async def test_no_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.bridge.orders.giving.ENGINE_WITHIN_S", 0.05)
    async with little_manager(engine()) as (environment, _):
        told = await command(environment, "live")
    assert told.exit_code == 2
    assert "is `ivrflow serve` running" in told.stderr


async def test_an_engine_that_heard_and_says_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivrflow.commands.order_commands.LONGEST_S", -9.95)
    async with little_manager(engine(heard=True)) as (environment, _):
        told = await command(environment, "reload")
    assert told.exit_code == 2
    assert "has not said within 0.05 s what came of it" in told.stderr


async def test_a_manager_that_goes_away() -> None:
    async with little_manager(lambda _fields: [DONE, {}]) as (environment, _):
        told = await command(environment, "live")
    assert told.exit_code == 2
    assert "broke" in told.stderr


async def test_a_manager_that_takes_no_orders() -> None:
    async with little_manager(lambda _fields: refused("Permission denied")) as (environment, _):
        told = await command(environment, "live")
    assert told.exit_code == 2
    assert "the order could not be given: Asterisk refused UserEvent: Permission denied" in told.stderr


async def test_what_no_header_can_hold() -> None:
    async with little_manager(engine(STARTED)) as (environment, actions):
        told = await command(environment, "play", "pbx-1", "noise\r\nAction: Originate")
    assert told.exit_code == 2
    assert "an argument holds a line break" in told.stderr
    assert actions == []


def test_no_manager() -> None:
    told = CliRunner(env={"IVRFLOW_AMI_SECRET": "x", "IVRFLOW_AMI_PORT": "1"}).invoke(main, ["reload"])
    assert told.exit_code == 2
    assert "no Asterisk manager interface answers" in told.stderr

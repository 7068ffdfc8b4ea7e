"""The phones of a run: registered once, shared, and agents' calls sorted to their scenario."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio
from little_pbx import LittlePbx
from loopback_phones import eventually
from made_results import a_scenario

from ivrflow.scenario.pbx import cast as cast_module
from ivrflow.scenario.pbx.cast import Accounts, Cast
from ivrflow.scenario.script import AgentPart, InQueues, Scenario
from ivrflow.softphone.call import Call, PhoneError, Unreachable


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[LittlePbx]:
    async with LittlePbx() as pbx:
        yield pbx


def with_agents(*extensions: str, unreachable: tuple[str, ...] = ()) -> Scenario:
    scenario = a_scenario()
    parts = [AgentPart(name, "answers", scenario.where) for name in extensions]
    parts += [AgentPart(name, "unreachable", scenario.where) for name in unreachable]
    return replace(scenario, agents=tuple(parts))


@dataclass
class Rung:
    """What a scenario was told of."""

    calls: list[tuple[str, Call]] = field(default_factory=list)

    def __call__(self, extension: str, call: Call) -> None:
        self.calls.append((extension, call))


async def test_an_agents_phone_is_registered_once_for_all_scenarios_and_taken_back_at_the_end(pbx: LittlePbx) -> None:
    async with Cast(pbx.accounts) as cast:
        for _ in range(2):
            async with cast.agents(with_agents("1002", "1001"), Rung()), cast.agents(with_agents("1001"), Rung()):
                assert set(pbx.registered) == {"1001", "1002"}
        assert [account for account, _ in pbx.registrations] == ["1001", "1002"]
    assert pbx.registered == {}


async def test_one_that_must_be_unreachable_waits_until_nobody_needs_it_registered(pbx: LittlePbx) -> None:
    async with Cast(pbx.accounts) as cast:
        entered = asyncio.Event()

        async def away() -> None:
            async with cast.agents(with_agents(unreachable=("1001",)), Rung()):
                assert pbx.registered == {}
                entered.set()

        async with cast.agents(with_agents("1001"), Rung()):
            waiting = asyncio.create_task(away())
            await asyncio.sleep(0.05)  # that somebody waits is nothing but time that passes
            assert not entered.is_set()
            assert "1001" in pbx.registered
        await waiting
        async with cast.agents(with_agents("1001"), Rung()):
            assert "1001" in pbx.registered


async def test_who_else_was_registered_there_is_driven_out_first(pbx: LittlePbx) -> None:
    async with Cast(pbx.accounts) as cast, cast.agents(with_agents(unreachable=("1001",)), Rung()):
        assert [expires > 0 for account, expires in pbx.registrations if account == "1001"] == [True, False]


async def test_calls_find_their_scenario_by_the_caller_they_are_for(pbx: LittlePbx) -> None:
    one, two = Rung(), Rung()
    async with (
        Cast(pbx.accounts) as cast,
        cast.agents(with_agents("1001"), one) as first,
        cast.agents(with_agents("1001"), two) as second,
    ):
        early = await pbx.ring("1001", "pbx-1.2")  # before anybody knows its own name
        await eventually(lambda: early.rings_at is not None)
        assert (one.calls, two.calls) == ([], [])
        first.expect("pbx-1.1")
        second.expect("pbx-1.2")
        await pbx.ring("1001", "pbx-1.1")
        await eventually(lambda: one.calls and two.calls)
        assert [extension for extension, _ in one.calls + two.calls] == ["1001", "1001"]
        assert two.calls[0][1].call_id == early.call_id
        for rung in (one, two):
            rung.calls[0][1].decline()
        assert cast.strays == []


async def test_a_call_of_nobodys_is_refused_and_noted(pbx: LittlePbx) -> None:
    rung = Rung()
    async with Cast(pbx.accounts) as cast:
        async with cast.agents(with_agents("1001"), rung) as agents:
            agents.expect("pbx-1.1")
            stranger = await pbx.ring("1001", "pbx-9.9")
            await eventually(lambda: stranger.end)
        late = await pbx.ring("1001", "pbx-1.1")  # its scenario is over
        await eventually(lambda: late.end)
        assert rung.calls == []
        assert [call.end and call.end.status for call in (stranger, late)] == [480, 480]
        assert cast.strays == ["agent 1001: a call for a caller of nobody's rang and was refused"] * 2


async def test_a_call_whose_caller_nobody_claims_is_refused_in_the_end(
    pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast_module, "UNSORTED_S", 0.05)
    async with Cast(pbx.accounts) as cast, cast.agents(with_agents("1001"), Rung()):
        call = await pbx.ring("1001", "pbx-1.1")
        await eventually(lambda: call.end)
        assert call.end is not None
        assert call.end.status == 480
        assert len(cast.strays) == 1


async def test_without_the_header_a_call_is_for_the_only_one_it_can_be_for(pbx: LittlePbx) -> None:
    one, two = Rung(), Rung()
    async with Cast(pbx.accounts) as cast, cast.agents(with_agents("1001"), one) as first:
        first.expect("pbx-1.1")
        await pbx.ring("1001")
        await eventually(lambda: one.calls)
        one.calls[0][1].decline()
        async with cast.agents(with_agents("1001"), two) as second:
            second.expect("pbx-1.2")
            doubtful = await pbx.ring("1001")
            await eventually(lambda: doubtful.end)
            assert two.calls == []
            assert cast.strays == ["agent 1001: a call without the header X-Ivrflow-Call rang and was refused"]


async def test_who_cannot_tell_calls_apart_is_alone_and_gets_them_all(pbx: LittlePbx) -> None:
    one = Rung()
    async with Cast(pbx.accounts) as cast:
        entered = asyncio.Event()

        async def another() -> None:
            async with cast.agents(with_agents("1001"), Rung(), alone=True):
                entered.set()

        async with cast.agents(with_agents("1001"), one, alone=True):
            waiting = asyncio.create_task(another())
            await pbx.ring("1001", "pbx-7.7")
            await eventually(lambda: one.calls)
            assert not entered.is_set()
            one.calls[0][1].decline()
        await waiting


async def test_the_telephone_of_an_agent_of_a_queue_is_used_by_no_other_scenario(
    pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    duties: list[str] = []

    async def on_duty(_: object, extension: str, duty: str) -> None:
        duties.append(f"{extension} {duty}")

    monkeypatch.setattr(cast_module, "on_duty", on_duty)
    scenario = with_agents("1001")
    serves = InQueues(("agents",), scenario.where)
    queued = replace(scenario, agents=(replace(scenario.agents[0], queues=serves),))
    async with Cast(pbx.accounts) as cast:
        entered = asyncio.Event()

        async def another() -> None:
            async with cast.agents(queued, Rung()):
                entered.set()

        async with cast.agents(with_agents("1001"), Rung()):
            waiting = asyncio.create_task(another())
            await asyncio.sleep(0.05)  # that somebody waits is nothing but time that passes
            assert not entered.is_set(), "a queue rings nobody whose telephone is in use"
        await waiting
    assert duties == ["1001 logs in", "1001 logs out"]


async def test_who_logs_in_is_left_in_the_queues_of_the_script(pbx: LittlePbx, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    async def on_duty(_: object, extension: str, duty: str) -> None:
        done.append(f"{extension} {duty}")

    async def only_in(extension: str, queues: Sequence[str]) -> None:
        done.append(f"{extension} only in {' and '.join(queues)}")

    monkeypatch.setattr(cast_module, "on_duty", on_duty)
    scenario = with_agents("1001", "1002")
    first, second = scenario.agents
    now, later = InQueues(("seniors", "billing"), scenario.where), InQueues(("agents",), scenario.where, logs_in=3.0)
    queued = replace(scenario, agents=(replace(first, queues=now), replace(second, queues=later)))
    async with Cast(pbx.accounts) as cast:
        async with cast.agents(queued, Rung(), only_in=only_in) as part:
            assert done == ["1001 logs in", "1001 only in seniors and billing"]
            await part.does("1002", "logs in")
            await part.does("1002", "pauses")
            assert done[2:] == ["1002 logs in", "1002 only in agents", "1002 pauses"]
        done.clear()

        async def not_possible(extension: str, queues: Sequence[str]) -> None:
            raise PhoneError(f"{extension}: no manager for {len(queues)} queues")

        with pytest.raises(PhoneError, match="no manager"):
            async with cast.agents(queued, Rung(), only_in=not_possible):
                pass
        assert done == ["1001 logs in", "1001 logs out"], "nobody stays logged in"


async def test_an_agent_who_may_not_register_is_named(pbx: LittlePbx) -> None:
    pbx.refuses.add("1002")
    async with Cast(pbx.accounts) as cast:
        for _ in range(2):
            with pytest.raises(PhoneError, match="agent 1002: registration refused: 403 Forbidden; check the account"):
                async with cast.agents(with_agents("1001", "1002"), Rung()):
                    pytest.fail("it could not register")
        async with cast.agents(with_agents("1001"), Rung()):
            pass


async def test_passwords_nobody_knows(pbx: LittlePbx) -> None:
    with pytest.raises(PhoneError, match="password of the SIP account 'mallory' is not known"):
        async with Cast(replace(pbx.accounts, caller="mallory")):
            pass
    async with Cast(pbx.accounts) as cast:
        with pytest.raises(PhoneError, match="password of the SIP account '1009' is not known"):
            async with cast.agents(with_agents("1009"), Rung()):
                pass
        async with cast.agents(with_agents(unreachable=("1009",)), Rung()):
            pass  # nobody has to be there


async def test_no_such_host() -> None:
    accounts = Accounts(server=("no.such.host.invalid", 5060), caller="caller", passwords={"caller": ""})
    with pytest.raises(Unreachable, match=r"SIP server no\.such\.host\.invalid"):
        async with Cast(accounts):
            pass


async def test_leaving_ends_calls_and_leaves_no_task(pbx: LittlePbx) -> None:
    before = asyncio.all_tasks()
    async with Cast(pbx.accounts) as cast, cast.agents(with_agents("1001"), Rung()):
        call = cast.caller.dial("12345")
        (await pbx.next_call()).answer()
        await call.wait_answered()
        await pbx.ring("1001", "pbx-1.1")
    await eventually(lambda: pbx.live == 0)
    assert asyncio.all_tasks() == before

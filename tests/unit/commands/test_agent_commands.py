"""`ivrflow agents` against a manager with two queues."""

import json
import time
from collections.abc import Mapping, Sequence

import pytest
from little_manager import DONE, Answering, Fields, command, little_manager, refused

NOW = time.time()
FREE = {"Queue": "agents", "Location": "PJSIP/1001", "Status": "1", "CallsTaken": "4", "LoginTime": "1790000000"}
PAUSED = {
    "Queue": "agents",
    "Location": "PJSIP/1002",
    "Status": "1",
    "Paused": "1",
    "PausedReason": "lunch",
    "LastPause": "1790000600",
}
TALKS = {"Queue": "seniors", "Location": "PJSIP/1002", "Status": "2", "LastCall": f"{NOW - 5:.0f}", "Penalty": "2"}
RESTS = {"Queue": "seniors", "Location": "PJSIP/1003", "Status": "1", "LastCall": f"{NOW - 5:.0f}", "Penalty": "2"}


def asterisk(
    *members: Mapping[str, str], queues: Sequence[str] = ("agents", "seniors"), refuses: Mapping[str, str] | None = None
) -> Answering:
    """These queues and members."""

    def answering(fields: Fields) -> Sequence[Fields]:
        if (why := (refuses or {}).get(fields["Action"])) is not None:
            return refused(why)
        if fields["Action"] != "QueueStatus":
            return [DONE]
        params = [
            {"Event": "QueueParams", "Queue": name, "Calls": "2", "Completed": "7", "Abandoned": "1"} for name in queues
        ]
        told = [{"Event": "QueueMember", **member} for member in members]
        return [
            {"Response": "Success", "EventList": "start"},
            *params,
            *told,
            {"Event": "QueueStatusComplete", "EventList": "Complete"},
        ]

    return answering


async def test_the_queues_and_who_serves_them() -> None:
    async with little_manager(asterisk(PAUSED, FREE, TALKS)) as (environment, _):
        told = await command(environment, "agents")
    assert told.exit_code == 0
    lines = [" ".join(line.split()) for line in told.stdout.splitlines()]
    assert lines[0] == "agents: 2 waiting, 7 served, 1 gave up"
    assert lines[2].startswith("1001 free 20")
    assert lines[2].endswith(" 4")
    assert lines[3].startswith("1002 pauses (lunch) 20")
    assert lines[4] == "seniors: 2 waiting, 7 served, 1 gave up"
    assert lines[6].startswith("1002 talking")


async def test_a_queue_with_nobody() -> None:
    async with little_manager(asterisk(queues=["agents"])) as (environment, _):
        told = await command(environment, "agents")
    assert told.stdout == "agents: 2 waiting, 7 served, 1 gave up\n  nobody is logged in\n"


async def test_for_programs() -> None:
    async with little_manager(asterisk(PAUSED)) as (environment, _):
        told = await command(environment, "agents", "--format", "json")
    agents, _ = json.loads(told.stdout)
    assert agents["name"] == "agents"
    assert agents["members"] == [
        {
            "agent": "1002",
            "queue": "agents",
            "state": "free",
            "paused": True,
            "reason": "lunch",
            "calls": 0,
            "since": 1790000600.0,
            "last_call": 0.0,
            "penalty": 0,
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "members", "said", "actions"),
    [
        (
            ["login", "1003", "--queue", "agents"],
            [],
            "1003 logged in to agents\n",
            [("QueueAdd", "agents", "PJSIP/1003", "0")],
        ),
        (
            ["login", "1001", "--queue", "agents", "--queue", "seniors", "--penalty", "2"],
            [FREE],
            "1001 logged in to seniors\n",
            [("QueueAdd", "seniors", "PJSIP/1001", "2")],
        ),
        (["login", "1001", "--queue", "agents"], [FREE], "1001 was logged in already\n", []),
        (
            ["logout", "1002"],
            [PAUSED, TALKS, FREE],
            "1002 logged out of agents, seniors\n",
            [("QueueRemove", "agents", "PJSIP/1002", ""), ("QueueRemove", "seniors", "PJSIP/1002", "")],
        ),
        (
            ["pause", "1001", "--reason", "午餐"],
            [FREE],
            "1001 pauses in agents\n",
            [("QueuePause", "agents", "PJSIP/1001", "")],
        ),
        (["ready", "1002"], [PAUSED], "1002 ready in agents\n", [("QueuePause", "agents", "PJSIP/1002", "")]),
        (
            ["ready", "1003"],
            [RESTS],
            "1003 ready in seniors\n",
            [("QueueRemove", "seniors", "PJSIP/1003", ""), ("QueueAdd", "seniors", "PJSIP/1003", "2")],
        ),
        (["ready", "1002"], [TALKS], "1002 ready in seniors\n", []),
    ],
)
async def test_what_is_done(
    arguments: list[str], members: list[dict[str, str]], said: str, actions: list[tuple[str, str, str, str]]
) -> None:
    async with little_manager(asterisk(*members)) as (environment, given):
        told = await command(environment, "agents", *arguments)
    assert (told.exit_code, told.stdout, told.stderr) == (0, said, "")
    done = [order for order in given if order["Action"] != "QueueStatus"]
    assert [(each["Action"], each["Queue"], each["Interface"], each.get("Penalty", "")) for each in done] == actions
    assert all(each["StateInterface"] == each["Interface"] for each in done if each["Action"] == "QueueAdd")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["login", "1001"], "there are several queues; say which with --queue: agents, seniors"),
        (["login", "1001", "--queue", "agent"], "there is no queue agent; did you mean 'agents'?"),
        (["login", "PJSIP/1001", "--queue", "agents"], "an agent is an extension; write its digits"),
        (["login", "１００１", "--queue", "agents"], "an agent is an extension; write its digits"),
        (["logout", "1009"], "1009 is not logged in to any queue; see: ivrflow agents"),
        (["pause", "1001", "--queue", "seniors"], "1001 is not logged in to the queue seniors"),
        (["pause", "1001", "--reason", "x\r\nAction: Originate"], "a reason is a text of at most 60"),
        (["ready", "1009"], "1009 is not logged in to any queue"),
    ],
)
async def test_what_is_not_possible(arguments: list[str], why: str) -> None:
    async with little_manager(asterisk(FREE, PAUSED, TALKS)) as (environment, given):
        told = await command(environment, "agents", *arguments)
    assert told.exit_code == 1
    assert why in told.stderr
    assert [order["Action"] for order in given if order["Action"] != "QueueStatus"] == []


async def test_an_asterisk_without_queues() -> None:
    async with little_manager(asterisk(refuses={"QueueStatus": "Invalid/unknown command"})) as (environment, _):
        told = await command(environment, "agents")
    assert told.exit_code == 1
    assert "is app_queue.so in modules.conf" in told.stderr
    async with little_manager(asterisk(queues=[])) as (environment, _):
        assert "Asterisk has no queue" in (await command(environment, "agents")).stdout
        assert "Asterisk has no queue" in (await command(environment, "agents", "login", "1001")).stderr


async def test_what_asterisk_refuses_is_said_in_its_words() -> None:
    async with little_manager(asterisk(FREE, refuses={"QueueRemove": "Permission denied"})) as (environment, _):
        told = await command(environment, "agents", "logout", "1001")
    assert told.exit_code == 1
    assert "Asterisk refused QueueRemove: Permission denied" in told.stderr


async def test_no_manager() -> None:
    told = await command({"IVRFLOW_AMI_SECRET": "x", "IVRFLOW_AMI_PORT": "1"}, "agents")
    assert told.exit_code == 2
    assert "no Asterisk manager interface answers" in told.stderr

"""Who serves which queue: asked of a manager that keeps its members as app_queue does."""

from collections.abc import Mapping

import pytest

from ivrflow.bridge import queue_members
from ivrflow.bridge.ami_client import AmiActionFailed
from ivrflow.bridge.ami_protocol import AmiEvent, AmiResponse
from ivrflow.bridge.queue_members import LONGEST_REST_S, Member, NotPossible, QueueSeen

NOW = 1_790_000_000.0


class Queues:
    """Stands in for the manager and the queues behind it; `done` is what was ordered, in order."""

    def __init__(self, *names: str) -> None:
        self.members: dict[str, dict[str, dict[str, str]]] = {name: {} for name in names}
        self.done: list[tuple[str, str]] = []
        self.refuses: dict[str, str] = {}

    def has(self, agent: str, queue: str, **fields: str) -> None:
        self.members[queue][f"PJSIP/{agent}"] = {"Status": "1", **fields}

    async def action(self, name: str, headers: Mapping[str, str] | None = None) -> AmiResponse:
        headers = headers or {}
        self._refuse(name)
        queue, interface = headers["Queue"], headers["Interface"]
        self.done.append((name, queue))
        match name:
            case "QueueAdd":
                assert interface not in self.members[queue], "Asterisk: already there"
                assert headers["StateInterface"] == interface
                self.members[queue][interface] = {"Status": "1", "Penalty": headers["Penalty"]}
            case "QueueRemove":
                del self.members[queue][interface]
            case _:
                assert name == "QueuePause"
                is_paused = "1" if headers["Paused"] == "true" else "0"
                self.members[queue][interface] |= {"Paused": is_paused, "PausedReason": headers.get("Reason", "")}
        return AmiResponse({"Response": "Success"})

    async def list_action(self, name: str, headers: Mapping[str, str] | None = None) -> list[AmiEvent]:
        assert (name, headers) == ("QueueStatus", None)
        self._refuse(name)
        told = [{"Event": "QueueParams", "Queue": queue, "Calls": "1"} for queue in self.members]
        told += [
            {"Event": "QueueMember", "Queue": queue, "Location": interface, **fields}
            for queue, members in self.members.items()
            for interface, fields in members.items()
        ]
        return [AmiEvent(fields) for fields in told]

    def _refuse(self, name: str) -> None:
        if (why := self.refuses.get(name)) is not None:
            raise AmiActionFailed(name, AmiResponse({"Response": "Error", "Message": why}))


@pytest.fixture
def centre() -> Queues:
    return Queues("agents", "seniors")


def now() -> float:
    return NOW


# ── asked ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_queues_and_members_come_in_order_of_their_names() -> None:
    centre = Queues("seniors", "agents")
    centre.has("1002", "agents")
    centre.has("1001", "agents")
    seen = await queue_members.queues(centre)
    assert [each.name for each in seen] == ["agents", "seniors"]
    assert seen[0].members == (Member("1001", "agents", "free"), Member("1002", "agents", "free"))
    assert seen[1] == QueueSeen("seniors", waiting=1, served=0, given_up=0, members=())


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *(("1", "free"), ("2", "talking"), ("3", "busy"), ("4", "gone"), ("5", "gone"), ("6", "ringing")),
        *(("7", "talking"), ("8", "holding"), ("0", "gone"), ("", "gone")),
    ],
)
async def test_what_the_telephone_does(centre: Queues, status: str, state: str) -> None:
    centre.has("1001", "agents", Status=status)
    (member,) = (await queue_members.queues(centre))[0].members
    assert member.state == state


@pytest.mark.parametrize(("paused", "since"), [("0", 100.0), ("1", 200.0)])
async def test_since_when_is_of_the_pause_or_of_the_login(centre: Queues, paused: str, since: float) -> None:
    centre.has("1001", "agents", Paused=paused, LoginTime="100", LastPause="200", LastCall="soon")
    (member,) = (await queue_members.queues(centre))[0].members
    assert (member.paused, member.since, member.last_call) == (paused == "1", since, 0.0)


async def test_an_asterisk_without_queues_says_what_to_look_at(centre: Queues) -> None:
    centre.refuses["QueueStatus"] = "Permission denied"
    with pytest.raises(NotPossible, match=r"\(Permission denied\); is app_queue\.so in modules\.conf"):
        await queue_members.queues(centre)
    with pytest.raises(NotPossible, match="Asterisk has no queue"):
        await queue_members.log_in(Queues(), "1001", [])


# ── login, logout, pause ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_only_queue_need_not_be_named() -> None:
    centre = Queues("agents")
    assert await queue_members.log_in(centre, "1001", [], penalty=3) == ["agents"]
    assert centre.members["agents"]["PJSIP/1001"]["Penalty"] == "3"
    assert await queue_members.log_in(centre, "1001", []) == [], "once more changes nothing"
    assert centre.done == [("QueueAdd", "agents")]


async def test_a_queue_named_twice_is_joined_once(centre: Queues) -> None:
    assert await queue_members.log_in(centre, "1001", ["seniors", "seniors"]) == ["seniors"]


async def test_one_queue_that_is_not_there_and_nothing_is_changed(centre: Queues) -> None:
    with pytest.raises(NotPossible, match="there is no queue senior; did you mean 'seniors'"):
        await queue_members.log_in(centre, "1001", ["agents", "senior"])
    assert centre.done == []


async def test_logging_out_of_one_queue_leaves_the_others(centre: Queues) -> None:
    centre.has("1001", "agents")
    centre.has("1001", "seniors")
    centre.has("1002", "seniors")
    assert await queue_members.log_out(centre, "1001", ["seniors"]) == ["seniors"]
    assert [list(members) for members in centre.members.values()] == [["PJSIP/1001"], ["PJSIP/1002"]]
    with pytest.raises(NotPossible, match="1001 is not logged in to the queue seniors"):
        await queue_members.log_out(centre, "1001", ["seniors"])
    with pytest.raises(NotPossible, match="1003 is not logged in to these queues"):
        await queue_members.log_out(centre, "1003", ["agents", "seniors"])


async def test_a_pause_has_its_reason_and_may_have_none(centre: Queues) -> None:
    centre.has("1001", "agents")
    centre.has("1001", "seniors")
    assert await queue_members.pause(centre, "1001", [], "lunch") == ["agents", "seniors"]
    assert await queue_members.pause(centre, "1001", ["agents"]) == ["agents"]
    reasons = [members["PJSIP/1001"]["PausedReason"] for members in centre.members.values()]
    assert reasons == ["", "lunch"]


async def test_what_asterisk_refuses_is_told_in_its_words(centre: Queues) -> None:
    centre.refuses["QueueAdd"] = "Unable to add interface"
    with pytest.raises(NotPossible, match="Unable to add interface"):
        await queue_members.log_in(centre, "1001", ["agents"])


# ── ready ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_pauses_is_offered_calls_again_in_every_queue(centre: Queues) -> None:
    centre.has("1001", "agents", Paused="1", CallsTaken="4")
    centre.has("1001", "seniors")
    assert await queue_members.ready(centre, "1001", [], now) == ["agents", "seniors"]
    assert centre.done == [("QueuePause", "agents")], "there is nothing to end in the other, and what was counted stays"
    assert centre.members["agents"]["PJSIP/1001"]["Paused"] == "0"


@pytest.mark.parametrize("status", ["1", "5"], ids=["free", "gone"])
@pytest.mark.parametrize("paused", ["0", "1"])
async def test_who_rests_logs_in_anew_with_the_same_penalty(centre: Queues, status: str, paused: str) -> None:
    """There is no other way to end a rest: app_queue counts it from the end of the last call."""
    rests = {"Status": status, "Paused": paused, "LastCall": f"{NOW - 5:.0f}", "Penalty": "2"}
    centre.has("1001", "agents", **rests)
    centre.has("1002", "agents", **rests)
    assert await queue_members.ready(centre, "1001", [], now) == ["agents"]
    assert centre.done == [("QueueRemove", "agents"), ("QueueAdd", "agents")]
    assert centre.members["agents"]["PJSIP/1001"] == {"Status": "1", "Penalty": "2"}, "neither pause nor last call"
    assert centre.members["agents"]["PJSIP/1002"] == rests, "others rest on"


@pytest.mark.parametrize("ago", [LONGEST_REST_S, 100_000.0, NOW], ids=["just over", "yesterday", "no call yet"])
async def test_who_rests_no_more_stays_logged_in_as_they_are(centre: Queues, ago: float) -> None:
    centre.has("1001", "agents", LastCall=f"{NOW - ago:.0f}")
    assert await queue_members.ready(centre, "1001", [], now) == ["agents"]
    assert centre.done == []


@pytest.mark.parametrize("status", ["2", "3", "6", "7", "8"], ids=["talks", "busy", "rings", "rings too", "holds"])
async def test_nobody_is_taken_out_of_a_queue_whose_call_they_have(centre: Queues, status: str) -> None:
    """app_queue would not know any more that they have one: neither the call nor the rest after it would count."""
    centre.has("1001", "agents", Status=status, LastCall=f"{NOW - 5:.0f}", Paused="1")
    assert await queue_members.ready(centre, "1001", [], now) == ["agents"]
    assert centre.done == [("QueuePause", "agents")]


async def test_only_the_queues_named(centre: Queues) -> None:
    centre.has("1001", "agents", LastCall=f"{NOW - 5:.0f}")
    centre.has("1001", "seniors", Paused="1")
    assert await queue_members.ready(centre, "1001", ["seniors"], now) == ["seniors"]
    assert centre.done == [("QueuePause", "seniors")]


async def test_who_could_not_be_logged_in_anew_hears_that_they_are_out(centre: Queues) -> None:
    centre.has("1001", "agents", LastCall=f"{NOW - 5:.0f}")
    centre.refuses["QueueAdd"] = "Unable to add interface"
    with pytest.raises(NotPossible, match="Unable to add interface; 1001 is logged out of agents now: log in again"):
        await queue_members.ready(centre, "1001", [], now)
    assert centre.members["agents"] == {}

import pytest
from service_hotline import compiled, step, told

from ivrflow.flow.model import Queue, Transfer, Warm

LEVELS = "\n      - {queue: agents}\n      - {queue: seniors, after: 45s}"
ANNOUNCED = (
    "    announcements:\n      - {after: 10s, say: wait}\n      - {after: 30s, say: busy}\n"
    "      - {every: 30s, say: [busy, wait]}\n"
)


def rungs(queue: Queue) -> list[tuple[str | None, float]]:
    return [(rung.say, rung.wait) for rung in queue.ladder.rungs]


def test_a_queue_step() -> None:
    queue = step(Queue, "wait_for_agent")

    assert [(level.queue, level.after) for level in queue.levels] == [("agents", 0.0), ("seniors", 45.0)]
    assert (queue.priority, queue.most, queue.talk_for) == (5, 180.0, 600.0)
    assert (queue.announce, queue.thanks, queue.thanks_over) == (("service/wait",), ("service/thanks",), 60.0)
    assert (queue.agent_left, queue.no_answer, queue.full) == ("ask_satisfaction", "leave_message", "call_me_back")
    assert queue.nobody == "leave_message", "without a word of its own as no_answer"
    assert queue.listening.keys == {"1": "leave_message", "2": "call_me_back"}
    assert queue.listening.barge_in == frozenset({"key"})


def test_announcements_come_after_their_pauses_and_the_last_ones_go_round() -> None:
    queue = step(Queue, "wait_for_agent")

    assert rungs(queue) == [
        (None, 10.0),
        ("service/wait", 30.0),
        ("service/busy", 30.0),
        ("service/busy", 0.0),
        ("service/wait", 30.0),
    ]
    assert (queue.ladder.loops_from, queue.ladder.rounds) == (4, 6)


def test_every_round_takes_its_own_pauses() -> None:
    two = "    announcements:\n      - {every: 20s, say: wait}\n      - {every: 50s, say: busy}\n"
    queue = step(Queue, "wait_for_agent", (ANNOUNCED, two))

    assert rungs(queue) == [(None, 20.0), ("service/wait", 50.0), ("service/busy", 20.0)]
    assert (queue.ladder.loops_from, queue.ladder.rounds) == (2, 3)


def test_announcements_without_every_are_said_once() -> None:
    queue = step(Queue, "wait_for_agent", (ANNOUNCED, "    announcements: {after: 10s, say: wait}\n"))

    assert rungs(queue) == [(None, 10.0), ("service/wait", 0.0)]
    assert (queue.ladder.loops_from, queue.ladder.rounds) == (0, 0)


def test_a_queue_without_announcements_has_music_only() -> None:
    assert rungs(step(Queue, "wait_for_agent", (ANNOUNCED, ""))) == []


def test_there_are_rounds_enough_for_the_longest_wait() -> None:
    queue = step(Queue, "wait_for_agent", ("at_most: 3m", "at_most: 29m"))
    said_once = sum(rung.wait for rung in queue.ladder.rungs)
    around = sum(rung.wait for rung in queue.ladder.rungs[queue.ladder.loops_from - 1 :])

    assert said_once + queue.ladder.rounds * around >= queue.most


@pytest.mark.parametrize("name", ["agents", "aa", "generals", "vip-2_b", "q" * 64])
def test_names_a_queue_may_have(name: str) -> None:
    assert step(Queue, "wait_for_agent", (LEVELS, f" {name}")).levels[0].queue == name


@pytest.mark.parametrize(
    "name",
    [
        "General",
        "general",
        "a",
        "h",
        "2nd",
        "a&b",
        "a@b",
        "a/b",
        "a,b",
        "a|b",
        "-a",
        "a b",
        "客服",
        "${x}",
        "q" * 65,
        "a\\n",
    ],
)
def test_names_that_mean_something_else_to_the_pbx_are_refused(name: str) -> None:
    assert any("cannot be a queue" in message for message in told((LEVELS, f' "{name}"')))


def test_phrases_that_waiting_callers_hear_are_known_as_said() -> None:
    assert told((ANNOUNCED, ANNOUNCED.replace("say: busy", "say: bussy"))) == ["there is no phrase 'bussy'"]


def test_a_rung_knows_the_rule_its_phrase_opens() -> None:
    queue = step(Queue, "wait_for_agent", ("{after: 10s, say: wait}", "{after: 10s, say: noise}"))

    assert queue.ladder.rungs[1].rule == "service/noise"


# ── warm transfers ────────────────────────────────────────────────────────────────────────────────────────────────────

WARM = "    warm: {whisper: whisper, thanks: thanks, back: back}\n"


def test_a_warm_transfer() -> None:
    transfer = step(Transfer, "to_colleague")

    assert transfer.warm is not None
    assert (transfer.warm.whisper, transfer.warm.thanks) == (("service/whisper",), ("service/thanks",))
    assert (transfer.warm.back, transfer.warm.where.line) == (("service/back",), 61)


def test_a_colleague_is_told_why_by_the_situation_that_led_there() -> None:
    why = "thanks: thanks, why: {noise: wait}, "
    transfer = step(Transfer, "to_colleague", (WARM, WARM.replace("thanks: thanks, ", why)))

    assert transfer.warm is not None
    assert transfer.warm.why == {"noise": ("service/wait",)}
    assert transfer.warm.whispers == ("service/whisper", "service/wait")


def test_a_reason_names_a_situation_of_the_standard() -> None:
    why = WARM.replace("thanks: thanks, ", "why: {noize: back}, ")
    assert told((WARM, why)) == ["service has no rule 'noize'"]


def test_a_warm_transfer_without_a_word() -> None:
    transfer = step(Transfer, "to_colleague", (WARM, "    warm: yes\n"))

    assert transfer.warm == Warm(transfer.warm.where if transfer.warm else transfer.where)


def test_a_transfer_is_blind_unless_it_says_otherwise() -> None:
    transfer = compiled((WARM, "")).steps["to_colleague"]

    assert isinstance(transfer, Transfer)
    assert transfer.warm is None

"""Orders whose giver waits for the answer, to a live call or to the engine itself: how both are written and read.

The order is a `UserEvent` like those in `to_calls`, with a name of its own by which its answer is known:

    UserEvent: Ivrflow
    Ask:       whoever orders calls it so; the answer carries it
    Order:     situation | cancel | signal | done | value | transfer, to a call; reload | live, to the engine
    Call:      the call's id, or a beginning of it that no other live call has
    Word, Value: as in `to_calls`

The answer comes in pages, since Asterisk takes no line longer than a kilobyte:

    UserEvent: IvrflowAnswer
    Ask:       as above
    State:     heard (it is being done, which takes a while) | told
    Page:      1/3: the first of three
    Text:      of the page; all of them together are a `Reply` as JSON in base64, which holds nothing that AMI would mend

Nothing here has a socket.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, cast, get_args

import msgspec

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.orders.to_calls import ORDER_EVENT, OrderRefused, ToCall, masked
from ivrflow.bridge.orders.to_place_calls import ANSWER_EVENT
from ivrflow.flow.problems import Problem

ToEngine: TypeAlias = Literal["reload", "live"]
What: TypeAlias = ToCall | ToEngine

PAGE_CHARACTERS = 900
"""Of an answer on one line of an action, which holds 1024 bytes with its name."""

MOST_PAGES = 2000
"""Pages of the longest answer that is read: more than a megabyte."""

_ASK = re.compile(r"[0-9A-Za-z_.-]{8,64}")
_CALL = re.compile(r"[0-9A-Za-z_.:@-]{1,149}")
_PAGE = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})", flags=re.ASCII)
_TO_CALL = frozenset(get_args(ToCall))
_ALL = (*get_args(ToCall), *get_args(ToEngine))


@dataclass(frozen=True, slots=True)
class Asked:
    """An order whose giver waits for an answer.

    Attributes:
        ask: the order's own name.
        what: what is ordered.
        call: id of the call, or a beginning of it; empty for an order to the engine.
        event: the manager's event, which says the rest (see `to_calls.read_order`).
    """

    ask: str
    what: What
    call: str = ""
    event: AmiEvent = field(default_factory=lambda: AmiEvent({}), repr=False)


class CallSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A running call, as whoever watches the hotline sees it.

    Attributes:
        since: Unix time at which it began.
        step: where in the flow it is, or "situation NAME".
        waiting_for: what it waits for, in words.
        agent: whom the caller talks with, or empty.
    """

    call: str
    flow: str
    since: float
    step: str = ""
    phase: str = ""
    waiting_for: str = ""
    agent: str = ""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an order.

    Attributes:
        done: whether it was carried out.
        call: id of the call it was for.
        words: what came of it, or why it is refused; one sentence each.
        problems: what is wrong with the files, of a refused reload.
        calls: the running calls, if they were asked for.
        more_calls: how many more there are.
    """

    done: bool
    call: str = ""
    words: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    calls: tuple[CallSeen, ...] = ()
    more_calls: int = 0


def asked_fields(ask: str, what: What, call: str = "", word: str = "") -> dict[str, str]:
    """The fields of the manager action `UserEvent` that gives the order."""
    fields = {"UserEvent": ORDER_EVENT, "Ask": ask, "Order": what, "Call": call, "Word": word}
    return {name: text for name, text in fields.items() if text}


def is_asked(event: AmiEvent) -> bool:
    """Whether an order (see `to_calls.is_order`) wants an answer, or is one to the engine."""
    return bool(event.get("Ask")) or event.get("Order") in get_args(ToEngine)


def who_asks(event: AmiEvent) -> str:
    """The order's own name; empty when it has none to which anybody could answer."""
    ask = event.get("Ask")
    return ask if _ASK.fullmatch(ask) else ""


def read_asked(event: AmiEvent) -> Asked:
    """What was ordered.

    Raises:
        OrderRefused: it cannot be understood; the words hold nothing personal.
    """
    ask, what, call = who_asks(event), event.get("Order"), event.get("Call")
    if not ask:
        raise OrderRefused("its Ask is no name of 8 to 64 letters, digits, dots and dashes")
    if what not in _ALL:
        raise OrderRefused(f"its Order is {masked(what)}; write {', '.join(_ALL)}")
    if what in _TO_CALL and not _CALL.fullmatch(call):
        raise OrderRefused("its Call is no call's id, nor the beginning of one")
    return Asked(ask, cast("What", what), call, event)


def heard_fields(ask: str) -> dict[str, str]:
    """The fields of the action that says: heard, and under way."""
    return {"UserEvent": ANSWER_EVENT, "Ask": ask, "State": "heard"}


def reply_pages(ask: str, reply: Reply) -> list[dict[str, str]]:
    """The fields of the actions that tell what came of it, in order."""
    text = base64.b64encode(msgspec.json.encode(reply)).decode()
    pages = [text[start : start + PAGE_CHARACTERS] for start in range(0, len(text), PAGE_CHARACTERS)]
    return [
        {"UserEvent": ANSWER_EVENT, "Ask": ask, "State": "told", "Page": f"{number}/{len(pages)}", "Text": page}
        for number, page in enumerate(pages, start=1)
    ]


class ReplyReader:
    """Puts the pages of one answer together.

    Args:
        ask: the order's own name.
    """

    def __init__(self, ask: str) -> None:
        self._ask = ask
        self._pages: dict[int, str] = {}

    def read(self, event: AmiEvent) -> Reply | Literal["heard"] | None:
        """What this event makes complete; None for any event that does not.

        Raises:
            OrderRefused: the answer is none; whoever sent it is no engine of this version.
        """
        if event.get("UserEvent") != ANSWER_EVENT or event.get("Ask") != self._ask:
            return None
        if event.get("State") == "heard":
            return "heard"
        page = _PAGE.fullmatch(event.get("Page"))
        if page is None or int(page[2]) > MOST_PAGES:
            raise OrderRefused("its pages are not numbered; are engine and command of one version?")
        self._pages[int(page[1])] = event.get("Text")
        if len(self._pages) < int(page[2]):
            return None
        return _joined([text for _, text in sorted(self._pages.items())])


def _joined(pages: Sequence[str]) -> Reply:
    try:
        return msgspec.json.decode(base64.b64decode("".join(pages), validate=True), type=Reply)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise OrderRefused("it cannot be read; are engine and command of one version?") from None

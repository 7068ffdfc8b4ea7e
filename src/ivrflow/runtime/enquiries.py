"""Look-ups over HTTP that running calls ask for: bounded in time, in size and in number, and told as an `AnswerReceived`.

A JSON object is sent with POST and one is expected back. Nothing a look-up does can hurt a call: what goes wrong is one
of three words the flow has a step for. The log says what went wrong without a value, and the address without its query.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import unicodedata
from collections.abc import Callable
from typing import Literal, TypeAlias

import aiohttp
import msgspec
from yarl import URL

from ivrflow.engine.messages import AnswerReceived, Enquire, Ticket

log = logging.getLogger("ivrflow.calls")

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read; a larger one is wrong."""

LONGEST_FIELD = 200
"""Characters of a field of an answer: it is spoken, or chooses a step."""

CONNECTIONS = 100
"""Connections open at once, to all servers together. A further look-up waits its turn, within its own time."""

IDLE_S = 2.0
"""Seconds a connection is kept for the next look-up: less than servers keep theirs (most 5 s or more), since one that
closes in the moment of a POST leaves unknown whether it was done."""

GRACE_S = 0.5
"""Seconds beyond the engine's own bound until a look-up is broken off: "late" is the engine's word, not ours."""

_How: TypeAlias = Literal["answered", "wrong", "failed"]
_Answered: TypeAlias = Callable[[AnswerReceived], None]


class _NotAnswered(Exception):
    """No answer that can be used; the text says why, and holds nothing personal."""

    def __init__(self, how: Literal["wrong", "failed"], why: str) -> None:
        super().__init__(why)
        self.how = how


class Enquiries:
    """The look-ups under way. Made once for the process; needs the event loop from the first one on."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._asking: dict[str, dict[Ticket, asyncio.Task[None]]] = {}
        self._is_closed = False

    @property
    def count(self) -> int:
        """Look-ups under way."""
        return sum(len(tasks) for tasks in self._asking.values())

    def begin(self, call_id: str, enquire: Enquire, answered: _Answered) -> None:
        """Ask; `answered` hears what came of it, unless the call ends first or it is too late for anybody."""
        if self._is_closed:
            return
        task = asyncio.get_running_loop().create_task(self._ask(call_id, enquire, answered))
        self._asking.setdefault(call_id, {})[enquire.ticket] = task

    def forget(self, call_id: str) -> None:
        """The call is over: nobody waits for its answers any more."""
        for task in self._asking.pop(call_id, {}).values():
            task.cancel()

    async def close(self) -> None:
        """Break off what is under way, close every connection."""
        self._is_closed = True
        tasks = [task for of_call in self._asking.values() for task in of_call.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, call_id: str, enquire: Enquire, answered: _Answered) -> None:
        how: _How = "answered"
        values: dict[str, str] = {}
        try:
            async with asyncio.timeout(enquire.seconds + GRACE_S):
                values = wanted_values(await self._post(enquire), enquire.wanted)
        except TimeoutError:
            log.warning(
                "call %s: the look-up at %s was not answered within %g s", call_id, shown(enquire.url), enquire.seconds
            )
            return  # the engine has stopped waiting
        except _NotAnswered as problem:
            how = problem.how
            log.warning("call %s: the look-up at %s: %s", call_id, shown(enquire.url), str(problem))
        finally:
            self._over(call_id, enquire.ticket)
        answered(AnswerReceived(ticket=enquire.ticket, how=how, values=values))

    def _over(self, call_id: str, ticket: Ticket) -> None:
        of_call = self._asking.get(call_id)
        if of_call is not None:
            of_call.pop(ticket, None)
            if not of_call:
                del self._asking[call_id]

    async def _post(self, enquire: Enquire) -> bytes:
        url = _checked(enquire.url)
        try:
            async with self._connected().post(
                url,
                data=msgspec.json.encode(enquire.values),
                allow_redirects=False,  # whatever is sent is sent where the flow says, and nowhere else
            ) as response:
                if 300 <= response.status < 400:
                    raise _NotAnswered("failed", "a redirect, which is not followed; write the address it leads to")
                if not 200 <= response.status < 300:
                    raise _NotAnswered("failed", f"the other side reports HTTP {response.status}")
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise _NotAnswered("wrong", "the answer is compressed, which was not asked for")
                return await _body(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _NotAnswered("failed", _reason(error)) from None

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_S),
                cookie_jar=aiohttp.DummyCookieJar(),  # what one caller's answer sets is not sent with another's
                timeout=aiohttp.ClientTimeout(total=None),  # each look-up has its own, see _ask
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "Content-Type": "application/json",
                    "User-Agent": "ivrflow",
                },
                auto_decompress=False,  # a small answer stays one
            )
        return self._session


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    if (response.content_length or 0) <= LARGEST_ANSWER:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > LARGEST_ANSWER:
                break
        else:
            return bytes(body)
    response.close()  # the rest is not read, so the connection is of no use
    raise _NotAnswered("wrong", f"the answer is larger than {LARGEST_ANSWER // 1024} KiB")


def _checked(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise _NotAnswered("failed", "the address is none of the form https://HOST/PATH")
    return url


def wanted_values(body: bytes, wanted: tuple[str, ...]) -> dict[str, str]:
    """The fields asked for as texts; those the answer leaves out, or leaves empty, are left out.

    Numbers are told as JSON writes them, yes and no as `true` and `false`.

    Raises:
        _NotAnswered: it is no JSON object, or a field is no short text.
    """
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise _NotAnswered("wrong", "the answer is no JSON object")
    texts = {name: _text(name, answer[name]) for name in wanted if answer.get(name) is not None}
    return {name: text for name, text in texts.items() if text}


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            text = "true" if value else "false"
        case str():
            text = value.strip()
        case int():
            text = f"{value:d}" if value.bit_length() < 1024 else ""
        case float() if math.isfinite(value):
            text = repr(value)
        case _:
            raise _NotAnswered("wrong", f"its field {name} is no text")
    if len(text) > LONGEST_FIELD or any(unicodedata.category(character) in _UNSPEAKABLE for character in text):
        raise _NotAnswered("wrong", f"its field {name} is no text of at most {LONGEST_FIELD} characters on one line")
    return text


_UNSPEAKABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of characters nobody reads aloud: control characters, halves of characters, line ends."""


def _reason(error: Exception) -> str:
    """Why nobody answered, in words without the address: the libraries' own would repeat its query."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError() | ssl.SSLError():
            return "its certificate or its encryption is not to be trusted; https needs a certificate for that name"
        case aiohttp.ClientConnectorDNSError():
            return "there is no machine of that name"
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionRefusedError):
            return "the connection is refused; is the service running there?"
        case aiohttp.ClientConnectorError():
            return f"no connection ({error.os_error.strerror or type(error.os_error).__name__})"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return "the connection broke before the answer was complete"
        case _:
            return f"what came is no HTTP answer ({type(error).__name__})"


def shown(url: str) -> str:
    """An address for the log: without user, query and fragment, which may hold secrets."""
    try:
        bare = URL(url).with_user(None).with_query(None).with_fragment(None)
    except ValueError:
        return "an address that is none"
    return str(bare)[:200]

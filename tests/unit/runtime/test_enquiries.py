"""Look-ups against a server of ours that answers late, never, wrongly, too much, by drops, or not at all."""

import asyncio
import logging
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from agent_flows import ask as step_that_asks
from pretended_calls import Notebook
from small_flows import flow, say

from ivrflow.engine import messages as m
from ivrflow.engine.messages import AnswerReceived, Enquire
from ivrflow.engine.session import CallSession
from ivrflow.engine.trace import Fact
from ivrflow.runtime.call_loop import LiveCall
from ivrflow.runtime.clock import LoopClock
from ivrflow.runtime.enquiries import CONNECTIONS, LARGEST_ANSWER, Enquiries, shown

SECRET = "13800001111"
"""Stands for whatever a caller keyed."""

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes | str, status: str = "200 OK", **headers: str) -> Answering:
    data = body.encode() if isinstance(body, str) else body
    more = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n{more}\r\n".encode() + data)

    return answer


class Server:
    """What it was asked, how many ask at once, and how many connections there were. Without an answering: for ever silent."""

    def __init__(self, answering: Answering | None) -> None:
        self.answering = answering
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.port = 0
        self._gone = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append((first, headers, body))
                self.asked.set()
                if self.answering is None:
                    await reader.read()  # until the other side gives up
                    return
                await self.answering(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            async with self._gone:
                self.open -= 1
                self._gone.notify_all()

    async def until_left(self) -> None:
        """Every connection is gone."""
        async with self._gone:
            await self._gone.wait_for(lambda: self.open == 0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/look"


@asynccontextmanager
async def serving(answering: Answering | None, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(answering)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(30):
            yield server
    finally:
        listener.close()
        await listener.wait_closed()


@pytest.fixture
async def enquiries() -> AsyncIterator[Enquiries]:
    made = Enquiries()
    yield made
    await made.close()
    assert made.count == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing is left running"


async def ask(enquiries: Enquiries, url: str, *wanted: str, seconds: float = 20.0, ticket: int = 7) -> AnswerReceived:
    answered: asyncio.Future[AnswerReceived] = asyncio.get_running_loop().create_future()
    enquire = Enquire(ticket=ticket, url=url, values={"caller": SECRET}, wanted=wanted, seconds=seconds)
    enquiries.begin("c-1", enquire, answered.set_result)
    return await answered


def nobody_hears(answer: AnswerReceived) -> None:
    """An answer that must not come."""
    pytest.fail(f"{answer} was told")


def warned(caplog: pytest.LogCaptureFixture) -> str:
    """The one warning; nothing personal is in it."""
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert SECRET not in record.getMessage()
    return record.getMessage()


async def test_what_was_asked_for_comes_back_and_nothing_else(enquiries: Enquiries) -> None:
    body = '{"name": " 李 ", "open": 3, "vip": true, "fee": 12.5, "big": 12345678901234567890, "other": "x"}'
    async with serving(reply(body)) as server:
        answer = await ask(enquiries, server.url + "?key=k", "name", "open", "vip", "fee", "big", "missing")
        assert answer == AnswerReceived(
            ticket=7,
            values={"name": "李", "open": "3", "vip": "true", "fee": "12.5", "big": "12345678901234567890"},
        )
        ((first, headers, sent),) = server.requests
    assert first == "POST /look?key=k HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert msgspec.json.decode(sent) == {"caller": SECRET}


async def test_null_and_empty_fields_are_left_out(enquiries: Enquiries) -> None:
    async with serving(reply('{"a": null, "b": "", "c": " "}')) as server:
        assert await ask(enquiries, server.url, "a", "b", "c") == AnswerReceived(ticket=7)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "no JSON object"),
        ("<html>", "no JSON object"),
        ('["a"]', "no JSON object"),
        ('{"a": "x"', "no JSON object"),
        (b'{"a": "\xff"}', "no JSON object"),
        ('{"a": ' + "[" * 30_000 + "]" * 30_000 + "}", "no JSON object"),
        ('{"a": {"b": 1}}', "field a is no text"),
        ('{"a": [1]}', "field a is no text"),
        ('{"a": "' + "x" * 201 + '"}', "at most 200 characters"),
        ('{"a": "x\\ny"}', "on one line"),
        ('{"a": "x\\u0000"}', "on one line"),
        ('{"a": "x\\u202ey"}', "on one line"),
        ('{"a": "' + "x" * LARGEST_ANSWER + '"}', "larger than 64 KiB"),
    ],
)
async def test_a_wrong_answer(
    enquiries: Enquiries, body: str | bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(reply(body)) as server:
        assert await ask(enquiries, server.url, "a") == AnswerReceived(ticket=7, how="wrong")
    assert why in warned(caplog)


async def test_an_answer_without_end_is_read_no_further_than_its_bound(enquiries: Enquiries) -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await writer.drain()
            written += 1

    async with serving(flood) as server:
        assert (await ask(enquiries, server.url, "a")).how == "wrong"
        await server.until_left()
    assert written < 200, "it was broken off, not read to an end that never comes"


async def test_a_compressed_answer_is_not_unpacked(enquiries: Enquiries, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(reply(b"\x1f\x8b", Content_Encoding="gzip")) as server:
        assert (await ask(enquiries, server.url, "a")).how == "wrong"
    assert "compressed" in warned(caplog)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Internal Server Error", "503 Busy"])
async def test_an_error_of_the_other_side(enquiries: Enquiries, status: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(reply('{"a": "x"}', status)) as server:
        assert await ask(enquiries, server.url, "a") == AnswerReceived(ticket=7, how="failed")
    assert f"reports HTTP {status[:3]}" in warned(caplog)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_is_not_followed(enquiries: Enquiries, status: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(reply('{"a": "x"}')) as elsewhere, serving(reply("", status, Location=elsewhere.url)) as server:
        assert (await ask(enquiries, server.url, "a")).how == "failed"
        assert elsewhere.requests == []
    assert "a redirect" in warned(caplog)


async def test_late_is_the_engines_word_and_the_connection_is_given_up(
    enquiries: Enquiries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ivrflow.runtime.enquiries.GRACE_S", 0.0)

    told: list[AnswerReceived] = []
    async with serving(None) as server:
        enquiries.begin("c-1", Enquire(7, server.url, {"caller": SECRET}, ("a",), 0.05), told.append)
        (task,) = enquiries._asking["c-1"].values()
        await asyncio.wait((task,))
        await server.until_left()
    assert told == []
    assert enquiries.count == 0
    assert "was not answered within 0.05 s" in warned(caplog)


async def test_an_answer_that_comes_by_drops_is_late(
    enquiries: Enquiries, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ivrflow.runtime.enquiries.GRACE_S", 0.0)
    drops = 0

    async def drip(writer: asyncio.StreamWriter) -> None:
        nonlocal drops
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            drops += 1
            await asyncio.sleep(0.01)  # drops

    async with serving(drip) as server:
        enquiries.begin("c-1", Enquire(7, server.url, {}, ("a",), 0.2), nobody_hears)
        (task,) = enquiries._asking["c-1"].values()
        await asyncio.wait((task,))
        await server.until_left()
    assert drops > 1
    assert "was not answered within" in warned(caplog)


async def test_a_connection_that_breaks(enquiries: Enquiries, caplog: pytest.LogCaptureFixture) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a"')
        await writer.drain()
        writer.close()

    async with serving(half) as server:
        assert (await ask(enquiries, server.url, "a")).how == "failed"
    assert "broke before the answer was complete" in warned(caplog)


async def test_what_is_no_http(enquiries: Enquiries, caplog: pytest.LogCaptureFixture) -> None:
    async def greet(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with serving(greet) as server:
        assert (await ask(enquiries, server.url, "a")).how == "failed"
    assert "no HTTP answer" in warned(caplog)


async def test_nobody_listens(enquiries: Enquiries, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(reply("{}")) as server:
        url = server.url
    assert await ask(enquiries, url + f"?n={SECRET}", "a") == AnswerReceived(ticket=7, how="failed")
    assert "the connection is refused" in warned(caplog)


async def test_no_machine_of_that_name(enquiries: Enquiries, caplog: pytest.LogCaptureFixture) -> None:
    answer = await ask(enquiries, f"https://u:{SECRET}@nobody.invalid/look?key={SECRET}", "a")
    assert answer == AnswerReceived(ticket=7, how="failed")
    assert "look-up at https://nobody.invalid/look: there is no machine of that name" in warned(caplog)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "file:///etc/passwd", "look", "http://", "http://[", "unix://x"])
async def test_only_http_and_https(enquiries: Enquiries, url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert (await ask(enquiries, url, "a")).how == "failed"
    assert "https://HOST/PATH" in warned(caplog)


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody signed but its owner."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run((*command, "-keyout", key, "-out", certificate), check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return tls


async def test_a_certificate_nobody_vouches_for(
    enquiries: Enquiries, own_certificate: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(reply('{"a": "x"}'), own_certificate) as server:
        assert (await ask(enquiries, server.url.replace("http:", "https:"), "a")).how == "failed"
        assert server.requests == [], "nothing was sent to somebody unknown"
    assert "not to be trusted" in warned(caplog)


async def test_a_call_that_ended_takes_its_look_up_with_it(enquiries: Enquiries) -> None:
    async with serving(None) as server:
        enquiries.begin("c-1", Enquire(7, server.url, {}, ("a",), 60.0), nobody_hears)
        await server.asked.wait()
        enquiries.forget("c-1")
        assert enquiries.count == 0
        enquiries.forget("c-1")
        await server.until_left()


async def test_closing_breaks_off_what_is_under_way_and_asks_no_more() -> None:
    enquiries = Enquiries()
    async with serving(None) as server:
        enquiries.begin("c-1", Enquire(7, server.url, {}, ("a",), 60.0), nobody_hears)
        await server.asked.wait()
        await enquiries.close()
        await server.until_left()
        enquiries.begin("c-2", Enquire(8, server.url, {}, ("a",), 60.0), nobody_hears)
        assert enquiries.count == 0
        assert len(server.requests) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_many_at_once_share_a_bounded_number_of_connections(enquiries: Enquiries) -> None:
    together = asyncio.Barrier(CONNECTIONS)

    async def when_all_are_there(writer: asyncio.StreamWriter) -> None:
        await together.wait()
        await reply('{"a": "x"}')(writer)

    async with serving(when_all_are_there) as server:
        answers = [ask(enquiries, server.url, "a", ticket=ticket, seconds=60) for ticket in range(2 * CONNECTIONS)]
        assert all(answer.values == {"a": "x"} for answer in await asyncio.gather(*answers))
        assert server.most_open == CONNECTIONS
        assert server.connections < 2 * CONNECTIONS, "a connection is used again"


async def test_what_one_answer_sets_is_not_sent_with_the_next(enquiries: Enquiries) -> None:
    async with serving(reply('{"a": "x"}', Set_Cookie="who=caller-1; Path=/")) as server:
        for _ in range(2):
            await ask(enquiries, server.url.replace("127.0.0.1", "localhost"), "a")
        assert all("cookie" not in headers for _, headers, _ in server.requests)


def test_addresses_in_the_log() -> None:
    assert shown("https://u:p@crm.example:8443/v1/who?token=t#f") == "https://crm.example:8443/v1/who"
    assert shown("http://[") == "an address that is none"


# ── in a call ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Quick:
    """A line on which every prompt takes no time."""

    def __init__(self) -> None:
        self.call: LiveCall

    def perform(self, action: m.Action) -> None:
        match action:
            case m.Answer():
                self.call.happened(m.CallAnswered())
            case m.Play(ticket=ticket):
                asyncio.get_running_loop().call_soon(self.call.happened, m.PromptEnded(ticket=ticket))
            case _:
                pass


EXITS = tuple(say(name, name) for name in ("done", "open", "late", "wrong", "failed"))


async def walked(enquiries: Enquiries, url: str, *, most: float = 20.0) -> list[str]:
    """The steps of a call whose first one asks there."""
    asking = replace(step_that_asks(filler=False), url=url, sends=("caller",), most=most)
    line, over = Quick(), asyncio.Event()
    session = CallSession(flow(asking, *EXITS))
    clock = LoopClock(asyncio.get_running_loop())
    line.call = LiveCall("c-1", session, line, clock, Notebook(), lambda _call: over.set(), enquiries)
    line.call.happened(m.CallArrived(number="1", caller=SECRET, arrived_at=1_700_000_000.0))
    await over.wait()
    return [entry.step for entry in session.trace if entry.fact is Fact.STEP_ENTERED]


@pytest.mark.parametrize(
    ("answering", "leads_to"),
    [
        (reply('{"name": "李", "state": "open"}'), "open"),
        (reply('{"name": "李", "state": "closed"}'), "done"),
        (reply("[]"), "wrong"),
        (reply("{}", "500 Internal Server Error"), "failed"),
    ],
)
async def test_what_comes_back_decides_where_the_call_goes(
    enquiries: Enquiries, answering: Answering, leads_to: str
) -> None:
    async with serving(answering) as server:
        assert await walked(enquiries, server.url) == ["ask", leads_to, "hang_up"]
        assert msgspec.json.decode(server.requests[0][2]) == {"caller": SECRET}


async def test_a_server_that_never_answers_keeps_the_caller_no_longer_than_the_bound(enquiries: Enquiries) -> None:
    async with serving(None) as server:
        assert await walked(enquiries, server.url, most=0.2) == ["ask", "late", "hang_up"]
        assert enquiries.count == 0, "the call took it along"
        await server.until_left()

"""Two phones on a wire without sockets and on a clock that stands still until it is told to go on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ivrflow.softphone.sdp import AudioLine, offer_line
from ivrflow.softphone.sip_agent import SipAgent
from ivrflow.softphone.sip_call import SipCall
from ivrflow.softphone.sip_message import SipRequest, SipResponse, parse_message
from ivrflow.softphone.sip_news import CallArrived, News

ALICE = ("192.0.2.1", 5060)
BOB = ("192.0.2.2", 5060)
LATENCY_S = 0.01


@dataclass
class Wire:
    """Carries datagrams between agents; `loses` decides which are lost. `log` is what was sent, by start line."""

    agents: dict[tuple[str, int], SipAgent]
    loses: Callable[[str, bytes], bool] = lambda *_: False
    now: float = 0.0
    log: list[tuple[float, str, str]] = field(default_factory=list)
    datagrams: list[bytes] = field(default_factory=list)
    news: dict[tuple[str, int], list[News]] = field(default_factory=dict)
    _flying: list[tuple[float, bytes, tuple[str, int], tuple[str, int]]] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Let `seconds` pass."""
        until = self.now + seconds
        while True:
            self._collect()
            times = [flight[0] for flight in self._flying]
            times += [agent.deadline for agent in self.agents.values() if agent.deadline is not None]
            if not times or min(times) > until:
                break
            self.now = max(self.now, min(times))
            for agent in self.agents.values():
                if agent.deadline is not None and agent.deadline <= self.now:
                    agent.poll(self.now)
            due = [flight for flight in self._flying if flight[0] <= self.now]
            self._flying = [flight for flight in self._flying if flight[0] > self.now]
            for _, datagram, source, destination in due:
                self.agents[destination].receive(datagram, source, self.now)
        self.now = until

    def _collect(self) -> None:
        for address, agent in self.agents.items():
            for datagram, destination in agent.outbox:
                self.datagrams.append(datagram)
                line = datagram.split(b"\r\n")[0].decode()
                self.log.append((round(self.now, 3), "alice" if address == ALICE else "bob", line))
                if destination in self.agents and not self.loses(line, datagram):
                    self._flying.append((self.now + LATENCY_S, datagram, address, destination))
            agent.outbox.clear()
            self.news.setdefault(address, []).extend(agent.news)
            agent.news.clear()

    def sent(self, who: str, start: str) -> list[float]:
        """When `who` sent messages whose first line begins with `start`."""
        return [at for at, name, line in self.log if name == who and line.startswith(start)]

    def told(self, address: tuple[str, int], kind: type[News]) -> list[News]:
        """The news of one kind that an agent had."""
        return [item for item in self.news.get(address, []) if isinstance(item, kind)]


def two_agents(loses: Callable[[str, bytes], bool] = lambda *_: False) -> tuple[SipAgent, SipAgent, Wire]:
    """Alice, whose server is Bob, and Bob."""
    alice = SipAgent("alice", "", BOB, ALICE)
    bob = SipAgent("bob", "", ALICE, BOB)
    return alice, bob, Wire({ALICE: alice, BOB: bob}, loses)


def line(address: tuple[str, int], codecs: tuple[str, ...] = ("alaw", "ulaw")) -> AudioLine:
    """An audio line at `address`."""
    return offer_line(address[0], 4000, codecs)


def calling(alice: SipAgent, wire: Wire) -> SipCall:
    """Alice calls Bob; the INVITE is sent when the wire runs."""
    call = alice.new_call("bob")
    alice.invite(call, line(ALICE), wire.now)
    return call


def arrived(wire: Wire) -> SipCall:
    """Bob's end of the latest call that reached him."""
    news = wire.told(BOB, CallArrived)[-1]
    assert isinstance(news, CallArrived)
    return news.call


def up(alice: SipAgent, wire: Wire) -> tuple[SipCall, SipCall]:
    """A call that is answered and acknowledged: Alice's end and Bob's."""
    call = calling(alice, wire)
    wire.run(0.1)
    other = arrived(wire)
    other.answer(line(BOB), wire.now)
    wire.run(0.1)
    return call, other


def request(text: str) -> SipRequest:
    """A request written with plain newlines."""
    message = parse_message(text.lstrip("\n").replace("\n", "\r\n").encode())
    assert isinstance(message, SipRequest)
    return message


def response(text: str) -> SipResponse:
    """A response written with plain newlines."""
    message = parse_message(text.lstrip("\n").replace("\n", "\r\n").encode())
    assert isinstance(message, SipResponse)
    return message

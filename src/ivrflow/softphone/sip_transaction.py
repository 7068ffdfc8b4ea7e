"""SIP transactions over UDP: who is asked again when, and until when (RFC 3261 section 17, RFC 6026). No sockets.

Time is an argument (seconds, any monotonic clock) and the next deadline a property; datagrams to send wait in
`outbox`. One `TransactionLayer` serves every call of a phone.
"""

import heapq
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from ivrflow.softphone.sip_message import (
    Headers,
    NameAddr,
    SipProtocolError,
    SipRequest,
    SipResponse,
    Via,
    parse_message,
)

T1 = 0.5  # seconds: assumed round trip; first retransmission after it (RFC 3261 17.1.1.1)
T2 = 4.0  # seconds: longest time between two retransmissions
T4 = 5.0  # seconds: how long a message may linger in the network
GIVE_UP = 64 * T1  # seconds: timers B, F, H and J

Address = tuple[str, int]


class State(Enum):
    """Where a transaction stands."""

    WAITING = "waiting"  # client: no response yet. server: nothing answered yet
    PROCEEDING = "proceeding"  # a provisional response was seen or sent
    COMPLETED = "completed"  # a final response was seen or sent, repetitions are absorbed
    OVER = "over"


@dataclass(eq=False, slots=True)
class ClientTransaction:
    """A request of ours. `owner` is whatever asked; it comes back with each response."""

    request: SipRequest
    destination: Address
    owner: object
    branch: str
    started: float
    state: State = State.WAITING
    interval: float = T1  # seconds until the next retransmission
    due: float = 0.0  # when to retransmit, or to forget a completed one

    @property
    def gives_up(self) -> float:
        """When an unanswered request is reported as timed out."""
        return self.started + GIVE_UP


@dataclass(eq=False, slots=True)
class ServerTransaction:
    """A request of the peer. `respond` with it; `source` is where it came from."""

    request: SipRequest
    source: Address
    started: float
    state: State = State.WAITING
    response: SipResponse | None = None
    wire: bytes = b""  # the last response, encoded
    interval: float = T1
    due: float = 0.0
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """A response to `transaction`; final ones come once, except 2xx to INVITE (each wants its ACK)."""

    transaction: ClientTransaction
    response: SipResponse


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A new request; repetitions are answered by the layer itself. ACK of a 2xx comes as `AckReceived`."""

    transaction: ServerTransaction


@dataclass(frozen=True, slots=True)
class AckReceived:
    """The ACK of a 2xx: it belongs to the dialog, not to a transaction."""

    request: SipRequest


@dataclass(frozen=True, slots=True)
class RequestTimedOut:
    """Nobody answered our request for 32 seconds."""

    transaction: ClientTransaction


@dataclass(frozen=True, slots=True)
class AckMissing:
    """Our final answer to an INVITE was never acknowledged (32 seconds)."""

    transaction: ServerTransaction


Received = ResponseReceived | RequestReceived | AckReceived
Expired = RequestTimedOut | AckMissing


@dataclass(slots=True)
class TransactionLayer:
    """All transactions of one UDP socket whose own address is `local`."""

    local: Address
    outbox: list[tuple[bytes, Address]] = field(default_factory=list)
    _clients: dict[tuple[str, str], ClientTransaction] = field(default_factory=dict)
    _servers: dict[tuple[str, str, str], ServerTransaction] = field(default_factory=dict)
    _timers: list[tuple[float, int, ClientTransaction | ServerTransaction]] = field(default_factory=list)
    _count: int = 0

    @property
    def deadline(self) -> float | None:
        """When `poll` wants to be called, None while nothing waits."""
        while self._timers and not self._is_armed(self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    @property
    def unanswered(self) -> bool:
        """Whether a request of ours still waits for its final response."""
        return any(client.state in (State.WAITING, State.PROCEEDING) for client in self._clients.values())

    def request(self, request: SipRequest, destination: Address, now: float, owner: object) -> ClientTransaction:
        """Send `request` (its Via is added here) and keep asking until it is answered."""
        branch = "z9hG4bK" + secrets.token_hex(8)
        self._add_via(request, branch)
        transaction = ClientTransaction(request, destination, owner, branch, started=now)
        self._clients[branch, request.method] = transaction
        self.outbox.append((request.encode(), destination))
        self._arm(transaction, now + T1)
        return transaction

    def cancel(self, invite: ClientTransaction, now: float) -> None:
        """Send the CANCEL of an INVITE: same branch, same CSeq number (RFC 3261 9.1)."""
        number, _ = invite.request.cseq
        headers = Headers([("Via", str(invite.request.top_via)), ("Max-Forwards", "70")])
        for name in ("From", "To", "Call-ID", "Route"):
            for value in invite.request.headers.all(name):
                headers.add(name, value)
        headers.add("CSeq", f"{number} CANCEL")
        request = SipRequest(headers, method="CANCEL", uri=invite.request.uri)
        transaction = ClientTransaction(request, invite.destination, invite.owner, invite.branch, started=now)
        self._clients[invite.branch, "CANCEL"] = transaction
        self.outbox.append((request.encode(), invite.destination))
        self._arm(transaction, now + T1)
        invite.started = now  # RFC 3261 9.1: without a final response 32 seconds from now it counts as cancelled
        self._arm(invite, invite.gives_up)

    def acknowledge_2xx(self, request: SipRequest, destination: Address) -> None:
        """Send the ACK of a 2xx: a request of its own that nobody answers (RFC 3261 13.2.2.4)."""
        self._add_via(request, "z9hG4bK" + secrets.token_hex(8))
        self.outbox.append((request.encode(), destination))

    def respond(self, transaction: ServerTransaction, response: SipResponse, now: float) -> None:
        """Send `response` along the way the request came; final ones to INVITE are repeated until the ACK."""
        if transaction.state in (State.COMPLETED, State.OVER):
            return  # a final answer is given once
        transaction.response = response
        transaction.wire = response.encode()
        self._send_response(transaction)
        if response.status < 200:
            transaction.state = State.PROCEEDING
        else:
            transaction.state = State.COMPLETED
            transaction.started = now
            self._arm(transaction, now + (T1 if transaction.request.method == "INVITE" else GIVE_UP))

    def receive(self, datagram: bytes, source: Address, now: float) -> Received | None:
        """Take one datagram in; None when it was a repetition or belongs to nothing.

        Raises:
            SipProtocolError: it is not SIP.
        """
        message = parse_message(datagram)
        if isinstance(message, SipResponse):
            return self._response(message, now)
        return self._request(message, source, now)

    def poll(self, now: float) -> Iterator[Expired]:
        """Do what is due at `now`: retransmit, forget, and report what was never answered."""
        while self._timers and self._timers[0][0] <= now:
            entry = heapq.heappop(self._timers)
            if self._is_armed(entry):
                transaction = entry[2]
                expired = (
                    self._client_due(transaction, now)
                    if isinstance(transaction, ClientTransaction)
                    else self._server_due(transaction, now)
                )
                if expired:
                    yield expired

    def acknowledged(self, transaction: ServerTransaction) -> None:
        """The dialog saw the ACK of our 2xx: stop repeating it."""
        transaction.acknowledged = True
        self._arm(transaction, transaction.started + GIVE_UP)  # still absorbs late copies of the INVITE

    def forget(self, transaction: ClientTransaction) -> None:
        """Stop asking; nothing more is reported of this transaction."""
        transaction.state = State.OVER
        self._clients.pop((transaction.branch, transaction.request.method), None)

    # -- responses to us

    def _response(self, response: SipResponse, now: float) -> ResponseReceived | None:
        _, method = response.cseq
        transaction = self._clients.get((response.top_via.branch, method))
        if transaction is None:
            return None
        invite = method == "INVITE"
        if response.status < 200:
            if transaction.state is State.COMPLETED:
                return None
            transaction.state = State.PROCEEDING
            # A provisional answer ends the INVITE's retransmissions and slows those of the others (17.1.1.2, 17.1.2.2).
            self._arm(transaction, float("inf") if invite else now + T2)
            return ResponseReceived(transaction, response)
        repeated = transaction.state is State.COMPLETED
        if invite and response.status >= 300:
            self._acknowledge_refusal(transaction, response)
        if not repeated:
            transaction.state = State.COMPLETED
            self._arm(transaction, now + (GIVE_UP if invite else T4))
        if repeated and not (invite and response.status < 300):
            return None
        return ResponseReceived(transaction, response)

    def _acknowledge_refusal(self, transaction: ClientTransaction, response: SipResponse) -> None:
        """ACK a 3xx-6xx inside the transaction: same branch, To of the response (RFC 3261 17.1.1.3)."""
        invite = transaction.request
        number, _ = invite.cseq
        headers = Headers([("Via", str(invite.top_via)), ("Max-Forwards", "70")])
        for name, value in invite.headers:
            if name in ("From", "Call-ID", "Route"):
                headers.add(name, value)
        headers.add("To", str(response.to))
        headers.add("CSeq", f"{number} ACK")
        ack = SipRequest(headers, method="ACK", uri=invite.uri)
        self.outbox.append((ack.encode(), transaction.destination))

    def _client_due(self, transaction: ClientTransaction, now: float) -> RequestTimedOut | None:
        if transaction.state is State.COMPLETED:
            self.forget(transaction)
            return None
        if now >= transaction.gives_up:
            self.forget(transaction)
            return RequestTimedOut(transaction)
        self.outbox.append((transaction.request.encode(), transaction.destination))
        invite = transaction.request.method == "INVITE"
        proceeding = transaction.state is State.PROCEEDING
        transaction.interval = T2 if proceeding else transaction.interval * 2
        if not invite:
            transaction.interval = min(transaction.interval, T2)
        self._arm(transaction, min(now + transaction.interval, transaction.gives_up))
        return None

    # -- requests to us

    def _request(self, request: SipRequest, source: Address, now: float) -> RequestReceived | AckReceived | None:
        via = request.top_via
        sent_by = f"{via.host}:{via.port or 5060}"
        if not via.branch.startswith("z9hG4bK"):
            raise SipProtocolError("Via without an RFC 3261 branch (z9hG4bK...)")
        method = "INVITE" if request.method == "ACK" else request.method
        key = (via.branch, sent_by, method)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known is None or known.response is None or known.response.status < 300:
                return AckReceived(request)
            known.acknowledged = True
            self._arm(known, now + T4)
            return None
        if known is not None:
            if known.wire and not (known.acknowledged and method == "INVITE"):
                self._send_response(known)
            return None
        transaction = ServerTransaction(request, source, started=now)
        self._servers[key] = transaction
        return RequestReceived(transaction)

    def invite_of(self, cancel: SipRequest) -> ServerTransaction | None:
        """The INVITE that a CANCEL means (same branch and sender), None if there is none."""
        via = cancel.top_via
        return self._servers.get((via.branch, f"{via.host}:{via.port or 5060}", "INVITE"))

    def _server_due(self, transaction: ServerTransaction, now: float) -> AckMissing | None:
        unacknowledged = transaction.request.method == "INVITE" and not transaction.acknowledged
        if unacknowledged and now < transaction.started + GIVE_UP:
            self._send_response(transaction)
            transaction.interval = min(transaction.interval * 2, T2)
            self._arm(transaction, min(now + transaction.interval, transaction.started + GIVE_UP))
            return None
        transaction.state = State.OVER
        via = transaction.request.top_via
        self._servers.pop((via.branch, f"{via.host}:{via.port or 5060}", transaction.request.method), None)
        return AckMissing(transaction) if unacknowledged else None

    def _send_response(self, transaction: ServerTransaction) -> None:
        via = transaction.request.top_via
        # RFC 3581: a peer that wrote `rport` hears back on the port it really sent from.
        port = transaction.source[1] if "rport" in via.params else via.port or 5060
        self.outbox.append((transaction.wire, (transaction.source[0], port)))

    def response(self, transaction: ServerTransaction, status: int, reason: str, tag: str | None = None) -> SipResponse:
        """A response to `transaction` with the headers every response copies (RFC 3261 8.2.6.2)."""
        request = transaction.request
        headers = Headers()
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.headers.all(name):
                headers.add(name, value)
        via = request.top_via
        if "rport" in via.params:
            params = {**via.params, "rport": str(transaction.source[1]), "received": transaction.source[0]}
            headers.replace_first("Via", str(Via(via.transport, via.host, via.port, params)))
        to: NameAddr = request.to
        if tag and not to.tag:
            headers.set("To", str(to.with_tag(tag)))
        for value in request.headers.all("Record-Route"):
            headers.add("Record-Route", value)
        return SipResponse(headers, status=status, reason=reason)

    # -- timers

    def _arm(self, transaction: ClientTransaction | ServerTransaction, due: float) -> None:
        transaction.due = due
        if due != float("inf"):
            self._count += 1
            heapq.heappush(self._timers, (due, self._count, transaction))

    @staticmethod
    def _is_armed(entry: tuple[float, int, ClientTransaction | ServerTransaction]) -> bool:
        due, _, transaction = entry
        return transaction.due == due and transaction.state is not State.OVER

    def _add_via(self, request: SipRequest, branch: str) -> None:
        host, port = self.local
        headers = [("Via", f"SIP/2.0/UDP {host}:{port};rport;branch={branch}"), *request.headers]
        request.headers = Headers(headers)

"""The line of one phone: requests out (credentials added when asked for), responses back to who asked. No sockets."""

import secrets
from dataclasses import dataclass, field
from typing import Protocol

from ivrflow.softphone.sip_digest import authorization, first_usable
from ivrflow.softphone.sip_message import Headers, SipProtocolError, SipRequest, SipResponse
from ivrflow.softphone.sip_news import News
from ivrflow.softphone.sip_transaction import (
    Address,
    ClientTransaction,
    RequestTimedOut,
    ResponseReceived,
    ServerTransaction,
    TransactionLayer,
)

MOST_TRIES = 3  # of one request against authentication challenges


class Asker(Protocol):
    """Whoever sends requests: a call, or the registration."""

    def next_cseq(self) -> int:
        """The CSeq number of its next request."""

    def answered(self, request: SipRequest, response: SipResponse | None, now: float) -> None:
        """What came back to `request`; None when nothing did for 32 seconds."""


@dataclass(eq=False, slots=True)
class Asked:
    """A request of ours, through as many transactions as the server's challenges cost."""

    asker: Asker
    transaction: ClientTransaction
    nonces: set[str] = field(default_factory=set)


class SipLine:
    """What calls and the registration of one phone share: account, server, own address and the transactions."""

    def __init__(self, account: str, password: str, server: Address, local: Address) -> None:
        self.account = account
        self.server = server
        self.contact = f"sip:{account}@{local[0]}:{local[1]}"
        self.domain = server[0] if server[1] == 5060 else f"{server[0]}:{server[1]}"
        self.news: list[News] = []
        self.transactions = TransactionLayer(local)
        self._password = password

    def ask(self, request: SipRequest, destination: Address, now: float, asker: Asker) -> Asked:
        """Send a request and hand what comes back to `asker`; challenges are answered on the way."""
        transaction = self.transactions.request(request, destination, now, None)
        asked = Asked(asker, transaction)
        transaction.owner = asked
        return asked

    def cancel(self, asked: Asked, now: float) -> None:
        """CANCEL an INVITE of ours."""
        self.transactions.cancel(asked.transaction, now)

    def acknowledge(self, ack: SipRequest, destination: Address) -> None:
        """Send the ACK of a 2xx; `ack` itself can be sent again."""
        copy = SipRequest(Headers(ack.headers), ack.body, method=ack.method, uri=ack.uri)
        self.transactions.acknowledge_2xx(copy, destination)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        reason: str,
        now: float,
        *,
        tag: str | None = None,
        body: bytes = b"",
        extra: Headers | None = None,
    ) -> None:
        """Answer a request of the peer; `body` is SDP."""
        response = self.transactions.response(transaction, status, reason, tag)
        if status > 100:
            response.headers.add("Contact", f"<{self.contact}>")
        for name, value in extra or ():
            response.headers.add(name, value)
        if body:
            response.headers.add("Content-Type", "application/sdp")
            response.body = body
        self.transactions.respond(transaction, response, now)

    def take(self, outcome: ResponseReceived | RequestTimedOut, now: float) -> None:
        """Bring a response, or the lack of one, to who asked."""
        asked = outcome.transaction.owner
        request = outcome.transaction.request
        if not isinstance(asked, Asked) or request.method == "CANCEL":
            return  # what matters after a CANCEL is the answer to the INVITE
        response = outcome.response if isinstance(outcome, ResponseReceived) else None
        if response is not None and response.status in (401, 407):
            try:
                if self._asked_again(asked, response, now):
                    return
            except SipProtocolError as problem:
                response.reason = f"{response.reason} ({problem})"
        asked.asker.answered(request, response, now)

    def _asked_again(self, asked: Asked, response: SipResponse, now: float) -> bool:
        """Send the request again with credentials (RFC 3261 22); False when that has been tried in vain."""
        proxy = response.status == 407
        challenge = first_usable(response.headers.all("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
        wrong = bool(asked.nonces) and not challenge.stale
        if not self._password or wrong or challenge.nonce in asked.nonces or len(asked.nonces) >= MOST_TRIES:
            return False
        asked.nonces.add(challenge.nonce)
        before = asked.transaction.request
        headers = Headers((name, value) for name, value in before.headers if name not in ("Via", "CSeq"))
        headers.set("CSeq", f"{asked.asker.next_cseq()} {before.method}")
        headers.set(
            "Proxy-Authorization" if proxy else "Authorization",
            authorization(challenge, self.account, self._password, before.method, before.uri, 1, secrets.token_hex(8)),
        )
        request = SipRequest(headers, before.body, method=before.method, uri=before.uri)
        asked.transaction = self.transactions.request(request, asked.transaction.destination, now, asked)
        return True

"""One phone as SIP sees it: datagrams in, datagrams and news out. No sockets.

Datagrams to send wait in `outbox`, what happened waits in `news`; time is an argument (seconds of one monotonic clock)
and `deadline` says when `poll` wants to be called next.
"""

import secrets
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote

from ivrflow.softphone.sdp import AudioLine
from ivrflow.softphone.sip_call import SipCall, number_of
from ivrflow.softphone.sip_dialog import ALLOW
from ivrflow.softphone.sip_line import SipLine
from ivrflow.softphone.sip_message import Headers, NameAddr, SipProtocolError
from ivrflow.softphone.sip_news import News
from ivrflow.softphone.sip_registration import SipRegistration
from ivrflow.softphone.sip_transaction import (
    GIVE_UP,
    AckReceived,
    Address,
    RequestReceived,
    RequestTimedOut,
    ResponseReceived,
    ServerTransaction,
)

USER_CHARACTERS = "-_.!~*'()&=+$,/"  # that need no escape in the user part of an address (RFC 3261 25.1)


class SipAgent:
    """A phone with `account` at `server`, whose socket is bound to `local`."""

    def __init__(self, account: str, password: str, server: Address, local: Address, display: str = "") -> None:
        self._line = SipLine(account, password, server, local)
        self._me = NameAddr(f"sip:{account}@{self._line.domain}", display)
        self._registration = SipRegistration(self._line, self._me)
        self._calls: dict[tuple[str, str], SipCall] = {}  # by Call-ID and our tag
        self._over: deque[tuple[float, SipCall]] = deque()

    @property
    def outbox(self) -> list[tuple[bytes, Address]]:
        """Datagrams to send, oldest first; whoever sends them clears the list."""
        return self._line.transactions.outbox

    @property
    def news(self) -> list[News]:
        """What happened, oldest first; whoever acts on it clears the list."""
        return self._line.news

    @property
    def deadline(self) -> float | None:
        """When `poll` wants to be called, None while nothing waits."""
        times = (self._line.transactions.deadline, self._registration.renew_at)
        return min((when for when in times if when is not None), default=None)

    @property
    def unanswered(self) -> bool:
        """Whether a request of ours still waits for its final response, or a BYE for the moment it may be sent."""
        return self._line.transactions.unanswered or any(call.owes_bye for call in self._calls.values())

    def new_call(self, dialled: str) -> SipCall:
        """A call to `dialled` (a number at our server, or a whole sip: address) that has not begun."""
        return SipCall(self._line, dialled)

    def invite(self, call: SipCall, own: AudioLine, now: float, extra: Iterable[tuple[str, str]] = ()) -> None:
        """Begin a new call, offering `own` audio; `extra` are more headers."""
        dialled = call.number
        target = dialled
        if not dialled.startswith("sip:"):
            target = f"sip:{quote(dialled, safe=USER_CHARACTERS)}@{self._line.domain}"
        call.start(self._me, target, own, now, Headers(extra))
        self._calls[call.call_id, call.tag] = call

    def register(self, expires_s: int, now: float) -> None:
        """Tell the server where we are; renewed by `poll`. 0 takes it back."""
        self._registration.send(expires_s, now)

    def forget(self, call: SipCall, now: float) -> None:
        """Drop a call that is over, but not before its last messages have left the network."""
        self._over.append((now + GIVE_UP, call))
        while self._over[0][0] <= now:
            _, old = self._over.popleft()
            self._calls.pop((old.call_id, old.tag), None)

    def receive(self, datagram: bytes, source: Address, now: float) -> None:
        """Take one datagram in.

        Raises:
            SipProtocolError: it is not SIP, or breaks its rules.
        """
        received = self._line.transactions.receive(datagram, source, now)
        match received:
            case ResponseReceived():
                self._line.take(received, now)
            case AckReceived(request):
                call = self._calls.get((request.call_id, request.to.tag or ""))
                if call:
                    call.acknowledged(request, now)
            case RequestReceived(transaction):
                self._request(transaction, now)
            case None:
                pass

    def poll(self, now: float) -> None:
        """Do what is due: retransmissions, time-outs, renewing the registration."""
        for expired in self._line.transactions.poll(now):
            if isinstance(expired, RequestTimedOut):
                self._line.take(expired, now)
            else:
                for call in list(self._calls.values()):
                    call.unacknowledged(expired.transaction, now)
        self._registration.poll(now)

    def _request(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        call = self._call_of(transaction)
        if call:
            call.requested(transaction, now)
        elif request.method == "INVITE" and request.to.tag is None:
            self._invited(transaction, now)
        elif request.method in ("OPTIONS", "NOTIFY", "INFO") and request.to.tag is None:
            self._answer(transaction, 200, "OK", now)
        elif request.to.tag is not None or request.method in ("BYE", "CANCEL", "UPDATE", "PRACK"):
            self._answer(transaction, 481, "Call/Transaction Does Not Exist", now)
        else:
            self._answer(transaction, 501, "Not Implemented", now)

    def _call_of(self, transaction: ServerTransaction) -> SipCall | None:
        """The call a request belongs to: by tag, and a CANCEL by the INVITE it means."""
        request = transaction.request
        if request.method == "CANCEL":
            invite = self._line.transactions.invite_of(request)
            return next((call for call in self._calls.values() if invite and call.invited_by is invite), None)
        return self._calls.get((request.call_id, request.to.tag)) if request.to.tag else None

    def _invited(self, transaction: ServerTransaction, now: float) -> None:
        call = SipCall(self._line, number_of(transaction.request.from_))
        try:
            call.arrive(transaction, now)
        except SipProtocolError as problem:
            self._answer(transaction, 400, f"Bad Request: {problem}", now)
            return
        self._calls[call.call_id, call.tag] = call

    def _answer(self, transaction: ServerTransaction, status: int, reason: str, now: float) -> None:
        tag, extra = secrets.token_hex(6), Headers([("Allow", ALLOW)])
        self._line.respond(transaction, status, reason, now, tag=tag, extra=extra)

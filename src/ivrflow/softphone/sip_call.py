"""One call as SIP sees it, outgoing or incoming: invite, ring, answer, hold, cancel, hang up. No sockets.

What happens is put on the line's `news`; times are arguments.
"""

import re
import secrets
from dataclasses import replace
from enum import Enum
from urllib.parse import unquote

from ivrflow.softphone.sdp import AgreedAudio, AudioLine, agree, answer_line, read_sdp, write_sdp
from ivrflow.softphone.sip_dialog import ALLOW, USER_AGENT, Dialog
from ivrflow.softphone.sip_line import Asked, SipLine
from ivrflow.softphone.sip_message import Headers, NameAddr, SipProtocolError, SipRequest, SipResponse, parse_uri
from ivrflow.softphone.sip_news import (
    AudioAgreed,
    AudioRefused,
    CallAnswered,
    CallArrived,
    CallOver,
    CallProceeds,
    EndedBy,
)
from ivrflow.softphone.sip_transaction import ServerTransaction, State


class CallState(Enum):
    """Where a call stands."""

    CALLING = "calling"  # our INVITE is out
    RINGING = "ringing"  # the peer rings
    ARRIVED = "arrived"  # the peer's INVITE is here and waits for us
    UP = "up"  # answered
    OVER = "over"


class SipCall:
    """One call. Created by `SipAgent.invite` or by an INVITE that came in."""

    def __init__(self, line: SipLine, number: str) -> None:
        self.number = number
        self.state = CallState.CALLING
        self.own: AudioLine | None = None  # what we offer; an incoming call gets it when answered
        self.agreed: AgreedAudio | None = None
        self.invited_by: ServerTransaction | None = None  # an incoming call's INVITE
        self.call_id = ""
        self.tag = secrets.token_hex(6)
        self._line = line
        self._dialog: Dialog | None = None
        self._cseq = 0
        self._invite: Asked | None = None
        self._cancelled = False
        self._changing = False  # our re-INVITE is out
        self._own_before: AudioLine | None = None
        self._acks: dict[int, SipRequest] = {}
        self._server_invites: dict[int, ServerTransaction] = {}
        self._bye_waits_for_ack = False

    def next_cseq(self) -> int:
        """The number of our next request in this call."""
        if self._dialog:
            self._dialog.local_cseq += 1
            return self._dialog.local_cseq
        self._cseq += 1
        return self._cseq

    def header(self, name: str) -> str:
        """A header of the INVITE that came in; empty when it has none such, or the call is one we placed."""
        return (self.invited_by.request.headers.first(name) or "") if self.invited_by else ""

    @property
    def owes_bye(self) -> bool:
        """Whether we hung up and still wait for the ACK before which the BYE must not be sent."""
        return self._bye_waits_for_ack

    # -- our side acts

    def start(self, caller: NameAddr, target: str, own: AudioLine, now: float, extra: Headers) -> None:
        """Send the INVITE with our offer."""
        self.own = own
        self.call_id = f"{secrets.token_hex(12)}@{own.address}"
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", str(caller.with_tag(self.tag))),
                ("To", f"<{target}>"),
                ("Call-ID", self.call_id),
                ("CSeq", f"{self.next_cseq()} INVITE"),
                ("Contact", f"<{self._line.contact}>"),
                ("Allow", ALLOW),
                ("User-Agent", USER_AGENT),
                ("Content-Type", "application/sdp"),
            ]
        )
        for name, value in extra:
            headers.add(name, value)
        invite = SipRequest(headers, write_sdp(self.own), method="INVITE", uri=target)
        self._invite = self._line.ask(invite, self._line.server, now, self)

    def ring(self, now: float) -> None:
        """Tell the peer that our phone rings (180)."""
        if self.state is CallState.ARRIVED and self.invited_by:
            self._line.respond(self.invited_by, 180, "Ringing", now, tag=self.tag)

    def answer(self, own: AudioLine, now: float) -> None:
        """Answer with our audio (200).

        Raises:
            SipProtocolError: no codec in common; the call has been refused with 488.
        """
        if self.state is not CallState.ARRIVED or self.invited_by is None:
            return
        self.own = own
        try:
            body = self._accepted(self.invited_by.request)
        except SipProtocolError:
            self.refuse(488, "Not Acceptable Here", now)
            raise
        self.state = CallState.UP
        self._line.respond(self.invited_by, 200, "OK", now, tag=self.tag, body=body)
        self._line.news.append(CallAnswered(self))
        if self.agreed:
            self._line.news.append(AudioAgreed(self, asked_here=False))

    def refuse(self, status: int, reason: str, now: float) -> None:
        """Refuse an incoming call (486 busy, 603 declined)."""
        if self.state is CallState.ARRIVED and self.invited_by:
            self._line.respond(self.invited_by, status, reason, now, tag=self.tag)
            self._over("phone", status=status, reason=reason)

    def hang_up(self, now: float, reason: str | None = None) -> None:
        """End the call from our side: CANCEL, 603 or BYE, whichever the moment asks for.

        Args:
            now: Seconds.
            reason: Value of a Reason header for the BYE, such as `Q.850;cause=16`.
        """
        state = self.state
        if state is CallState.ARRIVED:
            self.refuse(603, "Decline", now)
        elif state in (CallState.CALLING, CallState.RINGING):
            self._cancelled = True
            self._cancel_if_possible(now)
            self._over("phone")
        elif state is CallState.UP:
            # RFC 3261 15: the callee must not send BYE before the ACK of its 200 has come.
            self._bye_waits_for_ack = self.invited_by is not None and not self.invited_by.acknowledged
            if not self._bye_waits_for_ack:
                self._bye(now, reason)
            self._over("phone")

    def change_direction(self, direction: str, now: float) -> None:
        """Ask the peer for another direction: `sendonly` holds, `sendrecv` resumes (RFC 3264 8.4).

        Raises:
            SipProtocolError: another change of ours has not been answered yet, or the call is not up.
        """
        if self.state is not CallState.UP or self._changing or self._dialog is None or self.own is None:
            raise SipProtocolError("the call is not up, or an earlier change is still unanswered")
        self._own_before, self._changing = self.own, True
        self.own = replace(self.own, direction=direction, version=self.own.version + 1, lines=(), place=0)
        request = self._dialog.request("INVITE", write_sdp(self.own), Headers([("Allow", ALLOW)]))
        self._line.ask(request, self._dialog.next_hop, now, self)

    # -- answers to us

    def answered(self, request: SipRequest, response: SipResponse | None, now: float) -> None:
        """The agent hands over what came back to `request`; None when nothing did for 32 seconds."""
        if request.method == "BYE":
            return
        first = self._dialog is None or (self._invite is not None and request is self._invite.transaction.request)
        if response is not None and response.status < 200:
            if first:
                self._provisional(response, now)
        elif response is not None and response.status < 300:
            self._accepted_by_peer(request, response, now, first=first)
        elif first:
            self._refused_by_peer(response)
        else:
            self._change_refused(response, now)

    def _provisional(self, response: SipResponse, now: float) -> None:
        self._cancel_if_possible(now)
        if self.state not in (CallState.CALLING, CallState.RINGING):
            return
        if response.status > 100:
            self.state = CallState.RINGING
        self._line.news.append(CallProceeds(self, response.status))
        if response.body:
            self._take_answer(response.body, asked_here=False)

    def _accepted_by_peer(self, request: SipRequest, response: SipResponse, now: float, *, first: bool) -> None:
        number, _ = request.cseq
        if number in self._acks and self._dialog and response.to.tag == self._dialog.remote.tag:
            self._line.acknowledge(self._acks[number], self._dialog.next_hop)  # our ACK was lost
            return
        dialog = self._dialog
        if first:
            dialog = Dialog.of_caller(request, response, self._line.contact, self._line.server)
        if dialog is None:
            return
        ack = dialog.built("ACK", number)
        self._line.acknowledge(ack, dialog.next_hop)
        if first and (self._dialog is not None or self.state is CallState.OVER):
            # A second phone answered as well, or the answer crossed our CANCEL: that one is hung up at once.
            self._line.ask(dialog.request("BYE"), dialog.next_hop, now, self)
            return
        self._acks[number] = ack
        if first:
            self._dialog, self.state = dialog, CallState.UP
            self._line.news.append(CallAnswered(self))
            self._take_answer(response.body, asked_here=False)
        else:
            self._changing = False
            dialog.target = response.contact.uri if response.contact else dialog.target
            self._take_answer(response.body, asked_here=True)

    def _refused_by_peer(self, response: SipResponse | None) -> None:
        if response is None:
            self._over("nobody", reason="no answer to our INVITE")
        else:
            self._over("peer", status=response.status, reason=response.reason, cause=_cause(response))

    def _change_refused(self, response: SipResponse | None, now: float) -> None:
        self._changing = False
        if self._own_before:
            self.own = self._own_before
        status, reason = (response.status, response.reason) if response else (408, "nobody answered")
        self._line.news.append(AudioRefused(self, status, reason))
        if status in (408, 481):  # RFC 3261 12.2.1.2: the dialog is gone
            if response is None:
                self._bye(now, None)
            self._over("peer" if response else "nobody", status=status, reason=reason)

    def _take_answer(self, body: bytes, *, asked_here: bool) -> None:
        assert self.own is not None
        try:
            self.agreed = agree(self.own, read_sdp(body))
        except SipProtocolError as problem:
            self._line.news.append(AudioRefused(self, 0, str(problem)))
            return
        self._line.news.append(AudioAgreed(self, asked_here=asked_here))

    def _cancel_if_possible(self, now: float) -> None:
        """RFC 3261 9.1: CANCEL only after a provisional response; before it, the wish waits."""
        if self._cancelled and self._invite and self._invite.transaction.state is State.PROCEEDING:
            self._cancelled = False
            self._line.cancel(self._invite, now)

    # -- the peer acts

    def arrive(self, transaction: ServerTransaction, now: float) -> None:
        """The peer's INVITE: 100 at once, then it is up to `ring`, `answer` and `refuse`."""
        request = transaction.request
        self.invited_by, self.state = transaction, CallState.ARRIVED
        self.call_id = request.call_id
        self._server_invites[request.cseq[0]] = transaction
        self._dialog = Dialog.of_callee(request, self.tag, self._line.contact, transaction.source)
        self._line.respond(transaction, 100, "Trying", now)
        self._line.news.append(CallArrived(self))

    def requested(self, transaction: ServerTransaction, now: float) -> None:
        """A request inside this call."""
        request = transaction.request
        number, _ = request.cseq
        if request.method == "CANCEL":
            self._cancelled_by_peer(transaction, now)
            return
        if self._dialog is None or number <= self._dialog.remote_cseq:
            self._line.respond(transaction, 500, "CSeq out of order", now)
            return
        self._dialog.remote_cseq = number
        if request.method == "BYE":
            self._line.respond(transaction, 200, "OK", now)
            if self.state is CallState.ARRIVED and self.invited_by:
                self._line.respond(self.invited_by, 487, "Request Terminated", now, tag=self.tag)
            self._over("peer", reason=_reason_text(request), cause=_cause(request))
        elif request.method == "INVITE" or (request.method == "UPDATE" and request.body):
            self._change_asked(transaction, now)
        elif request.method in ("UPDATE", "INFO", "NOTIFY", "OPTIONS"):
            self._line.respond(transaction, 200, "OK", now, extra=Headers([("Allow", ALLOW)]))
        elif request.method == "PRACK":
            self._line.respond(transaction, 481, "We send no reliable provisional responses", now)
        else:
            self._line.respond(transaction, 501, "Not Implemented", now, extra=Headers([("Allow", ALLOW)]))

    def acknowledged(self, ack: SipRequest, now: float) -> None:
        """The ACK of one of our 200s; it carries the answer when the INVITE carried no offer."""
        number, _ = ack.cseq
        transaction = self._server_invites.get(number)
        if transaction is None or transaction.acknowledged:
            return
        self._line.transactions.acknowledged(transaction)
        if ack.body and not transaction.request.body and self.state is CallState.UP:
            self._take_answer(ack.body, asked_here=False)
        if self._bye_waits_for_ack:
            self._bye_waits_for_ack = False
            self._bye(now, None)

    def unacknowledged(self, transaction: ServerTransaction, now: float) -> None:
        """The peer never acknowledged our 200: hang up (RFC 3261 13.3.1.4)."""
        response = transaction.response
        ours = self._server_invites.get(transaction.request.cseq[0]) is transaction
        if ours and response and response.status < 300 and (self.state is CallState.UP or self._bye_waits_for_ack):
            self._bye_waits_for_ack = False
            self._bye(now, None)
            self._over("nobody", reason="our answer was never acknowledged")

    def _cancelled_by_peer(self, transaction: ServerTransaction, now: float) -> None:
        self._line.respond(transaction, 200, "OK", now, tag=self.tag)
        if self.state is CallState.ARRIVED and self.invited_by:
            self._line.respond(self.invited_by, 487, "Request Terminated", now, tag=self.tag)
            self._over("peer", status=487, reason=_reason_text(transaction.request), cause=_cause(transaction.request))

    def _change_asked(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if self._changing or self.state is not CallState.UP:
            self._line.respond(transaction, 491, "Request Pending", now)  # RFC 3261 14.2
            return
        try:
            body = self._accepted(request)
        except SipProtocolError:
            self._line.respond(transaction, 488, "Not Acceptable Here", now)
            return
        if self._dialog and request.contact:
            self._dialog.target = request.contact.uri
        if request.method == "INVITE":
            self._server_invites[request.cseq[0]] = transaction
        self._line.respond(transaction, 200, "OK", now, body=body)
        if request.body:
            self._line.news.append(AudioAgreed(self, asked_here=False))

    def _accepted(self, request: SipRequest) -> bytes:
        """Our SDP for an INVITE: the answer to its offer, or our own offer when it has none."""
        assert self.own is not None
        self.own = replace(self.own, version=self.own.version + 1)
        if not request.body:
            return write_sdp(self.own)
        offer = read_sdp(request.body)
        answer = answer_line(offer, self.own)
        self.agreed = agree(answer, offer)
        return write_sdp(answer)

    # -- the end

    def _bye(self, now: float, reason: str | None) -> None:
        if self._dialog:
            extra = Headers([("Reason", reason)]) if reason else None
            self._line.ask(self._dialog.request("BYE", extra=extra), self._dialog.next_hop, now, self)

    def _over(self, by: EndedBy, *, status: int | None = None, reason: str = "", cause: int | None = None) -> None:
        if self.state is not CallState.OVER:
            self.state = CallState.OVER
            self._line.news.append(CallOver(self, by, status, reason, cause))


def number_of(address: NameAddr) -> str:
    """The user part of an address: the number somebody has or dialled; empty if the address has none."""
    try:
        return unquote(parse_uri(address.uri).user)
    except SipProtocolError:
        return ""


def _cause(message: SipRequest | SipResponse) -> int | None:
    """Q.850 cause of a Reason header (RFC 3326), or of the header Asterisk has written since before it."""
    for value in message.headers.all("Reason"):
        matched = re.match(r"\s*Q\.850\s*;.*?\bcause\s*=\s*(\d{1,3})\b", value, re.IGNORECASE | re.ASCII)
        if matched:
            return int(matched[1])
    code = message.headers.first("X-Asterisk-HangupCauseCode") or ""
    return int(code) if re.fullmatch(r"\d{1,3}", code, re.ASCII) else None


def _reason_text(message: SipRequest) -> str:
    return message.headers.first("Reason") or message.headers.first("X-Asterisk-HangupCause") or ""

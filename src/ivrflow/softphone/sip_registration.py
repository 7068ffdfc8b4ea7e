"""The registration of one phone: told, renewed in time, taken back (RFC 3261 section 10). No sockets."""

import secrets

from ivrflow.softphone.sip_dialog import ALLOW, USER_AGENT
from ivrflow.softphone.sip_line import SipLine
from ivrflow.softphone.sip_message import (
    Headers,
    NameAddr,
    SipProtocolError,
    SipRequest,
    SipResponse,
    number,
    parse_name_addr,
)
from ivrflow.softphone.sip_news import Registered, RegistrationFailed

RENEW_AT = 0.8  # share of its life after which a registration is renewed
LONGEST = 2**32 - 1  # seconds, RFC 3261 20.19


class SipRegistration:
    """One Call-ID and a counting CSeq for the phone's whole life (RFC 3261 10.2.4)."""

    def __init__(self, line: SipLine, me: NameAddr) -> None:
        self.renew_at: float | None = None
        self._line = line
        self._me = me
        self._call_id = secrets.token_hex(12)
        self._tag = secrets.token_hex(6)
        self._cseq = 0
        self._expires_s = 0

    def next_cseq(self) -> int:
        """The CSeq number of the next REGISTER."""
        self._cseq += 1
        return self._cseq

    def send(self, expires_s: int, now: float) -> None:
        """Register for `expires_s` seconds; 0 takes the registration back."""
        self._expires_s = expires_s
        self.renew_at = None
        headers = Headers(
            [
                ("Max-Forwards", "70"),
                ("From", str(self._me.with_tag(self._tag))),
                ("To", str(self._me)),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self.next_cseq()} REGISTER"),
                ("Contact", f"<{self._line.contact}>"),
                ("Expires", str(expires_s)),
                ("Allow", ALLOW),
                ("User-Agent", USER_AGENT),
            ]
        )
        request = SipRequest(headers, method="REGISTER", uri=f"sip:{self._line.domain}")
        self._line.ask(request, self._line.server, now, self)

    def poll(self, now: float) -> None:
        """Renew when it is time."""
        if self.renew_at is not None and now >= self.renew_at:
            self.send(self._expires_s, now)

    def answered(self, request: SipRequest, response: SipResponse | None, now: float) -> None:
        """What the server said."""
        if request.cseq[0] != self._cseq:
            return  # an earlier REGISTER; a later one is on its way
        if response is None:
            self._failed(408, "the server did not answer")
        elif 200 <= response.status < 300:
            self._accepted(response, now)
        elif response.status == 423:
            self._too_brief(response, now)
        elif response.status >= 300:
            self._failed(response.status, response.reason)

    def _accepted(self, response: SipResponse, now: float) -> None:
        try:
            granted = self._granted(response)
        except SipProtocolError as problem:
            self._failed(response.status, str(problem))
            return
        self.renew_at = now + granted * RENEW_AT if granted else None
        self._line.news.append(Registered(granted))

    def _too_brief(self, response: SipResponse, now: float) -> None:
        try:
            shortest = number(response.headers.first("Min-Expires") or "", "Min-Expires", LONGEST)
        except SipProtocolError as problem:
            self._failed(423, str(problem))
            return
        if 0 < self._expires_s < shortest:
            self.send(shortest, now)
        else:
            self._failed(423, response.reason)

    def _granted(self, response: SipResponse) -> int:
        """Seconds until the server forgets us: our own Contact's `expires`, else the Expires header (RFC 3261 10.3)."""
        asked = self._expires_s
        for value in response.headers.all("Contact"):
            contact = None if value == "*" else parse_name_addr(value)
            if contact and contact.uri == self._line.contact and "expires" in contact.params:
                return min(asked, number(contact.params["expires"], "expires", LONGEST))
        expires = response.headers.first("Expires")
        return min(asked, number(expires, "Expires", LONGEST)) if expires else asked

    def _failed(self, status: int, reason: str) -> None:
        self._line.news.append(RegistrationFailed(status, reason))

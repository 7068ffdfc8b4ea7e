"""A dialog: what two phones remember of each other while a call is up (RFC 3261 section 12). No sockets."""

import ipaddress
import re
from dataclasses import dataclass, field

from ivrflow.softphone.sip_message import (
    Headers,
    NameAddr,
    SipProtocolError,
    SipRequest,
    SipResponse,
    parse_name_addr,
    parse_uri,
)
from ivrflow.softphone.sip_transaction import Address

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY"
USER_AGENT = "ivrflow"


@dataclass(slots=True)
class Dialog:
    """One dialog. `target` is the peer's Contact, `routes` the proxies on the way there, in order."""

    call_id: str
    local: NameAddr
    remote: NameAddr
    target: str
    contact: str
    fallback: Address
    routes: list[str] = field(default_factory=list)
    local_cseq: int = 0
    remote_cseq: int = -1

    @classmethod
    def of_caller(cls, invite: SipRequest, response: SipResponse, contact: str, fallback: Address) -> "Dialog":
        """The dialog our INVITE got with a 2xx (RFC 3261 12.1.2): Record-Route in reverse order."""
        number, _ = invite.cseq
        return cls(
            call_id=invite.call_id,
            local=invite.from_,
            remote=response.to,
            target=response.contact.uri if response.contact else invite.uri,
            contact=contact,
            fallback=fallback,
            routes=response.headers.all("Record-Route")[::-1],
            local_cseq=number,
        )

    @classmethod
    def of_callee(cls, invite: SipRequest, tag: str, contact: str, fallback: Address) -> "Dialog":
        """The dialog an INVITE to us opens (RFC 3261 12.1.1): Record-Route as it stands."""
        number, _ = invite.cseq
        if invite.contact is None:
            raise SipProtocolError("INVITE without Contact")
        return cls(
            call_id=invite.call_id,
            local=invite.to.with_tag(tag),
            remote=invite.from_,
            target=invite.contact.uri,
            contact=contact,
            fallback=fallback,
            routes=invite.headers.all("Record-Route"),
            remote_cseq=number,
        )

    @property
    def next_hop(self) -> Address:
        """Where requests of this dialog go: the first route, else the peer's Contact.

        A host name in there is not looked up; the address the dialog began with is used instead, as a phone behind one
        server would.
        """
        try:
            uri = parse_uri(parse_name_addr(self.routes[0]).uri if self.routes else self.target)
            ipaddress.ip_address(uri.address[0])
        except (SipProtocolError, ValueError):
            return self.fallback
        return uri.address

    def request(self, method: str, body: bytes = b"", extra: Headers | None = None) -> SipRequest:
        """A new request in this dialog (its Via comes from the transaction). ACK keeps the INVITE's CSeq number."""
        if method != "ACK":
            self.local_cseq += 1
        return self.built(method, self.local_cseq, body, extra)

    def built(self, method: str, cseq: int, body: bytes = b"", extra: Headers | None = None) -> SipRequest:
        """A request with a given CSeq number: the ACK of an earlier INVITE."""
        headers = Headers([("Max-Forwards", "70")])
        uri = self.target
        routes = list(self.routes)
        first = parse_name_addr(routes[0]).uri if routes else ""
        if first and not re.search(r";lr(?=[;=?]|$)", first, re.IGNORECASE):
            # RFC 3261 12.2.1.1: an old, strict router wants itself in the request line and the target as last route
            uri, routes = first, [*routes[1:], f"<{self.target}>"]
        for route in routes:
            headers.add("Route", route)
        headers.add("From", str(self.local))
        headers.add("To", str(self.remote))
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{cseq} {method}")
        headers.add("Contact", f"<{self.contact}>")
        headers.add("User-Agent", USER_AGENT)
        for name, value in extra or ():
            headers.add(name, value)
        if body:
            headers.add("Content-Type", "application/sdp")
        return SipRequest(headers, body, method=method, uri=uri)

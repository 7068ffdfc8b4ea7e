"""What a phone's SIP side has to tell: things that happened, in order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ivrflow.softphone.sip_call import SipCall

EndedBy = Literal["phone", "peer", "nobody"]  # this phone, the other side, or neither (nobody answered, or was there)


@dataclass(frozen=True, slots=True)
class CallArrived:
    """The peer calls us."""

    call: "SipCall"


@dataclass(frozen=True, slots=True)
class CallProceeds:
    """A provisional answer to our INVITE: 100 the server has it, 180 to 183 the peer's phone rings."""

    call: "SipCall"
    status: int


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The call is up. For an incoming one: our 200 has left."""

    call: "SipCall"


@dataclass(frozen=True, slots=True)
class AudioAgreed:
    """`call.agreed` is new: first answer, early media, hold, resume. `asked_here` when we asked for the change."""

    call: "SipCall"
    asked_here: bool


@dataclass(frozen=True, slots=True)
class AudioRefused:
    """No agreement on audio: the peer refused our hold or resume, or (status 0) answered with SDP we cannot use."""

    call: "SipCall"
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class CallOver:
    """The end. `status` is the SIP status that refused the call, if one did; `cause` is Q.850 (16 normal, 17 busy)."""

    call: "SipCall"
    by: EndedBy
    status: int | None = None
    reason: str = ""
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The server knows where we are, for `expires_s` seconds (0: it has forgotten us)."""

    expires_s: int


@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """The server refused (`status`), or did not answer (a 408 of our own)."""

    status: int
    reason: str


News = (
    CallArrived | CallProceeds | CallAnswered | AudioAgreed | AudioRefused | CallOver | Registered | RegistrationFailed
)

"""Why a call came to nothing, in one sentence that says what it usually means."""

from __future__ import annotations

from collections.abc import Mapping

from ivrflow.softphone.call import CallRefused, PhoneError

_USUALLY: Mapping[int, str] = {
    401: "the password of the calling account is wrong",
    403: "the calling account, its password or what it may dial is not what the PBX knows",
    404: "the PBX does not know the number that was dialled",
    407: "the password of the calling account is wrong",
    408: "something behind the PBX does not answer",
    480: "whoever has that number is not there",
    484: "the PBX wants more digits than were dialled",
    486: "whoever has that number is busy, or the account has as many calls as it may",
    488: "the PBX speaks none of the codecs this phone offers",
    500: "the PBX failed; its log says why",
    503: "the PBX takes no more calls at the moment, or what is behind it is down",
    600: "whoever has that number is busy",
    603: "whoever has that number declined",
    606: "the PBX speaks none of the codecs this phone offers",
}


def why_no_call(problem: PhoneError) -> str:
    """The sentence for a call that was never answered."""
    if not isinstance(problem, CallRefused):
        return f"the call came to nothing: {problem}"
    usually = _USUALLY.get(problem.status, "")
    return f"the call was {problem}" + (f": usually {usually}" if usually else "")

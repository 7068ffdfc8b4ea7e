"""What the manager says of a caller's channel, and of a telephone that rings, told to whom it concerns."""

from __future__ import annotations

from ivrflow.bridge.ami_protocol import AmiEvent
from ivrflow.bridge.asterisk_line import AsteriskLine
from ivrflow.bridge.outgoing_line import OutgoingLine


def tell_of_caller(line: AsteriskLine, event: AmiEvent) -> None:
    """Tell a caller's line."""
    match event.name:
        case "DTMFBegin":
            if event.get("Direction") == "Received":
                line.key_pressed(event.get("Digit"))
        case "DTMFEnd":
            if event.get("Direction") == "Received":
                line.key_released(event.get("Digit"), number(event.get("DurationMs")))
        case "ChannelTalkingStart":
            line.talking_started()
        case "ChannelTalkingStop":
            line.talking_stopped(number(event.get("Duration")))
        case "HangupRequest" | "SoftHangupRequest" | "Hangup":
            line.caller_left(int(number(event.get("Cause"))))
        case _:
            pass


def tell_of_telephone(line: OutgoingLine, event: AmiEvent) -> None:
    """Tell the line of somebody who is rung."""
    match event.name:
        case "OriginateResponse":
            if event.get("Response") != "Success":
                line.originate_failed(event.get("Reason"))
        case "Hangup":
            line.channel_gone(int(number(event.get("Cause"))))
        case _:
            pass


def number(text: str) -> float:
    """The number Asterisk wrote; 0 for anything else."""
    try:
        return float(text)
    except ValueError:
        return 0.0

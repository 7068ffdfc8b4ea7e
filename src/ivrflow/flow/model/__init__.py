"""What a call flow is, once read and checked: plain frozen data that a live call walks.

A live call keeps the `CallFlow` it started with, so a reload is only a new reference. Every step, rung, rule and
phrase knows its `Location`, and so does every trace line that comes of it. All durations are seconds.

One import for all of it; each kind of thing has its module.
"""

from ivrflow.flow.model.call_flow import CallFlow, Limits, PlacesCalls, Quiet
from ivrflow.flow.model.ladders import RETURN, WHEN, Follow, Ladder, Rung, Wording, WordingLine
from ivrflow.flow.model.phrases import DEFAULT_VOICE, Phrase, Placeholder, Prompt, PromptCatalogue, Values
from ivrflow.flow.model.standards import Band, Calls, KeyFigure, Limit, Lint, Means, Promise, Rule, RuleRung, Standard
from ivrflow.flow.model.steps import (
    HANG_UP,
    BargeIn,
    Climb,
    Close,
    Collect,
    HangUp,
    Hours,
    Listening,
    Menu,
    Say,
    Step,
    Transfer,
    Window,
)

__all__ = [
    "DEFAULT_VOICE",
    "HANG_UP",
    "RETURN",
    "WHEN",
    "Band",
    "BargeIn",
    "CallFlow",
    "Calls",
    "Climb",
    "Close",
    "Collect",
    "Follow",
    "HangUp",
    "Hours",
    "KeyFigure",
    "Ladder",
    "Limit",
    "Limits",
    "Lint",
    "Listening",
    "Means",
    "Menu",
    "Phrase",
    "Placeholder",
    "PlacesCalls",
    "Promise",
    "Prompt",
    "PromptCatalogue",
    "Quiet",
    "Rule",
    "RuleRung",
    "Rung",
    "Say",
    "Standard",
    "Step",
    "Transfer",
    "Values",
    "Window",
    "Wording",
    "WordingLine",
]

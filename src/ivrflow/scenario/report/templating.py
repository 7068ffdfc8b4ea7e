"""The templates of the report and the few words they need for numbers."""

from __future__ import annotations

import re
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ivrflow.scenario.report.words import STAGES

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What may stand in no page, escaped or not."""

_HAN = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment: everything put into a page is escaped, a name that is not there is an error."""
    made = Environment(
        loader=PackageLoader("ivrflow.scenario.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "px": pixels,
        "lang": language,
        "milliseconds": milliseconds,
        "duration": duration,
        "stage": STAGES.__getitem__,
    }
    return made


def _printable(value: object) -> object:
    """Text from outside, a sign in place of each character that no page may hold."""
    if not isinstance(value, str) or not _UNPRINTABLE.search(value):
        return value
    return type(value)(_UNPRINTABLE.sub("\ufffd", value))


def asset(name: str) -> str:
    """A file of the report that is no template."""
    loader = environment().loader
    assert loader is not None, "the environment is made with one"
    return loader.get_source(environment(), name)[0]


def pixels(value: float) -> str:
    """A number for SVG: two decimals are finer than any screen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value else "0"


def language(text: str) -> str:
    """The attribute that picks the right shapes for Chinese characters; empty for any other text."""
    return Markup(' lang="zh-CN"') if _HAN.search(text) else Markup()


def milliseconds(seconds: float) -> str:
    """A difference in seconds as "+23 ms", "−4 ms"."""
    rounded = round(seconds * 1000)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else ''}{abs(rounded)} ms"


def duration(seconds: float) -> str:
    """In words: "12 ms", "4.2 s", "2 min 5 s"."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "< 1 ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"

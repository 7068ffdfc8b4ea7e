"""The codes of a flow on one sheet for the desk: A4, two columns, black on white, the type as large as fits."""

from __future__ import annotations

import math
import unicodedata
from functools import lru_cache

from jinja2 import Environment, PackageLoader

from ivrflow.flow.pages.code_list import TELEPHONE_CODES, Code, CodeList
from ivrflow.scenario.report.templating import environment as scenario_environment

_LARGEST_PT, _SMALLEST_PT = 15.0, 7.0
_STEP_PT = 0.25
_COLUMN_PT = 262.0
"""Half of what A4 is wide between its margins, less the gap. The template has the same sheet."""
_HEIGHT_PT = 675.0
"""What is left of A4 for the columns, below the heading and above the telephone's own codes."""
_CODE_EM = 3.1
"""How wide a code stands, with the gap behind it."""
_LATIN_EM = 0.54
"""How wide a Latin letter is in the wider ones of the usual typefaces; a Chinese character is 1 em."""
_LINE_EM, _BETWEEN_EM = 1.2, 0.4
"""How high a line is, and how much more a code takes than its lines."""


def code_page(listed: CodeList) -> str:
    """The sheet's text: one file without scripts, which needs nothing beside it."""
    template = _environment().get_template("codes.html.jinja")
    return template.render(listed=listed, telephone=TELEPHONE_CODES, points=type_size(listed))


def type_size(listed: CodeList) -> float:
    """Points of the largest type in which all codes fit on the sheet; the smallest legible one where none does."""
    steps = int((_LARGEST_PT - _SMALLEST_PT) / _STEP_PT)
    sizes = (_LARGEST_PT - step * _STEP_PT for step in range(steps))
    return next((size for size in sizes if _fits(listed, size)), _SMALLEST_PT)


def _fits(listed: CodeList, points: float) -> bool:
    heights = [_height_em(code, _COLUMN_PT / points - _CODE_EM) for code in listed.codes]
    # No code is broken between the columns: the longer of them may be half of a code over the middle.
    return (sum(heights) / 2 + max(heights, default=0.0) / 2) * points <= _HEIGHT_PT


def _height_em(code: Code, width: float) -> float:
    return (math.ceil(_width_em(code.does) / width) + 1) * _LINE_EM + _BETWEEN_EM


def _width_em(text: str) -> float:
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else _LATIN_EM for sign in text)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """The scenario report's environment with the templates of this folder."""
    return scenario_environment().overlay(loader=PackageLoader("ivrflow.report"))

"""Simplified and Traditional characters: which of them a wording holds, and the same wording in the other script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

Script: TypeAlias = Literal["simplified", "traditional"]

_TO: Mapping[Script, str] = {"simplified": "t2s", "traditional": "s2t"}
"""OpenCC's name for the conversion into each script."""

_WRITTEN_IN: Mapping[Script, str] = {"simplified": "gb2312", "traditional": "cp950"}
"""A character set that holds what both scripts share and what is this one's own, and nothing that is only the other's."""

_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Strangers:
    """Characters of the other script in a wording, in the order of the wording, and the wording without them."""

    characters: str
    better: str


def simplified(text: str) -> str:
    """The text in Simplified characters; what has no Simplified form stays."""
    return _converted(text, "simplified")


def traditional(text: str) -> str:
    """The text in Traditional characters; what has no Traditional form stays."""
    return _converted(text, "traditional")


def strangers(text: str, script: Script) -> Strangers | None:
    """What in `text` belongs to the other script only; None when nothing does.

    Characters both scripts use (里, 后, 台) are never strangers, whatever a converter would prefer.
    """
    suspects = [character for character in dict.fromkeys(text) if not _is_written_in(character, script)]
    better = {character: other for character in suspects if (other := _converted(character, script)) != character}
    if not better:
        return None
    whole = _converted(text, script)
    if len(whole) != len(text):  # a converter that counts otherwise knows the word, and we only know characters
        return Strangers("".join(better), "".join(better.get(character, character) for character in text))
    pairs = zip(text, whole, strict=True)
    return Strangers("".join(better), "".join(new if old in better else old for old, new in pairs))


def _is_written_in(character: str, script: Script) -> bool:
    try:
        character.encode(_WRITTEN_IN[script])
    except UnicodeEncodeError:
        return False
    return True


def _converted(text: str, script: Script) -> str:
    return _converter(script)(_SURROGATES.sub("\ufffd", text))


@cache
def _converter(script: Script) -> Callable[[str], str]:
    # Its dictionaries take a tenth of a second: loaded when the first wording is compared, not by every command.
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC(_TO[script]).convert
    return convert

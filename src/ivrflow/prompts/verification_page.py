"""The verification as a page: figures, and a player beside every phrase, the worst first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ivrflow.prompts.soundness import Sound
from ivrflow.prompts.verification import MOST_MEAN, MOST_RATE, Figures, Judged


def write_page(
    file: Path,
    masters: Path,
    judged: Sequence[Judged],
    sounds: Mapping[str, Sound],
    counted: Sequence[Figures],
    faults: Sequence[str],
) -> None:
    """Write the page. The players find the masters by their way from the page: keep both where they are.

    Args:
        file: the page.
        masters: the folder of masters.
        judged: every phrase.
        sounds: what was measured, by `PromptEntry.sound`.
        counted: figures of the standards, and those of all last.
        faults: what is wrong, in sentences.

    Raises `OSError` when it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    way = os.path.relpath(masters.resolve(), file.parent.resolve())
    rows = [
        {
            "one": one,
            "files": [quote(f"{way}/{entry.folder}/{entry.file}") for entry in one.hearing.all],
            "sounds": [sounds[entry.sound] for entry in one.hearing.judged],
        }
        for one in sorted(judged, key=lambda one: (-one.rate, one.hearing.name))
    ]
    page = _environment().get_template("verification.html.jinja")
    text = page.render(
        rows=rows,
        counted=counted,
        faults=faults,
        most_mean=MOST_MEAN,
        most_rate=MOST_RATE,
        version=version("ivrflow"),
    )
    file.write_text(text, encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("ivrflow.prompts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = lambda share: f"{share:.1%}"
    return made

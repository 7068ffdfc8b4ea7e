"""A run's report as a folder of pages that open from disk: `index.html`, one page per result, sound files beside them."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from ivrflow.scenario.observation import CLOCKS_APART_S, PhoneSide, Result
from ivrflow.scenario.report.index_page import index_page
from ivrflow.scenario.report.run_summary import RunSummary
from ivrflow.scenario.report.scenario_page import Player, scenario_page
from ivrflow.scenario.report.templating import asset, environment

_ASSETS = ("report.css", "report.js")
_LONGEST_NAME = 100
"""Characters of a page's name; a longer one is cut and told apart by a part of its hash."""

_SOUNDS = "audio"


def write_report(folder: Path, run: RunSummary, results: Sequence[Result], *, show_personal: bool = False) -> Path:
    """Write the report of a run; pages of an earlier one with the same names are replaced.

    Args:
        folder: where; made when it is not there.
        run: what is to be said of the run as a whole.
        results: all of them, in the order they are to be told.
        show_personal: keys pressed, and names and numbers in the signalling, are readable instead of covered.

    Returns:
        The page to open first.

    Raises:
        OSError: something cannot be written there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _ASSETS:
        (folder / name).write_text(asset(name), encoding="utf-8")
    names = page_names(results)
    pages = [f"{name}.html" for name in names]
    template = environment().get_template("scenario.html.jinja")
    for index, (result, name) in enumerate(zip(results, names, strict=True)):
        page = scenario_page(result, _players(folder, name, result), show_personal=show_personal)
        text = template.render(
            page=page,
            run=run,
            before=_neighbour(results, pages, index - 1),
            after=_neighbour(results, pages, index + 1),
        )
        (folder / pages[index]).write_text(text, encoding="utf-8")
    start = folder / "index.html"
    text = (
        environment()
        .get_template("index.html.jinja")
        .render(page=index_page(results, pages, run.left_behind), run=run, apart_limit=CLOCKS_APART_S)
    )
    start.write_text(text, encoding="utf-8")
    return start


def page_names(results: Sequence[Result]) -> list[str]:
    """A name for each result's page, without extension: of its file and stage, unique whatever the capitals, safe in any address."""
    taken = {"index"}
    names: list[str] = []
    for result in results:
        wanted = f"{_safe(result.scenario.file)}.{result.stage}"
        name, count = wanted, 1
        while name.lower() in taken:
            count += 1
            name = f"{wanted}.{count}"
        taken.add(name.lower())
        names.append(name)
    return names


def _safe(file: str) -> str:
    """A path as a file name; what cannot stand in one is replaced and made up for by a part of the path's hash."""
    path = re.sub(r"\.ya?ml\Z", "", file.replace("\\", "/"))
    path = "/".join(part for part in path.split("/") if part not in {"", ".", ".."})
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "-", path.replace("/", "-")).strip("-.")
    is_plain = re.fullmatch(r"[A-Za-z0-9_./-]*", path) is not None
    if safe and is_plain and len(safe) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(file.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe[:_LONGEST_NAME].rstrip('-.') or 'scenario'}-{digest}"


def _neighbour(results: Sequence[Result], pages: Sequence[str], index: int) -> dict[str, str] | None:
    if not 0 <= index < len(results):
        return None
    return {"page": pages[index], "title": results[index].scenario.title}


def _players(folder: Path, name: str, result: Result) -> list[Player]:
    """The sound files of a result, put beside its page; those that are gone are left out."""
    if result.observation is None:
        return []
    players: list[Player] = []
    for side in (result.observation.caller, *result.observation.agents.values()):
        source = _beside(folder, name, side)
        if source is not None:
            who = "caller" if side.name == "caller" else f"agent {side.name}"
            players.append(Player(who, source, side.audio_from))
    return players


def _beside(folder: Path, name: str, side: PhoneSide) -> str | None:
    """Where the sound file is, seen from the page."""
    if side.audio is None or not side.audio.is_file():
        return None
    suffix = re.sub(r"[^A-Za-z0-9.]", "", side.audio.suffix) or ".wav"
    target = folder / _SOUNDS / f"{name}.{_safe(side.name)}{suffix}"
    target.parent.mkdir(exist_ok=True)
    if not (target.exists() and target.samefile(side.audio)):
        shutil.copyfile(side.audio, target)
    return f"{_SOUNDS}/{target.name}"

"""The sound of a run's calls: which of it is kept, and where."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ivrflow.scenario.observation import PhoneSide, Result
from ivrflow.scenario.report.writing import page_names


def kept_sound(results: Sequence[Result], folder: Path | None, *, all_of_it: bool) -> tuple[Result, ...]:
    """Move what is kept into `folder`, under the names of the results' pages.

    Args:
        results: with their sound files where the calls left them.
        folder: made when there is something to keep; None keeps nothing.
        all_of_it: whether the sound of scenarios that passed is kept as well.

    Returns:
        The results, naming the files that were kept and no others.

    Raises:
        OSError: a file cannot be moved there.
    """
    return tuple(
        _with_sound(result, folder, name, keep=all_of_it or result.word == "failed")
        for result, name in zip(results, page_names(results), strict=True)
    )


def _with_sound(result: Result, folder: Path | None, name: str, *, keep: bool) -> Result:
    observation = result.observation
    if observation is None:
        return result

    def side(phone: PhoneSide) -> PhoneSide:
        if phone.audio is None or folder is None or not keep or not phone.audio.is_file():
            return replace(phone, audio=None)
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{name}.{phone.name}{phone.audio.suffix}"
        shutil.move(phone.audio, kept)
        return replace(phone, audio=kept)

    agents = {extension: side(phone) for extension, phone in observation.agents.items()}
    return replace(result, observation=replace(observation, caller=side(observation.caller), agents=agents))

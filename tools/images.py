"""The images of `docker/`, built where no Docker engine runs: buildah builds the same Dockerfiles in a chroot.

Their base image is made on the spot from the distribution's archive, the one that apt on this machine already uses.
The PBX that `make run` starts is the file tree of the built PBX image, so there is one recipe for it.

`python -m tools.images` builds both images; `python -m tools.images pbx` only what `make run` needs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.places import CHECKOUT, DOCKER, IMAGES, PBX
from tools.stages import Detail, SetupError, contained, run, stage

BASE_IMAGE = "localhost/ivrflow/base:sid"
PBX_IMAGE = "localhost/ivrflow/asterisk:latest"
ENGINE_IMAGE = "localhost/ivrflow/engine:latest"

_TREES = PBX / "trees"
"""File trees of the PBX image, each named after its recipe. Every PBX runs from one; none writes to it."""

_SUITE = "sid"
"""The distribution's suite that has Asterisk 22; the stable ones have none."""
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PIP_INDEX = "PIP_INDEX_URL"

_KERNEL_WAS_BUSY = "sealing memfd copy: Device or resource busy"
"""What buildah says when it could not begin: it starts itself again from a copy in memory, and the kernel, which waits
only 150 ms for others to let go of a page, would not seal that copy. That command has done nothing then, so it is asked
again."""
_TRIES = 5


def ensure_rootfs() -> Path:
    """The file tree that the PBX starts from, built now if its recipe changed or it was never built.

    The configuration in `asterisk/` is not part of that recipe: a PBX reads it from the checkout.

    Returns:
        The root of the tree.

    Raises:
        SetupError: this machine cannot build it; says what it lacks.
    """
    tree = _TREES / _recipe(DOCKER / "asterisk.Dockerfile")
    if tree.is_dir():
        return tree
    _check_machine()
    with _alone():
        if tree.is_dir():  # built by the one we waited for
            return tree
        _ensure_base()
        with stage("PBX image: Asterisk and its modules") as detail:
            _build(DOCKER / "asterisk.Dockerfile", PBX_IMAGE, detail)
        with stage("PBX file tree") as detail:
            _remove_unused(keep=tree)
            _unpack(PBX_IMAGE, tree, detail)
    return tree


@contextmanager
def in_use(tree: Path) -> Iterator[None]:
    """While the block runs, the file tree is not removed, whoever builds another one."""
    with _lock_of(tree).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _lock_of(tree: Path) -> Path:
    return tree.with_name(tree.name + ".lock")


def _remove_unused(*, keep: Path) -> None:
    for tree in _TREES.glob("*"):
        if not tree.is_dir() or tree == keep:
            continue
        with _lock_of(tree).open("w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(tree)
            _lock_of(tree).unlink()


def build_images() -> dict[str, str]:
    """Build both images; layers whose recipe and files did not change are taken from the last time.

    Returns:
        The id of each image, by name.

    Raises:
        SetupError: a build failed, or this machine cannot build.
    """
    _check_machine()
    with _alone():
        _ensure_base()
        ids = {}
        for title, recipe, name in (
            ("PBX image", "asterisk.Dockerfile", PBX_IMAGE),
            ("engine image", "engine.Dockerfile", ENGINE_IMAGE),
        ):
            with stage(title) as detail:
                ids[name] = _build(DOCKER / recipe, name, detail)
    return ids


def run_in(image: str, command: Sequence[str]) -> list[str]:
    """Run a command in an image, as the image's user, in a copy that is thrown away.

    Returns:
        The lines it wrote.

    Raises:
        SetupError: it ended with an error; with its last lines.
    """
    with _alone():
        return _buildah(
            f"container=$($BUILDAH from --pull-never {image}); code=0; "
            f'$BUILDAH run "$container" -- {shlex.join(command)} || code=$?; '
            f'$BUILDAH rm "$container" >/dev/null; exit $code',
            "run",
            lambda _: None,
        )


def _recipe(*files: Path) -> str:
    """A digest of everything that decides what the file tree will be."""
    digest = hashlib.sha256(f"{_SUITE} {platform.machine()}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise SetupError("building the PBX makes a chroot, and that needs root: run `sudo make run`, or use Docker")
    lacking = [name for name in ("buildah", "mmdebstrap", "unshare", "setpriv") if shutil.which(name) is None]
    if lacking:
        raise SetupError(f"not installed: {', '.join(lacking)}; `make setup` installs them from the distribution")


# ── one builder at a time, its storage inside the checkout ────────────────────────────────────────────────────────────


@contextmanager
def _alone() -> Iterator[None]:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (IMAGES / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with stage("waiting for another build in this checkout"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            shutil.rmtree(IMAGES / "tmp", ignore_errors=True)


def _buildah(arguments: str | Sequence[str], log: str, detail: Detail) -> list[str]:
    """Run buildah, or a shell script in which $BUILDAH is buildah with its storage.

    A script may be begun again from its first line, so it must bear that.
    """
    scratch = IMAGES / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    # The run root says what is mounted. Ours is new each time, as the mounts are: none outlives the command.
    with tempfile.TemporaryDirectory(dir=scratch, prefix="run-") as run_root:
        buildah = ["buildah", "--root", str(IMAGES / "store"), "--runroot", run_root]
        command = ["sh", "-euc", arguments] if isinstance(arguments, str) else [*buildah, *arguments]
        tries_left = _TRIES
        while True:
            try:
                return run(
                    contained(command),
                    log=IMAGES / "log" / f"{log}.log",
                    detail=detail,
                    environment={"BUILDAH": " ".join(buildah), "TMPDIR": str(scratch), "BUILDAH_ISOLATION": "chroot"},
                )
            except SetupError as error:
                tries_left -= 1
                if not tries_left or _KERNEL_WAS_BUSY not in str(error):
                    raise
            time.sleep(1)  # nobody tells when the kernel is less busy


def _exists(image: str) -> bool:
    # Asked of the storage on disk, so a store that somebody removed is noticed.
    if not (IMAGES / "store").is_dir():
        return False
    try:
        _buildah(["inspect", "--type", "image", "--format", "{{.FromImageID}}", image], "inspect", lambda _: None)
    except SetupError:
        return False
    return True


# ── the base image ────────────────────────────────────────────────────────────────────────────────────────────────────


def _ensure_base() -> None:
    if _exists(BASE_IMAGE):
        return
    scratch = IMAGES / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    archive = scratch / "base.tar"
    with stage("base image: a minimal system from the distribution's archive") as detail:
        # The unstable suite's index may be past its date on a mirror; its signature is still checked.
        options = ["--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"']
        run(
            contained(["mmdebstrap", *options, _SUITE, str(archive), _mirror()]),
            log=IMAGES / "log" / "mmdebstrap.log",
            detail=detail,
            environment={"TMPDIR": str(scratch)},
        )
        detail("into the image store")
        _buildah(
            f'container=$($BUILDAH from scratch); $BUILDAH add -q "$container" "{archive}" /; '
            f'$BUILDAH commit -q --rm "$container" {BASE_IMAGE}',
            "base",
            detail,
        )
        archive.unlink()


def _mirror() -> str:
    """The address of the distribution's archive, as apt on this machine knows it."""
    release = platform.freedesktop_os_release()
    if release.get("ID") != "debian":
        raise SetupError("the PBX is built from Debian's archive, so this needs a Debian machine; elsewhere use Docker")
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Identifier: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for line in targets.splitlines():
        suite, component, address = line.split(maxsplit=2)
        if component == "main" and suite in {release.get("VERSION_CODENAME"), "stable", "testing", _SUITE}:
            return address
    raise SetupError("apt's sources name no Debian archive (main): add one, then run `apt-get update`")


# ── images ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _build(recipe: Path, image: str, detail: Detail) -> str:
    arguments = ["build", "--isolation", "chroot", "--layers", "--build-arg", f"BASE={BASE_IMAGE}"]
    if _CERTIFICATES.exists():
        arguments += ["--secret", f"id=certificates,src={_CERTIFICATES}"]
    if index := _package_index():
        arguments += ["--build-arg", f"{_PIP_INDEX}={index}"]
    arguments += ["--file", str(recipe), "--tag", image, str(CHECKOUT)]
    said = _buildah(arguments, recipe.stem, detail)
    return next(line for line in reversed(said) if line)


def _package_index() -> str:
    """The index pip on this machine is set to, when it is not the usual one."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], check=False, capture_output=True, text=True
    )
    return os.environ.get(_PIP_INDEX) or asked.stdout.strip()


def _unpack(image: str, tree: Path, detail: Detail) -> None:
    """Copy the image's files beside the tree and give them its name in one step: a tree that is there is whole."""
    tree.parent.mkdir(parents=True, exist_ok=True)
    unfinished = tree.parent / "unfinished"
    _buildah(
        f'rm -rf "{unfinished}"; container=$($BUILDAH from --pull-never {image}); '
        f'cp -a "$($BUILDAH mount "$container")" "{unfinished}"; $BUILDAH umount "$container"; '
        f'$BUILDAH rm "$container"; mv "{unfinished}" "{tree}"',
        "unpack",
        detail,
    )


def main(arguments: Sequence[str]) -> int:
    """Build; print the images' ids, or the file tree's path."""
    try:
        if list(arguments) == ["pbx"]:
            print(ensure_rootfs())
        else:
            for name, image in build_images().items():
                print(f"{image[:12]}  {name}")
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

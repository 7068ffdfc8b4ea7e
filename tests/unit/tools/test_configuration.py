"""The PBX's configuration and how settings get into it; the compose file around it."""

import os
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivrflow.commands.diagnosis import UNWANTED_MODULES
from ivrflow.settings import Settings, variable
from tools import passwords, pbx
from tools.places import DOCKER, RECIPE

TEMPLATES = sorted((RECIPE / "etc").glob("*.conf"))
NAMED = {name for file in TEMPLATES for name in re.findall(r"@((?:IVRFLOW|PBX)_[A-Z0-9_]+)@", file.read_text("utf-8"))}
OF_THE_SCRIPT = {"PBX_STATE", "PBX_MODULE_DIR"}


# ── templates ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_setting_in_a_template_has_a_default_or_is_a_password() -> None:
    assert {*pbx.defaults(), *passwords.NAMES, *OF_THE_SCRIPT} == NAMED


def test_everything_binds_to_loopback_by_default() -> None:
    binds = {name: value for name, value in pbx.defaults().items() if name.endswith("_BIND")}
    assert binds == {"PBX_SIP_BIND": "127.0.0.1", "PBX_AMI_BIND": "127.0.0.1"}


def test_only_listed_modules_load_and_none_of_them_bypasses_us() -> None:
    text = (RECIPE / "etc/modules.conf").read_text(encoding="utf-8")
    assert re.search(r"^autoload = no$", text, re.MULTILINE)
    loaded = re.findall(r"^load = (\S+)", text, re.MULTILINE)
    assert len(loaded) == len(set(loaded))
    assert not set(loaded) & set(UNWANTED_MODULES)
    assert "app_system.so" not in loaded


# ── the start script ──────────────────────────────────────────────────────────────────────────────────────────────────


class Start:
    """Runs the start script with an `asterisk` that only prints how it was called."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        programs = folder / "bin"
        programs.mkdir()
        fake = programs / "asterisk"
        fake.write_text('#!/bin/sh\necho "asterisk $*"\n', encoding="utf-8")
        fake.chmod(0o755)
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PBX_STATE": str(self.state),
            "PBX_MODULE_DIR": "/modules",
            **{name: f"pw-{name}" for name in passwords.NAMES},
        }

    def __call__(self, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [RECIPE / "start"],
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    def rendered(self, name: str) -> str:
        return (self.state / "etc" / name).read_text(encoding="utf-8")


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return Start(tmp_path)


def test_it_becomes_asterisk_with_everything_filled_in(start: Start) -> None:
    done = start()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"asterisk -f -C {start.state}/etc/asterisk.conf\n"
    assert {file.name for file in (start.state / "etc").iterdir()} == {file.name for file in TEMPLATES}
    for file in (start.state / "etc").iterdir():
        assert not re.search(r"@(IVRFLOW|PBX)_", file.read_text(encoding="utf-8")), file
        assert file.stat().st_mode & 0o777 == 0o600
    assert "bind = 127.0.0.1:15060\n" in start.rendered("pjsip.conf")
    assert "password = pw-PBX_PASSWORD_1001\n" in start.rendered("pjsip.conf")
    assert "AGI(agi://127.0.0.1:4573/call," in start.rendered("extensions.conf")
    assert f"astrundir => {start.state}/run\n" in start.rendered("asterisk.conf")


def test_the_environment_wins_over_the_defaults_and_empty_is_not_set(start: Start) -> None:
    start(PBX_SIP_PORT="5070", PBX_SIP_BIND="", IVRFLOW_AGI_HOST="engine.internal")
    assert "bind = 127.0.0.1:5070\n" in start.rendered("pjsip.conf")
    assert "AGI(agi://engine.internal:4573/call," in start.rendered("extensions.conf")


def test_a_missing_password_is_named_with_its_place(start: Start) -> None:
    del start.environment["PBX_PASSWORD_CALLER"]
    done = start()
    assert done.returncode == 2
    assert re.fullmatch(
        r"ivrflow-pbx: etc/pjsip\.conf:\d+: PBX_PASSWORD_CALLER is not set: set it in the environment or, for a "
        r'password, run "make secrets"\n',
        done.stderr,
    )
    assert "asterisk" not in done.stdout


@pytest.mark.parametrize("value", ["a;b", "a b", "a\\b", "a\nb", "a#b", "a[b", "${SHELL}", "a'b", "a&b"])
def test_a_value_that_would_mean_something_else_is_refused(start: Start, value: str) -> None:
    done = start(IVRFLOW_AMI_SECRET=value)
    assert done.returncode == 2
    assert "IVRFLOW_AMI_SECRET may hold letters, digits and" in done.stderr
    assert value not in done.stderr


def test_a_state_folder_it_may_not_write_to_is_named(start: Start) -> None:
    start.state.write_text("a file, not a folder", encoding="utf-8")
    done = start()
    assert done.returncode == 2
    assert f"cannot write to {start.state} as " in done.stderr


def test_a_machine_without_asterisk_is_told_which_package(start: Start) -> None:
    if any(Path("/usr/lib").glob("*/asterisk/modules")):
        pytest.skip("Asterisk is installed here")
    done = start(PBX_MODULE_DIR="")
    assert done.returncode == 2
    assert "install the package asterisk-modules" in done.stderr


# ── compose ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return read


def test_two_services_with_health_checks_share_prompts_and_recordings(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"asterisk", "engine"}
    for service in services.values():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert any(volume.startswith("prompts:/var/lib/ivrflow/prompts") for volume in service["volumes"])
        assert "recordings:/var/lib/ivrflow/recordings" in service["volumes"]
        assert (DOCKER / ".." / service["build"]["dockerfile"]).exists()
        assert service["build"]["context"] == ".."
    assert {"prompts", "recordings"} <= set(compose["volumes"])
    assert compose["name"] == "ivrflow", "docs/recordings.md names the volume by it"


def test_nothing_is_published_or_privileged(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert "ports" not in service
        assert "privileged" not in service
        assert service["network_mode"] == "host"
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
    # With the machine's own network, what is bound where decides who gets in: the default, unless the operator says.
    binds = {k: v for k, v in compose["services"]["asterisk"]["environment"].items() if k.endswith("_BIND")}
    assert binds == {"PBX_SIP_BIND": "${PBX_SIP_BIND:-}"}


def test_every_password_is_demanded_and_none_is_written_down(compose: dict[str, Any]) -> None:
    given = compose["services"]["asterisk"]["environment"]
    for name in passwords.NAMES:
        assert re.fullmatch(rf"\$\{{{name}:\?run `make secrets`.*\}}", given[name]), name
    assert compose["services"]["engine"]["environment"]["IVRFLOW_AMI_SECRET"] == given["IVRFLOW_AMI_SECRET"]


def test_both_are_told_the_same_ports(compose: dict[str, Any]) -> None:
    pbx_side, engine_side = (compose["services"][name]["environment"] for name in ("asterisk", "engine"))
    for name in ("IVRFLOW_AMI_PORT", "IVRFLOW_AGI_PORT"):
        assert pbx_side[name] == engine_side[name]


def test_only_known_settings_are_passed(compose: dict[str, Any]) -> None:
    given = compose["services"]["asterisk"]["environment"]
    assert set(given) <= {*pbx.defaults(), *passwords.NAMES}


FOLDERS = {"FLOWS", "MASTERS", "MUSIC", "PROMPTS_DIR", "PBX_PROMPTS_DIR", "RECORDINGS_DIR", "PBX_RECORDINGS_DIR"}
FIXED = {"AMI_HOST", "AMI_USER", "AGI_HOST", *FOLDERS}
"""Settings that are not the operator's here: both services share a machine, the folders are those of the image, and the
hold music is only looked at by testers."""


def test_every_other_setting_reaches_the_engine(compose: dict[str, Any]) -> None:
    given = compose["services"]["engine"]["environment"]
    declared = {variable(setting.name) for setting in fields(Settings) if "read" in setting.metadata}
    assert set(given) == declared - {f"IVRFLOW_{name}" for name in FIXED}
    assert all(text.startswith(f"${{{name}:") for name, text in given.items())
    # An empty variable would take the place of the image's; the default below the working folder cannot be written.
    image = re.search(r"IVRFLOW_JOURNAL=(\S+)", (DOCKER / "engine.Dockerfile").read_text(encoding="utf-8"))
    assert image is not None
    assert given["IVRFLOW_JOURNAL"] == f"${{IVRFLOW_JOURNAL:-{image[1]}}}"


@pytest.mark.parametrize(
    "name",
    [
        "PBX_DUTY_RING_SECONDS",
        "PBX_QUEUE_AGENTS",
        "PBX_QUEUE_SENIORS",
        "PBX_AGENT_CODEC",
        "PBX_AGENT_RING_SECONDS",
        "PBX_WRAPUP_SECONDS",
        "PBX_RTP_TIMEOUT",
        "PBX_RTP_TIMEOUT_HOLD",
    ],
)
def test_who_is_rung_and_for_how_long_reaches_the_pbx(compose: dict[str, Any], name: str) -> None:
    given = compose["services"]["asterisk"]["environment"]
    assert given[name] == f"${{{name}:-}}"


# ── agents ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def queues() -> list[str]:
    text = (RECIPE / "etc/queues.conf").read_text(encoding="utf-8")
    return re.findall(r"^\[([a-z0-9_]+)\]\(common\)$", text, re.MULTILINE)


def test_agents_can_log_in_to_out_of_and_be_ready_for_every_queue() -> None:
    dialplan = (RECIPE / "etc/extensions.conf").read_text(encoding="utf-8")
    named = re.findall(r"GoSub\(queue-of-agent,(\w+),1\((\w+)", dialplan)
    assert set(named) == {(what, queue) for what in ("log_in", "log_out", "ready") for queue in queues()}
    assert queues() == ["agents", "seniors"]


def test_every_code_of_a_star_and_two_digits_works_and_only_on_agents_telephones() -> None:
    features = (RECIPE / "etc/features.conf").read_text(encoding="utf-8")
    codes = re.findall(r'^code(\d\d) => \*(\d\d),self,UserEvent,"IvrflowCode,Code: \*(\d\d)"$', features, re.MULTILINE)
    assert [name for name, _, _ in codes] == [f"{number:02}" for number in range(100)]
    assert all(len(set(code)) == 1 for code in codes)
    group = features.partition("[ivrflow-codes]")[2]
    assert re.findall(r"^code(\d\d) =>$", group, re.MULTILINE) == [f"{number:02}" for number in range(100)]
    dialplan = (RECIPE / "etc/extensions.conf").read_text(encoding="utf-8")
    assert re.findall(r".*DYNAMIC_FEATURES.*", dialplan) == [" same => n,Set(DYNAMIC_FEATURES=ivrflow-codes)"]
    assert dialplan.count("b(ivrflow-agent^s^1)") == 2, "set on the telephone that is rung, never on the caller's side"


def test_a_queue_says_and_plays_nothing_of_its_own() -> None:
    text = (RECIPE / "etc/queues.conf").read_text(encoding="utf-8")
    common = text.partition("[common](!)")[2]
    assert set(re.findall(r"^(announce-\S+|reportholdtime) = (\S+)$", common, re.MULTILINE)) == {
        ("announce-frequency", "0"),
        ("announce-holdtime", "no"),
        ("announce-position", "no"),
        ("announce-to-first-user", "no"),
        ("reportholdtime", "no"),
    }
    assert "musicclass" not in text

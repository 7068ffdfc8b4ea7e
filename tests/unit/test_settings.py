from pathlib import Path, PurePosixPath

import pytest

from ivrflow.settings import (
    DEFAULT_ENV_FILE,
    Settings,
    SettingsError,
    given_values,
    read_settings,
    settings_table,
    variable,
)

SECRET = "hunter2-do-not-print"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .ivrflow/secrets.env of the checkout


def write_env_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_without_any_variable_the_defaults_hold() -> None:
    settings = read_settings({})
    assert (settings.ami_host, settings.ami_port, settings.agi_port) == ("127.0.0.1", 5038, 4573)
    assert settings.journal == "sqlite:///.ivrflow/journal.sqlite"
    assert settings.warnings == ()


def test_every_variable_is_read() -> None:
    given = {
        "ami_host": "pbx.example",
        "ami_port": "15038",
        "ami_user": "engine",
        "ami_secret": SECRET,
        "agi_host": "0.0.0.0",
        "agi_port": "14573",
        "flows": "/etc/flows",
        "masters": "/srv/masters",
        "prompts_dir": "/srv/prompts",
        "pbx_prompts_dir": "/lab/prompts",
        "journal": "sqlite:////var/lib/journal.sqlite",
        "journal_keep_days": "90",
        "max_calls": "250",
        "echo_loss_db": "9.5",
        "talk_level": "300",
        "test_calls": "yes",
        "log_format": "json",
    }
    settings = read_settings({variable(name): text for name, text in given.items()})
    assert {name: str(getattr(settings, name)) for name in given} == {**given, "test_calls": "True"}
    fresh = Settings()
    assert all(getattr(settings, name) != getattr(fresh, name) for name in given)


def test_the_pbx_sees_the_prompts_where_they_are_written_unless_told_otherwise(tmp_path: Path) -> None:
    assert read_settings({"IVRFLOW_PROMPTS_DIR": "sounds"}).pbx_prompts_dir == PurePosixPath(tmp_path / "sounds")
    told = read_settings({"IVRFLOW_PROMPTS_DIR": "sounds", "IVRFLOW_PBX_PROMPTS_DIR": "/var/lib/sounds"})
    assert told.pbx_prompts_dir == PurePosixPath("/var/lib/sounds")


def test_all_problems_are_reported_at_once_with_what_to_write() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(
            {
                "IVRFLOW_AMI_PORT": "many",
                "IVRFLOW_AGI_PORT": "70000",
                "IVRFLOW_AMI_HOST": "two words",
                "IVRFLOW_LOG_FORMAT": "xml",
                "IVRFLOW_MAX_CALLS": "0",
                "IVRFLOW_ECHO_LOSS_DB": "loud",
                "IVRFLOW_PBX_PROMPTS_DIR": "prompts",
                "IVRFLOW_JOURNAL": "journal.sqlite",
            },
            needs=["ami_secret"],
        )
    assert raised.value.problems == (
        "IVRFLOW_AMI_HOST: 'two words' holds blanks or control characters; write a plain name or address",
        "IVRFLOW_AMI_PORT: 'many' is not a port; write a number from 1 to 65535",
        "IVRFLOW_AMI_SECRET is not set; write it in the environment or in .ivrflow/secrets.env as IVRFLOW_AMI_SECRET=…",
        "IVRFLOW_AGI_PORT: '70000' is not a port; write a number from 1 to 65535",
        "IVRFLOW_PBX_PROMPTS_DIR: 'prompts' is relative; write the whole path, beginning with '/', as Asterisk sees it",
        "IVRFLOW_JOURNAL: it is not a database URL; for a file write sqlite:///PATH",
        "IVRFLOW_MAX_CALLS: '0' will not do; write a whole number from 1 to 100000",
        "IVRFLOW_ECHO_LOSS_DB: 'loud' will not do; write decibels from 0 to 60",
        "IVRFLOW_LOG_FORMAT: 'xml' is not a log format; write 'text' or 'json'",
    )
    assert str(raised.value) == "\n".join(raised.value.problems)


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "61"])
def test_an_echo_loss_is_a_number_of_decibels(text: str) -> None:
    with pytest.raises(SettingsError, match="ECHO_LOSS_DB"):
        read_settings({"IVRFLOW_ECHO_LOSS_DB": text})


def test_a_whole_number_is_written_in_plain_digits() -> None:
    with pytest.raises(SettingsError, match="MAX_CALLS"):
        read_settings({"IVRFLOW_MAX_CALLS": "١٢"})


@pytest.mark.parametrize("text", ["true", "1", "Yes", "on"])
def test_yes_or_no_is_written_as_such(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"IVRFLOW_TEST_CALLS": text})
    assert raised.value.problems == (f"IVRFLOW_TEST_CALLS: {text!r} will not do; write 'yes' or 'no'",)


def test_test_calls_are_off_until_somebody_asks_for_them_and_that_is_a_warning() -> None:
    assert (read_settings({}).test_calls, read_settings({"IVRFLOW_TEST_CALLS": "no"}).warnings) == (False, ())
    on = read_settings({"IVRFLOW_TEST_CALLS": "yes"})
    assert on.test_calls
    (warning,) = on.warnings
    assert warning.startswith("IVRFLOW_TEST_CALLS is yes: callers choose their own local time")
    assert warning.endswith("Unset it where real callers ring")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({"IVRFLOW_AMI_PORT": ""}).ami_port == 5038
    with pytest.raises(SettingsError, match="IVRFLOW_AMI_SECRET is not set"):
        read_settings({"IVRFLOW_AMI_SECRET": ""}, needs=["ami_secret"])


def test_an_unknown_variable_is_warned_about_with_the_one_that_was_meant() -> None:
    settings = read_settings({"IVRFLOW_AMI_SECRT": SECRET, "PATH": "/bin"})
    assert settings.warnings == (
        "IVRFLOW_AMI_SECRT is not a setting and changes nothing; did you mean 'IVRFLOW_AMI_SECRET'?",
    )


def test_secrets_stand_in_no_repr_and_no_message() -> None:
    environ = {"IVRFLOW_AMI_SECRET": SECRET, "IVRFLOW_JOURNAL": f"postgresql://ivr:{SECRET}@db/ivr"}
    settings = read_settings(environ)
    assert settings.ami_secret == SECRET
    assert SECRET in settings.journal
    assert SECRET not in repr(settings)
    for broken in (
        {"IVRFLOW_AMI_SECRET": f"{SECRET}\nAction: Originate"},
        {"IVRFLOW_JOURNAL": f"ivr:{SECRET}@db/ivr"},
    ):
        with pytest.raises(SettingsError) as raised:
            read_settings(broken)
        assert SECRET not in str(raised.value)


def test_the_default_file_is_read_and_the_environment_wins_over_it() -> None:
    write_env_file(
        DEFAULT_ENV_FILE, f"# made by set-up\nexport IVRFLOW_AMI_SECRET='{SECRET}'\nIVRFLOW_AMI_PORT=1\nPGPASSWORD=x\n"
    )
    settings = read_settings({"IVRFLOW_AMI_PORT": "2"}, needs=["ami_secret"])
    assert (settings.ami_secret, settings.ami_port, settings.warnings) == (SECRET, 2, ())


def test_a_named_file_is_read_instead_and_must_exist(tmp_path: Path) -> None:
    write_env_file(DEFAULT_ENV_FILE, "IVRFLOW_AMI_PORT=1\n")
    named = write_env_file(tmp_path / "other.env", "IVRFLOW_AMI_USER=other\n")
    settings = read_settings({"IVRFLOW_ENV_FILE": str(named)})
    assert (settings.ami_user, settings.ami_port) == ("other", 5038)
    with pytest.raises(SettingsError, match=r"IVRFLOW_ENV_FILE: there is no file /nowhere; make it, or unset"):
        read_settings({"IVRFLOW_ENV_FILE": "/nowhere"})


def test_a_line_that_is_no_assignment_is_named_by_its_place_and_not_quoted(tmp_path: Path) -> None:
    named = write_env_file(tmp_path / "bad.env", f"IVRFLOW_AMI_USER=x\n{SECRET}\nIVRFLOW_AMI_SECRET='{SECRET}\n")
    with pytest.raises(SettingsError) as raised:
        read_settings({"IVRFLOW_ENV_FILE": str(named)})
    assert raised.value.problems == (
        f"{named}:2: this line is not NAME=value; write IVRFLOW_…=value",
        f"{named}:3: this line is not NAME=value; write IVRFLOW_…=value",
    )


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="it is not UTF-8 text"):
        read_settings({"IVRFLOW_ENV_FILE": str(binary)})
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings({"IVRFLOW_ENV_FILE": str(tmp_path)})


def test_a_file_others_can_read_is_warned_about(tmp_path: Path) -> None:
    named = write_env_file(tmp_path / "open.env", "IVRFLOW_AMI_PORT=1\n", mode=0o644)
    warnings = read_settings({"IVRFLOW_ENV_FILE": str(named)}).warnings
    assert warnings == (f"{named} can be read by others; write: chmod 600 {named}",)


def test_the_documented_table_is_the_one_of_the_code() -> None:
    documented = Path(__file__).parents[2] / "docs" / "settings.md"
    assert documented.read_text(encoding="utf-8") == settings_table(), "python -m ivrflow.settings > docs/settings.md"


def test_what_is_no_setting_can_be_read_from_the_same_places() -> None:
    write_env_file(DEFAULT_ENV_FILE, "PBX_PASSWORD_CALLER=from-file\nPBX_PASSWORD_1001=kept\nIVRFLOW_AMI_PORT=1\n")
    given = given_values({"PBX_PASSWORD_CALLER": "given", "PBX_PASSWORD_1001": ""})
    assert given == {"PBX_PASSWORD_CALLER": "given", "PBX_PASSWORD_1001": "kept", "IVRFLOW_AMI_PORT": "1"}
    assert read_settings({}).warnings == ()


def test_a_file_that_is_named_and_not_there_is_said_for_those_too() -> None:
    with pytest.raises(SettingsError, match="there is no file"):
        given_values({"IVRFLOW_ENV_FILE": "nowhere.env"})

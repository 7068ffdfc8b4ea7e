"""Where the PBX is and how its accounts sign in; what is missing is said with the variable to set."""

from pathlib import Path

import pytest

from ivrflow.scenario.pbx.sip_access import OWN_HOST, OWN_PORT, password_variable, sip_access
from ivrflow.settings import DEFAULT_ENV_FILE, SettingsError
from tools import passwords
from tools.pbx import defaults

SECRET = "hunter2-do-not-print"
CALLER = {"PBX_PASSWORD_CALLER": SECRET}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .ivrflow/secrets.env of the checkout


def test_without_a_word_it_is_the_pbx_of_this_machine() -> None:
    access = sip_access(None, "caller", environ=CALLER)
    assert (access.named, access.accounts.server) == (f"{OWN_HOST}:{OWN_PORT}", (OWN_HOST, OWN_PORT))
    assert (access.accounts.caller, access.watched) == ("caller", True)


def test_its_defaults_are_those_the_pbx_starts_with() -> None:
    assert (defaults()["PBX_SIP_BIND"], defaults()["PBX_SIP_PORT"]) == (OWN_HOST, str(OWN_PORT))


def test_it_is_found_where_the_environment_puts_it() -> None:
    moved = {**CALLER, "PBX_SIP_BIND": "127.0.0.2", "PBX_SIP_PORT": "25060"}
    assert sip_access(None, "caller", environ=moved).accounts.server == ("127.0.0.2", 25060)
    assert sip_access(None, "caller", environ={**CALLER, "PBX_SIP_BIND": "0.0.0.0"}).accounts.server == (
        OWN_HOST,
        OWN_PORT,
    )


def test_another_pbx_is_named_with_or_without_its_port() -> None:
    assert sip_access("127.0.0.3", "caller", environ=CALLER).accounts.server == ("127.0.0.3", 5060)
    assert sip_access("localhost:5080", "caller", environ=CALLER).accounts.server == ("127.0.0.1", 5080)


def test_our_own_manager_and_journal_say_nothing_about_somebody_elses_pbx() -> None:
    assert not sip_access("127.0.0.3", "caller", environ=CALLER).watched
    assert sip_access("127.0.0.3", "caller", environ={**CALLER, "IVRFLOW_AMI_HOST": "127.0.0.3"}).watched


def test_passwords_come_from_the_environment_and_from_the_file() -> None:
    DEFAULT_ENV_FILE.parent.mkdir()
    DEFAULT_ENV_FILE.write_text("PBX_PASSWORD_CALLER=old\nPBX_PASSWORD_1001=kept\n")
    access = sip_access(None, "caller", ["1001", "1001"], environ=CALLER)
    assert access.accounts.passwords == {"caller": SECRET, "1001": "kept"}
    assert SECRET not in repr(access)


def test_the_names_are_those_under_which_set_up_writes_them() -> None:
    assert [password_variable(account) for account in passwords.ACCOUNTS] == [
        passwords.variable(account) for account in passwords.ACCOUNTS
    ]
    assert password_variable("test-caller.1") == "PBX_PASSWORD_TEST_CALLER_1"


def test_every_missing_password_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        sip_access(None, "tester", ["1001"], environ=CALLER)
    first, second = refusal.value.problems
    assert first == (
        "the password of the SIP account 'tester' is not known; set PBX_PASSWORD_TESTER in the environment "
        "or in .ivrflow/secrets.env"
    )
    assert "PBX_PASSWORD_1001" in second


@pytest.mark.parametrize("text", ["", ":5060", "pbx:", "pbx:sip", "pbx:0", "pbx:70000", "pbx:٣"])
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match="write HOST or HOST:PORT"):
        sip_access(text, "caller", environ=CALLER)


def test_a_host_nobody_knows_is_said_so() -> None:
    with pytest.raises(SettingsError, match=r"'no-such-host\.invalid' is not known here"):
        sip_access("no-such-host.invalid", "caller", environ=CALLER)


def test_a_port_that_is_none_is_said_so() -> None:
    with pytest.raises(SettingsError, match="PBX_SIP_PORT: 'sip' is not a port"):
        sip_access(None, "caller", environ={**CALLER, "PBX_SIP_PORT": "sip"})

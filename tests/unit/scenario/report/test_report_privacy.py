import pytest

from ivrflow.engine.trace import Fact, TraceLine
from ivrflow.scenario.report.privacy import Privacy

COVERING = Privacy({"12345", "1001"})
SHOWING = Privacy({"12345", "1001"}, show=True)


def test_keys_are_dots_one_for_each() -> None:
    assert COVERING.keys("86#") == "•••"
    assert SHOWING.keys("86#") == "86#"


def test_a_trace_line_loses_its_key_and_nothing_else() -> None:
    line = TraceLine(1.0, Fact.KEY_PRESSED, step="menu", key="7")
    assert COVERING.line(line) == TraceLine(1.0, Fact.KEY_PRESSED, step="menu", key="•")
    assert SHOWING.line(line) is line


@pytest.mark.parametrize(
    ("line", "covered"),
    [
        ("INVITE sip:12345@10.0.0.1:5060 SIP/2.0", "INVITE sip:12345@10.0.0.1:5060 SIP/2.0"),
        ("INVITE sip:13800138000@10.0.0.1 SIP/2.0", "INVITE sip:•••@10.0.0.1 SIP/2.0"),
        ('From: "Wang Fang" <sip:13800138000@h>;tag=a7', 'From: "•••" <sip:•••@h>;tag=a7'),
        ("From: Wang Fang <sip:zhang.san@h>;tag=a7", 'From: "•••" <sip:•••@h>;tag=a7'),
        ("f: <sip:13800138000@h>;tag=a7", "f: <sip:•••@h>;tag=a7"),
        ('To: "12345" <sip:12345@h>', 'To: "12345" <sip:12345@h>'),
        ('To: "1001" <sips:1001@h>', 'To: "1001" <sips:1001@h>'),
        ("Contact: <sip:10.0.0.1:5060>", "Contact: <sip:10.0.0.1:5060>"),
        ("Contact: <SIP:Caller@10.0.0.1:5060;ob>", "Contact: <SIP:•••@10.0.0.1:5060;ob>"),
        ("P-Asserted-Identity: <tel:+8613800138000>", "P-Asserted-Identity: <tel:•••>"),
        ("From: <sip:alice:secret@h>", "From: <sip:•••@h>"),
        ('From: "Anonymous" <sip:anonymous@anonymous.invalid>', 'From: "Anonymous" <sip:anonymous@anonymous.invalid>'),
        ("Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9", "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9"),
        ("Call-ID: 6f1c@ivrflow", "Call-ID: 6f1c@ivrflow"),
        ("o=- 3977 1 IN IP4 10.0.0.1", "o=- 3977 1 IN IP4 10.0.0.1"),
        ("o=13800138000 1 1 IN IP4 10.0.0.1", "o=••• 1 1 IN IP4 10.0.0.1"),
        ("Signal=5", "Signal=•"),
        ("Signal = 5", "Signal = •"),
    ],
)
def test_a_line_of_signalling(line: str, covered: str) -> None:
    assert COVERING.sip(f"X: y\r\n{line}\r\nZ: y\r\n") == f"X: y\r\n{covered}\r\nZ: y\r\n"
    assert SHOWING.sip(line) == line


def test_a_key_that_is_the_whole_body() -> None:
    text = "INFO sip:12345@h SIP/2.0\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n5"
    assert COVERING.sip(text).endswith("\r\n\r\n•")
    assert SHOWING.sip(text) == text


@pytest.mark.parametrize("privacy", [COVERING, SHOWING])
@pytest.mark.parametrize(
    "header",
    [
        'Authorization: Digest username="12345", uri="sip:12345@h", response="0a1b2c", cnonce="77ff", nc=00000001',
        "Proxy-Authorization: Digest username=12345,response=0a1b2c,cnonce=77ff",
        'Authorization: Digest username="12345",\r\n RESPONSE = "0a1b2c",\r\n cnonce="77ff"',
    ],
)
def test_what_proves_a_password_is_removed_in_any_case(header: str, privacy: Privacy) -> None:
    text = privacy.sip(header)
    assert "0a1b2c" not in text
    assert "77ff" not in text
    assert "12345" in text


def test_the_user_of_a_digest_is_covered() -> None:
    assert "wang" not in COVERING.sip('Authorization: Digest username="wang", realm="r"')
    assert "wang" in SHOWING.sip('Authorization: Digest username="wang", realm="r"')

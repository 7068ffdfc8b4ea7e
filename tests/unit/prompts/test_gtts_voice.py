"""gTTS against a service of our own: by the package itself where it is installed, else by a stand-in that asks alike."""

import importlib.util
import io
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import soundfile
from tone_voice import tone

from ivrflow.prompts.gtts_voice import LONGEST_WAIT_S, PATIENCE_S, GttsVoice
from ivrflow.settings import SettingsError


class _Service:
    """Answers each request with the next of `answers`: a status and headers; afterwards with sound."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.asked = 0
        self.sound = io.BytesIO()
        soundfile.write(self.sound, tone(0.3), 24000, format="WAV", subtype="PCM_16")
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked += 1
                status, headers = service.answers.pop(0) if service.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(service.sound.getvalue() if status == 200 else b"no")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Service]:
    made = _Service()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    monkeypatch.setitem(sys.modules, "gtts", _stand_in(made.url))
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def _stand_in(url: str) -> SimpleNamespace:
    """What `GttsVoice` uses of the package."""

    class TtsError(Exception):
        def __init__(self, rsp: object) -> None:
            self.rsp = rsp

    class Tts:
        def __init__(self, text: str, lang: str, lang_check: bool, timeout: float) -> None:
            assert not lang_check, "it would ask the network for the languages there are"
            self._url = f"{url}/?{urllib.parse.urlencode({'q': text, 'tl': lang})}"
            self._timeout = timeout

        def write_to_fp(self, file: io.BytesIO) -> None:
            try:
                with urllib.request.urlopen(self._url, timeout=self._timeout) as answer:
                    file.write(answer.read())
            except urllib.error.HTTPError as error:
                with error:
                    raise TtsError(SimpleNamespace(status_code=error.code, headers=error.headers)) from error
            except OSError as error:
                raise TtsError(None) from error

    return SimpleNamespace(gTTS=Tts, tts=SimpleNamespace(gTTSError=TtsError))


def test_it_speaks(service: _Service) -> None:
    samples, rate = GttsVoice().render("您好", {})
    assert (len(samples), rate, str(samples.dtype)) == (7200, 24000, "float32")
    assert service.asked == 1


def test_too_many_requests_are_asked_again_after_a_while(service: _Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers = [(429, {}), (429, {"Retry-After": "7"}), (503, {"Retry-After": "99999"})]
    waited: list[float] = []
    GttsVoice(waited.append).render("您好", {})
    assert waited == [PATIENCE_S[0], 7.0, LONGEST_WAIT_S]
    assert "refuses for now (429); again in 5 s" in capsys.readouterr().err


def test_it_gives_up_and_says_what_to_do(service: _Service) -> None:
    service.answers = [(429, {})] * 9
    waited: list[float] = []
    with pytest.raises(SettingsError, match=r"too many requests.*429.*wait an hour; what is rendered is kept"):
        GttsVoice(waited.append).render("您好", {})
    assert waited == list(PATIENCE_S)
    assert service.asked == len(PATIENCE_S) + 1


def test_what_will_never_be_answered_is_not_asked_again(service: _Service) -> None:
    service.answers = [(404, {})]
    with pytest.raises(SettingsError, match=r"refused a wording \(404\)"):
        GttsVoice(_never).render("您好", {})
    assert service.asked == 1


def test_offline(service: _Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gtts", _stand_in("http://127.0.0.1:1"))
    waited: list[float] = []
    with pytest.raises(SettingsError, match=r"cannot be reached; gTTS needs the internet\. What is rendered is kept"):
        GttsVoice(waited.append).render("您好", {})
    assert waited == list(PATIENCE_S)
    assert service.asked == 0


def test_an_answer_that_is_no_sound(service: _Service) -> None:
    service.sound = io.BytesIO(b"<html>sorry</html>")
    with pytest.raises(SettingsError, match="no sound"):
        GttsVoice(_never).render("您好", {})


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gtts", None)
    with pytest.raises(SettingsError, match=r"pip install 'ivrflow\[online\]'"):
        GttsVoice(_never).render("您好", {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "ivrflow[online]" in GttsVoice().missing()


@pytest.mark.skipif(importlib.util.find_spec("gtts") is None, reason="the package gTTS is an extra")
def test_the_package_itself_fails_as_the_stand_in_does(service: _Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gtts")
    import gtts.tts

    monkeypatch.setattr(gtts.tts, "_translate_url", lambda tld="com", path="": f"{service.url}/{tld}/{path}")
    service.answers = [(429, {"Retry-After": "3"}), (404, {})]
    waited: list[float] = []
    with pytest.raises(SettingsError, match=r"refused a wording \(404\)"):
        GttsVoice(waited.append).render("您好", {})
    assert waited == [3.0]
    monkeypatch.setattr(gtts.tts, "_translate_url", lambda tld="com", path="": f"http://127.0.0.1:1/{tld}/{path}")
    with pytest.raises(SettingsError, match="cannot be reached"):
        GttsVoice(waited.append).render("您好", {})


def _never(_seconds: float) -> None:
    raise AssertionError("nothing to wait for")

"""No secret is told: not in a log line, a traceback, a warning, or a sentence to the operator."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from redis.exceptions import RedisError

from bot.terminal.main import main
from engine.contract.connection import connect
from engine.contract.settings import SettingsError
from engine.contract.store import Store, StoreError
from engine.process.redaction import hide, redact

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.s3cr3t-s3cr3t_s3cr3ts3cr3ts3cr3t"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("GET https://cdn.discordapp.com/attachments/1/2/a.png?ex=5ec4e7&is=5ec4e7&hm=5ec4e7&x=1", "/2/a.png?ex="),
        ("<img src='https://media.discordapp.net/a.png?width=9&amp;hm=5ec4e7'>", "a.png?width=9&amp;hm="),
        ("POST https://discord.com/api/v10/webhooks/123/5ec4e7_Aa-/messages/@original", "/123/[secret]/messages/@orig"),
        ("https://discord.com/api/v10/interactions/9/aW50ZXJhY3Rpb246OTo1ZWM0ZTc5ec4e7/callback", "/9/[secret]/callb"),
        ("token aW50ZXJhY3Rpb246OTo1ZWM0ZTc5ec4e7", "token [secret]"),
        ("connecting to redis://impasto:5ec4e7@box:6379/0", "redis://impasto:[secret]@box:6379/0"),
        ("rediss://:a/5ec4e7@5ec4e7@box", "rediss://:[secret]@box"),
        ("s3://bucket/jobs?X-Amz-Signature=5ec4e7&X-Amz-Date=1", "s3://bucket/jobs?X-Amz-Signature=[secret]&"),
        ("headers {'Authorization': 'Bot anything.5ec4e7.at-all-of-it'}", "'Bot [secret]'}"),
        ("logged in with MTIzNDU2Nzg5MDEyMzQ1Njc4.G5ec4e.5ec4e7_abcdefghijklmnopqrstuvw", "logged in with [secret]"),
    ],
)
def test_what_looks_like_a_secret_is_cut_out_and_the_rest_stays(told: str, kept: str) -> None:
    assert "5ec4e7" not in redact(told)
    assert kept in redact(told)


@pytest.mark.parametrize(
    "told",
    ["http://127.0.0.1:8080/page", "harbour.png is empty: send a picture that holds something.", "unix:///tmp/r.sock",
     "painting 1234567890 at 2026-01-02T03:04:05.678Z", "Robot: the Bot started", "/webhooks/", "what is=true"],
)  # fmt: skip
def test_what_is_no_secret_stays(told: str) -> None:
    assert redact(told) == told


def test_what_is_hidden_is_cut_out_wherever_it_stands() -> None:
    hide("redis://:p%40ss w\u00f6rd@box:6379/0", "a plain token", None, "", "short")
    for told in ("p%40ss w\u00f6rd", "p@ss w\u00f6rd", json.dumps("p@ss w\u00f6rd"), "of a plain token here"):
        assert "ss w" not in redact(told)
        assert "plain" not in redact(told)
    assert redact("short") == "short"


LOUD = f"""
import logging, sys, warnings
import structlog
from engine.process.redaction import hide
from engine.process.logs import log_to

log_to(sys.stderr)
hide("hushhush")
url = "https://cdn.discordapp.com/a.png?ex=1&is=2&hm=5ec4e7"
log = structlog.get_logger("loud")
log.warning("fetched", url=url, of="hushhush")
logging.getLogger("discord.http").warning("We are being rate limited. %s %s", "PATCH", "/webhooks/1/5ec4e7/messages")
warnings.warn(url)
try:
    raise OSError(url) from ValueError("Bot {TOKEN}")
except OSError as error:
    log.exception("it broke off")
    logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=error)
raise RuntimeError("hushhush " + url)
"""


def test_no_line_of_the_log_tells_one_whoever_wrote_it() -> None:
    loud = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=False)
    assert loud.returncode == 1
    for secret in ("5ec4e7", "hushhush", "s3cr3t"):
        assert secret not in loud.stderr
    lines = [json.loads(line) for line in loud.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["warning", "warning", "warning", "error", "error", "critical"]
    assert lines[0]["url"] == "https://cdn.discordapp.com/a.png?ex=[secret]&is=[secret]&hm=[secret]"
    for line in lines[3:]:
        assert "Traceback" in line["exception"]


def test_an_address_that_is_none_is_told_without_its_password() -> None:
    for url in ("redis://:5ec4e7/1@box:6379/0", "http://:5ec4e7@box", "redis://box:5ec4e7"):
        with pytest.raises(SettingsError) as refused:
            connect(url)
        assert "5ec4e7" not in str(refused.value)


def test_a_store_that_cannot_be_opened_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be opened") as refused:
        Store("ftp://ada:5ec4e7@box/folder")
    assert "5ec4e7" not in str(refused.value)


@pytest.mark.parametrize("error", [RedisError, SettingsError])
def test_a_sentence_to_the_operator_tells_none(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(**_: object) -> None:
        raise error("redis://:5ec4e7@box:6379 does not answer")

    monkeypatch.setattr("bot.terminal.main.cli", fails)
    with pytest.raises(SystemExit):
        main()
    assert "redis://:[secret]@box:6379 does not answer" in capsys.readouterr().err

"""The bot behind a proxy: all that goes to Discord goes through it, and a wrong one is a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from discord_server.driver import Discord
from http_proxy import encrypted, http_proxy
from operator_command import impasto, told
from scene import Scene, pictures
from support.workers import WorkerPool
from tcp_redis import CERTIFICATE, free_port

from bot.discord_api.proxy import proxy_for
from engine.contract.settings import SettingsError
from engine.process.redaction import redact


@pytest.mark.long
async def test_a_painting_is_asked_for_and_shown_through_a_proxy(pool: WorkerPool, tmp_path: Path) -> None:
    pool.only_worker(1)
    async with Discord.start(scale=20) as discord, http_proxy("impasto:secret words") as proxy:
        stage = Scene(discord, pool, tmp_path)
        await stage.open()
        address = f"http://impasto:secret%20words@127.0.0.1:{proxy.port}"
        bot = await stage.start_bot(HTTP_PROXY=address)
        try:
            asked = await stage.stylize()
            await stage.ended(await stage.card(asked))
            assert pictures(discord.world, stage.channel)
        finally:
            assert bot.end() == 0
        stage.close()
        own = f"127.0.0.1:{discord.api_url.rpartition(':')[2].partition('/')[0]}"
        assert {place for _, place in proxy.asked} == {own}
        before = len(proxy.asked)
        bot = await stage.start_bot(HTTP_PROXY=address, NO_PROXY="127.0.0.1")
        assert bot.end() == 0
        assert len(proxy.asked) == before
    assert "secret" not in stage.told()


@pytest.mark.long
async def test_what_is_encrypted_goes_through_a_tunnel(tmp_path: Path) -> None:
    async with Discord.start() as discord, http_proxy() as proxy:
        plain = int(discord.api_url.split(":")[2].split("/")[0])
        async with encrypted(plain) as port:
            discord.api_url = f"https://localhost:{port}/api/v10"
            _, out, _ = await told(
                discord, tmp_path, "doctor", HTTPS_PROXY=f"127.0.0.1:{proxy.port}", SSL_CERT_FILE=str(CERTIFICATE)
            )
    assert "ok   token     Discord knows it as impasto" in out
    assert set(proxy.asked) == {("CONNECT", f"localhost:{port}")}


@pytest.mark.long
async def test_a_wrong_proxy_is_one_sentence(empty_redis_url: str, tmp_path: Path) -> None:
    nobody = free_port()
    async with Discord.start() as discord, http_proxy("name:password") as proxy, encrypted(1) as port:
        discord.api_url = f"https://localhost:{port}/api/v10"
        for address, sentence in (
            (f"http://127.0.0.1:{nobody}", f"the proxy 127.0.0.1:{nobody} of HTTPS_PROXY does not answer"),
            (f"http://127.0.0.1:{proxy.port}", "the proxy of HTTPS_PROXY answers 407 Proxy Authentication Required"),
        ):
            _, out, _ = await told(discord, tmp_path, "doctor", HTTPS_PROXY=address)
            assert f"BAD  token     Discord cannot be reached: {sentence}.\n" in out
            async with impasto(discord, tmp_path, "bot", HTTPS_PROXY=address, REDIS_URL=empty_redis_url) as bot:
                assert bot.stderr is not None
                line = json.loads(await bot.stderr.readline())
            assert (line["level"], "exception" in line) == ("warning", False)
            assert line["event"] == f"Discord cannot be reached ({sentence}). Trying on."
        useless = "The setting HTTPS_PROXY is not usable: give the address of an HTTP proxy, as http://proxy.example.org:3128."
        wrong = {"HTTPS_PROXY": "socks5://127.0.0.1:9050", "REDIS_URL": empty_redis_url}
        assert await told(discord, tmp_path, "bot", **wrong) == (os.EX_CONFIG, "", f"{useless}\n")
        status, out, _ = await told(discord, tmp_path, "doctor", **wrong)
        assert (status, f"BAD  token     {useless}\n" in out) == (os.EX_CONFIG, True)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://discord.com/api/v10", "http://one:1"),
        ("wss://gateway.discord.gg", "http://one:1"),
        ("http://cdn.example", "http://two:2"),
        ("https://inside.example/x", None),
        ("https://deep.inside.example/x", None),
        ("https://127.0.0.1:8443/x", None),
        ("https://127.0.0.1:8444/x", "http://one:1"),
    ],
)
def test_which_proxy_a_url_takes(url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "one:1")
    monkeypatch.setenv("ALL_PROXY", "http://two:2")
    monkeypatch.setenv("NO_PROXY", "inside.example, 127.0.0.1:8443")
    assert proxy_for(url) == (proxy and f"{proxy}")


@pytest.mark.parametrize("address", ["socks5://one:1", "http://", "http://one:port", "ftp://one:1", "http://[::1"])
def test_what_is_no_proxy(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(SettingsError, match="HTTPS_PROXY is not usable"):
        proxy_for("https://discord.com")


def test_its_password_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://name:opensesame@one:1")
    assert proxy_for("https://discord.com") == "http://name:opensesame@one:1"
    assert "opensesame" not in redact("the password is opensesame")

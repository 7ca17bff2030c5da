"""A store in S3, set in `.env` alone, as the documents say."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord_server.driver import Discord
from operator_command import told
from s3_stand_in import s3
from tcp_redis import CERTIFICATE

KEYS = "AWS_ACCESS_KEY_ID=AKIDEXAMPLE\nAWS_SECRET_ACCESS_KEY=5ec4e75ec4e75ec4e7\nAWS_REGION=eu-north-7\n"


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(inside=True) as server:
        yield server


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_keys_region_address_and_authorities_are_taken_from_the_file(
    secure: bool, discord: Discord, tmp_path: Path
) -> None:
    async with s3("AKIDEXAMPLE", "eu-north-7", secure=secure) as (stand_in, url):
        rest = f"SSL_CERT_FILE={CERTIFICATE}\n" if secure else "AWS_ALLOW_HTTP=true\n"
        (tmp_path / ".env").write_text(f"STORE_URL=s3://bucket/prefix\n{KEYS}AWS_ENDPOINT_URL={url}\n{rest}")
        status, out, err = await told(discord, tmp_path, "doctor", STORE_URL=None, SSL_CERT_FILE=None)
    assert "ok   store     s3://bucket/prefix takes and gives" in out, out
    assert (status, err) == (0, "")
    assert list(stand_in.blobs) == ["/bucket/prefix/identity"]
    assert "5ec4e7" not in out


async def test_a_wrong_key_is_said_without_the_secret(discord: Discord, tmp_path: Path) -> None:
    async with s3("ANOTHER", "eu-north-7", secure=False) as (_, url):
        (tmp_path / ".env").write_text(f"STORE_URL=s3://bucket\n{KEYS}AWS_ENDPOINT_URL={url}\nAWS_ALLOW_HTTP=true\n")
        status, out, _ = await told(discord, tmp_path, "doctor", STORE_URL=None)
    (bad,) = [line for line in out.splitlines() if line.startswith("BAD")]
    assert status == os.EX_CONFIG
    assert bad.startswith("BAD  store     The store refuses what the settings say (")
    assert bad.endswith("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what the key may.")
    assert "5ec4e7" not in out


@pytest.mark.long
@pytest.mark.parametrize("wrong", ["key", "bucket"])
@pytest.mark.parametrize("words", [("bot",), ("worker", "--device", "cpu")], ids=["bot", "worker"])
async def test_a_store_that_refuses_key_or_bucket_ends_whoever_needs_it_as_a_wrong_setting(
    words: tuple[str, ...], wrong: str, discord: Discord, tmp_path: Path, empty_redis_url: str
) -> None:
    async with s3("ANOTHER" if wrong == "key" else "AKIDEXAMPLE", "eu-north-7", secure=False) as (stand_in, url):
        stand_in.lacks_bucket = wrong == "bucket"
        (tmp_path / ".env").write_text(f"STORE_URL=s3://bucket\n{KEYS}AWS_ENDPOINT_URL={url}\nAWS_ALLOW_HTTP=true\n")
        status, out, err = await told(discord, tmp_path, *words, STORE_URL=None, REDIS_URL=empty_redis_url)
    assert (status, out) == (os.EX_CONFIG, "")
    assert err.splitlines()[-1].startswith("The store refuses what the settings say (")
    assert "5ec4e7" not in err

"""A setting that would be ignored, or taken for another, is named in a sentence before anything starts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bot.settings import BotSettings
from engine.contract.settings import Settings, SettingsError, read_settings, unread_names
from engine.contract.settings_file import OF_THE_BOT


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a `.env`, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("STORE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refused(**overrides: object) -> str:
    with pytest.raises(SettingsError) as error:
        read_settings(**overrides)
    return str(error.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/var/lib/impasto", "give a folder as file:///var/lib/impasto/store (three slashes)"),
        ("nonsense", "give a folder as file:///"),
        ("file://var/lib/impasto", "give a folder by its whole path, as in file:///"),
        ("file://./store", "give a folder by its whole path"),
        ("file:///~/store", "give a folder by its whole path"),
        ("file:///srv/store#1", "# and ? as %23 and %3F"),
        ("s3://AKIA5ec4e7:5ec4e75ec4e7@bucket/prefix", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"),
    ],
)
def test_an_address_of_a_store_that_would_be_another_is_refused(url: str, words: str) -> None:
    said = refused(store_url=url)
    assert said.startswith("The setting STORE_URL is not usable: ")
    assert words in said
    assert "5ec4e7" not in said


@pytest.mark.parametrize("url", ["file:///srv/my%20store", "s3://bucket/prefix", "memory:///"])
def test_an_address_of_a_store_is_taken_as_it_stands(url: str) -> None:
    assert read_settings(store_url=url).store == url


def test_a_name_that_nobody_reads_is_told_with_the_one_that_was_meant(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as environment:
        environment.setenv("IMPASTO_USERS_JOBS", "1")
        assert refused() == "There is no setting IMPASTO_USERS_JOBS: is IMPASTO_USER_JOBS meant?"
    for line, told in (
        (
            "IMPASTO_CACHE_FOLDER=/srv",
            "There is no setting IMPASTO_CACHE_FOLDER, which .env here has: .env.example has all.",
        ),
        ("REDIS_URI=redis://box", "There is no setting REDIS_URI, which .env here has: is REDIS_URL meant?"),
        ("DISCORD_TOKENS=x", "There is no setting DISCORD_TOKENS, which .env here has: is DISCORD_TOKEN meant?"),
    ):
        (room / ".env").write_text(f"{line}\n")
        assert refused() == told


def test_what_others_put_into_the_environment_is_none_of_ours(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "IMPASTO_REDIS_SERVICE_HOST", "IMPASTO_TEST_KEEP", "REDIS_URI", "STORE_URLS", "IMPASTO_IMAGE", "IMPASTO_STAGE",
        "IMPASTO_DATE", "IMPASTO_DATABASE",
    ):  # fmt: skip
        monkeypatch.setenv(name, "x")
    (room / ".env").write_text("COMPOSE_PROFILES=cpu\nIMPASTO_MAX_SIZE=512\nIMPASTO_USERS_JOBS=\nimpasto_user_jobs=4\n")
    assert read_settings().impasto_user_jobs == 4


def test_each_name_in_the_environment_that_may_be_a_misspelt_setting_is_told(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = {
        "IMPASTO_RETENTION_DAYS": "IMPASTO_KEEP_DAYS", "IMPASTO_KEEP": "IMPASTO_KEEP_DAYS", "IMPASTO_METRICS_PORT": "",
        "IMPASTO_PAGE_PORT": "IMPASTO_PAGE", "IMPASTO_REDIS_URL": "REDIS_URL", "IMPASTO_STORE_URL": "STORE_URL",
        "DISCORD_BOT_TOKEN": "DISCORD_TOKEN", "REDIS_URI": "REDIS_URL",
    }  # fmt: skip
    services = ("IMPASTO_SERVICE_HOST", "IMPASTO_PORT", "IMPASTO_BOT_SERVICE_HOST", "IMPASTO_BOT_SERVICE_PORT_HTTP",
                "IMPASTO_BOT_PORT_9464_TCP_ADDR")  # fmt: skip
    others = ("IMPASTO_USER_JOBS", "impasto_log", "STORE_URLS", "REDIS_HOST", "TOKEN")
    monkeypatch.setattr(os, "environ", dict.fromkeys((*meant, *services, *others), "1") | {"IMPASTO_EMPTY": ""})
    (room / ".env").write_text("STORE_URL=memory:///\n")
    told = [
        f"There is no setting {name}: {f'is {one} meant?' if one else '.env.example has all.'}"
        for name, one in meant.items()
    ]
    assert unread_names(BotSettings.model_fields) == told
    # What has nothing to do with Discord knows no token.
    assert unread_names() == [sentence for sentence in told if "DISCORD" not in sentence]


def test_the_bots_own_settings_are_known_to_all() -> None:
    assert set(OF_THE_BOT) == {name.upper() for name in BotSettings.model_fields.keys() - Settings.model_fields.keys()}


def test_every_setting_is_in_the_example() -> None:
    text = (Path(__file__).parents[3] / ".env.example").read_text()
    assert {name.upper() for name in BotSettings.model_fields} <= set(re.findall(r"^#([A-Z_]+)=", text, re.MULTILINE))


def test_what_libraries_read_from_the_environment_may_stand_in_the_file(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"AWS_REGION": "of the environment", "HOME": "/home/ada"})
    (room / ".env").write_text("AWS_REGION=of-the-file\nAWS_ACCESS_KEY_ID=5ec4e7\nSSL_CERT_FILE=/srv/ca.pem\nPATH=/x\n")
    read_settings()
    found = {"AWS_ACCESS_KEY_ID": "5ec4e7", "AWS_REGION": "of the environment", "SSL_CERT_FILE": "/srv/ca.pem"}
    assert os.environ == found | {"HOME": "/home/ada"}


def test_a_home_is_found_for_a_folder_that_begins_with_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    found = read_settings(impasto_data="~/data", impasto_cache="~/cache", impasto_weights="~/vgg.pth")
    assert (str(found.impasto_data), found.impasto_weights) == ("/home/ada/data", "/home/ada/vgg.pth")
    assert found.impasto_cache == Path("/home/ada/cache")
    assert "nobody knows the folder" in refused(impasto_data="~nobody-of-that-name/data")


def test_a_data_folder_that_cannot_be_written_in_is_a_sentence(room: Path) -> None:
    (room / "file").write_text("in the way")
    for folder in (room / "file", room / "file" / "data", Path("/proc/data")):
        with pytest.raises(SettingsError, match=r"^The data folder .* cannot be used \(.*\): set IMPASTO_DATA to one"):
            read_settings(impasto_data=folder).data_folder()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("off", None),
        ("9464", ("127.0.0.1", 9464)),
        ("10.1.2.3:9464", ("10.1.2.3", 9464)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_health_and_metrics_are_of_this_machine_alone_unless_it_is_said(
    text: str, address: tuple[str, int] | None
) -> None:
    assert read_settings().monitoring_address is None
    assert read_settings(impasto_monitoring=text).monitoring_address == address


@pytest.mark.parametrize("text", ["on", "here:", "70000", "::1:9464"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    assert refused(impasto_monitoring=text).startswith(
        "The setting IMPASTO_MONITORING is not usable: give a port (9464)"
    )

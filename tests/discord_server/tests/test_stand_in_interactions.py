"""Interactions: three seconds, one response, fifteen minutes, and who sees what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from discord_server.driver import Discord, Impossible, Interaction, NotAnswered, Person
from discord_server.places import Channel, Guild
from discord_server.tests.raw import Answer, Json, Raw

EPHEMERAL, V2 = 64, 1 << 15
COMMANDS: list[Json] = [
    {"name": "go", "description": "Goes", "integration_types": [0, 1], "contexts": [0, 1, 2]},
    {
        "name": "pick",
        "description": "Picks",
        "options": [{"type": 3, "name": "of", "description": "x", "autocomplete": True}],
    },
    {"name": "mods", "description": "For moderators", "default_member_permissions": str(1 << 13)},
    {"name": "Look", "type": 3},
    {"name": "Who", "type": 2},
]


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", COMMANDS)
        yield discord


async def respond(discord: Discord, i: Interaction, body: Json, files: Mapping[str, bytes] | None = None) -> Answer:
    path = f"/interactions/{i.id}/{i.payload['token']}/callback?with_response=1"
    return await Raw(discord)("POST", path, body, files)


def hook(discord: Discord, i: Interaction) -> str:
    return f"/webhooks/{discord.application_id}/{i.payload['token']}"


async def test_one_response_only(discord: Discord, channel: Channel, ada: Person) -> None:
    i = await ada.slash(channel, "go")
    answer = await respond(discord, i, {"type": 4, "data": {"content": "hi"}})
    assert answer.body["resource"]["message"]["content"] == "hi"
    assert answer.body["interaction"]["response_message_id"] == answer.body["resource"]["message"]["id"]
    again = await respond(discord, i, {"type": 4, "data": {"content": "hi"}})
    assert (again.status, again.code) == (400, 40060)
    wrong = await Raw(discord)("POST", f"/interactions/{i.id}/token/callback", {"type": 5})
    assert (wrong.status, wrong.code) == (404, 10062)
    assert [one["code"] for one in discord.world.refusals] == [40060, 10062]


async def test_after_three_seconds_the_token_is_void(discord: Discord, channel: Channel, ada: Person) -> None:
    i = await ada.slash(channel, "go")
    with pytest.raises(NotAnswered, match="did not respond"):
        await i.answered()
    late = await respond(discord, i, {"type": 5})
    assert (late.status, late.code) == (404, 10062)
    assert (await Raw(discord)("POST", hook(discord, i), {"content": "hi"})).code == 10015


@pytest.mark.parametrize(
    "body",
    [
        {"type": 6},
        {"type": 7, "data": {"content": "hi"}},
        {"type": 8, "data": {"choices": []}},
        {"type": 5, "data": {"flags": V2}},
        {"type": 5, "data": {"content": "hi"}},
        {"type": 4, "data": {"content": "x" * 2001}},
        {"type": 4, "data": {"flags": V2, "components": []}},
        {"type": 9, "data": {"custom_id": "a", "title": "x" * 46, "components": []}},
    ],
)
async def test_a_response_that_does_not_fit(discord: Discord, channel: Channel, ada: Person, body: Json) -> None:
    i = await ada.slash(channel, "go")
    assert (await respond(discord, i, body)).status == 400
    assert discord.world.violations
    assert i.response is None
    assert (await respond(discord, i, {"type": 5})).status == 200


async def test_deferred_then_edited(discord: Discord, channel: Channel, ada: Person) -> None:
    raw, i = Raw(discord), await ada.slash(channel, "go")
    deferred = await respond(discord, i, {"type": 5, "data": {"flags": EPHEMERAL}})
    # Of the message that is still to come there is an id, and nothing else.
    assert deferred.body.keys() == {"interaction"}
    assert deferred.body["interaction"]["response_message_loading"]
    assert deferred.body["interaction"]["response_message_loading"]
    assert deferred.body["interaction"]["response_message_ephemeral"]
    path = hook(discord, i) + "/messages/@original"
    edited = await raw("PATCH", path, {"flags": V2, "components": [{"type": 10, "content": "done"}]})
    assert edited.body["flags"] == EPHEMERAL | V2
    assert edited.body["edited_timestamp"] is None
    assert (await i.shown())["id"] == edited.body["id"]
    assert discord.world.messages(channel) == []
    assert len(discord.world.messages(channel, ada)) == 1
    by_token = await raw("GET", f"/channels/{channel.id}/messages/{edited.body['id']}")
    assert by_token.code == 10008
    assert (await raw("GET", path)).body["id"] == edited.body["id"]
    assert (await raw("DELETE", path)).status == 204
    assert (await raw("PATCH", path, {"content": "x"})).code == 10008


async def test_the_first_follow_up_takes_a_deferred_ones_place(discord: Discord, channel: Channel, ada: Person) -> None:
    raw, i = Raw(discord), await ada.slash(channel, "go")
    await respond(discord, i, {"type": 5})
    first = await raw("POST", hook(discord, i), {"content": "one", "flags": EPHEMERAL})
    second = await raw("POST", hook(discord, i), {"content": "two"})
    assert [one["content"] for one in i.messages()] == ["one", "two"]
    assert not first.body["flags"] & EPHEMERAL
    edited = await raw("PATCH", f"{hook(discord, i)}/messages/{second.body['id']}", {"content": "zwei"})
    assert edited.body["content"] == "zwei"
    assert discord.world.violations == []


async def test_a_token_lives_fifteen_minutes(discord: Discord, channel: Channel, ada: Person) -> None:
    raw, i = Raw(discord), await ada.slash(channel, "go")
    await respond(discord, i, {"type": 4, "data": {"content": "hi"}})
    await discord.turn_clock(901)
    late = await raw("PATCH", hook(discord, i) + "/messages/@original", {"content": "late"})
    assert (late.status, late.code) == (401, 50027)
    assert discord.world.counts["invalid_requests"] == 1


async def test_a_user_install_has_five_follow_ups(discord: Discord) -> None:
    raw = Raw(discord)
    zoe = await discord.user("Zoe", installed=True)
    elsewhere = await discord.guild("Elsewhere", bot=False)
    channel = await elsewhere.channel("general")
    await elsewhere.add(zoe)
    i = await zoe.slash(channel, "go")
    await respond(discord, i, {"type": 4, "data": {"content": "hi"}})
    assert i.response is not None
    assert not i.response.ephemeral
    answers = [await raw("POST", hook(discord, i), {"content": str(number)}) for number in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [400]
    assert answers[-1].code == 40094
    assert (await raw("POST", f"/channels/{channel.id}/messages", {"content": "x"})).code == 50001
    await elsewhere.everyone_permissions({"view_channel", "use_application_commands"})
    i = await zoe.slash(channel, "go")
    await respond(discord, i, {"type": 4, "data": {"content": "hi"}})
    assert i.response is not None
    assert i.response.ephemeral


async def test_a_button_can_change_its_message(discord: Discord, channel: Channel, ada: Person) -> None:
    button: Json = {"type": 2, "style": 1, "label": "More", "custom_id": "more"}
    select: Json = {"type": 3, "custom_id": "s", "options": [{"label": "Fine", "value": "f"}]}
    rows: list[Json] = [{"type": 1, "components": [button]}, {"type": 1, "components": [select]}]
    sent = (await Raw(discord)("POST", f"/channels/{channel.id}/messages", {"content": "a", "components": rows})).body
    i = await ada.press(sent, "More")
    assert i.payload["data"] == {"custom_id": "more", "component_type": 2, "id": 2}
    assert i.payload["message"]["id"] == sent["id"]
    await respond(discord, i, {"type": 7, "data": {"content": "b", "components": rows}})
    assert discord.world.message(sent)["content"] == "b"
    j = await ada.choose(sent, "Fine")
    assert j.payload["data"]["values"] == ["f"]
    await respond(discord, j, {"type": 6})
    await Raw(discord)("PATCH", hook(discord, j) + "/messages/@original", {"content": "c", "components": []})
    assert discord.world.message(sent)["content"] == "c"
    with pytest.raises(Impossible, match="has 0 of 'More'"):
        await ada.press(sent, "More")
    rows[0]["components"][0]["disabled"] = True
    await Raw(discord)("PATCH", f"/channels/{channel.id}/messages/{sent['id']}", {"components": rows})
    with pytest.raises(Impossible, match="disabled"):
        await ada.press(sent, "More")
    assert discord.world.violations == []


async def test_autocomplete_offers_25_choices(discord: Discord, channel: Channel, ada: Person) -> None:
    born = await discord._link.call(
        "autocomplete", user=ada.id, channel=channel.id, name="pick", option="of", typed="a"
    )
    i = Interaction(discord._link, born)
    choices = [{"name": str(number), "value": str(number)} for number in range(26)]
    assert (await respond(discord, i, {"type": 8, "data": {"choices": choices}})).code == 50035
    assert (await respond(discord, i, {"type": 8, "data": {"choices": choices[1:]}})).status == 200
    assert i.choices == choices[1:]


async def test_context_menus(discord: Discord, channel: Channel, ada: Person) -> None:
    bob = await discord.user("Bob")
    said = await ada.post(channel, "hello")
    i = await ada.menu(channel, said, "Look")
    assert i.payload["data"]["resolved"]["messages"][said["id"]]["content"] == "hello"
    assert (await ada.menu(channel, bob, "Who")).payload["data"]["target_id"] == bob.id


async def test_whom_a_command_is_offered(discord: Discord, channel: Channel, ada: Person) -> None:
    with pytest.raises(Impossible, match="hidden"):
        await ada.slash(channel, "mods")
    with pytest.raises(Impossible, match="not installed"):
        await ada.slash(await discord.group("pals", ada), "go")
    with pytest.raises(Impossible, match="does not see"):
        await (await discord.user("Stranger")).slash(channel, "go")


async def test_what_the_bot_is_told(guild: Guild, channel: Channel, ada: Person) -> None:
    payload = (await ada.slash(channel, "go")).payload
    assert payload["attachment_size_limit"] == 10 * 1024 * 1024
    assert payload["authorizing_integration_owners"] == {"0": guild.id}
    assert int(payload["app_permissions"]) & int(payload["member"]["permissions"]) & (1 << 11)
    await channel.deny("attach_files")
    assert not int((await ada.slash(channel, "go")).payload["app_permissions"]) & (1 << 15)
    in_dm = (await ada.slash(await ada.dm(), "go")).payload
    assert "guild_id" not in in_dm
    assert in_dm["user"]["id"] == ada.id
    assert "recipients" not in in_dm["channel"]
    assert in_dm["authorizing_integration_owners"] == {"0": "0"}


async def test_uploads_of_an_option_expire(discord: Discord, channel: Channel, ada: Person) -> None:
    command = {"name": "take", "description": "x", "options": [{"type": 11, "name": "file", "description": "x"}]}
    await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", [command])
    i = await ada.slash(channel, "take", file=("a.txt", b"text"))
    [file] = i.payload["data"]["resolved"]["attachments"].values()
    assert file["ephemeral"]
    assert await discord.download(file["url"]) == b"text"
    await discord.turn_clock(901)
    with pytest.raises(ConnectionError, match="404"):
        await discord.download(file["url"])


async def test_files_in_a_response_have_the_interactions_own_limit(
    discord: Discord, guild: Guild, channel: Channel
) -> None:
    size = 11 * 1024 * 1024
    rich, poor = await discord.user("Rich", upload_limit=50 * 1024 * 1024), await discord.user("Poor")
    for person, status in ((rich, 200), (poor, 413)):
        await guild.add(person)
        i = await person.slash(channel, "go")
        data = {"attachments": [{"id": 0, "description": "zeros"}]}
        answer = await respond(discord, i, {"type": 4, "data": data}, {"a.bin": bytes(size)})
        assert answer.status == status
    assert discord.world.messages(channel)[0]["attachments"][0]["description"] == "zeros"
    assert discord.world.violations == []

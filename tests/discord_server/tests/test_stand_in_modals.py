"""Modals: what the bot may ask for, and what a person may fill in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from discord_server.driver import Discord, Impossible, Interaction, Person
from discord_server.tests.raw import Answer, Json, Raw

OPTIONS = [{"label": "Fine", "value": "f"}, {"label": "Classic", "value": "c"}]


def label(name: str, **component: object) -> Json:
    return {"type": 18, "label": name, "component": component}


FIELDS = [
    label("Style", type=19, custom_id="style", max_values=2),
    label("Note", type=4, custom_id="note", style=1, required=False, max_length=5),
    label("Recipe", type=21, custom_id="recipe", options=OPTIONS),
    label("Size", type=3, custom_id="size", options=OPTIONS, required=False),
    label("Mentor", type=5, custom_id="mentor", required=False),
]


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.start(scale=100, inside=True) as discord:
        command = {"name": "go", "description": "x", "contexts": [0, 1], "integration_types": [0, 1]}
        await Raw(discord)("PUT", f"/applications/{discord.application_id}/commands", [command])
        yield discord


async def ask(discord: Discord, ada: Person, *components: Json, **more: object) -> tuple[Interaction, Answer]:
    i = await ada.slash(await ada.dm(), "go")
    data = {"custom_id": "form", "title": "A form", "components": list(components), **more}
    answer = await Raw(discord)(
        "POST", f"/interactions/{i.id}/{i.payload['token']}/callback", {"type": 9, "data": data}
    )
    return i, answer


@pytest.mark.parametrize(
    "components",
    [
        [],
        FIELDS + FIELDS[:1],
        [FIELDS[0], FIELDS[0]],
        [label("x" * 46, type=4, custom_id="a", style=1)],
        [label("a", type=4, custom_id="", style=1)],
        [label("a", type=4, custom_id="a", style=3)],
        [label("a", type=21, custom_id="a", options=OPTIONS[:1])],
        [label("a", type=19, custom_id="a", max_values=11)],
        [label("a", type=2, custom_id="a", style=1, label="a")],
        [{"type": 19, "custom_id": "a"}],
    ],
)
async def test_a_modal_that_is_refused(discord: Discord, components: list[Json]) -> None:
    ada = await discord.user("Ada", installed=True)
    i, answer = await ask(discord, ada, *components)
    assert answer.code == 50035
    with pytest.raises(KeyError):
        i.modal  # noqa: B018 - a property


async def test_a_modal_filled_in(discord: Discord) -> None:
    ada = await discord.user("Ada", installed=True)
    i, answer = await ask(discord, ada, *FIELDS)
    assert answer.status == 204
    values = {"Style": [("a.png", b"a"), ("b.png", b"b")], "recipe": "Classic", "note": "hello", "Mentor": ada}
    data = (await ada.submit(i.modal, values)).payload["data"]
    given = {one["component"]["custom_id"]: one["component"] for one in data["components"]}
    assert data["custom_id"] == "form"
    assert [data["resolved"]["attachments"][key]["filename"] for key in given["style"]["values"]] == ["a.png", "b.png"]
    assert (given["note"]["value"], given["recipe"]["value"], given["size"]["values"]) == ("hello", "c", [])
    assert given["mentor"]["values"] == [ada.id]
    assert data["resolved"]["users"].keys() == {ada.id}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Style": []}, "takes 1 to 2 values"),
        ({"Recipe": "Coarse"}, "no options"),
        ({"Note": "too long"}, "does not take a text"),
        ({"Colour": "red"}, "no field 'Colour'"),
    ],
)
async def test_what_cannot_be_filled_in(discord: Discord, more: Json, message: str) -> None:
    ada = await discord.user("Ada", installed=True)
    i, _ = await ask(discord, ada, *FIELDS)
    with pytest.raises(Impossible, match=message):
        await ada.submit(i.modal, {"Style": ("a.png", b"a"), "Recipe": "Fine", **more})


async def test_nobody_else_has_it_open(discord: Discord) -> None:
    ada, bob = await discord.user("Ada", installed=True), await discord.user("Bob", installed=True)
    i, _ = await ask(discord, ada, FIELDS[1])
    with pytest.raises(Impossible, match="no such modal"):
        await bob.submit(i.modal, {})

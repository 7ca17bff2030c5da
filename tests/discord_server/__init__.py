"""A stand-in for Discord, at the level of the wire: REST, gateway and files on one local port, with Discord's rules.

The bot runs against it unchanged, with the discord.py that it always uses; a test moves the people and the faults:

    from discord_server.driver import Discord

    async with Discord.start() as discord:                   # a process of its own, ended with the block
        guild = await discord.guild("Studio", boost=0)        # the bot is in it
        channel = await guild.channel("paintings")            # kind="text" | "voice" | "announcement" | "forum"
        ada = await guild.member("Ada")                       # permissions={"manage_messages"} adds to @everyone's
        zoe = await discord.user("Zoe", installed=True)       # in no guild; has installed the bot for herself

        bot = subprocess.Popen(discord.bot_command("bot"))    # `impasto bot` against this server
        await discord.until(lambda world: world.commands)     # a look at the world, each time something changes

        i = await ada.slash(channel, "stylize", content=Path("cat.png"), style=("s.png", png), recipe="fine")
        response = await i.answered()                         # raises NotAnswered after the 3 seconds
        assert response.type == 5 and not response.ephemeral and i.latency_s < 1
        card = await i.shown()                                # what the bot made of "is thinking ..."

        thread = await discord.until(lambda world: world.threads(channel)[0])
        await discord.until(lambda world: len(world.messages(thread)) == 3)
        j = await ada.press(card, "Cancel")                   # by label or custom_id; also ada.choose for a select
        k = await ada.menu(channel, card, "Stylize this")
        await k.answered()
        await ada.submit(k.modal, {"Style": ("style.png", png), "recipe": "fine"})     # by label or custom_id

        await discord.fault("POST /channels/*/messages", status=503, times=2)
        await discord.turn_clock(3600)
        await discord.gateway("drop")
        await discord.channel(thread).archive()
        assert not discord.world.violations                   # nothing was asked that no correct client would ask

`world` (`await discord.now()` for the very latest) gives messages, threads, channels, interactions, commands, counts,
pings, requests, refusals (the errors that a correct client may meet: 403, 404, 413 ...) and violations (those that it
may not). Messages and channels are dicts as Discord's API has them; as there, a message's `attachments` leave out what
its components or embeds show. `discord_server.message_text` finds a message's text, files and buttons.

What a person could not do in Discord's client raises Impossible. Discord's OpenAPI description, where it is at hand
(DISCORD_OPENAPI, or ../shared/data/discord-openapi.json), checks each body too; without it the server says so once.
`python -m discord_server --port 8100` (PYTHONPATH=tests) runs the server by hand.
"""

import sys

# With it, jsonschema builds a grammar of addresses as it is imported: a second, for formats that nobody checks here.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

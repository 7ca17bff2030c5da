"""`/queue`: what runs and what waits."""

from __future__ import annotations

import time
from itertools import accumulate

from discord import app_commands

from bot.backend import Backend
from bot.client import Interaction
from bot.commands.contexts import usable_everywhere
from bot.interactions.permissions import may_see
from bot.interactions.replies import reply_private
from bot.post_ledger import LedgerPage
from bot.text.formatting import count, duration, joined, relative
from bot.text.sanitise import safe
from bot.text.translation import _, ngettext
from engine.contract import workers
from engine.contract.models import JobState, Standing
from engine.forecast import Forecast, forecast

_SHOWN = 15
_MOST = 1850  # characters; of Discord's 2,000 the rest is for the first line and the last


@app_commands.command()
@usable_everywhere
async def queue(interaction: Interaction) -> None:
    """What runs and what waits in this server, and when mine will be done."""
    services = interaction.client.services
    async with services.deferred.acknowledged(interaction):
        await reply_private(interaction, await queue_text(services.backend, interaction))


async def queue_text(backend: Backend, interaction: Interaction) -> str:
    """The queue as this member sees it there: of other servers and hidden channels only how much there is."""
    standings, forecasts = await backend.jobs.standing(), await forecast(backend.redis)
    user, guild = str(interaction.user.id), str(interaction.guild_id)
    near = [s for s in standings if guild == s.job.guild or user == s.job.user]
    pages = await backend.ledger.pages(*(s.job.id for s in near))
    here = [s for s in near if user == s.job.user or _to_be_seen(interaction, pages[s.job.id])]
    here.sort(key=lambda s: (s.state is not JobState.PAINTING, _done(forecasts.get(s.job.id)), s.job.created))
    painters = len(await workers.living(backend.redis))
    under_way, workers_there = count(len(standings), "painting"), count(painters, "worker")
    head = _("{paintings} under way in all, {workers} painting.", paintings=under_way, workers=workers_there)
    if not painters:
        head = _("{paintings} under way in all; no worker is there at the moment.", paintings=under_way)
    if not here:
        return head + "\n" + _("None of them is from here.")
    lines = [_line(s, pages[s.job.id], forecasts.get(s.job.id), user) for s in here[:_SHOWN]]
    return "\n".join([head, *_fitting(lines, len(here))])


def _fitting(lines: list[str], total: int) -> list[str]:
    """As many lines as one message holds, then how many more there are."""
    shown = [line for line, end in zip(lines, accumulate(len(line) + 1 for line in lines), strict=True) if end < _MOST]
    return [*shown, "-# " + _("and {n:,} more", n=total - len(shown))] if len(shown) < total else shown


def _to_be_seen(interaction: Interaction, page: LedgerPage | None) -> bool:
    return page is not None and any(may_see(interaction, channel) for channel in page.shown)


def _line(standing: Standing, page: LedgerPage | None, forecast: Forecast | None, user: str) -> str:
    name = f"`{standing.job.id}`"
    if page:
        title = safe(page.shown_title, 60)
        name = f"[{title}]({page.link})" if page.link else title
    whose = _("**yours**") if standing.job.user == user else f"<@{standing.job.user}>"
    return f"- {name} · {whose} · {joined([_state(standing), *_when(forecast)])}"


def _state(standing: Standing) -> str:
    if standing.state is JobState.PAINTING:
        return _("painting, {share:.0%}", share=standing.iteration / standing.job.iterations)
    return _("waiting")


def _when(forecast: Forecast | None) -> list[str]:
    if forecast is None:
        return []
    told = []
    if forecast.ahead:
        told.append(ngettext("{n:,} painting before it", "{n:,} paintings before it", forecast.ahead))
    if forecast.done is not None and forecast.wait and forecast.wait >= 60:
        told.append(_("starts in {duration}", duration=duration(forecast.wait)))
    if forecast.done is not None:
        told.append(_("done {when}", when=relative(time.time() + forecast.done)))
    return told


def _done(forecast: Forecast | None) -> float:
    return float("inf") if forecast is None or forecast.done is None else forecast.done

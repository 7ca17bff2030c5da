"""The buttons under cards and pictures: they hold the job's id, so they work for ever, after any restart.

Views hold dynamic items alone, never time out, and are made anew for each message: otherwise discord.py would forget
the whole class when one of them ends.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import discord
import structlog
from discord import ui

from bot.interactions.replies import tell_error
from engine.contract.models import JobState

_log = structlog.get_logger(__name__)


class Act(StrEnum):
    """What a button does; the value is part of messages that stay for years, so it must never change."""

    CANCEL = "cancel"
    CONTINUE = "continue"
    AGAIN = "again"
    SWAP = "swap"
    STRONGER = "stronger"
    WEAKER = "weaker"
    LARGER = "larger"
    FINISH = "finish"
    FROM_HERE = "from"


_LABELS = {
    Act.CANCEL: "Cancel",
    Act.CONTINUE: "Continue",
    Act.AGAIN: "Again",
    Act.SWAP: "Swap",
    Act.STRONGER: "Stronger",
    Act.WEAKER: "Weaker",
    Act.LARGER: "Larger",
    Act.FINISH: "Finish",
    Act.FROM_HERE: "From here",
}
_STYLES = {
    Act.CANCEL: discord.ButtonStyle.danger,
    Act.CONTINUE: discord.ButtonStyle.primary,
    Act.FINISH: discord.ButtonStyle.primary,
}


_TEMPLATE = re.compile(
    rf"impasto:(?P<act>{'|'.join(Act)}):(?P<job>[0-9A-Za-z]{{1,40}})(?::(?P<iteration>[0-9]{{1,6}}))?"
)


class JobButton(ui.DynamicItem[ui.Button[Any]], template=_TEMPLATE):
    """`impasto:<act>:<job>[:<iteration>]`."""

    def __init__(self, act: Act, job: str, iteration: int | None = None) -> None:
        custom_id = f"impasto:{act}:{job}" + (f":{iteration}" if iteration is not None else "")
        style = _STYLES.get(act, discord.ButtonStyle.secondary)
        super().__init__(ui.Button(label=_LABELS[act], style=style, custom_id=custom_id))
        self.act, self.job, self.iteration = act, job, iteration

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> JobButton:
        """The button that was pressed."""
        iteration = match["iteration"]
        return cls(Act(match["act"]), match["job"], None if iteration is None else int(iteration))

    @staticmethod
    def knows(custom_id: str) -> bool:
        """Whether a press of it comes here."""
        return _TEMPLATE.fullmatch(custom_id) is not None

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it; discord.py would swallow what goes wrong here."""
        if not interaction.client.once.first(interaction.id):
            return
        try:
            await interaction.client.presses.press(interaction, self.act, self.job, self.iteration)
        except Exception as error:
            await tell_error(interaction, error, job=self.job)


def card_buttons(job: str, state: JobState, *, draft: bool = False) -> list[JobButton]:
    """The row under a card; a draft is not gone on with, but finished."""
    children = [JobButton(act, job) for act in (Act.AGAIN, Act.SWAP, Act.STRONGER, Act.WEAKER)]
    if state in (JobState.QUEUED, JobState.PAINTING):
        return [JobButton(Act.CANCEL, job), *children]
    if draft and state is JobState.DONE:
        return [JobButton(Act.FINISH, job), *children]
    if state in (JobState.DONE, JobState.CANCELLED):
        return [JobButton(Act.CONTINUE, job), *children]
    return children


def picture_buttons(job: str, iteration: int, *, last: bool, draft: bool = False) -> ui.View:
    """The row under a picture in the thread; under the last one all that one can do with a finished painting."""
    view = ui.View(timeout=None)
    whole = card_buttons(job, JobState.DONE, draft=draft) + ([] if draft else [JobButton(Act.LARGER, job)])
    for button in whole if last else [JobButton(Act.FROM_HERE, job, iteration)]:
        view.add_item(button)
    return view

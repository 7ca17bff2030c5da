"""The buttons under cards and pictures: they hold the job's id, so they work for ever, after any restart.

Views hold dynamic items alone, never time out, and are made anew for each message: otherwise discord.py would forget
the whole class when one of them ends.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import discord
from discord import ui

from bot.text.translation import N_, _
from engine.contract.models import JobState


class Action(StrEnum):
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
    CODE = "code"
    SHARE = "share"
    FILM = "film"
    SAVE = "save"


STUDY_ACTIONS = (Action.CANCEL, Action.CONTINUE, Action.AGAIN)
"""What one can do with a study as a whole; from each of its pictures one goes on as from a snapshot."""

_LABELS = {
    Action.CANCEL: N_("Cancel"),
    Action.CONTINUE: N_("Continue"),
    Action.AGAIN: N_("Again"),
    Action.SWAP: N_("Swap"),
    Action.STRONGER: N_("Stronger"),
    Action.WEAKER: N_("Weaker"),
    Action.LARGER: N_("Larger"),
    Action.FINISH: N_("Finish"),
    Action.FROM_HERE: N_("From here"),
    Action.CODE: N_("Recipe code"),
    Action.SHARE: N_("Before and after"),
    Action.FILM: N_("Short film"),
    Action.SAVE: N_("Save as style"),
}
_STYLES = {
    Action.CANCEL: discord.ButtonStyle.danger,
    Action.CONTINUE: discord.ButtonStyle.primary,
    Action.FINISH: discord.ButtonStyle.primary,
}


_TEMPLATE = re.compile(
    rf"impasto:(?P<act>{'|'.join(Action)}):(?P<job>[0-9A-Za-z]{{1,40}})(?::(?P<iteration>[0-9]{{1,6}})|(?P<anew>:anew))?"
)


class JobButton(ui.DynamicItem[ui.Button[Any]], template=_TEMPLATE):
    """`impasto:<act>:<job>[:<iteration>]`, or `impasto:<act>:<job>:anew` on a card that was posted anew."""

    def __init__(self, action: Action, job: str, iteration: int | None = None, *, anew: bool = False) -> None:
        custom_id = f"impasto:{action}:{job}" + (f":{iteration}" if iteration is not None else ":anew" * anew)
        style = _STYLES.get(action, discord.ButtonStyle.secondary)
        super().__init__(ui.Button(label=_(_LABELS[action]), style=style, custom_id=custom_id))
        self.action, self.job, self.iteration = action, job, iteration

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> JobButton:
        """The button that was pressed."""
        iteration = match["iteration"]
        anew = match["anew"] is not None
        return cls(Action(match["act"]), match["job"], None if iteration is None else int(iteration), anew=anew)

    @staticmethod
    def knows(custom_id: str) -> bool:
        """Whether presses of a button with this custom id come here."""
        return _TEMPLATE.fullmatch(custom_id) is not None

    async def callback(self, interaction: discord.Interaction) -> None:
        """Tell the client, as `on_job_button`: what a button does, a card need not know."""
        interaction.client.dispatch("job_button", interaction, self)


def study_buttons(job: str, state: JobState) -> list[JobButton]:
    """The row under a study's card."""
    first = {JobState.QUEUED: Action.CANCEL, JobState.PAINTING: Action.CANCEL, JobState.CANCELLED: Action.CONTINUE}
    return [JobButton(action, job) for action in (*filter(None, [first.get(state)]), Action.AGAIN)]


def study_view(job: str, state: JobState) -> ui.View:
    """The row of buttons under a study's sheet, or under what there was when the study was stopped."""
    view = ui.View(timeout=None)
    for button in study_buttons(job, state):
        view.add_item(button)
    return view


def card_buttons(job: str, state: JobState, *, draft: bool = False) -> list[JobButton]:
    """The row under a card; a draft is not gone on with, but finished."""
    children = [JobButton(action, job) for action in (Action.AGAIN, Action.SWAP, Action.STRONGER, Action.WEAKER)]
    if state in (JobState.QUEUED, JobState.PAINTING):
        return [JobButton(Action.CANCEL, job), *children]
    if draft and state is JobState.DONE:
        return [JobButton(Action.FINISH, job), *children]
    if state in (JobState.DONE, JobState.CANCELLED):
        return [JobButton(Action.CONTINUE, job), *children]
    return children


def failed_buttons(job: str, iteration: int) -> ui.View:
    """What one can do with a painting that failed, under the message that says so."""
    view = ui.View(timeout=None)
    view.add_item(JobButton(Action.AGAIN, job, iteration))
    return view


def sharing_buttons(job: str) -> list[JobButton]:
    """What one can pass on of a finished painting, and keep for others."""
    return [JobButton(action, job) for action in (Action.SHARE, Action.FILM, *_OF_ANY)]


_OF_ANY = (Action.CODE, Action.SAVE)
"""What one can pass on, and keep, of a painting that was stopped too."""


def picture_buttons(
    job: str, iteration: int, *, last: bool, draft: bool = False, state: JobState = JobState.DONE
) -> ui.View:
    """The row under a picture in the thread; under the last one all that one can do with a painting that has ended."""
    view = ui.View(timeout=None)
    whole = card_buttons(job, JobState.DONE, draft=draft)
    if not draft and state is JobState.DONE:
        whole += [JobButton(Action.LARGER, job), *sharing_buttons(job)]
    elif not draft:
        whole += [JobButton(action, job) for action in _OF_ANY]
    for button in whole if last else [JobButton(Action.FROM_HERE, job, iteration)]:
        view.add_item(button)
    return view

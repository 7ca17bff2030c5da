"""What can be pressed or chosen from: rows of buttons, and selects."""

from __future__ import annotations

from discord_server.page.icons import icon
from discord_server.page.inline import emoji
from discord_server.page.markup import Html, tag
from discord_server.page.view import Json, View

_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
BUTTON, SELECTS = 2, {3: "Select an option", 5: "Select a user", 6: "Select a role", 7: "Select", 8: "Select a channel"}


def action_row(row: Json, view: View) -> Html:
    """A row of buttons, or a select over the whole width."""
    children = row["components"]
    return tag("div", *(button(c, view) if c["type"] == BUTTON else _select(c, view) for c in children), cls="controls")


def button(button: Json, view: View) -> Html:
    """A button in the colour of its style."""
    style, label = _STYLES[button["style"]], button.get("label")
    content = (
        _emoji(button["emoji"], view) if button.get("emoji") else None,
        tag("span", label) if label else None,
        icon("outside") if style == "link" else None,
    )
    disabled = bool(button.get("disabled"))
    if style == "link":
        return tag("a", *content, cls="button link", href=button["url"], aria_disabled="true" if disabled else None)
    return tag("button", *content, cls=f"button {style}", type="button", disabled=disabled)


def _emoji(given: Json, view: View) -> Html | None:
    if not given.get("id"):
        return emoji(given["name"])
    source = view.cdn(f"emojis/{given['id']}.webp")
    return tag("img", src=source, alt=given["name"], cls="emoji") if source else None


def _select(select: Json, view: View) -> Html:
    chosen = [option for option in select.get("options", ()) if option.get("default")]
    text: list[str | Html | None] = [select.get("placeholder") or SELECTS[select["type"]]]
    if chosen:
        text = [part for o in chosen for part in (_emoji(o["emoji"], view) if o.get("emoji") else None, o["label"])]
    if given := select.get("default_values"):
        text = [tag("span", _named(one, view), cls="chip") for one in given]
    state = ("chosen" if chosen or given else "", "disabled" if select.get("disabled") else "")
    return tag("div", tag("span", *text), icon("down"), cls=" ".join(filter(None, ("select", *state))))


def _named(one: Json, view: View) -> str:
    """What a select of people or places has chosen."""
    match one["type"]:
        case "user":
            return f"@{view.name_of(one['id'])}"
        case "channel":
            return f"#{view.channels.get(one['id'], 'unknown')}"
    return "@unknown-role"

"""The command `impasto`."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_type_hints

import click
from click.core import ParameterSource
from redis.exceptions import RedisError

from bot.intake import BadPicture
from bot.terminal.draft_folder import read_draft
from bot.terminal.dry_run import dry_run
from bot.terminal.output_folder import FolderError
from bot.terminal.paint import paint, resume
from bot.terminal.paint_arguments import PaintArguments, weights_asked
from bot.terminal.worker_process import WorkerError
from engine.contract.redis_check import RedisAway
from engine.contract.settings import Settings, SettingsError, read_settings
from engine.contract.settings_file import to_environment
from engine.contract.store import StoreError
from engine.process.exit import exit_now
from engine.process.local_redis import EmbeddedError
from engine.process.logs import log_to
from engine.process.redaction import redact
from engine.recipe.presets import AUTO, EVERY, PRESETS
from engine.recipe.recipe import Recipe, RecipeError

if TYPE_CHECKING:
    from bot.settings import BotSettings

_ONE_SENTENCE = (
    BadPicture, EmbeddedError, FolderError, RecipeError, RedisAway, SettingsError, StoreError, WorkerError
)  # fmt: skip

_NOT_SET = (
    "name",
    "version",
    "weights",
    "network",
    "frames",
)  # of the fields: they follow from options, or are the library's


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="impasto", message="%(version)s")
def cli() -> None:
    """Paint one picture in the style of another."""


def _numbers(kind: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    def parse(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...] | None:
        try:
            return None if text is None else tuple(kind(part) for part in text.split(",") if part.strip())
        except ValueError:
            raise click.BadParameter(f"{text} is not a list of numbers like 1,2,3.", param=parameter) from None

    return parse


def _snapshot(text: str) -> int | str:
    words = text.strip()
    return words if words == AUTO or words.startswith(EVERY) else int(words)


_ORIGINAL = "original"
_STARTS = ("patches", "content", "style", "noise", "statistics")


def _size(_: click.Context, parameter: click.Parameter, text: str | None) -> int | str | None:
    if text is None or text == _ORIGINAL:
        return text
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"{text} is neither a number nor {_ORIGINAL}.", param=parameter) from None


def _start(_: click.Context, parameter: click.Parameter, text: str | None) -> str | Path | None:
    if text is None or text in _STARTS:
        return text
    if not Path(text).exists():
        raise click.BadParameter(f"{text} is neither a file nor one of {', '.join(_STARTS)}.", param=parameter)
    return Path(text)


@cli.command("paint")
@click.argument("pictures", nargs=-1, metavar="CONTENT STYLE [STYLE …]", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder to paint in.")
@click.option("--recipe", type=click.Choice(list(PRESETS)), default="fine", show_default=True)
@click.option("--iterations", type=int, help="How many; up to 99900.")
@click.option("--size", callback=_size, metavar="PX|original", help="Longest side; original: the content's own.")
@click.option(
    "--snapshots", callback=_numbers(_snapshot), metavar="N,N…",
    help="Iterations to keep, like 100,300,3300; auto: where it changes; every:50: each fiftieth.",
)  # fmt: skip
@click.option(
    "--start",
    callback=_start,
    metavar="|".join((*_STARTS, "FILE")),
    help="What to begin with; FILE: a picture of your own.",
)
@click.option("--noise", type=float, help="Share of noise in the start, 0 to 1.")
@click.option("--seed", type=int, help="The same seed gives the same picture.")
@click.option("--strength", type=float, help="Style over content: 2 doubles the style's weight.")
@click.option("--style-weights", callback=_numbers(float), help="Share of each style, like 2,1.")
@click.option(
    "--weights", metavar="auto|imagenet|starter|random|PATH",
    help="The network's weights.  [default: IMPASTO_WEIGHTS, else auto]",
)  # fmt: skip
@click.option(
    "--weights-input", type=click.Choice(["auto", "torchvision", "caffe"]),
    help="What a file's weights expect.  [default: IMPASTO_WEIGHTS_INPUT, else told from their numbers]",
)  # fmt: skip
@click.option(
    "--content-mask", "content_masks", multiple=True, type=click.Path(path_type=Path), metavar="PNG",
    help="Where a style applies (white); once for each style, in their order.",
)  # fmt: skip
@click.option(
    "--style-mask", "style_masks", multiple=True, type=click.Path(path_type=Path), metavar="PNG",
    help="Which part of a style counts (white); once for each style, in their order.",
)  # fmt: skip
@click.option("--still", is_flag=True, help="Of an animated CONTENT, or a folder of frames, paint only the first.")
@click.option(
    "--fps", type=click.IntRange(1, 50), default=12, show_default=True, help="Of a folder of frames, a second."
)  # fmt: skip
@click.option(
    "--device", metavar="auto|cpu|mps|cuda[:N]", help="Where to paint.  [default: IMPASTO_DEVICE, else auto]"
)  # fmt: skip
@click.option("--set", "settings_", multiple=True, metavar="FIELD=VALUE", help="Any field of the recipe.")
@click.option("--dry-run", "dry", is_flag=True, help="Print the full recipe, memory and time; paint nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per event.")
@click.option("--resume", "resumed", type=click.Path(path_type=Path), metavar="DIR", help="Go on in DIR.")
@click.option("--draft", is_flag=True, help="First a small one, with the weights starter; then --finish it.")
@click.option(
    "--finish", "finished", type=click.Path(path_type=Path), metavar="DIR",
    help="Paint in full what DIR has a draft of, on from there; in DIR/finished, or -o.",
)  # fmt: skip
def paint_command(pictures: tuple[Path, ...], output: Path | None, **options: Any) -> None:
    """Paint CONTENT in the style of STYLE. Ctrl-C stops and keeps what there is; --resume DIR goes on.

    CONTENT may be an animation, or a folder of frames: then the film is the painting of each, one after the other.
    """
    log_to(sys.stderr, logging.ERROR)  # of what may pass, the display tells in words
    settings = read_settings(impasto_device=options["device"], impasto_weights_input=options["weights_input"])
    if options["resumed"] is not None:
        _allow("--resume", "--device", "--json")
        sys.exit(_run(resume(options["resumed"], settings, as_json=options["as_json"])))
    if options["finished"] is not None:
        _allow("--finish", "--output", "--weights", "--weights-input", "--device", "--dry-run", "--json")
        arguments = read_draft(options["finished"])
        if options["weights"] is not None:
            arguments = dataclasses.replace(arguments, weights=weights_asked(options["weights"], settings))
        output = output or options["finished"] / "finished"
    else:
        arguments = _arguments(pictures, options, settings)
    if options["dry"]:
        sys.exit(_run(dry_run(arguments, settings)))
    if output is None:
        raise click.UsageError("A folder to paint in is needed: -o DIR.")
    sys.exit(_run(paint(arguments, output, settings, as_json=options["as_json"])))


def _allow(option: str, *others: str) -> None:
    """Raises `UsageError` where something is given beside `option` that would be passed over in silence."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.opts[0] if parameter.param_type_name == "argument" else max(parameter.opts, key=len)
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and context.params[str(parameter.name)] != () and name not in (option, *others):
            raise click.UsageError(f"{option} goes on as it was begun: only {', '.join(others)} can be given with it.")


def _arguments(pictures: tuple[Path, ...], options: dict[str, Any], settings: Settings) -> PaintArguments:
    """A new painting, or the draft of one, which is refused where it could not be finished."""
    if len(pictures) < 2:
        raise click.UsageError("Two pictures are needed: CONTENT and STYLE.")
    arguments = PaintArguments(
        pictures[0], pictures[1:], options["recipe"], _fields(options, len(pictures) - 1),
        weights_asked(options["weights"], settings),
        options["content_masks"], options["style_masks"], options["fps"], options["still"],
        original_size=options["size"] == _ORIGINAL,
        start=options["start"] if isinstance(options["start"], Path) else None,
    )  # fmt: skip
    if not options["draft"]:
        return arguments
    arguments.check(settings)
    return arguments.as_draft()


@cli.command("worker", context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def worker_command(options: tuple[str, ...]) -> None:
    """Run one worker (one per GPU) for REDIS_URL: [--device …] [--weights …] [--weights-input …], as of `paint`."""
    # In place of this process, so that the front never loads torch and signals go where they belong.
    os.execv(sys.executable, [sys.executable, "-m", "engine.worker", *options])  # noqa: S606


@cli.command("weights", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def weights_command(options: tuple[str, ...]) -> None:
    """The network's weights: fetch, show or check FILE."""
    # As above: what reads weights needs torch.
    os.execv(sys.executable, [sys.executable, "-m", "engine.worker.weights.command", *options])  # noqa: S606


@cli.command("bot")
def bot_command() -> None:
    """Run the Discord bot for DISCORD_TOKEN and REDIS_URL."""
    from bot.terminal.serve import serve

    sys.exit(_run(serve(_logged_bot_settings())))


@cli.command("up")
def up_command() -> None:
    """Run bot, worker and Redis together, for a small server on one box."""
    from bot.terminal.up import up

    sys.exit(_run(up(_logged_bot_settings())))


def _logged_bot_settings() -> BotSettings:
    """Once the log is as they say."""
    from bot.settings import read_bot_settings

    log_to(sys.stderr)
    settings = read_bot_settings()
    log_to(sys.stderr, settings.impasto_log_level, settings.impasto_log_format)
    return settings


@cli.command("doctor")
def doctor_command() -> None:
    """Check token, intents, commands, Redis, store, workers, weights, GPU and disk."""
    from bot.settings import read_bot_settings
    from bot.terminal.doctor import examine

    sys.exit(_run(examine(read_bot_settings())))


@cli.command("gc")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be deleted.")
def gc_command(dry: bool) -> None:
    """Delete what has expired, as workers do each hour: pictures and checkpoints of paintings no longer kept."""
    from bot.terminal.gc import collect

    sys.exit(_run(collect(read_settings(), dry=dry)))


def _fields(options: dict[str, Any], styles: int) -> dict[str, Any]:
    """The recipe's fields that were asked for."""
    names = ("iterations", "size", "snapshots", "start", "noise", "seed", "style_weights", "strength")
    fields = {name: options[name] for name in names if options[name] is not None}
    if fields.get("size") == _ORIGINAL:  # which is seen when the picture is
        del fields["size"]
    if isinstance(fields.get("start"), Path):
        fields["start"] = "picture"
    fields.setdefault("style_weights", (1.0,) * styles)
    return fields | dict(setting(text) for text in options["settings_"])


def setting(text: str) -> tuple[str, Any]:
    """FIELD=VALUE in the field's own type. Raises `RecipeError`."""
    name, separator, value = text.partition("=")
    kinds = {field: kind for field, kind in get_type_hints(Recipe).items() if field not in _NOT_SET}
    if not separator or name not in kinds:
        raise RecipeError(f"--set takes FIELD=VALUE with one of the fields {', '.join(kinds)}.")
    kind = kinds[name]
    try:
        if kind is bool:
            return name, {"true": True, "false": False}[value.lower()]
        if kind in (int, float):
            return name, kind(value)
        if getattr(kind, "__origin__", None) is tuple:
            return name, tuple(kind.__args__[0](part) for part in value.split(",") if part)
    except (ValueError, KeyError):
        raise RecipeError(f"{value} is not a value for {name}.") from None
    return name, value


def _run(command: Any) -> int:
    status: int = asyncio.run(command)
    return status


def main() -> None:
    """Run the command; an error that a person can cause is one sentence, never a stack trace."""
    to_environment()  # before what it is for is imported: aiohttp reads its certificates then
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may lack a letter, and a file's name be no text
    try:
        cli()
    except _ONE_SENTENCE as error:
        if str(error):
            print(redact(str(error)), file=sys.stderr)
        # So that systemd and compose can tell what only the operator can mend.
        sys.exit(os.EX_CONFIG if isinstance(error, SettingsError) else 1)
    except RedisError as error:
        print(redact(f"Redis cannot be used: {str(error).rstrip('.')}."), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run() -> NoReturn:
    """`main` as a process of its own."""
    try:
        main()
    except SystemExit as end:
        exit_now(end.code if isinstance(end.code, int) else 0)
    exit_now(0)


if __name__ == "__main__":
    run()

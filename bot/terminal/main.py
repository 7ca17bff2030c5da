"""The command `impasto`."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
import structlog
from redis.exceptions import RedisError

from bot.intake import BadPicture
from bot.terminal.draft_folder import finish_of
from bot.terminal.dry_run import dry_run
from bot.terminal.option_values import numbers
from bot.terminal.output_folder import FolderError, OutputFolder
from bot.terminal.paint import paint, resume
from bot.terminal.paint_arguments import PaintArguments
from bot.terminal.paint_job import INTERRUPTED
from bot.terminal.paint_options import arguments_of, by_code, given, refuse_device, shared_options
from bot.terminal.share import share
from bot.terminal.study_commands import refuse_what_it_sets, study_commands
from bot.terminal.worker_process import WorkerError, require_torch
from engine.contract.redis_check import RedisAway
from engine.contract.settings import Settings, SettingsError, read_settings, unread_names
from engine.contract.settings_file import to_environment
from engine.contract.store import StoreError, StoreRefused
from engine.process.child_process import module_command
from engine.process.exit import exit_now
from engine.process.local_redis import EmbeddedError
from engine.process.logs import log_to
from engine.process.redaction import redact
from engine.process.terminal import print_what_it_can
from engine.recipe.recipe import RecipeError

if TYPE_CHECKING:
    from bot.settings import BotSettings

_BESIDE_A_CODE = (
    "--weights", "--weights-input", "--format", "--keep-transparency", "--still", "--film", "--device", "--dry-run",
    "--json",
)  # fmt: skip
_BESIDE_A_DRAFT = ("--weights", "--weights-input", "--format", "--film", "--device", "--dry-run", "--json")
_ONE_SENTENCE = (
    BadPicture, EmbeddedError, FolderError, RecipeError, RedisAway, SettingsError, StoreError, WorkerError
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="impasto", message="%(version)s")
def cli() -> None:
    """Paint one picture in the style of another."""


@cli.command("paint")
@click.argument("pictures", nargs=-1, metavar="CONTENT STYLE [STYLE …]", type=click.Path(path_type=Path))
@shared_options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder to paint in.")
@click.option("--style-weights", callback=numbers(float), help="Share of each style, like 2,1.")
@click.option(
    "--content-mask", "content_masks", multiple=True, type=click.Path(path_type=Path), metavar="PNG",
    help="Where a style applies (white); once for each style, in their order.",
)  # fmt: skip
@click.option(
    "--style-mask", "style_masks", multiple=True, type=click.Path(path_type=Path), metavar="PNG",
    help="Which part of a style counts (white); once for each style, in their order.",
)  # fmt: skip
@click.option("--dry-run", "dry", is_flag=True, help="Print the full recipe, memory and time; paint nothing.")
@click.option("--resume", "resumed", type=click.Path(path_type=Path), metavar="DIR", help="Go on in DIR.")
@click.option("--draft", is_flag=True, help="First a small one, with the weights starter; then --finish it.")
@click.option(
    "--finish", "finished", type=click.Path(path_type=Path), metavar="DIR",
    help="Paint in full what DIR has a draft of, on from there; in DIR/finished, or -o.",
)  # fmt: skip
@click.option(
    "--recipe-code", metavar="CODE", help="A line from another painting: its recipe, seed and size, for this CONTENT."
)
def paint_command(pictures: tuple[Path, ...], output: Path | None, **options: Any) -> None:
    """Paint CONTENT in the style of STYLE. Ctrl-C stops and keeps what there is; --resume DIR goes on.

    CONTENT may be an animation, or a folder of frames: then the film is the painting of each, one after the other.
    """
    _paint(pictures, output, None, options)


def _paint(pictures: tuple[Path, ...], output: Path | None, vary: str | None, options: dict[str, Any]) -> NoReturn:
    """Paint a picture, or the study that varies something; exits."""
    log_to(sys.stderr, logging.ERROR)  # of what may pass, the display tells in words
    settings = _settings(impasto_device=options["device"], impasto_weights_input=options["weights_input"])
    if options["resumed"] is not None:
        _allow("--resume", "--device", "--json")
        refuse_device(OutputFolder(options["resumed"]).remembered().settings(settings))
        sys.exit(_run(resume(options["resumed"], settings, as_json=options["as_json"])))
    if not options.get("dry"):  # which is measured here, whoever paints
        refuse_device(settings)
    if options.get("finished") is not None:
        _allow("--finish", "--output", *_BESIDE_A_DRAFT)
        arguments, settings = finish_of(options["finished"], options, settings)
        output = output or options["finished"] / "finished"
    else:
        if vary is not None:
            refuse_what_it_sets(vary, options)
        arguments = dataclasses.replace(_arguments(pictures, options, settings), vary=vary)
    if options.get("dry"):
        sys.exit(_run(dry_run(arguments, settings, as_json=options["as_json"])))
    if output is None:
        raise click.UsageError("A folder to paint in is needed: -o DIR.")
    sys.exit(_run(paint(arguments, output, settings, as_json=options["as_json"])))


for command in study_commands(_paint, paint_command.params):
    cli.add_command(command)


def _allow(option: str, *others: str, says: str = "goes on as it was begun") -> None:
    """Raises `UsageError` where something is given beside `option` that would be passed over in silence."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.opts[0] if parameter.param_type_name == "argument" else max(parameter.opts, key=len)
        if given(str(parameter.name)) and context.params[str(parameter.name)] != () and name not in (option, *others):
            raise click.UsageError(f"{option} {says}: only {', '.join(others)} can be given with it.")


def _arguments(pictures: tuple[Path, ...], options: dict[str, Any], settings: Settings) -> PaintArguments:
    """A new painting, or the draft of one, which is refused where it could not be finished."""
    if len(pictures) < 2:
        raise click.UsageError("Two pictures are needed: CONTENT and STYLE.")
    if options.get("recipe_code") is not None:
        _allow("--recipe-code", "pictures", "--output", *_BESIDE_A_CODE, says="holds all the settings")
        return by_code(pictures[0], pictures[1:], options, settings)
    arguments = arguments_of(pictures[0], pictures[1:], options, settings)
    if not options.get("draft"):
        return arguments
    arguments.check(settings)
    return arguments.as_draft(settings)


@cli.command("batch")
@click.argument("contents", nargs=-1, required=True, metavar="CONTENT [CONTENT …]", type=click.Path(path_type=Path))
@click.option(
    "--style", "styles", multiple=True, required=True, type=click.Path(path_type=Path), metavar="STYLE",
    help="Once for each; every CONTENT is painted in every STYLE.",
)  # fmt: skip
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR",
    help="Folder for a folder of each painting, and the table of all.",
)  # fmt: skip
@shared_options
def batch_command(contents: tuple[Path, ...], styles: tuple[Path, ...], output: Path, **options: Any) -> None:
    """Paint each CONTENT in each STYLE. What cannot be painted is named, and the others go on.

    Given again, the same command goes on with what is missing, also in the middle of a painting. Ctrl-C stops it.
    """
    from bot.terminal.batch import batch

    log_to(sys.stderr, logging.ERROR)
    settings = _settings(impasto_device=options["device"], impasto_weights_input=options["weights_input"])
    arguments = arguments_of(contents[0], styles[:1], options, settings)
    weights, as_json = options["weights"], options["as_json"]
    sys.exit(_run(batch(arguments, contents, styles, output, settings, weights=weights, as_json=as_json)))


@cli.command("worker", context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def worker_command(options: tuple[str, ...]) -> None:
    """Run one worker (one per GPU) for REDIS_URL: [--device …] [--weights …] [--weights-input …], as of `paint`."""
    require_torch()
    # In place of this process, so that the front never loads torch and signals go where they belong.
    os.execv(sys.executable, [*module_command("engine.worker"), *options])  # noqa: S606


@cli.command("weights", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def weights_command(options: tuple[str, ...]) -> None:
    """The network's weights: fetch, show or check FILE."""
    require_torch()
    # As above: what reads weights needs torch.
    os.execv(sys.executable, [*module_command("engine.worker.weights.command"), *options])  # noqa: S606


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
    """The bot's settings, once the log is set up as they say."""
    from bot.settings import BotSettings, read_bot_settings

    log_to(sys.stderr)
    try:
        settings = read_bot_settings()
        log_to(sys.stderr, settings.impasto_log_level, settings.impasto_log_format)
    finally:  # what is missing may be there by another name
        for sentence in unread_names(BotSettings.model_fields):
            structlog.get_logger(__name__).warning(sentence)
    return settings


def _settings(**overrides: object) -> Settings:
    """For a command that has no log; names that nobody reads are told."""
    settings = read_settings(**overrides)
    for sentence in unread_names():
        print(sentence, file=sys.stderr)
    return settings


@cli.command("share")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def share_command(folder: Path) -> None:
    """Put content and painting of DIR side by side in before-and-after.jpg, and how it was painted into short-film.webp
    (and .mp4, with PyAV), all in DIR, and print the recipe code."""
    share(folder)


@cli.command("doctor")
def doctor_command() -> None:
    """Check token, intents, commands, Redis, store, workers, weights, GPU and disk."""
    from bot.settings import read_doctor_settings
    from bot.terminal.doctor import examine

    sys.exit(_run(examine(read_doctor_settings())))


@cli.command("gc")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would be deleted.")
@click.option("--adopt", "adopting", is_flag=True, help="Say before that no other Redis uses the store any more.")
@click.option(
    "--older-than", type=click.IntRange(min=0), metavar="DAYS",
    help="Also what was posted so long ago and would be kept for longer.",
)  # fmt: skip
def gc_command(dry: bool, adopting: bool, older_than: int | None) -> None:
    """Delete what has expired, as workers do each hour: pictures and checkpoints of paintings no longer kept."""
    from bot.terminal.gc import collect

    if dry and adopting:
        raise click.UsageError("--dry-run changes nothing, and --adopt does: give one of them.")
    sys.exit(_run(collect(_settings(), dry=dry, adopting=adopting, older_than=older_than)))


def _run(command: Any) -> int:
    status: int = asyncio.run(command)
    return status


def main() -> None:
    """Run the command; an error that a person can cause is one sentence, never a stack trace."""
    to_environment()  # before what it is for is imported: aiohttp reads its certificates then
    print_what_it_can()  # a file's name may be no text, too
    try:
        sys.exit(cli(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):  # click makes the one of the other, where it can
        sys.exit(INTERRUPTED)
    except BrokenPipeError as error:  # Ctrl-C ended the pipe's reader too, and click could not say that it came
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        sys.exit(INTERRUPTED)
    except _ONE_SENTENCE as error:
        if str(error):
            print(redact(str(error)), file=sys.stderr)
        # So that systemd and compose can tell what only the operator can mend.
        sys.exit(os.EX_CONFIG if isinstance(error, SettingsError | StoreRefused) else 1)
    except RedisError as error:
        print(redact(f"Redis cannot be used: {str(error).rstrip('.')}."), file=sys.stderr)
        sys.exit(1)


def run() -> NoReturn:
    """Run the command line, and exit the process."""
    try:
        main()
    except SystemExit as end:
        exit_now(end.code if isinstance(end.code, int) else 0)
    exit_now(0)


if __name__ == "__main__":
    run()

"""Admission: from a paint request to a job in the queue, or to one sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

import structlog

from bot import intake
from bot.backend import Backend
from bot.errors import UserError
from bot.guild_settings import Rules
from bot.post_ledger import Address
from bot.requests.destination import Destination
from bot.requests.paint_request import AskedStudy, AttachedPicture, Network, PaintRequest
from bot.requests.pictures import Pictures, check_upload
from bot.requests.study_parts import recipe_maker, with_copied_pictures, with_study
from bot.requests.unchosen import film_within
from bot.text.drawn_texts import drawn_texts
from bot.text.sanitise import plain
from bot.text.titles import title
from bot.text.translation import _, label, speaking
from engine.contract import workers
from engine.contract.models import Job, TooMany
from engine.contract.store import StoreError
from engine.contract.study import Study
from engine.forecast import first_cost, retry_time
from engine.recipe import studies
from engine.recipe.presets import STAND_INS
from engine.recipe.recipe import RecipeError

_WEIGHTS = "impasto:weights"
"""Where the name and architecture of the last worker's weights are remembered, for the time when none is there."""

_log = structlog.get_logger(__name__)


class Admission:
    """Admits paint requests; one for the whole bot."""

    def __init__(self, backend: Backend, pictures: Pictures) -> None:
        self._backend, self._pictures = backend, pictures

    async def network(self) -> Network | None:
        """What paintings are painted with here; None where only a worker knows, and none was here.

        To guess would be to choose the recipe for other weights than those that paint.
        """
        living = await workers.living(self._backend.redis)
        if living:
            network = Network(living[0].weights, living[0].network)
            await self._backend.redis.set(_WEIGHTS, f"{network.weights} {network.architecture}")
            return network
        known = await self._backend.redis.get(_WEIGHTS)
        configured = self._backend.settings.impasto_weights
        if known:
            return Network(*known.decode().split(" "))
        return Network(configured) if configured in ("imagenet", *STAND_INS) else None

    def check(self, request: PaintRequest, rules: Rules) -> None:
        """What can be told without looking at the pictures themselves. Raises `UserError`."""
        frames = request.recipe.frames
        whole = request.draft_of or request.recipe  # of a draft, what is to be finished
        if whole.size > rules.max_size:
            raise UserError(_("The size may be at most {size} px here: ask for a smaller one.", size=rules.max_size))
        if whole.iterations > rules.max_iterations:
            most = rules.max_iterations
            if frames > 1:
                raise UserError(
                    _("A film of {frames} pictures takes {iterations:,} iterations, and {most:,} is the most here: "
                      "send a shorter one.", frames=frames, iterations=request.recipe.iterations, most=most)
                )  # fmt: skip
            raise UserError(_("At most {most:,} iterations can be asked for here: ask for fewer.", most=most))
        begun = () if request.start is None else (request.start,)
        for upload in (request.content, *request.styles, *begun, *request.content_masks, *request.style_masks):
            if isinstance(upload, AttachedPicture):
                check_upload(upload)

    async def admit(
        self,
        job_id: str,
        owner: int,
        destination: Destination,
        request: PaintRequest,
        *,
        rules: Rules,
        before_queueing: Callable[[Job], Awaitable[None]],
        withdraw: Callable[[], Awaitable[None]],
    ) -> Job:
        """Accept a request that was checked against these rules; a second call with the same `job_id` changes nothing.

        Raises `UserError`, `BadPicture`, `RecipeError` or `TooMany`, with the time to wait where it is known; then
        nothing is queued, and `withdraw` has undone what `before_queueing` did.
        """
        try:
            with self._pictures.holding(owner):
                job = await self._accept(
                    job_id, owner, destination, request, rules=rules, before_queueing=before_queueing
                )
        except (UserError, intake.BadPicture, RecipeError, TooMany) as error:
            await self._drop(job_id, withdraw)
            if isinstance(error, TooMany):
                guild = _guild(owner, destination)
                error.until = await retry_time(self._backend.redis, error, str(owner), guild, rules.caps)
            raise
        await self._backend.queue.enqueue(job, 0, 0, await first_cost(self._backend.redis, job))
        _log.info("accepted", job=job_id, user=str(owner), guild=str(destination.guild), recipe=job.recipe.name)
        return job

    async def _accept(
        self,
        job_id: str,
        owner: int,
        destination: Destination,
        request: PaintRequest,
        *,
        rules: Rules,
        before_queueing: Callable[[Job], Awaitable[None]],
    ) -> Job:
        backend = self._backend
        try:
            # Before anything is downloaded; `create` checks again, for good.
            await backend.jobs.check(str(owner), _guild(owner, destination), rules.caps)
            job = await self._make(job_id, owner, destination, request, rules)
        except StoreError as error:
            _log.error("the store does not work", job=job_id, reason=str(error))
            raise UserError(_("My store of pictures does not answer: try again in a few minutes.")) from error
        with speaking(destination.language):
            called, texts = _title(job), drawn_texts(job)
        job = job.model_copy(update={"drawn_texts": texts})
        address = Address(
            job=job_id,
            owner=owner,
            guild=destination.guild,
            channel=destination.channel,
            place=destination.kind,
            title=called,
            mention=request.mention,
            age_restricted=destination.age_restricted,
            language=destination.language,
        )
        await backend.ledger.open(address, await self._parent_link(request))
        await before_queueing(job)
        await backend.jobs.create(job, rules.caps)
        return job

    async def _drop(self, job_id: str, withdraw: Callable[[], Awaitable[None]]) -> None:
        """Keep nothing of what was refused: neither pictures nor page."""
        if await self._backend.jobs.state(job_id) is not None:
            return  # the same request was accepted before
        try:
            await self._backend.store.delete_folder(f"jobs/{job_id}")
        except StoreError as error:
            _log.warning("pictures of a refused request are left to the sweep", job=job_id, reason=str(error))
        await withdraw()  # before the page is closed, which alone knows what was posted
        await self._backend.ledger.close(job_id)

    async def _make(
        self, job_id: str, owner: int, destination: Destination, request: PaintRequest, rules: Rules
    ) -> Job:
        folder = f"jobs/{job_id}"
        most, keep = intake.FILM.max_frames if request.animate else 1, self._pictures.keep
        async with self._pictures.turn(owner):
            content, frames = await keep(request.content, f"{folder}/picture-0.png", frames=most)
            styles = [
                (await keep(style, f"{folder}/picture-{number}.png"))[0]
                for number, style in enumerate(request.styles, 1)
            ]
            start = (await keep(request.start, f"{folder}/start.png"))[0] if request.start else None
            over, of = [
                [
                    (await keep(mask, f"{folder}/{kind}-mask-{number}.png", wanted="mask"))[0]
                    for number, mask in enumerate(masks, 1)
                ]
                for kind, masks in (("content", request.content_masks), ("style", request.style_masks))
            ]
        if frames > 1:
            still, most = request.recipe, rules.max_iterations
            film = still.sequence(frames) if request.iterations_chosen else film_within(still, frames, most)
            request = dataclasses.replace(request, recipe=film)
            self.check(request, rules)
        checkpoint = request.checkpoint and await self._pictures.copy(
            request.checkpoint, f"{folder}/checkpoint-start.safetensors"
        )
        job = Job(
            id=job_id,
            guild=_guild(owner, destination),
            user=str(owner),
            recipe=request.recipe,
            content=content,
            styles=tuple(styles),
            parent=request.parent,
            came_from=await self._came_from(request),
            checkpoint=checkpoint,
            reached=request.reached,
            start=start,
            content_masks=tuple(over),
            style_masks=tuple(of),
            draft_of=request.draft_of,
            film=request.film,
        )
        return await self._as_study(job, request.study, rules.max_iterations)

    async def _came_from(self, request: PaintRequest) -> tuple[str, ...]:
        parent = await self._backend.jobs.get(request.parent) if request.parent and request.checkpoint else None
        return (parent.id, *parent.came_from) if parent else ()

    async def _as_study(self, job: Job, study: AskedStudy | Study | None, most: int) -> Job:
        """The job with the paintings of its study, if it is one; their pictures lie in its own folder."""
        if study is None:
            return job
        if isinstance(study, AskedStudy):
            make = recipe_maker(job.recipe.name, job.recipe.weights, job.recipe.network)
            job = await with_study(job, study.vary, study.fields, make, self._backend.store)
        else:
            job = await with_copied_pictures(job, study, self._pictures.copy)
        if job.iterations > most:
            raise UserError(
                _("A study of {paintings} paintings takes {iterations:,} iterations, and {most:,} is the most here: "
                  "ask for fewer of each.", paintings=len(job.parts), iterations=job.iterations, most=most)
            )  # fmt: skip
        return job

    async def _parent_link(self, request: PaintRequest) -> str:
        page = await self._backend.ledger.page(request.parent) if request.parent else None
        return page.link if page else ""


def _title(job: Job) -> str:
    fallback = _("{recipe} painting", recipe=job.recipe.name)
    whole = title(job.content.name, [style.name for style in job.styles], fallback)
    if job.study is not None:
        return plain(f"{label(studies.KINDS[job.study.vary].title)}: {whole}", 100)
    return plain(_("Draft: {title}", title=whole), 100) if job.draft_of else whole


def _guild(owner: int, destination: Destination) -> str:
    """Direct messages are a guild of their own, so that they share with the servers and not with each other."""
    return str(destination.guild) if destination.guild else f"dm:{owner}"

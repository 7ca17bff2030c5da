"""Recipe codes: a line that another person pastes to have the same recipe, seed and size with pictures of their own.

`impasto:1:<fields>:<check>`: the recipe's fields as JSON, packed and written in letters that no program changes; then
some digits by which a slip in copying is seen. Every field is in it, so that a code outlives changes of the presets.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.contract.models import Job
from engine.contract.saved_styles import measured
from engine.contract.store import BlobMissing, Store
from engine.recipe.presets import PRESETS
from engine.recipe.recipe import VERSION, Recipe, RecipeError

_FORMAT = "1"
_MOST = 4096
"""Letters of a code, and bytes of what is packed in it: nobody needs more, and a bomb would be more."""
_CODE = re.compile(r"impasto:(\d+):([\w-]*):([0-9a-f]{6})", re.ASCII)
# What is in most codes: it is packed as a few bits. Part of the format, so that it must never change.
_USUAL = (
    b'"start":"noise","start":"patches","start":"style","noise":1.0,"colours":"content","colours":"matched","weights":'
    b'"starter","network":"24|64|128,128|256,256|256","weights":"sha256:","smoothing":1.0,"size":256,"size":1024,"size'
    b'":768,"iterations":500,"name":"gatys","beta":4000.0,"alpha":4.0,{"alpha":2e-05,"average":0.9,"beta":12.0,"beta1"'
    b':0.9,"beta2":0.99,"clamp":true,"content_layers":["conv2_1"],"match_luminance":true,"name":"fine","network":"vgg1'
    b'9","networks":3,"noise":0.05,"noise_range":20.0,"octaves":4,"optimiser":"adam","padding":"replicate","pooling":"'
    b'average","start_colours":"content","statistic":"covariance","step":4.0,"step_end":0.1,"style_ceiling":0.0,"style'
    b'_layer_weights":[1.0,1.0,1.0],"style_layers":["relu1_1","relu1_2","relu2_1"],"style_scale":0.85,"style_weights":'
    b'[1.0],"styles":[],"total_variation":0.00023,"version":6,"weights":"random"}{"alpha":5.0,"average":0.0,"beta":100'
    b'.0,"detail":0.0,"extra":0,"frame_iterations":40,"frames":1,"history":20,"iterations":5000,"match_luminance":fals'
    b'e,"name":"classic","network":"vgg19","networks":1,"noise":0.6,"noise_range":20.0,"octaves":1,"optimiser":"adam",'
    b'"padding":"zero","pooling":"average","pooling_gain":1.0,"scales":1,"smoothing":0.0,"snapshots":[100,300,3300],"s'
    b'tart_colours":"content","statistic":"gram","step":2.0,"step_end":1.0,"style_ceiling":0.0,"style_layer_weights":['
    b'0.5,1.0,1.5,3.0,4.0],"total_variation":0.0,"styles":["{"alpha":60.0,"average":0.0,"beta":400.0,"beta1":0.9,"beta'
    b'2":0.999,"clamp":false,"colours":"style","content_layers":["relu4_2"],"detail":1.0,"extra":0,"frame_iterations":'
    b'40,"frames":1,"history":20,"iterations":225,"match_luminance":false,"name":"fine","network":"vgg19","networks":1'
    b',"noise":0.0,"noise_range":20.0,"octaves":1,"optimiser":"lbfgs","padding":"replicate","pooling":"max","pooling_g'
    b'ain":1.0,"scales":5,"seed":,"size":512,"smoothing":0.5,"snapshots":[10,30,100,200],"start":"content","start_colo'
    b'urs":"style","statistic":"gram","step":1.0,"step_end":1.0,"style_ceiling":430000.0,"style_layer_weights":[0.0002'
    b'44140625,6.103515625e-05,1.52587890625e-05,3.814697265625e-06,3.814697265625e-06],"style_layers":["relu1_1","rel'
    b'u2_1","relu3_1","relu4_1","relu5_1"],"style_scale":1.0,"style_weights":[1.0],"styles":[""],"total_variation":40.'
    b'0,"version":6,"weights":"imagenet"}'
)
_RECIPE = TypeAdapter(Recipe)


@dataclass(frozen=True)
class RecipeCode:
    """What a code says."""

    recipe: Recipe
    styles: tuple[str, ...]
    """Digest of each style's pixels, by which the same picture is known."""


async def recipe_code(store: Store, job: Job) -> str:
    """The recipe code of a job. Raises `RecipeError` where it has none, or `StoreError`."""
    _check_job(job)
    try:
        return code_of(job, await style_digests(store, job))
    except BlobMissing:
        raise RecipeError("The pictures of this painting are no longer kept, so it has no recipe code.") from None


async def style_digests(store: Store, job: Job) -> tuple[str, ...]:
    """The digest of each style picture of the job, in order. Raises `StoreError`."""
    pngs = [await store.get(style.key) for style in job.styles]
    return tuple([(await asyncio.to_thread(measured, png))[2] for png in pngs])


def code_of(job: Job, styles: tuple[str, ...]) -> str:
    """The code of a painting, with the digests of its `styles`. Raises `RecipeError` where there is none."""
    _check_job(job)
    fields = job.recipe.as_dict() | {"snapshots": job.recipe.shown[:-1], "styles": styles}
    if len(_json(fields)) > _MOST:
        fields["snapshots"] = ()  # at which losses are inspected too: another picture only where it had to step back
    packing = zlib.compressobj(9, wbits=-15, zdict=_USUAL)
    packed = packing.compress(_json(fields)) + packing.flush()
    text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
    code = f"impasto:{_FORMAT}:{text}:{_check(text)}"
    if len(_json(fields)) > _MOST or len(code) > _MOST or _too_many_layers(job.recipe):  # it could not be read
        raise RecipeError("No recipe code holds as many layers and styles as this recipe has.")
    return code


def _check_job(job: Job) -> None:
    """Raises `RecipeError` where the job has no code."""
    recipe = job.recipe
    if job.study is not None:
        raise RecipeError("A study has no recipe code: ask for that of a single painting.")
    if job.draft_of is not None:
        raise RecipeError("A draft has no recipe code: have it painted with quality: full.")
    if recipe.frames > 1:
        raise RecipeError("A film has no recipe code: ask for that of a single painting.")
    if recipe.start == "picture" or job.content_masks or job.style_masks:
        raise RecipeError(
            "This painting began with a picture, a draft or a snapshot, or has masks: no recipe code holds those."
        )


def read_code(text: str) -> RecipeCode:
    """What a pasted code says. Raises `RecipeError` with a sentence for who pasted it."""
    code = re.sub(r"[\s`]", "", text)
    found = _CODE.fullmatch(code)
    if not code.startswith("impasto:"):
        raise RecipeError("That is no recipe code: one begins with impasto:1: and is given by the button Recipe code.")
    if found is None or len(code) > _MOST:
        raise RecipeError(_DAMAGED)
    kind, packed, check = found.groups()
    if kind != _FORMAT:
        raise RecipeError("This recipe code is of a newer Impasto than this one: it can be used there alone.")
    if check != _check(packed):
        raise RecipeError(_DAMAGED)
    fields = _unpacked(packed)
    styles = fields.pop("styles", None)
    if not isinstance(styles, list) or not all(isinstance(style, str) for style in styles):
        raise RecipeError(_DAMAGED)
    return RecipeCode(_recipe(fields), tuple(styles))


_DAMAGED = "This recipe code is damaged: copy all of it, from impasto: to its last letter."
_MOST_LAYERS = 16  # of VGG19 a recipe might name


def _unpacked(packed: str) -> dict[str, Any]:
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        fields = json.loads(zlib.decompressobj(-15, zdict=_USUAL).decompress(raw, _MOST))
    except (ValueError, zlib.error, binascii.Error, RecursionError):
        raise RecipeError(_DAMAGED) from None
    if not isinstance(fields, dict):
        raise RecipeError(_DAMAGED)
    return fields


def _recipe(fields: dict[str, Any]) -> Recipe:
    """Strangers write codes: each field has its own type, or there is no recipe."""
    version = fields.get("version")
    if isinstance(version, int) and version > VERSION:
        raise RecipeError("This recipe code is of a newer Impasto than this one: it can be used there alone.")
    try:
        recipe = _RECIPE.validate_json(_json(fields), strict=True)
    except ValidationError as error:
        cause = error.errors()[0].get("ctx", {}).get("error")
        raise RecipeError(str(cause) if isinstance(cause, RecipeError) else _DAMAGED) from None
    if recipe.name not in PRESETS:
        raise RecipeError("This recipe code names a recipe that is not known here: use it where it was made.")
    if recipe.frames > 1 or recipe.start == "picture":
        raise RecipeError(_DAMAGED)
    if _too_many_layers(recipe):
        raise RecipeError(_DAMAGED)
    return recipe


def _too_many_layers(recipe: Recipe) -> bool:
    return max(len(recipe.style_layers), len(recipe.content_layers)) > _MOST_LAYERS


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]

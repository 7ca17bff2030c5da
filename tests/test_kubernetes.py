"""The set-ups for Kubernetes: what kustomize makes of them is what the API takes, and fits this program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import jsonschema
import kubernetes_validate
import pytest
import yaml
from arq.connections import ArqRedis
from pydantic import SecretStr
from support.jobs import a_job

from bot.requests.admission import Admission
from bot.settings import BotSettings
from engine.contract.jobs import Jobs
from engine.contract.models import OPEN
from engine.contract.settings import parse_address
from engine.monitoring import Monitored, serve_monitoring

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ["1.29", kubernetes_validate.latest_version()]
Json = dict[str, Any]


def _only(**properties: Json) -> Json:
    """An object with these fields, all of which there must be, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT, _COUNT, _NAME = {"type": "string"}, {"type": "integer", "minimum": 0}, _only(name={"type": "string"})
_TRIGGER = _only(
    type={"const": "redis"},
    metadata=_only(
        listName=_TEXT, listLength=_TEXT, activationListLength=_TEXT, databaseIndex=_TEXT, enableTLS=_TEXT
    ),  # of whatever kind, they are texts to KEDA
    authenticationRef=_NAME,
)  # fmt: skip
_PARAMETER = _only(parameter={"enum": ["address", "password"]}, name=_TEXT, key=_TEXT)
CUSTOM = {
    "keda.sh/v1alpha1 ScaledObject": _only(
        scaleTargetRef=_NAME, pollingInterval=_COUNT, cooldownPeriod=_COUNT, minReplicaCount=_COUNT,
        maxReplicaCount=_COUNT, triggers={"type": "array", "items": _TRIGGER},
    ),
    "keda.sh/v1alpha1 TriggerAuthentication": _only(secretTargetRef={"type": "array", "items": _PARAMETER}),
    "monitoring.coreos.com/v1 PodMonitor": _only(
        jobLabel=_TEXT, selector=_only(matchLabels={"type": "object", "additionalProperties": _TEXT}),
        podMetricsEndpoints={"type": "array", "items": _only(port=_TEXT, path=_TEXT, interval=_TEXT)},
    ),
}  # fmt: skip
"""By version and kind the `spec`, as far as it is used here."""


@pytest.fixture(scope="module", params=["small", "cloud"])
def overlay(request: pytest.FixtureRequest) -> list[Json]:
    """Every object of a whole set-up."""
    return built(FOLDER / "overlays" / request.param)


@pytest.fixture(scope="module", params=["small", "cloud"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """The same with the components that no set-up has by itself."""
    copy = tmp_path_factory.mktemp("watched") / "kubernetes"
    shutil.copytree(FOLDER, copy)
    components = [f"../../components/{name}" for name in ("page", "pod-monitor")]
    file = copy / "overlays" / request.param / "kustomization.yaml"
    told = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**told, "components": [*told["components"], *components]}))
    return built(file.parent)


def built(folder: Path) -> list[Json]:
    """What kustomize makes of it."""
    tool = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if shutil.which(tool[0]) is None:
        pytest.skip("neither kustomize nor kubectl is here")
    made = subprocess.run([*tool, str(folder)], capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    return list(yaml.safe_load_all(made.stdout))


def of_kind(objects: list[Json], kind: str) -> dict[str, Json]:
    """By name, without the hash that kustomize adds."""
    return {re.sub(r"-[a-z0-9]{10}$", "", one["metadata"]["name"]): one for one in objects if one["kind"] == kind}


def pods(objects: list[Json]) -> dict[str, Json]:
    """By deployment, the template of its pods."""
    return {name: one["spec"]["template"] for name, one in of_kind(objects, "Deployment").items()}


def container(pod: Json) -> Json:
    (only,) = pod["spec"]["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_takes_each_object(overlay: list[Json], version: str) -> None:
    assert_taken(overlay, version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_takes_each_object_of_the_other_components_too(watched: list[Json], version: str) -> None:
    assert {"Service", "PodMonitor"} <= {one["kind"] for one in watched}
    assert_taken(watched, version)


def assert_taken(objects: list[Json], version: str) -> None:
    for one in objects:
        if (custom := CUSTOM.get(f"{one['apiVersion']} {one['kind']}")) is not None:
            assert set(one) == {"apiVersion", "kind", "metadata", "spec"}
            jsonschema.validate(one["spec"], custom)
        else:
            kubernetes_validate.validate(one, version, strict=True)
        assert one["metadata"]["namespace"] == "impasto"


def test_what_the_api_would_refuse_is_refused_here(overlay: list[Json]) -> None:
    pod = pods(overlay)["impasto-bot"]
    pod = {**pod, "spec": {**pod["spec"], "terminationGracePeriod": 3}}
    deployment = of_kind(overlay, "Deployment")["impasto-bot"]
    wrong = {**deployment, "spec": {**deployment["spec"], "template": pod}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.29", strict=True)


def test_each_setting_is_one_and_its_value_is_taken(overlay: list[Json]) -> None:
    told = of_kind(overlay, "ConfigMap")["impasto"]["data"]
    devices = {one["name"]: one["value"] for one in container(pods(overlay)["impasto-worker"])["env"]}
    assert set(devices) == {"IMPASTO_DEVICE"}
    explained = set(re.findall(r"^#(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {*told, *devices} <= explained
    ours = {name.lower(): value for name, value in {**told, **devices}.items() if not name.startswith("AWS_")}
    assert set(ours) <= set(BotSettings.model_fields)
    settings = BotSettings.model_validate({"discord_token": "x", **ours})
    port = parse_address(settings.impasto_monitoring)
    for pod in pods(overlay).values():
        assert container(pod)["ports"] == [{"name": "monitoring", "containerPort": port[1] if port else 0}]
        assert container(pod)["envFrom"][0]["configMapRef"]["name"].startswith("impasto-")


def test_the_secrets_are_those_that_the_documents_make_and_a_worker_knows_no_token(overlay: list[Json]) -> None:
    document = (ROOT / "docs" / "deploy.md").read_text()
    made = dict(re.findall(r"create secret generic (\S+)((?:.*\\\n)*.*)", document))
    text = yaml.safe_dump_all(overlay)
    assert re.findall(r"secretRef:\s+name: (\S+)", text) == ["impasto", "impasto"]
    for used in of_kind(overlay, "TriggerAuthentication").values():
        assert {one["name"] for one in used["spec"]["secretTargetRef"]} == {"impasto-redis"}
        assert {one["key"] for one in used["spec"]["secretTargetRef"]} <= keys(made["impasto-redis"])
    assert "REDIS_URL" in keys(made["impasto"])
    assert keys(made["impasto-discord"]) == {"DISCORD_TOKEN"}
    reference = {"name": "impasto-discord", "key": "DISCORD_TOKEN"}
    bot, worker = (container(pods(overlay)[name]) for name in ("impasto-bot", "impasto-worker"))
    assert bot["env"] == [{"name": "DISCORD_TOKEN", "valueFrom": {"secretKeyRef": reference}}]
    assert "impasto-discord" not in str(worker)


def keys(options: str) -> set[str]:
    return set(re.findall(r"--from-literal=(\w+)=", options))


async def test_keda_counts_the_open_paintings_down_to_none(overlay: list[Json], redis: ArqRedis) -> None:
    """It takes the SCARD of a set, and 0 where there is nothing; also what only a worker puts into the queue again."""
    scaled = of_kind(overlay, "ScaledObject")
    for one in scaled.values():
        assert one["spec"]["scaleTargetRef"]["name"] in of_kind(overlay, "Deployment")
        assert one["spec"]["triggers"][0]["metadata"]["listName"] == OPEN
        assert one["spec"]["minReplicaCount"] == 0
        assert "replicas" not in of_kind(overlay, "Deployment")["impasto-worker"]["spec"]
    jobs = Jobs(redis)
    assert await redis.type(OPEN) == b"none"
    for count, job in enumerate([a_job(), a_job("another")], 1):
        await jobs.create(job)
        assert (await redis.type(OPEN), await redis.scard(OPEN)) == (b"set", count)  # type: ignore[misc]
    await jobs.start(job.id, 0, 0, "a worker")
    assert await redis.scard(OPEN) == 2  # type: ignore[misc]
    for name in await jobs.open():
        await jobs.cancel(name)
    assert await redis.scard(OPEN) == 1, "what is painted ends by its worker"  # type: ignore[misc]


async def test_where_no_worker_waits_for_paintings_the_bot_accepts_the_first(
    overlay: list[Json], redis: ArqRedis
) -> None:
    """It refuses all of them until it knows the weights; and KEDA starts a worker for nothing but a painting."""
    told = of_kind(overlay, "ConfigMap")["impasto"]["data"]
    ours = {name.lower(): value for name, value in told.items() if name.startswith("IMPASTO_")}
    backend = SimpleNamespace(redis=redis, settings=BotSettings.model_validate({"discord_token": "x", **ours}))
    network = await Admission(cast(Any, backend), cast(Any, None)).network()
    begins_with_none = any(one["spec"]["minReplicaCount"] == 0 for one in of_kind(overlay, "ScaledObject").values())
    assert network is not None or not begins_with_none


async def test_each_probe_asks_for_what_is_served(overlay: list[Json]) -> None:
    asked = {}
    for name, pod in pods(overlay).items():
        probes = {kind: container(pod)[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
        assert {one["port"] for one in probes.values()} == {"monitoring"}
        asked[name] = {kind: one["path"] for kind, one in probes.items()}
    # What the bot stands on includes a worker, of which there may be none; and nobody ends for an outage at once.
    assert asked["impasto-bot"] == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/readyz"}
    assert asked["impasto-worker"] == {"startup": "/readyz", "readiness": "/healthz", "liveness": "/readyz"}

    async def nothing() -> list[Any]:
        return []

    async with (
        serve_monitoring(("127.0.0.1", 0), Monitored({}, {}, nothing)) as url,
        aiohttp.ClientSession() as session,
    ):
        for path in {path for paths in asked.values() for path in paths.values()}:
            async with session.get(url + path) as answer:
                assert answer.status == 200


def test_a_drain_has_the_time_that_it_has_elsewhere(overlay: list[Json]) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    unit = (ROOT / "deploy" / "systemd" / "impasto-worker@.service").read_text()
    assert "stop_grace_period: 2m\n" in compose
    assert "TimeoutStopSec=120\n" in unit
    compose_app = yaml.safe_load(compose)["x-app"]
    assert compose_app["init"] is True
    assert all(pod["spec"]["shareProcessNamespace"] for pod in pods(overlay).values()), "else Python is PID 1"
    found = {name: pod["spec"]["terminationGracePeriodSeconds"] for name, pod in pods(overlay).items()}
    assert found == {"impasto-bot": 30, "impasto-worker": 120}
    assert of_kind(overlay, "Deployment")["impasto-bot"]["spec"]["strategy"] == {"type": "Recreate"}
    assert of_kind(overlay, "Deployment")["impasto-bot"]["spec"]["replicas"] == 1


def test_nobody_may_more_than_they_need(overlay: list[Json]) -> None:
    """As the standard `restricted` asks for, and a system that cannot be written to."""
    user = int(re.findall(r"^USER (\d+):", (ROOT / "deploy" / "bot.Containerfile").read_text(), re.MULTILINE)[0])
    for pod in pods(overlay).values():
        spec, inner = pod["spec"], container(pod)
        ids = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), user)
        assert spec["securityContext"] == {**ids, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
        assert inner["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert inner["resources"]["limits"]["memory"]
        assert {one["mountPath"] for one in inner["volumeMounts"]} == {"/data", "/tmp"}  # noqa: S108
        assert "/" not in inner["image"], "whose registry it is, an operator says"


def test_the_network_is_closed_but_for_what_is_needed(overlay: list[Json]) -> None:
    (policy,) = of_kind(overlay, "NetworkPolicy").values()
    chosen = policy["spec"]["podSelector"]["matchLabels"].items()
    assert all(chosen <= pod["metadata"]["labels"].items() for pod in pods(overlay).values())
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    (watched,) = policy["spec"]["ingress"]
    assert watched["ports"] == [{"protocol": "TCP", "port": "monitoring"}]
    assert watched["from"]
    (out,) = policy["spec"]["egress"]
    assert {one["port"] for one in out["ports"]} == {53, 443, 6379, 6380}


def ports(pod: Json) -> set[str]:
    return {one["name"] for one in container(pod)["ports"]}


def test_the_pod_monitor_finds_bot_and_workers_under_the_job_that_the_alerts_name(watched: list[Json]) -> None:
    (monitor,) = (one["spec"] for one in of_kind(watched, "PodMonitor").values())
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["path"] == "/metrics"
    for pod in pods(watched).values():
        labels = pod["metadata"]["labels"]
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert endpoint["port"] in ports(pod)
        alerts = (ROOT / "deploy" / "monitoring" / "alerts.yml").read_text()
        assert set(re.findall(r'\bjob="([^"]*)"', alerts)) == {labels[monitor["jobLabel"]]}


def test_the_page_is_served_with_a_token_where_its_service_looks_and_to_whom_it_is_for(watched: list[Json]) -> None:
    bot, worker = (pods(watched)[name] for name in ("impasto-bot", "impasto-worker"))
    environment = {one["name"]: one for one in container(bot)["env"]}
    reference = environment["IMPASTO_PAGE_TOKEN"]["valueFrom"]["secretKeyRef"]
    assert (
        f"create secret generic {reference['name']} --from-literal={reference['key']}="
        in (ROOT / "docs" / "deploy.md").read_text()
    )
    token, address = "0123456789abcdef", environment["IMPASTO_PAGE"]["value"]
    settings = BotSettings(discord_token=SecretStr("x"), impasto_page=address, impasto_page_token=SecretStr(token))
    assert settings.page_address is not None
    assert settings.page_address[0] == "0.0.0.0"  # noqa: S104
    assert {"name": "page", "containerPort": settings.page_address[1]} in container(bot)["ports"]
    (service,) = (one["spec"] for one in of_kind(watched, "Service").values())
    assert "type" not in service, "nobody outside of the cluster reaches it"
    assert {one["targetPort"] for one in service["ports"]} == ports(bot) == {"page", "monitoring"}
    assert service["selector"].items() <= bot["metadata"]["labels"].items()
    assert not service["selector"].items() <= worker["metadata"]["labels"].items()
    (policy,) = of_kind(watched, "NetworkPolicy").values()
    let_in = {one["ports"][0]["port"]: str(one["from"]) for one in policy["spec"]["ingress"]}
    assert set(let_in) == {"page", "monitoring"}
    assert "impasto/page" in let_in["page"]
    assert "impasto/page" not in let_in["monitoring"]
    assert "IMPASTO_PAGE" not in str(worker)

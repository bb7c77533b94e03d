"""What deploy/ says agrees with the tree: images, commands, resources, names of settings."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from actors.cli import app
from storage.settings import Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
MANIFESTS = ("exchange.yaml", "raycluster.yaml", "rayjob.yaml", "ray-up.yaml")
VERSION = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
PIN = re.compile(r"^([a-z0-9._-]+)==([^ ]+)", re.MULTILINE)
RAYS_OWN = {"RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_HEAD_IP"}
OTHERS = {"NUMBA_CACHE_DIR", "PATH", "PYTHONUNBUFFERED", "PYTHON", "RAY_USAGE_STATS_ENABLED"}
PIPS = {"PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR", "PIP_ROOT_USER_ACTION"}

# Of ray-operator/apis/ray/v1 in KubeRay; authOptions came with 1.5.1.
CLUSTER_FIELDS = {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"}
HEAD_FIELDS = {"serviceType", "rayStartParams", "template"}
WORKER_FIELDS = {
    *("groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"),
}
JOB_FIELDS = {
    *("clusterSelector", "entrypoint", "submissionMode", "submitterConfig"),
    "activeDeadlineSeconds",
}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [one for name in MANIFESTS for one in documents(name) if one.get("kind") == kind]


def walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    if isinstance(node, list):
        for value in node:
            yield from walk(value)


def every(key: str) -> list[Any]:
    return [one[key] for name in MANIFESTS for one in walk(documents(name)) if key in one]


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(DEPLOY.iterdir()):
        if path.suffix != ".lock":
            yield path.name, path.read_text()


def sandpit_lines() -> Iterator[list[str]]:
    """Every command line of sandpit in manifests, Dockerfile and page."""
    for command in [*every("command"), *map(shlex.split, every("entrypoint"))]:
        if command[0] == "sandpit":
            yield command
    yield json.loads(re.findall(r"^CMD (\[.+\])$", dockerfile(), re.MULTILINE)[-1])
    for line in (DEPLOY / "README.md").read_text().splitlines():
        found = re.match(r"^(?:[A-Z_]+=\S+ )*(sandpit .*)$", line.strip().removeprefix("$ "))
        if found:
            yield shlex.split(found[1], comments=True)


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


def test_every_manifest_can_be_read_and_says_what_it_is() -> None:
    assert {path.name for path in DEPLOY.glob("*.yaml")} == set(MANIFESTS)
    for name in MANIFESTS:
        for one in documents(name):
            assert "cluster_name" in one or {"apiVersion", "kind", "metadata"} <= one.keys()


def test_every_image_is_of_this_version() -> None:
    assert VERSION is not None
    images = set(every("image"))
    assert len(images) == 1
    assert images.pop().endswith(f"/sandpit:{VERSION[1]}")


def test_ray_is_the_one_that_is_pinned() -> None:
    (cluster,) = of_kind("RayCluster")
    pins = dict(PIN.findall((ROOT / "requirements.lock").read_text()))
    assert cluster["spec"]["rayVersion"] == pins["ray"]


def test_every_command_line_is_one_that_sandpit_takes() -> None:
    lines = list(sandpit_lines())
    assert len(lines) >= 4
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for _, name, *arguments in lines:
        commands[name].make_context(name, arguments)


def test_every_environment_name_is_known() -> None:
    known = {
        (str(field.validation_alias) if field.validation_alias else f"SANDPIT_{name}").upper()
        for name, field in Settings.model_fields.items()
    }
    said = {
        name
        for _, text in texts()
        for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b", text)
    }
    assert "DATABASE_URL" in said
    assert said - known <= RAYS_OWN | OTHERS | PIPS
    for name in of_kind("ConfigMap")[0]["data"]:
        assert name in known


def test_groups_offer_the_resources_that_actors_ask_for() -> None:
    (cluster,) = of_kind("RayCluster")
    groups = {group["groupName"]: group for group in cluster["spec"]["workerGroupSpecs"]}
    assert set(groups) == {"market", "strategy"}
    for name, group in groups.items():
        offered = json.loads(json.loads(group["rayStartParams"]["resources"]))
        (container,) = group["template"]["spec"]["containers"]
        assert offered == {name: int(container["resources"]["limits"]["cpu"])}
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_kuberays_objects_have_its_fields_and_find_each_other() -> None:
    (cluster,), (job,) = of_kind("RayCluster"), of_kind("RayJob")
    spec = cluster["spec"]
    assert spec.keys() <= CLUSTER_FIELDS
    assert spec["headGroupSpec"].keys() <= HEAD_FIELDS
    assert all(group.keys() <= WORKER_FIELDS for group in spec["workerGroupSpecs"])
    assert job["spec"].keys() <= JOB_FIELDS
    assert job["spec"]["clusterSelector"]["ray.io/cluster"] == cluster["metadata"]["name"]
    assert spec["authOptions"] == {"mode": "token"}


def test_every_claim_secret_and_map_that_is_used_is_named() -> None:
    claims = {one["metadata"]["name"] for one in of_kind("PersistentVolumeClaim")}
    assert {one["claimName"] for one in every("persistentVolumeClaim")} == claims
    assert {one["name"] for one in every("configMapRef")} == {"sandpit"}
    for secret in every("secretKeyRef"):
        assert secret["name"] == "sandpit-servers"
        assert f"--from-literal={secret['key']}=" in (DEPLOY / "exchange.yaml").read_text()


def test_the_image_is_copied_from_what_there_is() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile(), re.MULTILINE)
    assert {"pyproject.toml", "deploy/image.lock", "actors", "api", "sim", "storage"} == set(copied)
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for path in copied:
        assert (ROOT / path).exists()
        assert f"!{path}" in allowed


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    assert re.search(r"^USER 10001$", dockerfile(), re.MULTILINE)
    assert re.search(r"^HEALTHCHECK", dockerfile(), re.MULTILINE)
    assert "--require-hashes" in dockerfile()
    for security in every("securityContext"):
        assert security.get("runAsUser", 10001) == 10001


@pytest.mark.parametrize("tool", ["mypy", "pytest", "ruff", "hypothesis"])
def test_the_image_has_no_tools(tool: str) -> None:
    assert tool not in dict(PIN.findall((DEPLOY / "image.lock").read_text()))


def test_the_image_has_the_versions_that_are_tested() -> None:
    tested = set(PIN.findall((ROOT / "requirements.lock").read_text()))
    names = {name for name, _ in tested}
    inside = PIN.findall((DEPLOY / "image.lock").read_text())
    assert [pin for pin in inside if pin[0] in names and pin not in tested] == []


def test_the_image_has_all_that_the_tree_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=~!; ]", one)[0].lower() for one in project["dependencies"]}
    inside = dict(PIN.findall((DEPLOY / "image.lock").read_text()))
    assert needed - inside.keys() == set()


def test_ray_up_says_what_rays_schema_allows() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    (cluster,) = documents("ray-up.yaml")
    validate_config(prepare_config(cluster))

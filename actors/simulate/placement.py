"""The Ray cluster that a simulation joins: which nodes may have its actors, and whether they can.

Nodes that have the resources `market` and `strategy`, as the worker groups of deploy/ do, get
the actors of that kind; without such nodes they are spread over all that have a CPU.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.cluster.ours import (
    NAMESPACE,
    check_address,
    cluster_of_this_machine,
    connect_ray,
    first_line,
)
from storage.settings import ConfigurationError

AUTO = "auto"
CPU_EACH = 0.001
"""Next to nothing, but more than a node offers that wants no work, as a head should."""

RESOURCE_GRAIN = 10_000
"""Ray counts resources in ten-thousandths."""

LOOK_TIMEOUT_S = 60.0
START_TIMEOUT_S = 120.0
FORMATIVE = ("numba", "numpy")
"""Libraries that what happens in a market depends on."""


@dataclass(frozen=True)
class Joined:
    """A cluster, with what it had when it was joined."""

    address: str
    nodes: int
    cpus: int


def join_cluster(wish: str) -> Joined:
    """HOST:PORT, or auto: RAY_ADDRESS, else the cluster that this machine is a node of.

    Raises ConfigurationError.
    """
    address, named = wish, f"--address {wish}"
    if wish == AUTO:
        given = os.environ.get("RAY_ADDRESS")
        address = given or cluster_of_this_machine()
        named = f"RAY_ADDRESS={address}" if given else f"{address}, which --address auto has found"
    check_address(address, named)
    address = connect_ray(address, NAMESPACE, named)
    nodes = _working(_alive())
    _refuse_strangers(nodes)
    return Joined(address, len(nodes), int(sum(_amounts(nodes, "CPU"))))


def placed(kind: str, count: int) -> Mapping[str, Any]:
    """Ray's options for `count` actors of a kind, by the nodes there are now."""
    nodes = _alive()
    amounts = _amounts(nodes, kind)
    if amounts:
        share = {"num_cpus": 0, "resources": {kind: fitting(amounts, count)}}
    else:
        share = {"num_cpus": CPU_EACH if _amounts(nodes, "CPU") else 0}
    return {"scheduling_strategy": "SPREAD", **share}


def fitting(amounts: Sequence[float], count: int) -> float:
    """The most that each of `count` may take, so that all fit on nodes with these amounts."""
    for divisor in range(1, RESOURCE_GRAIN + 1):
        each = RESOURCE_GRAIN // divisor / RESOURCE_GRAIN
        if sum(int(amount / each + 1e-9) for amount in amounts) >= count:
            return each
    return 1 / RESOURCE_GRAIN


def await_actors(actors: Sequence[Any]) -> None:
    """Until all of them run. Raises ConfigurationError."""
    try:
        ray.get([actor.__ray_ready__.remote() for actor in actors], timeout=START_TIMEOUT_S)
    except GetTimeoutError:
        left = {name: round(amount, 3) for name, amount in ray.available_resources().items()}
        raise ConfigurationError(
            f"The cluster did not start {len(actors)} actors within {START_TIMEOUT_S:.0f} s; "
            f"what it has left is {left}."
        ) from None
    except RayError as error:
        raise ConfigurationError(f"An actor did not start: {first_line(error)}") from error


def fingerprint() -> str:
    """Of the code and the libraries that a simulation's results depend on."""
    digest = blake2b(digest_size=8)
    for name in FORMATIVE:
        digest.update(f"{name} {version(name)}\n".encode())
    digest.update(f"python {sys.version_info[:2]}\n".encode())
    top = Path(__file__).parents[2]
    for path in (*sorted(top.glob("sim/**/*.py")), *sorted(top.glob("actors/simulate/*.py"))):
        digest.update(path.relative_to(top).as_posix().encode() + b"\n" + path.read_bytes())
    return digest.hexdigest()


def _refuse_strangers(nodes: Sequence[Mapping[str, Any]]) -> None:
    """Each node loads this module and says what it finds beside it."""
    asked = ray.remote(num_cpus=0, max_retries=0)(fingerprint)
    answers = [
        asked.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote()
        for node in nodes
    ]
    own = fingerprint()
    for node, answer in zip(nodes, answers, strict=True):
        where = f"The cluster's node {node['NodeManagerAddress']}"
        try:
            other = ray.get(answer, timeout=LOOK_TIMEOUT_S) != own
        except GetTimeoutError:
            raise ConfigurationError(
                f"{where} started no process within {LOOK_TIMEOUT_S:.0f} s."
            ) from None
        except RayError:
            raise ConfigurationError(
                f"{where} cannot load sandpit: all nodes need the same install, as one image gives."
            ) from None
        if other:
            raise ConfigurationError(
                f"{where} has another version of sandpit, numpy or numba than this process: "
                "all nodes need the same install, as one image gives."
            )


def _alive() -> list[Mapping[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _working(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that may get actors."""
    wanted = [node for node in nodes if {"CPU", "market", "strategy"} & node["Resources"].keys()]
    return wanted or list(nodes)


def _amounts(nodes: Sequence[Mapping[str, Any]], resource: str) -> list[float]:
    found = [node["Resources"].get(resource, 0.0) for node in nodes]
    return [amount for amount in found if amount > 0]

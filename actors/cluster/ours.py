"""Ray for one sandpit: its own, private and mortal, or the cluster that RAY_ADDRESS names."""

import hashlib
import logging
import os
import re
import shutil
import signal
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from actors.cluster.head import lean_head, own_signals
from actors.own_tree import TREE
from storage.servers.data_directory import Hold, prepare, secret, short_directory
from storage.servers.given import database_place
from storage.settings import ConfigurationError, Settings

PORT_TEXT = re.compile(r"[0-9]{1,5}")
NAMESPACE = "sandpit"
RAY_LOCK, RAY_FOLDER = "ray.lock", "ray"
"""In a data directory, held as long as its Ray lives; and what Ray's own folder is named for."""

CPUS_MIN = 8
OBJECT_STORE_MB = 300
LOOPBACK = "127.0.0.1"
STOP_TIMEOUT_S = 3.0
CONNECT_TIMEOUT_S = 3.0
GCS_TRIES = 5
MEGABYTE = 1 << 20

# How gRPC begins: a preface and an empty frame of settings, answered by a frame of settings.
HTTP2_SETTINGS, HTTP2_FRAME_BYTES = b"\x04", 9
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + HTTP2_SETTINGS + bytes(5)

# Read by ray when it is imported and by every process it starts. With clusters across machines
# off, everything listens on loopback and GCS takes a free port, which is never Redis's.
LOOPBACK_ENVIRONMENT = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
LOCAL_ENVIRONMENT = {
    **LOOPBACK_ENVIRONMENT,
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_LOG_TO_DRIVER": "0",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_open_telemetry": "0",
    "RAY_enable_timeline": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}
EVERY_ENVIRONMENT = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_worker_niceness": "0",
    # More actors than this at once are a warning to Ray, which it writes to our output.
    "RAY_worker_maximum_startup_concurrency": "8",
    "RAY_DEDUP_LOGS": "0",
}

_local: "LocalRay | None" = None


class LocalRay:
    """What has to be taken away again when this process's own Ray stops."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = prepare(data_dir)
        self._hold = Hold(self.data_dir / RAY_LOCK)
        self._hold.take("Ray")
        self._directory = short_directory(self.data_dir, RAY_FOLDER)
        # What a killed run left. Ray opens its own directory to everyone: ours stands around it.
        self.temporary = self._directory / "r"
        self._seen: list[psutil.Process] = []
        shutil.rmtree(self.temporary, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """gcs_server, raylet and all that they have started."""
        found = []
        for child in psutil.Process().children():
            if any(str(self.temporary) in part for part in _command_line(child)):
                found += [child, *_below(child)]
        self._seen = [one for one in {*self._seen, *found} if one.is_running()]
        return found

    def left_behind(self) -> list[psutil.Process]:
        """All of ours that still run, also those whose parent has died."""
        return list({*self.processes(), *self._seen})

    def clear(self, processes: list[psutil.Process], wait_s: float) -> None:
        """Waits for processes to end, kills those that do not, and forgets the directory."""
        _, alive = psutil.wait_procs(processes, timeout=wait_s)
        for process in alive:
            _kill(process)
        psutil.wait_procs(alive, timeout=STOP_TIMEOUT_S)
        shutil.rmtree(self._directory, ignore_errors=True)
        self._hold.release()


def start_ray(settings: Settings) -> str:
    """The configured cluster's address, or that of a new one on this machine."""
    if settings.ray_address:
        named = f"RAY_ADDRESS={settings.ray_address}"
        address = connect_ray(settings.ray_address, namespace(settings), named)
        _refuse_servers_out_of_reach(settings)
        return address
    return start_local_ray(settings.data_path, object_store_mb=settings.object_store_mb)


def namespace(settings: Settings) -> str:
    """Where actors have their names: deployments that share a cluster do not see each other.

    A deployment is its database, or its data directory where that has the database in it.
    """
    url = settings.database_url
    place = str(settings.data_path) if url is None else database_place(url.get_secret_value())
    return f"{NAMESPACE}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"


def start_local_ray(
    data_dir: Path, *, cpus: int | None = None, object_store_mb: int = OBJECT_STORE_MB
) -> str:
    """Call it from a thread that lives as long as the cluster: Linux ends Ray with it.

    Returns the address of GCS. Raises ConfigurationError, leaving nothing running.
    """
    global _local
    _local = LocalRay(data_dir)
    token = _local.data_dir / "ray.token"
    secret(token)
    os.environ.pop("RAY_AUTH_TOKEN", None)
    _set_environment({**LOCAL_ENVIRONMENT, "RAY_AUTH_TOKEN_PATH": str(token)})
    import ray

    try:
        with lean_head(), own_signals():
            context = ray.init(
                address="local",
                num_cpus=cpus or max(CPUS_MIN, os.cpu_count() or 1),
                num_gpus=0,
                object_store_memory=object_store_mb * MEGABYTE,
                include_dashboard=False,
                namespace=NAMESPACE,
                job_config=_job_config(),
                log_to_driver=False,
                logging_level=logging.WARNING,
                _node_ip_address=LOOPBACK,
                _temp_dir=str(_local.temporary),
            )
    except Exception as error:
        stop_ray()
        raise ConfigurationError(f"Ray did not start: {first_line(error)}") from error
    return str(context.address_info["gcs_address"])


def connect_ray(address: str, namespace: str, named: str) -> str:
    """Joins a cluster that others run; authentication is theirs, through Ray's own variables.

    address   HOST:PORT
    named     how whoever gave the address knows it

    Raises ConfigurationError.
    """
    _set_environment(LOOPBACK_ENVIRONMENT if _only_on_loopback(address) else {})
    import ray

    try:
        with own_signals():
            context = ray.init(
                address=address,
                namespace=namespace,
                job_config=_job_config(),
                log_to_driver=False,
                logging_level=logging.WARNING,
            )
    except Exception as error:
        raise ConfigurationError(
            f"The Ray cluster at {named} cannot be joined: {_reason(error)}"
        ) from error
    return str(context.address_info["gcs_address"])


def _refuse_servers_out_of_reach(settings: Settings) -> None:
    """The servers that we start listen on sockets of this machine."""
    import ray

    if settings.database_url is not None and settings.redis_url is not None:
        return
    if sum(node["Alive"] for node in ray.nodes()) > 1:
        raise ConfigurationError(
            "The Ray cluster has other machines, which need servers that they can reach: "
            "set DATABASE_URL and REDIS_URL."
        )


def check_ray_address(settings: Settings) -> None:
    """Whether somebody answers there: Ray itself would try for minutes.

    Raises ConfigurationError.
    """
    if settings.ray_address is not None:
        check_address(settings.ray_address, f"RAY_ADDRESS={settings.ray_address}")


def cluster_of_this_machine() -> str:
    """HOST:PORT, as Ray finds it: a node of it runs here, or was the last that was started here.

    Raises ConfigurationError.
    """
    from ray._private import services

    try:
        return str(services.canonicalize_bootstrap_address("auto"))
    except ConnectionError:
        raise ConfigurationError(
            "No node of a Ray cluster runs on this machine, and RAY_ADDRESS is not set."
        ) from None


def check_address(address: str, named: str) -> None:
    """Raises ConfigurationError where no Ray answers there."""
    host, colon, port = address.rpartition(":")
    if "://" in address or not colon or not PORT_TEXT.fullmatch(port):
        raise ConfigurationError(
            f"{named} does not read like HOST:PORT, the address of a cluster's GCS; "
            "sandpit runs on one of its nodes."
        )
    try:
        _knock(host, int(port))
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"Nothing answers at {named}: {said}.") from None


def _only_on_loopback(address: str) -> bool:
    """Ray takes loopback for another name of this machine, unless it is told not to."""
    host, _, port = address.rpartition(":")
    if host not in (LOOPBACK, "localhost"):
        return False
    import ray

    try:
        _knock(ray.util.get_node_ip_address(), int(port))
    except OSError:
        return True
    return False


def _knock(host: str, port: int) -> None:
    """Raises OSError where nothing answers, or what answers does not speak gRPC."""
    with socket.create_connection((host.strip("[]"), port), CONNECT_TIMEOUT_S) as connection:
        if os.environ.get("RAY_USE_TLS") == "1":
            return
        connection.sendall(HTTP2_GREETING)
        if connection.recv(HTTP2_FRAME_BYTES)[3:4] != HTTP2_SETTINGS:
            raise OSError("what answers is not Ray")


def ray_is_alive() -> bool:
    """False where our own cluster's processes are gone: then no call to it would return."""
    if _local is None:
        return True
    names = {_name(process) for process in _local.processes()}
    return {"gcs_server", "raylet"} <= names


def abandon_ray() -> None:
    """Ends what is left of our own cluster, of which a part has died, so that it can be started
    again in this process: what has no one to talk to does not hold up the farewell."""
    global _local
    import ray

    local, _local = _local, None
    if local is not None:
        processes = local.left_behind()
        for process in processes:
            _kill(process)
        psutil.wait_procs(processes, timeout=STOP_TIMEOUT_S)
        ray.shutdown()
        local.clear(processes, 0)


def stop_ray() -> None:
    """Leaves the cluster; ends it when it is ours. May be called at any time."""
    global _local
    import ray

    alive = ray_is_alive()
    local, _local = _local, None
    processes = local.processes() if local is not None else []
    if alive:
        ray.shutdown()
    if local is not None:
        local.clear(processes, STOP_TIMEOUT_S if alive else 0)


class _OurTreeAlone(list[str]):
    """Search paths of a Ray job's workers: Ray would add the folder that its driver stands in."""

    def extend(self, _: Iterable[str]) -> None:
        return


def _job_config() -> Any:
    """Ray's configuration of a job whose workers look for modules in our tree first."""
    from ray.job_config import JobConfig

    config = JobConfig()
    config._py_driver_sys_path = _OurTreeAlone([str(TREE)])
    return config


def _set_environment(more: dict[str, str]) -> None:
    """Also for a ray that was imported before: it keeps what it read then."""
    os.environ.update({**EVERY_ENVIRONMENT, **more})
    from ray import _raylet
    from ray._private import auto_init_hook, ray_constants

    auto_init_hook.enable_auto_connect = False  # who asks a Ray that has ended started another
    ray_constants.NUM_REDIS_GET_RETRIES = GCS_TRIES
    if "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" in more:
        ray_constants.ENABLE_RAY_CLUSTER = False
    compiled: Any = _raylet
    compiled.Config.initialize("")
    compiled.AuthenticationTokenLoader.instance().reset_cache()


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def first_line(error: Exception) -> str:
    """What an error says first, or its name."""
    return str(error).strip().split("\n", 1)[0] or type(error).__name__


def _reason(error: Exception) -> str:
    """One sentence of what Ray says in several lines."""
    if str(error).startswith("Version mismatch"):
        return f"{' '.join(str(error).split())}. One image for all nodes and this process ends it."
    sentence = first_line(error).rstrip(".")
    return f"{sentence}. Is it Ray of the same version, and RAY_AUTH_TOKEN its token?"

"""Starts Ray's head with the two processes that do the work, gcs_server and raylet.

Ray has no public switch for leaving out its dashboard, log monitor, autoscaler monitor and
agents, so some of its private functions are replaced while ray.init runs. A Ray that has
changed them starts as it likes, slower and with more processes, and everything still works.
Its processes get a session of their own: Ctrl-C in a terminal reaches the driver alone, which
then ends them in order.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

AGENT = Path(__file__).with_name("agent.py")
AGENT_PORTS = {
    "--dashboard_agent_command=": (
        "metrics_agent_port",
        "metrics_export_port",
        "dashboard_agent_listen_port",
    ),
    "--runtime_env_agent_command=": ("runtime_env_agent_port",),
}


@contextmanager
def lean_head() -> Iterator[None]:
    """Inside, ray.init starts gcs_server and raylet and nothing else."""
    from ray._private import node, services

    wanted: tuple[tuple[Any, str, Any], ...] = (
        (node.Node, "start_api_server", _no_dashboard),
        (node.Node, "start_monitor", _nothing),
        (node.Node, "start_log_monitor", _nothing),
        (services, "start_ray_process", _with_small_agents(services.start_ray_process)),
        (services, "ConsolePopen", _in_a_session_of_its_own(services.ConsolePopen)),
    )
    with ExitStack() as stack:
        if all(hasattr(owner, name) for owner, name, _ in wanted):
            for owner, name, replacement in wanted:
                stack.enter_context(_replaced(owner, name, replacement))
        yield


@contextmanager
def own_signals() -> Iterator[None]:
    """Inside, ray.init leaves the handler of SIGTERM as it is."""
    from ray._private import utils

    with ExitStack() as stack:
        if hasattr(utils, "set_sigterm_handler"):
            stack.enter_context(_replaced(utils, "set_sigterm_handler", _nothing))
        yield


@contextmanager
def _replaced(owner: Any, name: str, replacement: Callable[..., Any]) -> Iterator[None]:
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _no_dashboard(self: Any, **_: Any) -> None:
    self._webui_url = ""


def _nothing(_: Any) -> None:
    return None


def _in_a_session_of_its_own(popen: Any) -> Any:
    return partial(popen, start_new_session=True)


def _with_small_agents(start: Callable[..., Any]) -> Callable[..., Any]:
    def start_ray_process(command: list[str], *args: Any, **kwargs: Any) -> Any:
        return start([_small(part, command) for part in command], *args, **kwargs)

    return start_ray_process


def _small(part: str, command: list[str]) -> str:
    for flag, ports in AGENT_PORTS.items():
        if part.startswith(flag):
            where = [_value(command, "--session_dir="), _value(command, "--node_id=")]
            agent = [sys.executable, "-I", "-S", str(AGENT), *where, *ports]
            return flag + subprocess.list2cmdline(agent)
    return part


def _value(command: list[str], flag: str) -> str:
    return next(part.removeprefix(flag) for part in command if part.startswith(flag))

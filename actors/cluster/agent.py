"""Stands in for Ray's dashboard agent and runtime environment agent, which sandpit never uses.

The raylet insists on two agents, waits for the ports they write, and ends when one of them
does. Ray's own are Python processes of 90 MB each that take seconds to start, listen on ports
and outlive a killed raylet. Run as: python -I -S agent.py SESSION_DIR NODE_ID NAME...
"""

import os
import signal
import sys
import time

NO_PORT = "-1"
PARENT_POLL_S = 0.5


def publish(session_dir: str, node_id: str, name: str) -> None:
    path = os.path.join(session_dir, f"{name}_{node_id}")
    with open(f"{path}.new", "w") as file:
        file.write(NO_PORT)
    os.rename(f"{path}.new", path)


def main() -> None:
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    session_dir, node_id, *names = sys.argv[1:]
    for name in names:
        publish(session_dir, node_id, name)
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)


if __name__ == "__main__":
    main()

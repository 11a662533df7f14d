"""Several hosts on one machine: network namespaces joined by a switch, with cables to pull.

Needs root and iproute2; where these are missing, `network` skips the test and says why.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREFIX = "cft"
_CLONE_NEWNET = 0x40000000
_PATIENCE = 10


class Host:
    """One host: a network namespace with an address and a cable to the switch.

    Args:
        name: for people.
        address: its IPv4 address.
        namespace: its network namespace, as `ip netns` knows it.
        port: the switch's end of its cable.
        switch: the switch's namespace.

    """

    def __init__(self, name: str, address: str, namespace: str, port: str, switch: str) -> None:
        self.name = name
        self.address = address
        self.namespace = namespace
        self._port = port
        self._switch = switch
        self._processes: list[subprocess.Popen[Any]] = []

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command on this host; it is killed with the network if it runs on.

        Its pid is the command's own: `ip` replaces itself by it.
        """
        process = subprocess.Popen(["ip", "netns", "exec", self.namespace, *command], **options)
        self._processes.append(process)
        return process

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command on this host to its end and return what it printed."""
        options = {"capture_output": True, "text": True, "timeout": 60, **options}
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, *command], check=False, **options
        )

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let sockets, and threads, that the calling thread makes in here belong to this host."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(descriptor: int) -> None:
            if libc.setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot enter the network namespace")

        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        away = os.open(f"/run/netns/{self.namespace}", os.O_RDONLY)
        try:
            enter(away)
            try:
                yield
            finally:
                enter(home)
        finally:
            os.close(home)
            os.close(away)

    def cut(self) -> None:
        """Let nothing through to or from this host; nobody is told, as when a cable is pulled
        somewhere in between.
        """
        _ip("-n", self._switch, "link", "set", self._port, "nomaster")

    def restore(self) -> None:
        """Undo `cut`."""
        _ip("-n", self._switch, "link", "set", self._port, "master", "switch")

    def throttle(self, megabits: float) -> None:
        """Let this host send only so many megabits a second; skips if the kernel cannot."""
        rate = ["rate", f"{megabits}mbit", "burst", "32kb", "latency", "400ms"]
        command = ["tc", "-n", self.namespace, "qdisc", "replace", "dev", "eth0", "root", "tbf"]
        done = subprocess.run([*command, *rate], check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"cannot slow a network down here: {done.stderr.strip()}")

    def stop(self) -> None:
        """Kill what `popen` started and still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate()


@contextmanager
def network(*names: str) -> Iterator[list[Host]]:
    """Make hosts that reach each other, and remove them in the end.

    Example:
        ::

            with network("master", "worker", "laptop") as (master, worker, laptop):
                server = master.popen(["concurrent", "master", "--listen", …])
                worker.cut()

    """
    reason = missing()
    if reason:
        pytest.skip(reason)
    _sweep()
    switch = f"{_PREFIX}{os.getpid()}-switch"
    with ExitStack() as stack:
        _add(switch, stack)
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        hosts = [_add_host(name, number, switch, stack) for number, name in enumerate(names, 1)]
        yield hosts


def missing() -> str:
    """Return why there can be no network here; empty if there can."""
    if not sys.platform.startswith("linux"):
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need the command ip (package iproute2)"
    probe = f"{_PREFIX}{os.getpid()}-probe"
    try:
        with ExitStack() as stack:
            _add(probe, stack)
            _ip("-n", probe, "link", "add", "switch", "type", "bridge")
    except subprocess.CalledProcessError as error:
        return f"network namespaces are not allowed here: {error.stderr.strip()}"
    return ""


def _add_host(name: str, number: int, switch: str, stack: ExitStack) -> Host:
    namespace = f"{_PREFIX}{os.getpid()}-{name}"
    address = f"10.77.0.{number}"
    port = f"port{number}"
    _add(namespace, stack)
    _ip("-n", switch, "link", "add", port, "type", "veth", "peer", "eth0", "netns", namespace)
    _ip("-n", switch, "link", "set", port, "master", "switch", "up")
    _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
    for device in ("lo", "eth0"):
        _ip("-n", namespace, "link", "set", device, "up")
    host = Host(name, address, namespace, port, switch)
    stack.callback(host.stop)
    return host


def _add(namespace: str, stack: ExitStack) -> None:
    _ip("netns", "add", namespace)
    stack.callback(_ip, "netns", "delete", namespace)


def _sweep() -> None:
    """Remove what test runs that were killed have left behind."""
    for path in Path("/run/netns").glob(f"{_PREFIX}*-*"):
        owner = re.match(rf"{_PREFIX}(\d+)-", path.name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            subprocess.run(["ip", "netns", "delete", path.name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(
        ["ip", *arguments], check=True, capture_output=True, text=True, timeout=_PATIENCE
    )

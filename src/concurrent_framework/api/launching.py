"""Starting applications for those who ask for it over the API, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from concurrent_framework.components import IApp
from concurrent_framework.config.nearest import nearest
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from concurrent_framework.components import ComponentManager

NODES = frozenset({"master", "worker"})
"""Launchable, but no applications."""
JOIN_PATIENCE = 20.0
"""Seconds that an application has to join its master."""
LOOK_AGAIN = 0.05
TAIL = 4000
"""Characters of an application's own output that are told."""


class LaunchOrder(msgspec.Struct, frozen=True):
    """What the process of a launched application is told on its stdin.

    Args:
        application: name of an `IApp` component, or of a sample.
        endpoint: where the master is.
        arguments: what it finds in ``self.arguments``.
        config: the configuration of the node that launches it.
        settings: ``section.key`` to value, on top of it.
        plugins: the folder of an environment's plug-ins, empty for none.

    """

    application: str
    endpoint: str
    arguments: tuple[str, ...]
    config: bytes
    settings: dict[str, Any]
    plugins: str = ""


class _Launched(NamedTuple):
    """An application's process, and the file that has its output."""

    process: subprocess.Popen[bytes]
    output: Path

    def tail(self) -> str:
        data = self.output.read_bytes()[-TAIL:]
        return data.decode(errors="replace").strip()


class Launcher:
    """Starts installed applications on a master, and knows how they ended.

    What it started ends with the master when that is stopped.

    Args:
        components: the node's, with its configuration.
        endpoint: the master's private endpoint.
        directory: where the output of applications is kept, in a directory of its own.
        plugins: the folder of an environment's plug-ins, None for none.

    """

    def __init__(
        self, components: ComponentManager, endpoint: str, directory: Path, plugins: Path | None
    ) -> None:
        self._components = components
        self._endpoint = endpoint
        self._directory = directory / "launched"
        self._plugins = plugins
        self._launched: dict[int, _Launched] = {}
        self._started = 0

    def names(self) -> list[str]:
        """Return what can be launched: installed applications, then the samples."""
        from concurrent_framework.cli.target import sample_names

        installed = [name for name in self._components.names(IApp) if name not in NODES]
        return [*installed, *(name for name in sample_names() if name not in installed)]

    async def launch(
        self,
        name: str,
        arguments: Sequence[str],
        settings: Mapping[str, Any],
        known: Callable[[], Awaitable[list[dict[str, Any]]]],
    ) -> dict[str, Any]:
        """Start an application and return how the master knows it, once it has joined.

        Args:
            name: what to start.
            arguments: its arguments.
            settings: ``section.key`` to value.
            known: asks the master for its applications, those that ended too.

        Raises:
            UsageError: there is no such application.
            ConcurrentError: it ended before it had joined; the message has what it wrote.

        """
        import asyncio

        names = self.names()
        if name not in names:
            near = nearest(name, names)
            hint = f"did you mean {near!r}? " if near else ""
            message = f"no application is called {name!r}; {hint}there are: {', '.join(names)}"
            raise UsageError(message)
        for one in self._launched.values():
            one.process.poll()  # so that those that have ended are no zombies
        launched = await asyncio.to_thread(self._start, name, tuple(arguments), dict(settings))
        end = asyncio.get_running_loop().time() + JOIN_PATIENCE
        while True:
            ended = launched.process.poll() is not None
            for entry in await known():
                if entry["pid"] == launched.process.pid:
                    self._launched[entry["application"]] = launched
                    return entry
            if ended:
                message = (
                    f"{name} ended with exit code {launched.process.returncode} before it had "
                    f"joined: {launched.tail() or 'it wrote nothing'}"
                )
                raise ConcurrentError(message)
            if asyncio.get_running_loop().time() > end:
                launched.process.terminate()
                message = f"{name} did not join within {JOIN_PATIENCE:g} s: {launched.tail()}"
                raise ConcurrentError(message)
            await asyncio.sleep(LOOK_AGAIN)

    def ending(self, application: int) -> dict[str, Any] | None:
        """Return the exit code (None while it runs) and output of what was launched here."""
        launched = self._launched.get(application)
        if launched is None:
            return None
        return {"exit_code": launched.process.poll(), "output": launched.tail()}

    def close(self) -> None:
        """End what still runs."""
        for launched in self._launched.values():
            if launched.process.poll() is None:
                launched.process.terminate()

    def _start(self, name: str, arguments: tuple[str, ...], settings: dict[str, Any]) -> _Launched:
        order = LaunchOrder(
            name,
            self._endpoint,
            arguments,
            self._components.config.to_json(),
            settings,
            "" if self._plugins is None else str(self._plugins),
        )
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._started += 1
        output = self._directory / f"{self._started}-{name}.log"
        with output.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "concurrent_framework.api.launched"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(msgspec.json.encode(order))
        return _Launched(process, output)

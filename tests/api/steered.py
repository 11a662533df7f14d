"""An application to be steered: its tasks wait until a test lets them go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cluster.place import until

if TYPE_CHECKING:
    from concurrent_framework.api import Client
    from tests.cluster.place import Running
    from tests.cluster.swarm import Swarm

WORK = """
import sys
import time
from pathlib import Path
from concurrent_framework import ApplicationNode, IApp, implements, task

@task
def hold(gate, number):
    while not Path(gate, str(number)).exists():
        time.sleep(0.003)
    if not Path(gate, "healed").exists():
        raise ValueError(f"number {number} is ill")
    return number

class Steered(ApplicationNode):
    implements(IApp)
    def start_processing(self):
        gate, count = self.arguments
        self.push_tasks(hold(gate, number) for number in range(int(count)))
    def task_finished(self, task, result, error):
        pass
"""


class Work:
    """An application whose tasks wait until each is let go.

    Args:
        swarm: where it runs.
        client: of the swarm's API.
        count: how many tasks it has.

    """

    def __init__(self, swarm: Swarm, client: Client, count: int) -> None:
        self._client = client
        self.gate = swarm.place.root / f"gate-{len(list(swarm.place.root.iterdir()))}"
        self.gate.mkdir()
        program = swarm.place.root / "steered.py"
        program.write_text(WORK)
        words = ("--join", swarm.endpoint, "--", str(self.gate), str(count))
        self.running: Running = swarm.place.start("run", str(program), "--quiet", *words)
        until(lambda: any(one["waiting"] + one["assigned"] == count for one in self._mine()))
        self.number: int = self._mine()[0]["application"]

    def _mine(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._client.applications.list()["applications"]
        return [one for one in listed if one["name"] == "Steered"]

    def let(self, *numbers: int) -> None:
        """Let tasks end."""
        for number in numbers:
            (self.gate / str(number)).touch()

    def key(self, index: int) -> str:
        """Return how people name a task, which are counted from 0 here."""
        return f"{self.number}/{index + 1}"

    @property
    def shown(self) -> dict[str, Any]:
        """What the API says of it."""
        found: dict[str, Any] = self._client.applications.show(application=self.number)
        return found

    def end(self) -> None:
        """End it as a person does."""
        self.running.interrupt()
        self.running.ends()
        until(lambda: self._client.applications.outcome(application=self.number)["ended"])

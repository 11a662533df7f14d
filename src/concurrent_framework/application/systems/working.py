"""What systems have in common that make their tasks from `Work`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.application.system import TaskSystem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.application.system import SystemMaster
    from concurrent_framework.application.systems.work import Work
    from concurrent_framework.tasks.task import Task


class WorkingSystem(TaskSystem):
    """Runs the tasks of `work`, which a subclass sets."""

    work: Work

    def generate_tasks(self, master: SystemMaster) -> Iterator[Task]:  # noqa: ARG002 (TaskSystem's)
        """Make the tasks, as they are needed."""
        return self.work.tasks()

    def resume_tasks(self, master: SystemMaster, drawn: int) -> Iterator[Task]:  # noqa: ARG002 (TaskSystem's)
        """Make the tasks that had not been made."""
        return self.work.tasks(drawn)

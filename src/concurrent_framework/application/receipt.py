"""What `push_task_response` and its siblings are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent_framework.model.errors import TaskError


@dataclass(frozen=True, slots=True)
class PushReceipt:
    """The master's answer to a push.

    Args:
        count: how many tasks (or systems) it is about.
        item: the task or the task system that was pushed; None for `push_tasks`.
        error: why the master did not take it, None if it did.

    """

    count: int
    item: Any = None
    error: TaskError | None = None

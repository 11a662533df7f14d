"""What the pool knows about one executor. PURE."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent_framework.managers.lanes import Lane
    from concurrent_framework.managers.verdicts import Doom
    from concurrent_framework.protocol.tasks import Assigned

LOOK_SECONDS = 0.01
"""A task is long if it takes more than this and, where others wait behind it, twice its usual time."""
LATER_SECONDS = 0.25
WEIGH_SECONDS = 0.1
NEVER = float("inf")


class ExecutorRecord:
    """One executor.

    Attributes:
        number: how pool and shell call it.
        application: whose tasks it runs; 0 while it may still become anybody's.
        gpus: the GPUs it was dedicated to together with that.
        lane: what it works for at the moment, None if it has nothing to do.
        flight: tasks sent to it and not reported, in order.
        chunks: chunks sent to it that it has not put behind it.
        last_chunk: tasks in the last of them.
        came: it has reported for duty.
        held: nothing is sent to it before it is through with all its chunks.
        doom: why it is about to be killed.
        dying: it is being killed.
        position: tasks it has started in its life, as far as is known.
        reported: tasks it has reported in its life.
        since: when `position` last changed.
        sent_at: when it was last sent something.
        long: the running task takes long.
        cancelling: key of the running task, if that has been cancelled.
        look_at, weigh_at, kill_at: when to do that.
        nudged: when it was nudged.

    """

    __slots__ = (
        "application",
        "came",
        "cancelling",
        "chunks",
        "doom",
        "dying",
        "flight",
        "gpus",
        "held",
        "kill_at",
        "lane",
        "last_chunk",
        "long",
        "look_at",
        "nudged",
        "number",
        "position",
        "reported",
        "sent_at",
        "since",
        "weigh_at",
    )

    def __init__(self, number: int, now: float, patience: float) -> None:
        self.number = number
        self.application = 0
        self.gpus: tuple[int, ...] = ()
        self.lane: Lane | None = None
        self.flight: deque[Assigned] = deque()
        self.chunks = 0
        self.last_chunk = 0
        self.came = False
        self.held = False
        self.doom: Doom | None = None
        self.dying = False
        self.position = 0
        self.reported = 0
        self.since = now
        self.sent_at = now
        self.long = False
        self.cancelling = 0
        self.look_at = NEVER
        self.weigh_at = NEVER
        self.kill_at = now + patience
        self.nudged = 0.0

    @property
    def idle(self) -> bool:
        """Whether it waits for work."""
        return self.came and not self.dying and self.lane is None and not self.chunks

    def due(self) -> float:
        """Return when something is to be done about it."""
        return min(self.look_at, self.weigh_at, self.kill_at)

    def moved(self, position: int, now: float) -> bool:
        """Note how many tasks it has started; whether that is news."""
        if position <= self.position:
            return False
        self.position = position
        self.since = now
        self.long = False
        return True

    def plan_look(self, now: float, timeout: float, usual: float) -> None:
        """Decide when to look next, given the running task's timeout (0 for none).

        It is long after `usual` seconds.
        """
        lane = self.lane
        if lane is None or not self.flight:
            self.look_at = NEVER
            return
        # Whether what runs is long matters to what waits behind it here, or could run beside it.
        others = len(self.flight) > 1 or (bool(lane.queue) and not lane.share.executors)
        soon = others and not self.long
        self.look_at = now + (min(usual, LATER_SECONDS) if soon else LATER_SECONDS)
        if timeout:
            # With several tasks in flight the next may begin, and its time, without a word.
            self.look_at = min(self.look_at, max(self.since + timeout, now))

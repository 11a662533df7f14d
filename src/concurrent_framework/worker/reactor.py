"""The worker's core: events in, commands out. PURE.

It keeps every outcome until the master has made it safe, and reconciles with the master whatever a
broken connection, a restarted master or a lost envelope may have left uncertain: by saying `Hello`
with all it holds.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from concurrent_framework.model.ids import application_of
from concurrent_framework.protocol import worker as work
from concurrent_framework.protocol.application import Output, Progress
from concurrent_framework.protocol.session import (
    Goodbye,
    Heartbeat,
    Hello,
    Refused,
    Resync,
    Welcome,
)
from concurrent_framework.scheduling import depth
from concurrent_framework.scheduling.rivals import Rivals
from concurrent_framework.worker.commands import (
    Cancel,
    Discard,
    DropApplication,
    Execute,
    Learn,
    Log,
    Refuse,
    Send,
    Stop,
    TakeBack,
)
from concurrent_framework.worker.data import SharedData
from concurrent_framework.worker.events import (
    GivenBack,
    Missed,
    Received,
    Reported,
    Stopping,
    Tick,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from concurrent_framework.model.resources import Capacity
    from concurrent_framework.protocol.tasks import Outcome, TaskCheckpoint
    from concurrent_framework.worker.commands import Command
    from concurrent_framework.worker.events import Event

CACHE_BYTES = 1 << 30
"""Bytes of shared objects that a worker keeps by default."""
TASK_OVERHEAD = 10e-6
"""Seconds that a task keeps an executor busy beside its run time, about."""
SHARED_LINGER = 0.2
"""What is left of the time that outcomes may wait while several applications have work here."""
HELLO_INTERVAL = 1.0
"""Seconds between greetings while the master does not answer; doubled up to half a lease."""


class Identity(Struct, frozen=True):
    """Who the worker is, for its `Hello`."""

    session: str
    name: str
    host: str = ""
    pid: int = 0
    token: str = ""
    version: str = ""


class WorkerReactor:
    """Decides everything the worker does.

    Args:
        identity: who it is.
        capacity: what its manager offers.
        now: monotonic time in seconds, as in every call.
        cache_bytes: bytes of shared objects to keep beyond what is needed just now.
        linger: seconds that outcomes may wait for more of them while there is enough to do here;
            a part of it while several applications have work.

    """

    def __init__(
        self,
        identity: Identity,
        capacity: Capacity,
        now: float,
        cache_bytes: int = CACHE_BYTES,
        linger: float = 0.0,
    ) -> None:
        self.identity = identity
        self.capacity = capacity
        self.held: dict[int, int] = {}
        self.data = SharedData(cache_bytes, identity.name)
        self.unsafe: deque[tuple[int, list[Outcome]]] = deque()
        self.checkpoints: dict[int, TaskCheckpoint] = {}
        """The newest of each task whose end is not safe, for a master that may have missed it."""
        self.welcome: Welcome | None = None
        self.connected = False
        self._master = ""
        self._lease = 10.0
        self._number = 0
        self._greetings = 0
        self._asked = 0
        self._seconds: float | None = None
        self._last_heard = now
        self._last_sent = now
        self._next_hello = now
        self._patience = HELLO_INTERVAL
        self._linger = linger
        self._lingering: list[Outcome] = []
        self._rivals = Rivals()
        self._lingering_until = 0.0
        self._given_back: list[tuple[int, int]] = []
        self._out: list[Any] = []
        self._commands: list[Command] = []

    def handle(self, events: Iterable[Event], now: float) -> list[Command]:
        """Take in a round of events and return what is to be done, in order."""
        for event in events:
            match event:
                case Received():
                    self._last_heard = now
                    for message in event.messages:
                        self._receive(message, now)
                case Reported():
                    self._report(event, now)
                case GivenBack():
                    self._give_back(event)
                case Missed():
                    self._greet_again(now, f"lost messages of the master: {event.reason}")
                case Stopping():
                    self._send_outcomes()
                    self._out.append(Goodbye(event.reason))
                    self._commands.append(Stop())
                case Tick():
                    pass
        self._speak(now)
        commands, self._commands = self._commands, []
        return commands

    def deadline(self) -> float:
        """Return when `Tick` is due if nothing else happens."""
        if not self.connected:
            return self._next_hello
        due = min(self._last_sent + self._lease / 3, self._last_heard + self._lease)
        return min(due, self._lingering_until) if self._lingering else due

    def _speak(self, now: float) -> None:
        """Send what this round has to tell, and what is due anyway."""
        if self._lingering and now >= self._lingering_until:
            self._send_outcomes()
        if self.data.digests:
            self._keep_data_within_limit()
        self._keep_in_touch(now)
        self._ask_for_work()
        if self._out:
            self._send_outcomes()
            self._last_sent = now
            self._commands.insert(0, Send(self._out))
            self._out = []

    def _greet_again(self, now: float, reason: str) -> None:
        """Say `Hello`, unless one is under way: then this is about something older."""
        if self.connected:
            self._log("info", reason)
            self.connected = False
            self._next_hello = now

    def _log(self, level: Any, text: str) -> None:
        self._commands.append(Log(level, text))

    def _keep_in_touch(self, now: float) -> None:
        if self.connected and now >= self._last_heard + self._lease:
            self._log("warning", f"no sign of life from the master for {self._lease:g} seconds")
            self.connected = False
            self._next_hello = now
        if not self.connected and now >= self._next_hello:
            self._next_hello = now + self._patience
            self._patience = max(min(2 * self._patience, self._lease / 2), HELLO_INTERVAL)
            self._out.append(self._hello())
        elif self.connected and not self._out and now >= self._last_sent + self._lease / 3:
            self._out.append(Heartbeat())

    def _hello(self) -> Hello:
        me = self.identity
        self._greetings += 1
        self._send_outcomes()  # as unsafe, until there is an answer
        unsafe = ((one.key, one.attempt) for _, outcomes in self.unsafe for one in outcomes)
        return Hello(
            "execute",
            me.session,
            me.token,
            me.name,
            me.host,
            me.pid,
            me.version,
            capacity=self.capacity,
            holding=(*self.held.items(), *unsafe),
            greeting=self._greetings,
            cached=self.data.digests,
        )

    def _receive(self, message: Any, now: float) -> None:  # noqa: C901 (one case per message)
        match message:
            case work.Run():
                self._run(message, now)
            case work.OutcomesSafe():
                self._safe(message.through)
            case work.Provide():
                self._learn(message)
            case work.Gone():
                self._gone(message, now)
            case work.Recall():
                self._recall(message.limit)
            case work.CancelRuns():
                self._cancel(message.tasks, now)
            case work.Forget():
                self._forget(message.application)
            case Welcome():
                self._welcome(message, now)
            case Resync():
                self._greet_again(now, "the master lost messages of this worker")
            case Refused():
                self._commands.append(Refuse(message.reason))
            case Goodbye():
                self._log("warning", f"the master has left: {message.reason}")
                self.connected = False
                self._next_hello = now + HELLO_INTERVAL
            case Heartbeat():
                pass

    def _welcome(self, message: Welcome, now: float) -> None:
        if self._master and message.master != self._master:
            self._log("warning", "the master was restarted")
        self._master = message.master
        self._lease = message.lease
        self.welcome = message
        if message.greeting != self._greetings:
            return  # a later greeting is under way, and what it says will count
        self.connected = True
        self._patience = HELLO_INTERVAL
        self._asked = 0
        self._cancel(message.drop, now)
        if needed := self.data.ask_again():
            self._out.append(work.Need(needed))
        if self.checkpoints:
            self._out.append(work.Checkpoints(list(self.checkpoints.values())))
        self._out.extend(work.Outcomes(number, outcomes) for number, outcomes in self.unsafe)

    def _run(self, message: work.Run, now: float) -> None:
        if not self.connected:
            return  # the greeting that is under way does not name these: they are queued again
        self._rivals.saw(application_of(message.tasks[0].key), now)
        held = self.held
        for task in message.tasks:
            held[task.key] = task.attempt
        self._asked = max(0, self._asked - len(message.tasks))
        arrival = self.data.arrive(message.tasks)
        if arrival.missing:
            self._say(work.Need(arrival.missing))
        if arrival.ready:
            self._commands.append(Execute(arrival.ready))

    def _learn(self, message: work.Provide) -> None:
        self._commands.append(Learn(message.specs, message.codes))
        ready = self.data.learn(message.specs, message.codes)
        if ready:
            self._commands.append(Execute(ready))

    def _gone(self, message: work.Gone, now: float) -> None:
        dropped, outcomes = self.data.gone(message.digests)
        if dropped:
            self._commands.append(Discard(dropped))
        self._tell(outcomes, now)

    def _recall(self, limit: int) -> None:
        """Give back what waits for data first."""
        back = self.data.give_back(limit)
        for key, _ in back:
            self.held.pop(key, None)
        self._given_back += back
        self._commands.append(TakeBack(limit - len(back)))

    def _cancel(self, tasks: Iterable[tuple[int, int]], now: float) -> None:
        mine = tuple(one for one in tasks if self.held.get(one[0]) == one[1])
        if mine:
            self._tell(self.data.cancel(mine), now)
            self._commands.append(Cancel(mine))

    def _tell(self, outcomes: list[Outcome], now: float) -> None:
        if outcomes:
            self._report(Reported(outcomes, [], []), now)

    def _keep_data_within_limit(self) -> None:
        evicted = self.data.trim()
        if evicted:
            self._commands.append(Discard(evicted))
            self._say(work.Evicted(evicted))

    def _report(self, event: Reported, now: float) -> None:
        if event.capacity is not None:
            self.capacity = event.capacity
            self._say(work.CapacityChanged(event.capacity))
        if event.output:
            self._say(Output(tuple(event.output)))
        if event.notes:
            self._say(Progress(tuple(event.notes)))
        if event.checkpoints:
            self._checkpoint(event.checkpoints)
        if not event.outcomes:
            return
        held, total = self.held, 0.0
        for outcome in event.outcomes:
            key = outcome.key
            if held.get(key) == outcome.attempt:  # else it is here once more, as a later attempt
                del held[key]
            total += outcome.seconds
        if self.data.needs:
            keys = [outcome.key for outcome in event.outcomes]
            self.data.ended(key for key in keys if key not in held)
        mean = total / len(event.outcomes)
        keep = 0.5 ** min(len(event.outcomes) / 64, 10.0)
        self._seconds = mean if self._seconds is None else self._seconds * keep + mean * (1 - keep)
        until = now + self._leisure(now)
        self._lingering_until = min(self._lingering_until, until) if self._lingering else until
        self._lingering += event.outcomes

    def _leisure(self, now: float) -> float:
        """Return for how many seconds the master need not hear of outcomes.

        Its answer to a batch costs it and the application far more than the outcomes in it. So it hears
        later if another outcome is as likely as not to come until then, and nobody here idles meanwhile;
        where others wait for their turn, only if the delay is small or small next to the task.
        """
        if self._seconds is None:
            return 0.0
        executors, each = self.capacity.executors, self._seconds + TASK_OVERHEAD
        waiting = max(len(self.held) - executors, 0)
        acceptable = self._linger
        if self._rivals.compete(now):
            acceptable = max(SHARED_LINGER * acceptable, min(self._seconds / 2, acceptable))
        leisure = min(acceptable, waiting * each / executors / 2)
        return leisure if self._seconds <= 2 * executors * leisure else 0.0

    def _send_outcomes(self) -> None:
        if self._lingering:
            outcomes, self._lingering = self._lingering, []
            self._number += 1
            self.unsafe.append((self._number, outcomes))
            self._say(work.Outcomes(self._number, outcomes))

    def _checkpoint(self, states: Sequence[TaskCheckpoint]) -> None:
        """Pass on the newest checkpoints, before the end of what may have been lost since."""
        newest = {one.key: one for one in states if self.held.get(one.key) == one.attempt}
        self.checkpoints.update(newest)
        if newest:
            self._say(work.Checkpoints(list(newest.values())))

    def _safe(self, through: int) -> None:
        """Forget outcomes that the master has."""
        while self.unsafe and self.unsafe[0][0] <= through:
            _, outcomes = self.unsafe.popleft()
            if self.checkpoints:
                for outcome in outcomes:
                    state = self.checkpoints.get(outcome.key)
                    if state is not None and state.attempt == outcome.attempt:
                        del self.checkpoints[outcome.key]

    def _give_back(self, event: GivenBack) -> None:
        for key, _ in event.tasks:
            self.held.pop(key, None)
        self.data.ended(key for key, _ in event.tasks)
        back, self._given_back = [*self._given_back, *event.tasks], []
        self._say(work.Recalled(tuple(back)))

    def _forget(self, application: int) -> None:
        self.held = {
            key: attempt for key, attempt in self.held.items() if application_of(key) != application
        }
        self.checkpoints = {
            key: one for key, one in self.checkpoints.items() if application_of(key) != application
        }
        self._commands.append(DropApplication(application))
        dropped = self.data.forget(application)
        if dropped:
            self._commands.append(Discard(dropped))
            self._say(work.Evicted(dropped))

    def _ask_for_work(self) -> None:
        if not self.connected or self.welcome is None or self.welcome.pattern != "pull":
            return
        target = depth.tasks_in_flight(self.capacity.executors, 1.0, self._seconds)
        more = target - len(self.held) - self._asked
        if more > 0:
            self._asked += more
            self._out.append(work.Want(more))

    def _say(self, message: object) -> None:
        """Send a message if the master knows this worker; otherwise the next `Hello` tells it."""
        if self.connected:
            self._out.append(message)

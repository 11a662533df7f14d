"""A pool with executors that exist only in this process: the rules of tokens, and nothing else."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.managers import pool_commands as do
from concurrent_framework.managers import pool_events as on
from concurrent_framework.managers.pool import Pool
from concurrent_framework.model.ids import SPEC_BITS, application_of, task_key
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import Assigned, Outcome, SpecEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.managers.pool_commands import Command
    from concurrent_framework.managers.pool_events import Event
    from concurrent_framework.model.outcome import Failure


class ModelExecutor:
    """What an executor does, step by step."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.application = 0
        self.gpus: tuple[int, ...] = ()
        self.came = False
        self.condemned = False
        self.tokens: deque[int] = deque()
        self.frames: deque[tuple[int, list[Assigned]]] = deque()
        self.generation = 0
        self.kept: int | None = None
        self.chunk: deque[Assigned] | None = None
        self.chunk_generation = 0
        self.running: Assigned | None = None
        self.outcomes: list[Outcome] = []
        self.ended = 0

    @property
    def busy(self) -> bool:
        return self.chunk is not None or bool(self.frames)

    def claim(self) -> bool:
        found = self.kept
        if found is None:
            if not self.tokens:
                return False
            found = self.tokens.popleft()
        self.kept = None if found == self.chunk_generation else found
        return self.kept is None

    def step(self, model: PoolModel, failure: Failure | None = None) -> None:
        """Do the next thing: take a chunk, start a task, end it, or end the chunk."""
        if self.running is not None:
            row = self.running
            self.outcomes.append(
                Outcome(row.key, row.attempt, seconds=model.seconds, failure=failure)
            )
            self.running = None
            model.finished[row.key] += 1
            spec = model.pool.state.specs.get(row.spec)
            if spec is None or not spec.spec.idempotent:
                self.tell(model)
        elif self.chunk is None:
            if self.frames:
                self.chunk_generation, rows = self.frames.popleft()
                self.chunk = deque(rows)
        elif self.chunk and self.claim():
            self.running = self.chunk.popleft()
            model.starts[self.running.key] += 1
            assert application_of(self.running.key) == self.application
        else:
            self.chunk = None
            self.ended += 1
            self.tell(model)

    def tell(self, model: PoolModel) -> None:
        outcomes, ended = self.outcomes, self.ended
        self.outcomes, self.ended = [], 0
        if outcomes or ended:
            model.feed(on.Told(self.number, outcomes, ended))


class PoolModel:
    """A pool, its executors and everything it has said."""

    def __init__(self, grace: float = 0.5, **capacity: Any) -> None:
        self.pool = Pool(Capacity(**{"executors": 2, "cpus": 2.0, **capacity}), "w1", grace)
        self.now = 1000.0
        self.seconds = 1e-5
        self.memory = 0
        self.output = False
        self.executors: dict[int, ModelExecutor] = {}
        self.starts: Counter[int] = Counter()
        self.finished: Counter[int] = Counter()
        self.outcomes: dict[int, Outcome] = {}
        self.back: set[int] = set()
        self.submitted: set[int] = set()
        self.nudged: list[int] = []
        self.asked: list[int] = []
        self._sequence = 0
        self._specs: dict[tuple[int, TaskSpec], int] = {}
        self.feed(on.Tick())

    def feed(self, *events: Event) -> None:
        """Hand events to the pool and do what it says."""
        todo: list[Event] = list(events)
        while todo:
            commands = self.pool.handle(todo, self.now)
            self.pool.state.check_invariants()
            todo = []
            for command in commands:
                todo += self.obey(command)

    def obey(self, command: Command) -> Iterable[Event]:
        if isinstance(command, do.Report):
            for outcome in command.outcomes:
                assert outcome.key in self.submitted
                assert outcome.key not in self.outcomes
                assert outcome.key not in self.back
                self.outcomes[outcome.key] = outcome
            return ()
        if isinstance(command, do.GiveBack):
            for key, _ in command.tasks:
                assert key not in self.outcomes
                assert key not in self.back
                self.back.add(key)
            return ()
        if isinstance(command, do.Begin):
            self.executors[command.executor] = ModelExecutor(command.executor)
            return ()
        one = self.executors[command.executor]
        return self._act(one, command)

    def _act(self, one: ModelExecutor, command: Command) -> Iterable[Event]:
        match command:
            case do.Bind():
                assert not one.application
                one.application, one.gpus = command.application, command.gpus
            case do.Send():
                assert one.came
                assert not one.condemned
                one.tokens.extend([one.generation] * len(command.tasks))
                one.frames.append((one.generation, command.tasks))
            case do.Withdraw():
                count = len(one.tokens)
                one.tokens.clear()
                one.generation += bool(count)
                return (on.Withdrawn(one.number, count),)
            case do.Look():
                return (on.Counted(one.number, len(one.tokens), self.output),)
            case do.Weigh():
                return (on.Weighed(one.number, self.memory),)
            case do.Nudge():
                self.nudged.append(one.number)
            case do.AskToStop():
                self.asked.append(command.key)
            case do.Kill():
                one.condemned = True
        return ()

    def spec(self, application: int = 1, **settings: Any) -> int:
        """Return the number of a spec with these settings."""
        spec = TaskSpec(CodeReference("m", "C"), **settings)
        number = self._specs.get((application, spec))
        if number is None:
            self._sequence += 1
            number = application << SPEC_BITS | self._sequence
            self._specs[application, spec] = number
            self.feed(on.Learned([SpecEntry(number, spec)]))
        return number

    def forget_specs(self, application: int) -> None:
        """Learn the specs of an application anew when they are needed again."""
        self._specs = {key: n for key, n in self._specs.items() if key[0] != application}

    def submit(self, count: int = 1, application: int = 1, **settings: Any) -> list[int]:
        """Submit tasks of one spec; return their keys."""
        number = self.spec(application, **settings)
        rows = []
        for _ in range(count):
            self._sequence += 1
            rows.append(Assigned(task_key(application, self._sequence), 1, number, b"payload"))
        self.submitted |= {row.key for row in rows}
        self.feed(on.Submitted(rows))
        return [row.key for row in rows]

    def warm_up(self, seconds: float, **settings: Any) -> None:
        """Let the pool learn how long tasks take."""
        self.seconds = seconds
        self.submit(64, **settings)
        self.finish()

    def come(self) -> None:
        """Let every executor that was begun be ready."""
        for one in list(self.executors.values()):
            if not one.came and not one.condemned:
                one.came = True
                self.feed(on.Came(one.number))

    def die(self, one: ModelExecutor, signal: int = 11) -> None:
        """Let an executor end. What it had not told is lost."""
        del self.executors[one.number]
        self.feed(on.Died(one.number, len(one.tokens), None, signal, "last words", 1 << 20))

    def bury(self) -> None:
        """Let those end that the pool has killed."""
        while condemned := [one for one in self.executors.values() if one.condemned]:
            self.die(condemned[0], 9)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with all the ticks that fall due, to the end."""
        end = self.now + seconds
        while (due := self.pool.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.feed(on.Tick())
        self.now = end

    def finish(self) -> None:
        """Let executors work until nothing is left to do."""
        for _ in range(100_000):
            self.bury()
            self.come()
            busy = [one for one in self.executors.values() if one.busy and not one.condemned]
            if not busy and all(one.came for one in self.executors.values()):
                return
            for one in busy:
                one.step(self)
        message = "there is no end"
        raise AssertionError(message)

    def start(self) -> list[ModelExecutor]:
        """Let every executor that has something start a task; return those that run one."""
        self.come()
        for one in self.executors.values():
            while one.busy and one.running is None:
                one.step(self)
        return self.running

    @property
    def running(self) -> list[ModelExecutor]:
        return [one for one in self.executors.values() if one.running is not None]

    def running_executor(self, key: int) -> ModelExecutor:
        (found,) = [one for one in self.running if one.running and one.running.key == key]
        return found

    def failure(self, key: int) -> Failure:
        failure = self.outcomes[key].failure
        assert failure is not None
        return failure


def need(**amounts: Any) -> Resources:
    """Return resources for a spec."""
    return Resources(**amounts)

"""Concurrent: an application that pushes tasks and counts what is finished."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from benchmarks.peer import EXECUTORS, Peer
from benchmarks.swarm import swarm
from benchmarks.workloads import burn, mebibyte, nothing, size_of
from concurrent_framework import (
    ApplicationNode,
    IApp,
    LocalCluster,
    Task,
    TaskError,
    implements,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from concurrent_framework import TaskArray

T = TypeVar("T")


class Call(Task):
    """One call with one argument."""

    def __init__(self, argument: Any) -> None:
        self.argument = argument


class Nothing(Call):
    """Does nothing."""

    def __call__(self) -> None:
        """Do nothing."""
        nothing(self.argument)


class Burn(Call):
    """Is busy for as many seconds as its argument says."""

    def __call__(self) -> None:
        """Burn."""
        burn(self.argument)


class Mebibyte(Call):
    """Returns 1 MiB."""

    def __call__(self) -> bytes:
        """Return it."""
        return mebibyte(self.argument)


class SizeOf(Call):
    """Returns the size of its argument."""

    def __call__(self) -> int:
        """Measure it."""
        return size_of(self.argument)


TASKS: dict[Any, type[Call]] = {
    nothing: Nothing,
    burn: Burn,
    mebibyte: Mebibyte,
    size_of: SizeOf,
}


class Caller(ApplicationNode):
    """Does some work that pushes tasks and waits until they have ended."""

    implements(IApp)
    work: ClassVar[Callable[[Caller], Coroutine[Any, Any, None]]]

    left = 0

    def start_processing(self) -> None:
        """Begin the work; callbacks go on beside it."""
        self.working = asyncio.get_running_loop().create_task(self.worked())

    async def worked(self) -> None:
        """Do the work, then end."""
        try:
            await type(self).work(self)
        finally:
            self.shutdown_main_loop()

    async def ended(self, count: int, push: Callable[[], None]) -> float:
        """Push `count` tasks; return the seconds until the last of them has ended."""
        self.left = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        began = perf_counter()
        push()
        await self.done
        return perf_counter() - began

    def task_finished(self, task: Any, result: Any, error: Any) -> None:  # noqa: ARG002 (counted)
        """Count."""
        if error is not None:
            error.raise_()
        self.left -= 1
        if not self.left:
            self.done.set_result(None)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> None:  # noqa: ARG002
        """See that nothing has failed."""
        for result in results:
            if isinstance(result, TaskError):
                result.raise_()

    def array_finished(self, array: TaskArray) -> None:  # noqa: ARG002 (there is one at a time)
        """Note the end of a whole array."""
        self.done.set_result(None)


class Concurrent(Peer):
    """Concurrent on this machine: a master that keeps a journal in SQLite, and a worker.

    If it is not to last, it is the cluster that an application makes for itself, without a journal.
    """

    def run(self, work: Callable[[Peer], Coroutine[Any, Any, T]]) -> T:
        """Start it, and an application that does the work."""
        outcome: list[T] = []

        async def in_application(application: Caller) -> None:
            self._application = application
            outcome.append(await work(self))

        class Measured(Caller):
            """The application for this work."""

        Measured.work = in_application
        if self.lasting:
            with swarm("sqlite", self.settings) as standing:
                run(Measured, join=standing.link)
        else:
            with LocalCluster(EXECUTORS, self.settings) as cluster:
                cluster.run(Measured)
        return outcome[0]

    async def singles(self, function: Any, arguments: Sequence[Any]) -> float:
        """Push tasks one by one."""
        make, application = TASKS[function], self._application
        push = application.push_task

        def each() -> None:
            for argument in arguments:
                push(make(argument))

        return await application.ended(len(arguments), each)

    async def map(self, function: Any, arguments: Sequence[Any]) -> float:
        """Push an array: its slices are cut by what is measured."""
        application = self._application

        def all_at_once() -> None:
            application.push_map(function, arguments)

        return await application.ended(len(arguments), all_at_once)

    async def one(self, function: Any, argument: object) -> float:
        """Push one task."""
        return await self.singles(function, [argument])

    async def shared(self, function: Any, data: object, count: int) -> float:
        """Share the argument, and push tasks that each hold the reference."""
        make, application = TASKS[function], self._application

        def each() -> None:
            reference = application.share(data)
            application.push_tasks(make(reference) for _ in range(count))

        return await application.ended(count, each)

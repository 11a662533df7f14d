"""`ApplicationNode`: what users subclass to write an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.model.errors import UsageError
from concurrent_framework.tasks.pickling import IPickler

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable

    from concurrent_framework.application.arrays import TaskArray
    from concurrent_framework.application.connection import Connection
    from concurrent_framework.application.console import Display
    from concurrent_framework.application.driver import ApplicationDriver
    from concurrent_framework.application.receipt import PushReceipt
    from concurrent_framework.application.stats import ApplicationStats
    from concurrent_framework.model.errors import TaskError
    from concurrent_framework.tasks.shared import Shared
    from concurrent_framework.tasks.task import Task


class ApplicationNode(Component):
    """An application: it pushes tasks or task systems and is told what came of them.

    Subclass it, say ``implements(IApp)``, and override the callbacks you need. They run one at a
    time on the main loop, an asyncio event loop, and each may be ``async def``; while an
    asynchronous one waits, no other is called. An exception in a callback ends the application with
    its traceback and exit code 1.

    An application ends when a callback calls `shutdown_main_loop`, and by itself when nothing is
    left that could happen: every task and task system it pushed has ended, every callback has
    returned, and it has no asyncio task of its own running. Its exit code is then 0, or 1 if a
    default callback had to report a failure. Set `ends_when_idle` to False in an application that
    waits for something else.

    A subclass may define ``__init__`` freely and need not call this one's.

    Attributes:
        ends_when_idle: whether the application ends by itself when it has nothing left to do.
        arguments: what stood after ``--`` on the command line.
        link: where its master is; set by whoever launches it.
        detach: leave as soon as everything pushed is safe at the master; its task systems go on.
        attach_to: `node_id_str` of an application that was detached, to take over what is left of
            it; empty for a new application.
        display: where its log, its tasks' output and its progress are shown.

    Example:
        >>> from concurrent_framework import ApplicationNode, IApp, Task, implements
        >>> class Hello(Task):
        ...     def __call__(self):
        ...         return "Hello World"
        >>> class HelloApp(ApplicationNode):
        ...     implements(IApp)
        ...     def start_processing(self):
        ...         self.push_task(Hello())
        ...     def task_finished(self, task, result, error):
        ...         self.log.info(result)
        ...         self.shutdown_main_loop()

    """

    abstract = True
    implements(IApp)

    ends_when_idle: bool = True
    arguments: list[str]
    link: Connection | None = None
    detach: bool = False
    attach_to: str = ""
    display: Display | None = None

    application_name = Option(
        "application",
        "name",
        default="",
        doc="What people call the application; the name of its class if empty.",
    )
    application_weight = Option(
        "application",
        "weight",
        default=1.0,
        minimum=0.001,
        maximum=1000.0,
        doc="Share of the swarm relative to other applications of the same priority.",
    )
    connect_timeout = Option(
        "application",
        "connect_timeout",
        default=5.0,
        minimum=0.01,
        unit="seconds",
        doc="How long to wait for the master's first answer.",
    )
    pickler = Option(
        "application",
        "pickler",
        default="pickle",
        selects=IPickler,
        doc="What turns tasks and results into bytes: pickle, compressed, or that of a plug-in, "
        "which must be installed on the workers, too.",
    )

    _driver: ApplicationDriver | None = None
    _logger: logging.Logger | None = None

    # What an application overrides.

    def app_init(self) -> None:
        """Get ready; called once before `app_main`, when the master is not connected yet."""

    def get_task_system(self) -> Any:
        """Return the task system to push at the start.

        None means that the application drives its tasks itself.
        """
        return None

    def start_processing(self) -> Any:
        """Begin; called once, when the master is connected and `get_task_system` was called."""

    def task_finished(self, task: Any, result: Any, error: TaskError | None) -> Any:
        """Learn what came of a task; called exactly once for each task.

        Args:
            task: the very instance that was pushed, with the attributes that it bound anew while
                it ran. A task that another task made, or an earlier process of this application,
                is rebuilt.
            result: what its `__call__` returned; None if there is an error.
            error: why there is no result; None on success.

        """
        self._running().report_task(task, result, error)

    def map_finished(self, array: TaskArray, first: int, results: list[Any]) -> Any:
        """Learn what came of some items of an array; told exactly once of each item.

        The default logs it.

        Args:
            array: what `push_map` returned.
            first: index of the first of these items; they follow one another in the iterable.
            results: what the function returned for each; where it raised, or nothing came back, a
                `TaskError` stands in its place.

        """
        self._running().report_items(array, first, results)

    def array_finished(self, array: TaskArray) -> Any:
        """Learn that every item of an array has ended; ``array.results`` has all if it collects."""

    def work_finished(self, result: Any, task_system: Any) -> Any:
        """Learn the result of a task system; the default logs it."""
        self._running().report_work(result, task_system)

    def work_failed(self, error: TaskError, task_system: Any) -> Any:
        """Learn that a task system failed; the default logs the error and ends with exit code 1."""
        self._running().report_failed_work(error, task_system)

    def push_task_response(self, result: PushReceipt) -> Any:
        """Learn that a task pushed by `push_task` is safe at the master."""

    def push_task_failed(self, result: PushReceipt) -> Any:
        """Learn that the master did not take a task; it will not be heard of again."""
        self._running().report_rejection(result)

    def push_tasks_response(self, result: PushReceipt) -> Any:
        """Learn that everything one call of `push_tasks` yielded is safe at the master."""

    def push_tasks_failed(self, result: PushReceipt) -> Any:
        """Learn that the master did not take some tasks; they will not be heard of again."""
        self._running().report_rejection(result)

    def push_tasksystem_response(self, result: PushReceipt) -> Any:
        """Learn that a task system is safe at the master."""

    def push_tasksystem_failed(self, result: PushReceipt) -> Any:
        """Learn that the master did not take a task system."""
        self._running().report_rejection(result)

    def node_lost(self, worker: str, tasks: int, reason: str) -> Any:
        """Learn that a worker was lost; its `tasks` tasks are run elsewhere."""
        self.log.warning("worker %s was lost with %d tasks: %s", worker, tasks, reason)

    def master_disconnected(self, reason: str) -> Any:
        """Learn that the master is gone. The application keeps trying to reach it.

        What was pushed meanwhile is handed over when the master is there again.
        """
        self.log.warning("the master is gone (%s); trying to reach it again", reason)

    def master_reconnected(self) -> Any:
        """Learn that the master is there again after `master_disconnected`."""
        self.log.info("the master is there again")

    def task_progress(self, task: Any, done: float, total: float, message: str) -> Any:
        """Learn how far a running task says it has come.

        Args:
            task: the instance that was pushed.
            done: how much of `total` is done.
            total: how much there is to do.
            message: for people.

        """

    def system_progress(self, done: float, total: float, message: str) -> Any:
        """Learn how far a task system says it has come; the default shows it."""
        self.progress(done, total, message)

    # What an application calls.

    def push_task(self, task: Task) -> None:
        """Push a task; `push_task_response` and `task_finished` follow.

        Args:
            task: an instance that is not on its way already.

        Raises:
            UsageError: if it is no task, or the application has not started.
            NotSerializable: if it cannot travel, naming the attribute.

        """
        self._running().pushing.push(task)

    def push_tasks(self, tasks: Iterable[Task]) -> None:
        """Push what an iterable yields.

        A generator is drawn lazily, between callbacks and no further ahead than the swarm needs,
        so a billion tasks need no memory. If it raises, the application ends as if a callback had.

        Args:
            tasks: a list, a generator, any iterable of tasks; it may be endless.

        """
        self._running().push_lazily(tasks)

    def push_map(
        self,
        function: Callable[[Any], Any],
        iterable: Iterable[Any],
        *,
        collect: bool = False,
        **options: Any,
    ) -> TaskArray:
        """Call a function with each item of an iterable; `map_finished` and `array_finished` follow.

        Meant for many small calls: millions a second. Items travel in slices, which are as large as
        their measured run time allows, so that there is no chunk size to choose; a slice that takes
        long after all is divided where it runs. The iterable is drawn as by `push_tasks`.

        Args:
            function: called on workers with one item each: a function, a lambda, a class, or what
                `task` has made. It travels once.
            iterable: the items; a generator is drawn lazily and may be endless.
            collect: keep the results, for ``array.results``.
            options: ``name`` (the function's own by default) and the settings of a `Task`.
                ``timeout`` is for one item, ``max_attempts`` for whatever is lost together.

        Returns:
            The array, by which callbacks know it and `cancel` can cancel it.

        Raises:
            UsageError: if the function or an option cannot be.
            NotSerializable: if the function cannot travel.

        Example:
            >>> from concurrent_framework import ApplicationNode, IApp, implements
            >>> class Squares(ApplicationNode):
            ...     implements(IApp)
            ...     def start_processing(self):
            ...         self.push_map(lambda number: number**2, range(1_000_000), collect=True)
            ...     def map_finished(self, array, first, results):
            ...         self.progress(array.ended, 1_000_000)
            ...     def array_finished(self, array):
            ...         self.log.info(sum(array.results))

        """
        return self._running().push_map(function, iterable, options, collect=collect)

    def share(self, value: Any) -> Shared:
        """Return a reference to an object that many tasks need.

        Put it anywhere into tasks, into items of `push_map`, or into task systems: by the time a
        task runs, the object itself is in its place. The object travels to each worker once, however
        many tasks refer to it, and is rebuilt once in each executor; large NumPy arrays not even
        that, all executors of a machine use the same memory. Tasks must not change it (in such
        arrays they cannot).

        Args:
            value: what to share, as it is now; later changes are not seen. Equal objects are shared
                once.

        Returns:
            The reference. The object is dropped everywhere when nothing refers to that any more, or
            after its `release`, but not before the tasks that were pushed with it have ended.

        Raises:
            NotSerializable: naming the part of it that cannot be pickled.
            UsageError: if it is larger than 1 GiB.

        Example:
            >>> from concurrent_framework import ApplicationNode, IApp, implements, task
            >>> @task
            ... def count(words, letter):
            ...     return sum(word.count(letter) for word in words)
            >>> class Letters(ApplicationNode):
            ...     implements(IApp)
            ...     def start_processing(self):
            ...         words = self.share(["many", "words"] * 100_000)
            ...         self.push_tasks(count(words, letter) for letter in "aeiou")

        """
        return self._running().pushing.share(value)

    def push_tasksystem(self, task_system: Any) -> None:
        """Push a task system; `work_finished` or `work_failed` follows."""
        self._running().push_system(task_system)

    def cancel(self, what: Any = None) -> None:
        """Cancel tasks or a task system; each that has no outcome yet ends with TaskCancelled.

        Args:
            what: a task, an array, a task system, an iterable of tasks and systems, or None for all
                there are. What is cancelled is not drawn any further either.

        """
        self._running().cancel(what)

    def shutdown_main_loop(self, exit_code: int = 0) -> None:
        """End the application after the running callback; no other callback is called."""
        self._running().engine.stop(exit_code)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Have the main loop call a function soon; the one method that any thread may call.

        Args:
            function: what to call; if it raises, the application ends.
            args: its arguments.

        """
        self._running().engine.call_soon(function, *args)

    def progress(self, done: float, total: float = 1.0, message: str = "") -> None:
        """Show how far the application has come: `done` of `total`."""
        self._running().show_progress(done, total, message)

    @property
    def log(self) -> logging.Logger:
        """The application's own logger: INFO goes to stdout as it is, what is worse to stderr."""
        if self._logger is None:
            from concurrent_framework.application.console import PlainDisplay, make_logger

            if self.display is None:
                self.display = PlainDisplay()
            self._logger = make_logger(self.full_name, self.display)
        return self._logger

    @property
    def stats(self) -> ApplicationStats:
        """Counters of what the application has pushed and what became of it."""
        return self._running().stats

    @property
    def known_stats(self) -> ApplicationStats | None:
        """The same, None before the application is connected."""
        return None if self._driver is None else self._driver.stats

    def _repr_html_(self) -> str:
        """Return what notebooks show."""
        from concurrent_framework.application.notebook import picture_of

        return picture_of(self)

    @property
    def node_id_str(self) -> str:
        """The id by which the master knows the application, over all its connections."""
        if not self.attach_to:
            import os

            self.attach_to = os.urandom(16).hex()
        return self.attach_to

    @property
    def full_name(self) -> str:
        """What people call the application."""
        return self.application_name or type(self).__name__

    # What launches an application.

    def app_main(self) -> int:
        """Connect to the master at `link`, run until done and return the exit code.

        Raises:
            UsageError: if `link` has not been set.
            MasterNotFoundError: if no master answers within ``application.connect_timeout``.
            RefusedError: if the master does not take the application in.

        """
        if self.link is None:
            message = f"{type(self).__name__} has no master: use run({type(self).__name__})"
            raise UsageError(message)
        from concurrent_framework.application.driver import ApplicationDriver

        driver = ApplicationDriver(self, self.link)
        self._driver = driver
        return driver.run()

    def _running(self) -> ApplicationDriver:
        if self._driver is None:
            message = (
                f"{type(self).__name__} is not connected yet: push tasks and the like in "
                "start_processing or later"
            )
            raise UsageError(message)
        return self._driver

"""The exceptions users meet. Each says what happened, to which object, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.model.outcome import Certificate, Failure, FailureKind


class ConcurrentError(Exception):
    """Base of all errors that Concurrent raises; `exit_code` is what a command ends with."""

    exit_code = 1


class UsageError(ConcurrentError):
    """Something the user wrote or typed cannot work; the message says what to change.

    The command line prints it as one line and exits with code 2.
    """

    exit_code = 2


class MasterNotFoundError(ConcurrentError):
    """No master answered within the connect timeout; the command line exits with code 3."""

    exit_code = 3

    @classmethod
    def after(cls, seconds: float, trouble: str = "no Concurrent master answered") -> Self:
        """Say that nobody answered within so many seconds, why as far as known, and what to do."""
        what_to_do = "start one there with `concurrent master`, or check the link"
        return cls(f"{trouble} (waited {seconds:g} s): {what_to_do}")


class RefusedError(ConcurrentError):
    """The master refused this node: token, role, key or version; exit code 4."""

    exit_code = 4


class TaskError(ConcurrentError):
    """What `task_finished` receives when a task has no result.

    Args:
        failure: the failure as it travelled.
        rebuild: turns the pickled exception into the original one; None if there is none.

    """

    kind: FailureKind = "failed"

    def __init__(
        self, failure: Failure, rebuild: Callable[[bytes], BaseException] | None = None
    ) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self._rebuild = rebuild

    def __reduce__(self) -> tuple[object, ...]:
        return (error_from, (self.failure, self._rebuild))

    @property
    def type(self) -> str:
        """Name of the original exception's type."""
        return self.failure.type

    @property
    def message(self) -> str:
        """One line that says what happened."""
        return self.failure.message

    @property
    def traceback(self) -> str:
        """The remote traceback as text; empty if no Python code of the task raised."""
        return self.failure.traceback

    @property
    def certificate(self) -> Certificate:
        """The death certificate: worker, attempts, exit code or signal, stderr, memory, suspect."""
        return self.failure.certificate

    def report(self) -> str:
        """Return what is known about the failure in several lines, for people.

        Message and traceback; of a task that died the last lines on stderr, how its process ended
        and how much memory it used; each attempt, if there were several; and whether the task or
        the worker is suspected.
        """
        from concurrent_framework.model.report import report

        return report(self.failure)

    def raise_(self) -> NoReturn:
        """Raise the original exception with the remote traceback as its cause.

        Raises the TaskError itself when there is no original exception or it cannot be rebuilt.
        """
        original = self._original()
        if original is None:
            raise self
        raise original from RemoteTracebackError(self.traceback)

    def _original(self) -> BaseException | None:
        if not self.failure.exception or self._rebuild is None:
            return None
        try:
            return self._rebuild(self.failure.exception)
        except Exception:  # noqa: BLE001 (the user's class may raise, or not exist here)
            return None


class RemoteTracebackError(ConcurrentError):
    """Carries the traceback of another process as the cause of an exception raised here."""

    def __str__(self) -> str:
        return f"\n\n{self.args[0]}"


class TaskFailed(TaskError):  # noqa: N818 (the design's vocabulary: outcomes, not only errors)
    """The task's code raised."""

    kind = "failed"


class WorkerLost(TaskError):  # noqa: N818
    """What ran the task died, as often as the task allows attempts."""

    kind = "worker_lost"


class TaskTimeout(TaskError):  # noqa: N818
    """The task ran longer than its timeout and was stopped."""

    kind = "timeout"


class TaskCancelled(TaskError):  # noqa: N818
    """The task was cancelled before it had an outcome."""

    kind = "cancelled"


class ResourceExceeded(TaskError):  # noqa: N818
    """The task used more memory than it asked for and was stopped."""

    kind = "resource_exceeded"


class NotSerializable(TaskError):  # noqa: N818
    """A task, its argument or its result cannot be pickled; the message names the attribute."""

    kind = "not_serializable"


_BY_KIND: dict[str, type[TaskError]] = {
    error.kind: error
    for error in (
        TaskFailed,
        WorkerLost,
        TaskTimeout,
        TaskCancelled,
        ResourceExceeded,
        NotSerializable,
    )
}


def error_from(
    failure: Failure, rebuild: Callable[[bytes], BaseException] | None = None
) -> TaskError:
    """Build the exception that stands for a failure."""
    return _BY_KIND[failure.kind](failure, rebuild)

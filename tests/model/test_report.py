"""What a failure says to people."""

from __future__ import annotations

import pickle
import re

from concurrent_framework.model.errors import error_from
from concurrent_framework.model.outcome import Attempt, Certificate, Failure

ATTEMPTS = (
    Attempt(1, "w1", 1000.0, 1000.25, "OSError: no route"),
    Attempt(2, "w2", 1003.0, 1063.0, "worker lost"),
)


def test_an_error_of_the_users_code_is_its_traceback() -> None:
    failure = Failure("failed", "ValueError", "no", "Traceback …\n", b"", Certificate("w1"))
    assert error_from(failure).report() == "ValueError: no (worker w1)\nTraceback …"


def test_several_attempts_are_all_told() -> None:
    certificate = Certificate("w2", ATTEMPTS, suspect="worker")
    lines = error_from(
        Failure("worker_lost", "WorkerLost", "lost", certificate=certificate)
    ).report()
    head, title, first, second, suspect = lines.splitlines()
    assert (head, title) == ("lost (worker w2)", "its attempts:")
    assert re.fullmatch(r"  1 on w1, \d\d:\d\d:\d\d for 0\.2 s: OSError: no route", first)
    assert re.fullmatch(r"  2 on w2, \d\d:\d\d:\d\d for 60\.0 s: worker lost", second)
    assert suspect == "the worker is suspected, not the task"


def test_a_death_is_told_with_its_circumstances() -> None:
    certificate = Certificate("w1", (), None, 11, "stack\n", 3 << 20, "task")
    failure = Failure("worker_lost", "WorkerLost", "it died", certificate=certificate)
    assert error_from(failure).report().splitlines() == [
        "it died (worker w1)",
        "its last words:",
        "stack",
        (
            "its process was ended by SIGSEGV; it used 3 MiB of memory at most; the task itself is "
            "suspected, not where it ran"
        ),
    ]


def test_what_never_ran_says_so_in_a_line() -> None:
    failure = Failure("cancelled", "TaskCancelled", "x was cancelled")
    assert error_from(failure).report() == "x was cancelled"
    assert str(pickle.loads(pickle.dumps(error_from(failure)))) == "x was cancelled"

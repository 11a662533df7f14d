from __future__ import annotations

import threading
import traceback
from typing import Any

import pytest

from concurrent_framework import NotSerializable, TaskFailed, current_task, task
from concurrent_framework.code.loader import CodeError, load_class
from concurrent_framework.model.errors import RemoteTracebackError, error_from
from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.spec import CodeReference
from concurrent_framework.tasks import failures
from concurrent_framework.tasks.failures import (
    describe_failure,
    dump_exception,
    format_exception,
    load_exception,
)
from concurrent_framework.tasks.payload import dump_result


class OddError(Exception):
    def __init__(self, code: int, place: str) -> None:
        super().__init__(f"{code} at {place}")
        self.code = code
        self.place = place


class SilentError(Exception):
    def __str__(self) -> str:
        message = "even this fails"
        raise RuntimeError(message)


class OddOSError(OSError):
    def __init__(self, place: str) -> None:
        super().__init__(5, "input/output", place)
        self.place = place


def raised(error: BaseException, function: Any = None) -> BaseException:
    def deeper() -> None:
        raise error

    try:
        deeper() if function is None else function()
    except BaseException as caught:
        return caught
    raise AssertionError


def again(error: BaseException) -> BaseException:
    return load_exception(dump_exception(raised(error))[1])


def test_an_exception_comes_back_with_its_traceback() -> None:
    back = again(ValueError("bad", 3))
    assert type(back) is ValueError
    assert back.args == ("bad", 3)
    frames = traceback.extract_tb(back.__traceback__)
    assert [frame.name for frame in frames] == ["raised", "deeper"]
    assert frames[-1].line == "raise error"
    assert frames[-1].filename == __file__


@pytest.mark.parametrize(
    "error",
    [
        KeyError("k"),
        OSError(2, "No such file", "f.txt"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        SyntaxError("bad", ("f.py", 1, 2, "x =")),
        StopIteration(4),
        ImportError("no", name="x"),
        OddOSError("disk"),
        ExceptionGroup("several", [ValueError("a"), TypeError("b")]),
    ],
)
def test_builtin_exceptions_keep_what_they_know(error: Exception) -> None:
    back = again(error)
    assert type(back) is type(error)
    assert str(back) == str(error)
    for name in ("errno", "filename", "start", "lineno", "value", "name", "place"):
        assert getattr(back, name, None) == getattr(error, name, None)


def test_an_exception_whose_init_takes_other_arguments_comes_back() -> None:
    error = OddError(3, "door")
    error.add_note("a note")
    back = again(error)
    assert isinstance(back, OddError)
    assert (str(back), back.code, back.place) == ("3 at door", 3, "door")
    assert back.__notes__ == ["a note"]


def test_a_class_defined_in_a_function_comes_back_as_itself() -> None:
    class LocalError(Exception):
        pass

    assert type(again(LocalError("x"))) is LocalError


def test_what_cannot_be_pickled_is_text_only() -> None:
    error = ValueError("held a lock")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    text, data = dump_exception(raised(error))
    assert "ValueError: held a lock" in text
    assert data == b""


def test_a_class_that_cannot_be_rebuilt_is_text_only() -> None:
    class StubbornError(Exception):
        def __new__(cls, first: int, *, second: int) -> Any:
            return super().__new__(cls, first)

        def __init__(self, first: int, *, second: int) -> None:
            super().__init__(first)

    text, data = dump_exception(raised(StubbornError(1, second=2)))
    assert "StubbornError: 1" in text
    assert data == b""


def test_the_text_has_causes_and_no_frames_of_ours() -> None:
    def explode() -> None:
        try:
            dump_result(threading.Lock())
        except NotSerializable as error:
            message = "outer"
            raise RuntimeError(message) from error

    @task
    def run() -> None:
        explode()

    text = format_exception(raised(ValueError(), run()))
    assert "concurrent_framework/" not in text.replace("tests/", "")
    assert "direct cause of the following exception" in text
    assert text.endswith("RuntimeError: outer\n")
    assert "in explode" in text
    assert "decorator.py" not in text


def test_long_recursions_stay_short() -> None:
    def recurse() -> None:
        recurse()

    text, data = dump_exception(raised(ValueError(), recurse))
    assert "Previous line repeated" in text
    assert len(text) < failures.MAX_TEXT
    frames = traceback.extract_tb(load_exception(data).__traceback__)
    assert len(frames) == failures.MAX_FRAMES


def test_a_very_long_text_is_cut_in_the_middle() -> None:
    text = format_exception(raised(ValueError("x" * 200_000)))
    assert len(text) < failures.MAX_TEXT + 100
    assert "characters left out" in text
    assert text.startswith("Traceback")


@pytest.mark.parametrize(
    ("error", "type_name", "message"),
    [
        (ValueError("first line\nsecond"), "ValueError", "first line"),
        (ValueError(), "ValueError", "ValueError"),
        (KeyError("k"), "KeyError", "'k'"),
        (SilentError(), "SilentError", "SilentError"),
        (SystemExit(3), "SystemExit", "the task called sys.exit(3)"),
        (SystemExit(), "SystemExit", "the task called sys.exit()"),
        (ValueError("x" * 5000), "ValueError", "x" * 1000),
    ],
)
def test_a_failure_has_one_line_for_people(
    error: BaseException, type_name: str, message: str
) -> None:
    failure = describe_failure(raised(error))
    assert (failure.kind, failure.type, failure.message) == ("failed", type_name, message)


def test_a_missing_module_comes_with_advice() -> None:
    failure = describe_failure(raised(ModuleNotFoundError("No module named 'x'", name="x")))
    assert "the worker has no module 'x'" in failure.message
    assert "install it there" in failure.message


def test_an_error_of_ours_has_no_traceback_unless_the_users_code_is_in_it() -> None:
    def misuse() -> None:
        current_task()

    assert "in misuse" in describe_failure(raised(ValueError(), misuse)).traceback
    with pytest.raises(CodeError) as caught:
        load_class(CodeReference("nowhere", "Thing"), {})
    failure = describe_failure(caught.value.with_traceback(None))
    assert failure.traceback == ""
    assert failure.message.startswith("the worker has no module 'nowhere'")


def test_system_exit_does_not_come_back_to_end_the_application() -> None:
    failure = describe_failure(raised(SystemExit(3)))
    assert failure.exception == b""
    with pytest.raises(TaskFailed, match=r"sys.exit\(3\)"):
        error_from(failure, load_exception).raise_()


def test_an_error_that_carries_a_failure_keeps_it() -> None:
    with pytest.raises(NotSerializable) as caught:
        dump_result(threading.Lock())
    assert describe_failure(caught.value) is caught.value.failure


def test_raise_raises_the_original_with_the_remote_traceback() -> None:
    error = error_from(describe_failure(raised(OddError(1, "x"))), load_exception)
    with pytest.raises(OddError) as caught:
        error.raise_()
    assert isinstance(caught.value.__cause__, RemoteTracebackError)
    assert "in deeper" in str(caught.value.__cause__)


def test_raise_raises_the_task_error_when_the_original_cannot_be_rebuilt() -> None:
    failure = Failure("failed", "ValueError", "bad", exception=b"cnowhere\nX\n.")
    with pytest.raises(TaskFailed, match="bad"):
        error_from(failure, load_exception).raise_()

"""Exceptions as they travel: a text for people, and the exception itself with its traceback.

Text and traceback begin where the user's code does: frames of this package are left out.
"""

from __future__ import annotations

import importlib
import os
import pickle
from types import FunctionType, SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any

from concurrent_framework.code.loader import missing_module
from concurrent_framework.code.origins import original_path
from concurrent_framework.model.errors import ConcurrentError, TaskError
from concurrent_framework.model.outcome import Failure

if TYPE_CHECKING:
    from traceback import TracebackException

    from concurrent_framework.model.outcome import FailureKind

PROTOCOL = 5
MAX_FRAMES = 100
"""Frames of a traceback that travel; of a longer one the outermost and innermost halves."""
MAX_TEXT = 64 * 1024
MAX_LINE = 1000

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_SAMPLES = _PACKAGE + "samples" + os.sep
_IMPORTLIB = importlib.__file__
_FRAME = '\n  File "'
Position = tuple[str, str, int]


def describe_failure(error: BaseException, kind: FailureKind = "failed") -> Failure:
    """Turn what user code raised into the failure that travels.

    An error that carries a failure already (`NotSerializable` from a payload) keeps it.

    Example:
        >>> describe_failure(ValueError("no such file")).message
        'no such file'

    """
    if isinstance(error, TaskError):
        return error.failure
    text, data = dump_exception(error)
    if isinstance(error, ConcurrentError) and _FRAME not in text:
        text = ""  # our own words, which the message has; they were not said in the user's code
    return Failure(kind, type(error).__qualname__, _message(error), text, data)


def dump_exception(error: BaseException) -> tuple[str, bytes]:
    """Return an exception's traceback as text and the pickled exception, empty if it has none.

    An exception that cannot be pickled, or not be rebuilt from it, is text only.
    """
    text = format_exception(error)
    if not isinstance(error, Exception):
        return text, b""  # raised where the application handles the error, it would end that
    positions = _positions(error.__traceback__)
    if len(positions) > MAX_FRAMES:
        positions = positions[: MAX_FRAMES // 2] + positions[-MAX_FRAMES // 2 :]
    try:
        data = _dump((_taken_apart(error), positions))
        load_exception(data)
    except Exception:  # noqa: BLE001 (user code runs here)
        return text, b""
    return text, data


def load_exception(data: bytes) -> BaseException:
    """Rebuild what `dump_exception` pickled, with a traceback that shows where it was raised.

    Raises:
        Exception: whatever stands in the way, such as a class that does not exist here.

    """
    (cls, arguments, state), positions = pickle.loads(data)
    error: BaseException = arguments if cls is None else _put_together(cls, arguments, state)
    return error.with_traceback(_traceback(positions))


def format_exception(error: BaseException) -> str:
    """Write an exception and its causes as Python does, without the frames of this package."""
    from traceback import TracebackException

    report = TracebackException.from_exception(error, compact=True)
    _drop_our_frames(report)
    text = "".join(report.format())
    if len(text) > MAX_TEXT:
        half = MAX_TEXT // 2
        text = f"{text[:half]}\n… {len(text) - MAX_TEXT} characters left out …\n{text[-half:]}"
    return text


def is_ours(filename: str) -> bool:
    """Whether a source file belongs to this package; the samples count as the user's."""
    return filename.startswith(_PACKAGE) and not filename.startswith(_SAMPLES)


def _is_hidden(filename: str) -> bool:
    return is_ours(filename) or filename.startswith("<frozen importlib") or filename == _IMPORTLIB


def _message(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return missing_module(error, "the task")
    if isinstance(error, SystemExit):
        return f"the task called sys.exit({'' if error.code is None else repr(error.code)})"
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001 (user code runs here)
        lines = []
    return lines[0][:MAX_LINE] if lines else type(error).__qualname__


def _dump(value: object) -> bytes:
    try:
        data = pickle.dumps(value, PROTOCOL)
        if b"__main__" not in data:
            return data
    except Exception:  # noqa: BLE001, S110 (by value it may work)
        pass
    from concurrent_framework.code import by_value

    return by_value.dumps(value)


def _taken_apart(error: BaseException) -> tuple[type | None, Any, Any]:
    cls: Any = type(error)
    if not _is_python(cls.__init__) or _is_python(cls.__reduce__) or _is_python(cls.__reduce_ex__):
        return None, error, None
    reduced: Any = error.__reduce__()
    return cls, reduced[1], reduced[2] if len(reduced) > 2 else None


def _put_together(cls: type[Any], arguments: tuple[Any, ...], state: Any) -> Any:
    """Rebuild an exception without its own ``__init__``, which may take other arguments."""
    error = cls.__new__(cls, *arguments)
    bases: tuple[Any, ...] = cls.__mro__
    builtin = next(base for base in bases if not _is_python(base.__init__))
    builtin.__init__(error, *arguments)
    if state:
        BaseException.__setstate__(error, state)
    return error


def _is_python(function: Any) -> bool:
    return isinstance(function, FunctionType)


def _positions(traceback: TracebackType | None) -> list[Position]:
    positions = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not _is_hidden(code.co_filename):
            position = (original_path(code.co_filename), code.co_name, traceback.tb_lineno)
            positions.append(position)
        traceback = traceback.tb_next
    return positions


def _traceback(positions: list[Position]) -> TracebackType | None:
    if not positions:
        return None
    from tblib import Traceback  # type: ignore[import-untyped]

    following: Any = None
    for filename, function, line in reversed(positions):
        frame = SimpleNamespace(
            f_code=SimpleNamespace(co_filename=filename, co_name=function),
            f_globals={"__file__": filename, "__name__": "?"},
            f_lineno=line,
        )
        following = SimpleNamespace(tb_frame=frame, tb_lineno=line, tb_next=following)
    return _without_columns(Traceback(following).as_traceback())


def _without_columns(traceback: TracebackType) -> TracebackType:
    """Return a traceback that knows lines only: the columns that tblib gives it are made up."""
    following = traceback.tb_next
    rest = None if following is None else _without_columns(following)
    return TracebackType(rest, traceback.tb_frame, -1, traceback.tb_lineno)


def _drop_our_frames(report: TracebackException) -> None:
    report.stack[:] = [frame for frame in report.stack if not _is_hidden(frame.filename)]
    for frame in report.stack:
        _ = frame.line  # reads the source, which lies under the name that is replaced here
        frame.filename = original_path(frame.filename)
    for other in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if other is not None:
            _drop_our_frames(other)

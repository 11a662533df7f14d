"""The template process: what it starts, what it tells, and that nothing outlives its node."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from ast import literal_eval
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.launch import forkserver
from concurrent_framework.launch.template import Template
from concurrent_framework.protocol.forking import Exited, NotStarted, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def entry_echo(out: int, text: str = "") -> None:
    os.write(out, text.encode())


def entry_exit(code: int = 0) -> None:
    os._exit(code)


def entry_raise() -> None:
    raise RuntimeError("no way")


def entry_wait(out: int) -> None:
    os.write(out, b"%d " % os.getpid())
    select.select([], [], [])


def entry_family(out: int) -> None:
    """A child, its child, and a grandchild that left the session."""
    for detach in (False, True):
        if os.fork() == 0:
            if detach:
                os.setsid()
            entry_wait(out)
    entry_wait(out)


def entry_look(out: int) -> None:
    fds = sorted(int(name) for name in os.listdir("/dev/fd"))
    signal.raise_signal(signal.SIGINT)
    own = os.getsid(0) == os.getpid()
    default = signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    os.write(out, repr((fds, out, own, default, sys.stdin.read())).encode())


def entry_modules(out: int, names: list[str]) -> None:
    os.write(out, repr([name for name in names if name in sys.modules]).encode())


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [name.removeprefix("entry_") for name in globals() if name.startswith("entry_")]
    module = sys.modules[__name__].__name__
    table = {kind: (module, f"entry_{kind}") for kind in kinds}
    monkeypatch.setattr(forkserver, "ENTRIES", table)


@pytest.fixture
def template(entries: None) -> Iterator[Template]:
    with Template(warm=(), fork=True) as template:
        yield template


def events(template: Template, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        assert select.select([template], [], [], 10)[0], f"only {found}"
        found += template.collect()
    return found


def read_until(fd: int, done: Callable[[bytes], bool]) -> bytes:
    data = b""
    while not done(data):
        assert select.select([fd], [], [], 10)[0], f"only {data!r}"
        part = os.read(fd, 4096)
        assert part, f"only {data!r}"
        data += part
    return data


def wait_until_gone(pids: list[int]) -> None:
    """Poll, since a process that is not our child cannot be waited for."""
    deadline = time.monotonic() + 5
    while living := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"{living} still live"
        os.sched_yield()


def alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        return text.rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_child_gets_arguments_and_descriptors(template: Template) -> None:
    read, write = os.pipe()
    request = template.fork("echo", {"text": "hello"}, [write])
    os.close(write)
    started, exited = events(template, 2)
    assert started == Started(request, started.pid)
    assert (exited.pid, exited.exit_code, exited.signal) == (started.pid, 0, 0)
    assert exited.peak_memory > 1 << 20
    assert os.read(read, 100) == b"hello"
    os.close(read)


def test_exit_codes_and_signals_are_told(template: Template) -> None:
    template.fork("exit", {"code": 7})
    assert events(template, 2)[1].exit_code == 7
    read, write = os.pipe()
    template.fork("wait", {}, [write])
    (started,) = events(template, 1)
    read_until(read, lambda data: data.endswith(b" "))
    os.kill(started.pid, signal.SIGSEGV)
    (exited,) = events(template, 1)
    assert (exited.exit_code, exited.signal) == (None, signal.SIGSEGV)
    os.close(read)
    os.close(write)


def test_exception_in_entry_is_told_on_stderr(entries: None, tmp_path: Path) -> None:
    saved = os.dup(2)
    with (tmp_path / "stderr").open("wb") as file:
        os.dup2(file.fileno(), 2)
        template = Template(warm=(), fork=True)
        os.dup2(saved, 2)
    os.close(saved)
    with template:
        template.fork("raise", {})
        assert events(template, 2)[1].exit_code == 1
    assert "RuntimeError: no way" in (tmp_path / "stderr").read_text()


def test_unknown_kind_is_not_started(template: Template) -> None:
    request = template.fork("nonsense", {})
    (answer,) = events(template, 1)
    assert isinstance(answer, NotStarted)
    assert answer.request == request
    assert "nonsense" in answer.reason


def test_child_inherits_nothing_it_does_not_need(template: Template) -> None:
    read, write = os.pipe()
    template.fork("look", {}, [write])
    events(template, 2)
    # One more descriptor is the listing's own.
    fds, out, own_session, default_alarm, stdin = literal_eval(os.read(read, 1000).decode())
    assert set(fds[:3]) == {0, 1, 2}
    assert len(set(fds) - {0, 1, 2, out}) == 1
    assert own_session
    assert default_alarm
    assert stdin == ""
    os.close(read)
    os.close(write)


def test_kill_takes_the_whole_family(template: Template) -> None:
    read, write = os.pipe()
    template.fork("family", {}, [write])
    (started,) = events(template, 1)
    pids = [int(pid) for pid in read_until(read, lambda data: data.count(b" ") == 3).split()]
    template.kill(started.pid)
    (exited,) = events(template, 1)
    assert exited.signal == signal.SIGKILL
    wait_until_gone(pids)
    os.close(read)
    os.close(write)


def test_kill_right_after_fork(template: Template) -> None:
    read, write = os.pipe()
    template.fork("wait", {}, [write])
    (started,) = events(template, 1)
    template.kill(started.pid)
    (exited,) = events(template, 1)
    assert exited.signal == signal.SIGKILL
    template.kill(started.pid)
    os.close(read)
    os.close(write)


def test_close_leaves_nothing(entries: None) -> None:
    read, write = os.pipe()
    template = Template(warm=(), fork=True)
    template.fork("family", {}, [write])
    pids = [int(pid) for pid in read_until(read, lambda data: data.count(b" ") == 3).split()]
    pids.append(template.pid)
    template.close()
    wait_until_gone(pids)
    os.close(read)
    os.close(write)


def test_nothing_is_left_after_kill_of_the_node(entries: None) -> None:
    read, write = os.pipe()
    node = os.fork()
    if node == 0:
        try:
            template = Template(warm=(), fork=True)
            os.write(write, b"%d " % template.pid)
            template.fork("family", {}, [write])
            select.select([], [], [])
        finally:
            os._exit(1)
    pids = [int(pid) for pid in read_until(read, lambda data: data.count(b" ") == 4).split()]
    os.kill(node, signal.SIGKILL)
    os.waitpid(node, 0)
    wait_until_gone(pids)
    os.close(read)
    os.close(write)


def test_template_that_dies_is_replaced(template: Template) -> None:
    read, write = os.pipe()
    template.fork("wait", {}, [write])
    (started,) = events(template, 1)
    read_until(read, lambda data: data.endswith(b" "))
    before, fd = template.pid, template.fileno()
    os.kill(before, signal.SIGKILL)
    assert events(template, 1) == [Exited(started.pid, None, signal.SIGKILL)]
    wait_until_gone([started.pid])
    assert template.fileno() == fd
    assert template.pid not in (0, before)
    # The one that replaces it is a new interpreter: this test's entries are not there.
    template.fork("wait", {}, [write])
    (answer,) = events(template, 1)
    assert isinstance(answer, NotStarted)
    os.close(read)
    os.close(write)


def test_template_that_keeps_dying_is_given_up(template: Template) -> None:
    for _ in range(3):
        os.kill(template.pid, signal.SIGKILL)
        request = template.fork("exit", {})
        (answer,) = events(template, 1)
        assert isinstance(answer, NotStarted)
        assert answer.request == request
    assert template.pid == 0
    template.fork("exit", {})
    (answer,) = events(template, 1)
    assert "keeps dying" in answer.reason


def test_more_modules_are_imported_before_it_forks(
    entries: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "warmed_well.py").touch()
    (tmp_path / "warmed_badly.py").write_text("raise RuntimeError('out of order')")
    (tmp_path / "warmed_half.py").write_text("import not_installed_either")
    monkeypatch.syspath_prepend(tmp_path)
    names = ["not_installed", "warmed_badly", "warmed_half", "warmed_well"]
    reader, writer = os.pipe()
    with Template((), names, fork=True) as template:
        template.fork("modules", {"names": names}, [writer])
        os.close(writer)
        with open(reader, "rb") as told:
            assert literal_eval(told.read().decode()) == ["warmed_well"]
    assert not sys.modules.keys() & set(names)
    told_people = capfd.readouterr().err
    assert "out of order" in told_people
    assert "not_installed_either" in told_people
    assert "No module named 'not_installed'" not in told_people


def test_one_that_is_spawned_imports_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    os.mkfifo(told)
    (tmp_path / "warmed_anew.py").write_text(f"open({str(told)!r}, 'w').write('here')")
    monkeypatch.syspath_prepend(tmp_path)
    with Template((), ["warmed_anew"], fork=False):
        assert told.read_text() == "here"

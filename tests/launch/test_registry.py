"""Finding the masters of this machine, and not being fooled by dead or foreign ones."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from concurrent_framework.launch.registry import (
    NODE_FILE,
    Entry,
    Registry,
    places,
    process_birth,
)
from concurrent_framework.model.errors import MasterNotFoundError, UsageError
from concurrent_framework.transport.zmq import ZmqServer

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "concurrent"


@pytest.fixture
def registry(place: Path) -> Registry:
    return Registry([place])


def dead_process() -> tuple[int, str]:
    """Return the pid and birth of a process that has ended and been waited for."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    birth = process_birth(process.pid)
    process.communicate()
    return process.pid, birth


def rewrite(path: Path, **changes: object) -> None:
    """Change what a run directory says of its master."""
    entry = msgspec.json.decode((path / NODE_FILE).read_bytes())
    (path / NODE_FILE).write_bytes(msgspec.json.encode(entry | changes))


def test_a_master_is_found_while_it_runs(registry: Registry, place: Path) -> None:
    with registry.create("lab") as run:
        assert registry.find() == registry.find("lab") == run.entry
        assert run.entry.pid == os.getpid()
        assert run.endpoint == f"ipc://{run.socket}"
        assert run.socket.parent == run.path
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert stat.S_IMODE(run.path.stat().st_mode) == 0o700
    assert list(place.iterdir()) == []


def test_its_socket_is_where_a_server_can_bind(registry: Registry) -> None:
    with registry.create("lab") as run:
        server = ZmqServer(ipc=run.socket)
        assert server.ipc_endpoint == registry.find().endpoint
        server.close(0)


@pytest.mark.parametrize("name", ["", "my lab/…", "../../etc", "x" * 200, ".hidden", "a\nb"])
def test_any_name_will_do(registry: Registry, place: Path, name: str) -> None:
    with registry.create(name) as run:
        assert run.path.parent == place
        assert len(run.path.name) < 30
        assert registry.find(name).name == name


def test_no_master(registry: Registry) -> None:
    with pytest.raises(MasterNotFoundError) as caught:
        registry.find()
    assert str(caught.value) == (
        "no master runs here: start one with `concurrent master`, or give --join LINK"
    )
    with pytest.raises(MasterNotFoundError, match="no master named 'lab' runs here: start one"):
        registry.find("lab")


def test_no_master_of_that_name(registry: Registry) -> None:
    with (
        registry.create("lab"),
        pytest.raises(MasterNotFoundError, match="no master named 'other' runs here, but: lab"),
    ):
        registry.find("other")


def test_several_masters(registry: Registry) -> None:
    with registry.create("one") as one, registry.create("two") as two:
        with pytest.raises(UsageError) as caught:
            registry.find()
        text = str(caught.value)
        assert text.startswith("several masters run here, choose one: ")
        assert f"one (pid {os.getpid()}): --join {one.endpoint}" in text
        assert f"two (pid {os.getpid()}): --join {two.endpoint}" in text
        assert registry.find("two") == two.entry
        assert registry.entries() == [one.entry, two.entry]


def test_what_a_dead_master_left_is_removed(registry: Registry, place: Path) -> None:
    run = registry.create("lab")
    pid, birth = dead_process()
    rewrite(run.path, pid=pid, birth=birth)
    with pytest.raises(MasterNotFoundError):
        registry.find()
    assert list(place.iterdir()) == []


def test_a_later_process_with_the_same_number_is_another(registry: Registry) -> None:
    run = registry.create("lab")
    rewrite(run.path, birth="1")
    with pytest.raises(MasterNotFoundError):
        registry.find()


def test_a_master_that_this_machine_does_not_see_is_known_by_its_socket(
    registry: Registry,
) -> None:
    """As from a container that shares the directory but not the process numbers."""
    run = registry.create("lab")
    pid, birth = dead_process()
    rewrite(run.path, pid=pid, birth=birth)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run.socket))
        listener.listen()
        assert registry.find().pid == pid
    with pytest.raises(MasterNotFoundError):
        registry.find()


def test_a_master_killed_at_once_is_gone(registry: Registry, place: Path) -> None:
    script = (
        "import sys; from pathlib import Path; "
        "from concurrent_framework.launch.registry import Registry; "
        "run = Registry([Path(sys.argv[1])]).create('victim'); print('up', flush=True); input()"
    )
    master = subprocess.Popen(
        [sys.executable, "-c", script, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert master.stdout is not None
    assert master.stdout.readline() == "up\n"
    assert registry.find("victim").pid == master.pid
    master.kill()
    master.communicate()
    with pytest.raises(MasterNotFoundError):
        registry.find("victim")


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_birth(child.pid) == ""
    child.wait()
    assert process_birth(os.getpid()) != ""


def test_forked_children_do_not_remove_it(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry.create("lab") as run:
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: run.entry.pid + 1)
            run.remove()
        assert run.path.exists()
    assert not run.path.exists()


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
def test_damaged_entries_are_ignored_and_removed_when_old(
    registry: Registry, place: Path, content: bytes
) -> None:
    run = registry.create("lab")
    (run.path / NODE_FILE).write_bytes(content)
    assert registry.entries() == []
    assert run.path.exists()
    os.utime(run.path, (0, 0))
    assert registry.entries() == []
    assert list(place.iterdir()) == []


def test_a_place_open_to_others_is_refused(registry: Registry, place: Path) -> None:
    place.mkdir(mode=0o755)
    for look in (registry.find, lambda: registry.create("lab")):
        with pytest.raises(UsageError, match=f"run `chmod 700 {place}`"):
            look()


def test_a_link_to_another_place_is_refused(registry: Registry, place: Path) -> None:
    (place.parent / "trap").mkdir(mode=0o700)
    place.symlink_to(place.parent / "trap")
    with pytest.raises(UsageError, match="must be a directory"):
        registry.find()


@ROOT_ONLY
def test_the_place_of_another_user_is_refused(registry: Registry, place: Path) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 12345, -1)
    with pytest.raises(UsageError, match="belongs to another user"):
        registry.find()


@ROOT_ONLY
def test_an_entry_of_another_user_is_ignored(registry: Registry) -> None:
    run = registry.create("lab")
    os.chown(run.path / NODE_FILE, 12345, -1)
    assert registry.entries() == []


def test_all_places_are_searched(tmp_path: Path) -> None:
    """A service and a login shell may have different ideas of the runtime directory."""
    with Registry([tmp_path / "b"]).create("lab") as run:
        assert Registry([tmp_path / "a", tmp_path / "b"]).find() == run.entry


def test_where_masters_are_registered(tmp_path: Path) -> None:
    fallback = Path(f"/tmp/concurrent-{os.getuid()}")
    assert places({"XDG_RUNTIME_DIR": str(tmp_path)}) == [tmp_path / "concurrent", fallback]
    assert places({}) == [fallback]
    assert places({"XDG_RUNTIME_DIR": ""}) == [fallback]
    assert places({"XDG_RUNTIME_DIR": "relative"}) == [fallback]
    assert places({"XDG_RUNTIME_DIR": "/none/of/these"}) == [fallback]


@ROOT_ONLY
def test_the_runtime_directory_of_another_user_is_not_ours(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, -1)
    assert places({"XDG_RUNTIME_DIR": str(tmp_path)}) == [Path(f"/tmp/concurrent-{os.getuid()}")]


def test_entries_are_plain_data() -> None:
    entry = Entry("lab", 1, "b", "ipc:///x/y", 2.5)
    assert entry.socket == Path("/x/y")
    assert msgspec.json.decode(msgspec.json.encode(entry), type=Entry) == entry


def test_a_master_is_found_where_it_was_before(place: Path) -> None:
    registry = Registry([place])
    with registry.create("lab", mark="/home/me/masters/lab") as first:
        endpoint = first.endpoint
    with (
        registry.create("lab", mark="/home/me/masters/lab") as again,
        registry.create("lab", mark="/srv/lab/data") as another,
        registry.create("lab") as nameless,
    ):
        assert again.endpoint == endpoint
        assert len({again.path, another.path, nameless.path}) == 3


def test_the_same_master_does_not_run_twice(place: Path) -> None:
    registry = Registry([place])
    with (
        registry.create("lab", mark="here") as run,
        pytest.raises(UsageError, match=f"master lab runs already .pid {run.entry.pid}."),
    ):
        registry.create("lab", mark="here")

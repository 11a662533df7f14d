"""A master whose journal cannot be written for a while: its disk is full, its database restarts."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.master.compaction import SPARE_BYTES
from tests.cluster.place import until
from tests.cluster.swarm import Swarm
from tests.cluster.tasks import Call
from tests.cluster.test_master_dies import Interrupted, lines
from tests.store.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.place import Place
    from tests.store.postgres import Server

__all__ = ["postgres"]


@pytest.fixture
def small_disk(place: Place) -> Iterator[Path]:
    """A file system of a few megabytes where masters keep their journals."""
    path = place.home / "masters"
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounting = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path) -> Path:
    """Fill a file system to its last byte; returns the file to remove."""
    ballast = path / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


def trouble_of(swarm: Swarm) -> str:
    """Return what the master says is wrong."""
    return str(swarm.query("status")["trouble"])


def test_a_full_disk_stops_the_intake_visibly_and_the_work_goes_on_by_itself(
    place: Place, pattern: str, small_disk: Path, tmp_path: Path
) -> None:
    swarm = Swarm(place, pattern)
    swarm.add_worker("w1", executors=3)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    seen: list[Any] = []

    def in_trouble() -> None:
        until(lambda: begun.exists() and len(begun.read_text().split()) == 2, "two to begin")
        ballast = fill(small_disk)
        gate.touch()  # what comes of these has to be written down
        until(lambda: trouble_of(swarm), "the master to notice")
        seen.append(swarm.command("status").out)
        ballast.unlink()
        until(lambda: not trouble_of(swarm), "the master to go on")

    held = [Call("hold", str(begun), f"h{n}", str(gate)) for n in range(2)]
    app = swarm.run(
        Interrupted([*held, *(Call("add", n, 1) for n in range(300))], {50: in_trouble})
    )
    assert app.results() == ["h0", "h1", *range(1, 301)]
    assert len(app.told) == 302
    [shown] = seen
    assert "takes in no work: " in shown
    assert "journal.db cannot be written" in " ".join(shown.split())
    assert "the journal works again, work goes on" in swarm.master.err
    swarm.stop()


@pytest.mark.parametrize("sync", ["normal", "full"])
def test_large_results_survive_the_master_and_leave_no_files(place: Place, sync: str) -> None:
    swarm = Swarm(place, "push", f"store.sync={sync}")
    swarm.add_worker("w1", executors=2)
    files = place.home / "masters" / "m" / "journal.db.large"
    seen: list[int] = []

    def kill_master() -> None:
        seen.append(len(list(files.iterdir())))
        swarm.kill_master()
        swarm.start_master()

    tasks = [Call("repeat", f"{number:06} ", 50_000) for number in range(200)]
    app = swarm.run(Interrupted(tasks, {20: kill_master, 90: kill_master, 150: kill_master}))
    assert app.results() == [f"{number:06} " * 50_000 for number in range(200)]
    assert len(app.told) == 200
    assert min(seen) > 0

    def is_short() -> bool:
        return int(swarm.query("status")["journal"]["bytes"]) <= SPARE_BYTES

    until(is_short, "the journal to be shortened")
    swarm.stop()
    assert "damaged" not in swarm.master.err
    assert sum(one.stat().st_size for one in files.iterdir()) <= SPARE_BYTES


def test_a_journal_in_postgresql_outlives_the_master_and_its_own_server(
    place: Place, pattern: str, postgres: Server, tmp_path: Path
) -> None:
    url = postgres.url(postgres.new_schema())
    swarm = Swarm(place, pattern, "master.store=postgresql", f"store.url={url}")
    swarm.add_worker("w1", executors=3)
    ran, begun, gate = (tmp_path / name for name in ("ran", "begun", "gate"))

    def kill_master() -> None:
        swarm.kill_master()
        swarm.start_master()

    def restart_server() -> None:
        postgres.stop()  # as if it was killed
        postgres.start()

    def server_away() -> None:
        postgres.stop()
        try:
            gate.touch()  # what comes of this has to be written down
            until(lambda: trouble_of(swarm), "the master to notice")
        finally:
            postgres.start()
        until(lambda: not trouble_of(swarm), "the master to go on")

    held = Call("hold", str(begun), "held", str(gate))
    tasks = [Call("note", str(ran), f"t{n}") for n in range(1000)]
    for task in (held, *tasks[::3]):
        task.idempotent = False
    when = {100: kill_master, 300: restart_server, 500: kill_master, 700: server_away}
    app = swarm.run(Interrupted([held, *tasks], when))
    assert app.exit_code == 0
    assert app.results() == ["held", *(f"t{n}" for n in range(1000))]
    assert len(app.told) == 1001
    runs = lines(ran)
    assert all(runs[f"t{n}"] == 1 for n in range(0, 1000, 3))
    assert lines(begun) == {"held": 1}
    swarm.stop()

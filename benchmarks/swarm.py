"""A master with a journal and a worker, as they run on machines that stay."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND = str(Path(sys.executable).with_name("concurrent"))


class Swarm(NamedTuple):
    """A master and a worker that run: how to join, and the processes."""

    link: str
    master: int
    worker: int


@contextmanager
def swarm(store: str, settings: Sequence[str] = ()) -> Iterator[Swarm]:
    """Start a master with a store, and a worker."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        root = Path(name)
        runtime = root / "run"
        runtime.mkdir(mode=0o700)
        chosen = [*settings, f"master.store={store}"]
        options = [word for setting in chosen for word in ("--set", setting)]
        environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime), "CONCURRENT_HOME": name}
        master = subprocess.Popen(
            [COMMAND, "master", "--name", "m", *options],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert master.stdout is not None
        master.stdout.readline()
        (socket,) = runtime.glob("concurrent/m-*/master.ipc")
        link = f"ipc://{socket}"
        worker = subprocess.Popen(
            [COMMAND, "worker", "--executors", "2", "--join", link],
            env=environ,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Swarm(link, master.pid, worker.pid)
        finally:
            for process in (worker, master):
                process.terminate()
                process.wait()
            master.stdout.close()

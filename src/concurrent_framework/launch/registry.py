"""Which masters run on this machine for this user, so that commands find them without a link.

Each has a directory of its own in a private place (`places`): its Unix socket and ``node.json``.
What a killed master left behind is recognised and removed by the next look.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from concurrent_framework.model.errors import MasterNotFoundError, UsageError
from concurrent_framework.security.private import make_private, read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

NODE_FILE = "node.json"
SOCKET = "master.ipc"
EMBEDDED = "embedded"
"""Name of a master that runs for one application and ends with it."""
_UNFINISHED = ".new-"
_GRACE = 60.0
"""Seconds after which a directory without a readable ``node.json`` is taken for abandoned."""


class Entry(msgspec.Struct, frozen=True):
    """A master that runs here.

    Args:
        name: the master's name.
        pid: its process.
        birth: when the system started that process, to tell it from a later one with its number.
        endpoint: its private endpoint, ``ipc:///…``.
        started: unix time in seconds.

    """

    name: str
    pid: int
    birth: str
    endpoint: str
    started: float

    @property
    def socket(self) -> Path:
        """Path of the private endpoint."""
        return Path(self.endpoint.removeprefix("ipc://"))

    def alive(self) -> bool:
        """Whether the master still runs. Its socket decides if this machine does not see it."""
        if process_birth(self.pid) == self.birth:
            return True
        from concurrent_framework.transport.binding import answers

        return answers(self.socket)


class RunDirectory:
    """The directory of a running master, removed when the `with` block that holds it ends.

    Args:
        path: the directory.
        entry: what `node.json` in it says.

    """

    def __init__(self, path: Path, entry: Entry) -> None:
        self.path = path
        self.entry = entry
        self._owner = os.getpid()

    @property
    def socket(self) -> Path:
        """Where the master is to bind its private endpoint."""
        return self.entry.socket

    @property
    def endpoint(self) -> str:
        """The private endpoint, ``ipc:///…``."""
        return self.entry.endpoint

    def remove(self) -> None:
        """Remove the directory. Does nothing in processes forked after it was made."""
        if os.getpid() == self._owner:
            _remove(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


class Registry:
    """The masters in one or more places.

    Args:
        places: directories, the preferred one first; each is made with mode 0700 if need be.

    """

    def __init__(self, places: Sequence[Path]) -> None:
        self._places = tuple(places)

    def create(self, name: str, mark: str = "") -> RunDirectory:
        """Register a master that this process is or starts.

        Args:
            name: for people; need not be unique.
            mark: what makes it the same master at each start: its socket is where it was before, so
                that whoever was connected finds it again. Empty for one that starts only once.

        Raises:
            UsageError: the place is open to other users or cannot be written, or this very master
                runs already.

        Example:
            ::

                with create("master") as run:
                    server = ZmqServer(ipc=run.socket)

        """
        place = self._places[0]
        make_private(place)
        living = self._sweep(place)
        slug = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:20] or "master"
        suffix = hashlib.sha256(mark.encode()).digest() if mark else os.urandom(3)
        path = place / f"{slug}-{suffix[:3].hex()}"
        for other in living:
            if other.socket.parent == path:
                message = (
                    f"master {name} runs already (pid {other.pid}): give this one another name with"
                    " --name, or end that one"
                )
                raise UsageError(message)
        pid = os.getpid()
        entry = Entry(name, pid, process_birth(pid), f"ipc://{path / SOCKET}", time.time())
        try:
            unfinished = place / f"{_UNFINISHED}{path.name}"
            unfinished.mkdir(mode=0o700)
            write_private(unfinished / NODE_FILE, msgspec.json.encode(entry))
            unfinished.rename(path)
        except OSError as error:
            message = f"cannot register a master in {place}: {error.strerror}"
            raise UsageError(message) from error
        return RunDirectory(path, entry)

    def entries(self) -> list[Entry]:
        """Return the masters that run here, the oldest first.

        Raises:
            UsageError: a place is open to other users.

        """
        found: list[Entry] = []
        for place in self._places:
            if place.is_dir() or place.is_symlink():
                make_private(place)
                found += self._sweep(place)
        return sorted(found, key=lambda entry: (entry.started, entry.pid))

    def find(self, name: str | None = None, *, embedded: bool = True) -> Entry:
        """Return the master of this name, or the only one.

        Args:
            name: the master's name; None for any.
            embedded: whether it may be one that runs for a single application, if there is no
                other.

        Raises:
            MasterNotFoundError: there is none.
            UsageError: several fit; the message lists their links.

        """
        known = self.entries()
        fitting = [entry for entry in known if name is None or entry.name == name]
        if name is None:
            standing = [entry for entry in known if entry.name != EMBEDDED]
            fitting = standing or (known if embedded else [])
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            listed = "; ".join(
                f"{entry.name} (pid {entry.pid}): --join {entry.endpoint}" for entry in fitting
            )
            message = f"several masters run here, choose one: {listed}"
            raise UsageError(message)
        if name is not None and known:
            names = ", ".join(sorted({entry.name for entry in known}))
            message = f"no master named {name!r} runs here, but: {names}"
        else:
            which = "no master" if name is None else f"no master named {name!r}"
            message = f"{which} runs here: start one with `concurrent master`, or give --join LINK"
        raise MasterNotFoundError(message)

    def _sweep(self, place: Path) -> list[Entry]:
        """Return the living masters of a place and remove what dead ones left behind."""
        living = []
        for path in sorted(place.iterdir()):
            entry = _read(path)
            if entry is None:
                if _age(path) > _GRACE:
                    _remove(path)
            elif entry.alive():
                living.append(entry)
            else:
                _remove(path)
        return living


def places(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return where masters of this user are registered, the preferred place first."""
    if os.name != "posix":
        import tempfile

        return [Path(tempfile.gettempdir()) / "concurrent"]
    fallback = Path(f"/tmp/concurrent-{os.getuid()}")  # noqa: S108 (private, and verified to be)
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or "")
    with suppress(OSError):
        # The variable may be another user's, left by su or sudo.
        if runtime.is_absolute() and runtime.stat().st_uid == os.getuid():
            return [runtime / "concurrent", fallback]
    return [fallback]


def create(name: str, mark: str = "") -> RunDirectory:
    """Register a master of this user; see `Registry.create`."""
    return Registry(places()).create(name, mark)


def find(name: str | None = None, *, embedded: bool = True) -> Entry:
    """Return this user's running master; see `Registry.find`."""
    return Registry(places()).find(name, embedded=embedded)


def process_birth(pid: int) -> str:
    """Return a mark of when a process started, empty if there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except OSError:
        return ""
    else:
        # The name, in parentheses, may hold anything; state and start time are fields 3 and 22.
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] in {"Z", "X"} else fields[19]
    import psutil

    try:
        return f"{psutil.Process(pid).create_time():.1f}"
    except psutil.Error:
        return ""


def _remove(directory: Path) -> None:
    import shutil

    shutil.rmtree(directory, ignore_errors=True)


def _read(path: Path) -> Entry | None:
    try:
        return msgspec.json.decode(read_private(path / NODE_FILE), type=Entry)
    except (OSError, UsageError, msgspec.MsgspecError):
        return None


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0

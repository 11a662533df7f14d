"""A real PostgreSQL server for tests: on a Unix socket, in a directory that goes with it."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 60
"""Seconds after which a command of the server has failed; each takes about one."""


def binaries() -> Path:
    """Return where the server's commands are, or skip the test and say what is missing."""
    if (found := shutil.which("initdb")) is not None:
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not places:
        pytest.skip("no PostgreSQL server: `initdb` is missing (Debian's package: postgresql)")
    return places[-1].parent


class Server:
    """A server that belongs to an unprivileged user, as it refuses to belong to root."""

    def __init__(self) -> None:
        self._binaries = binaries()
        self.user = _server_user()
        # pytest's own directories cannot be entered by another user.
        self.directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self._schemas = 0
        if self.user != getpass.getuser():
            shutil.chown(self.directory, self.user)
        data = str(self.directory / "data")
        self._run("initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")
        self.start()

    def start(self) -> None:
        options = f"-k {self.directory} -c listen_addresses='' -c max_wal_size=64MB"
        log = str(self.directory / "log")
        self._control("start", "-l", log, "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server; `immediate` is like its death: it recovers at the next start."""
        self._control("stop", "-m", mode)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory)

    def _control(self, action: str, *options: str) -> None:
        self._run("pg_ctl", action, "-w", "-D", str(self.directory / "data"), *options)

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / command, *arguments],
            user=None if self.user == getpass.getuser() else self.user,
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def url(self, schema: str = "public") -> str:
        return (
            f"postgresql://tester@/postgres?host={self.directory}&options=-csearch_path%3D{schema}"
        )

    def execute(self, statement: str, schema: str = "public") -> list[tuple[object, ...]]:
        """Run a statement on a connection of its own."""
        url = self.url(schema).replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    def new_schema(self) -> str:
        """Return the name of an empty schema, which is as good as a database and quicker."""
        self._schemas += 1
        self.execute(f"CREATE SCHEMA {self.newest_schema}")
        return self.newest_schema

    @property
    def newest_schema(self) -> str:
        return f"test{self._schemas}"


def _server_user() -> str:
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    server = Server()
    yield server
    server.remove()

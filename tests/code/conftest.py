"""An application and a worker, each a process of its own, that share nothing but bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = """

def _send():
    import json
    import sys

    import msgspec

    from concurrent_framework.code.bundle import CodeShipper
    from concurrent_framework.tasks.failures import load_exception
    from concurrent_framework.tasks.payload import dump_state, load_result
    from concurrent_framework.tasks.specs import SpecBook

    book = SpecBook(CodeShipper())
    rows = [(book.number_for(one), dump_state(one)) for one in TASKS]
    define = book.new_definitions()
    with open(sys.argv[1], "wb") as file:
        file.write(msgspec.msgpack.encode((define, rows)))
    print("sent", flush=True)
    sys.stdin.readline()
    with open(sys.argv[2], "rb") as file:
        outcomes = msgspec.msgpack.decode(file.read())
    CHECK([load_result(result) if result else load_exception(exception)
           for result, exception in outcomes])
    print("checked", flush=True)


_send()
"""

WORKER = """
import sys
from pathlib import Path

import msgspec

from concurrent_framework.code.cache import CodeCache
from concurrent_framework.code.received import ReceivedCode
from concurrent_framework.protocol.application import Define
from concurrent_framework.tasks.failures import describe_failure
from concurrent_framework.tasks.payload import dump_result, load_task

received = ReceivedCode()
cache = CodeCache(Path(sys.argv[2]))
define, rows = msgspec.msgpack.decode(
    Path(sys.argv[1]).read_bytes(), type=tuple[Define, list[tuple[int, bytes]]]
)
specs = {entry.number: entry.spec for entry in define.specs}
paths = {blob.digest: cache.add(blob) for blob in define.codes}
received.learn((spec.code for spec in specs.values()), paths)
outcomes, failures = [], []
for number, payload in rows:
    try:
        task = load_task(received.load(specs[number].code), payload)
        outcomes.append((dump_result(task()), b""))
        failures.append(None)
    except BaseException as error:
        failure = describe_failure(error)
        outcomes.append((b"", failure.exception))
        failures.append({"message": failure.message, "traceback": failure.traceback})
Path(sys.argv[3]).write_bytes(msgspec.msgpack.encode(outcomes))
print(msgspec.json.encode(failures).decode())
"""


@dataclass
class Trip:
    """What came of one application's tasks: their failures, and which code travelled."""

    failures: list[Any]
    folder: Path

    @property
    def code(self) -> list[str]:
        """Names of the files in the bundles that travelled."""
        unpacked = self.folder / "cache"
        return sorted(
            str(path.relative_to(unpacked)).partition(os.sep)[2]
            for path in unpacked.rglob("*")
            if path.is_file() and path.parent != unpacked and path.suffix != ".pyc"
        )


class Traveller:
    """Runs applications in a folder, and their tasks in a worker elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        self._folder = folder

    def write(self, files: dict[str, str | bytes]) -> None:
        """Write the user's files."""
        for name, content in files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def travel(self, script: str, *options: str) -> Trip:
        """Run a script that defines TASKS, run those in a worker, give CHECK their outcomes."""
        (self.project / "script.py").write_text(script + APPLICATION)
        sent, back = self._folder / "sent", self._folder / "back"
        arguments = [*(options or ("script.py",)), str(sent), str(back)]
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as application:
            assert application.stdin is not None
            assert application.stdout is not None
            assert application.stdout.readline() == "sent\n"
            elsewhere = self._folder / "elsewhere"
            elsewhere.mkdir(exist_ok=True)
            worker = subprocess.run(
                [
                    sys.executable,
                    "-P",
                    "-c",
                    WORKER,
                    str(sent),
                    str(self._folder / "cache"),
                    str(back),
                ],
                cwd=elsewhere,
                stdout=subprocess.PIPE,
                check=True,
            )
            application.stdin.write("\n")
            application.stdin.flush()
            assert application.stdout.readline() == "checked\n"
        return Trip(json.loads(worker.stdout), self._folder)


@pytest.fixture
def traveller(tmp_path: Path) -> Traveller:
    return Traveller(tmp_path)

"""The three ready environments, started by the commands that the README names."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import ROOT
from tests.cli.conftest import LIMIT, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = ROOT / "examples" / "environments"
COMMAND = re.compile(r"^concurrent env launch examples/environments/\S+$", re.MULTILINE)
Start = Callable[[str], "subprocess.Popen[str]"]


def commands(document: Path) -> list[str]:
    return COMMAND.findall(document.read_text(encoding="utf-8"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A clone of the repository, as far as the commands care, with what git would bring."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "examples/environments"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = tracked.stdout.split() if tracked.returncode == 0 else []
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    if not names:  # a tree without its history
        shutil.copytree(EXAMPLES, tmp_path / "examples" / "environments")
    return tmp_path


@pytest.fixture
def start(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    runtime = tmp_path_factory.mktemp("r")  # short: the paths of sockets must be
    with ExitStack() as stack:

        def started(command: str) -> subprocess.Popen[str]:
            name, *words = shlex.split(command)
            assert name == "concurrent"
            process = subprocess.Popen(
                [sys.executable, "-m", "concurrent_framework", *words],
                cwd=place,
                env=os.environ | {"XDG_RUNTIME_DIR": str(runtime), "PYTHONUNBUFFERED": "1"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            stack.enter_context(bounded(process))
            stack.callback(process.send_signal, signal.SIGTERM)
            return process

        yield started


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return
    pytest.fail(f"it never said {text!r}, but:\n{''.join(lines)}")


def test_the_commands_of_the_readme_start_a_cluster(start: Start, place: Path) -> None:
    first, second, third = commands(ROOT / "README.md")
    master = start(first)
    read_until(master, "master example-master is ready")
    start(second)
    read_until(master, "worker example-worker joined")
    output, _ = start(third).communicate(timeout=LIMIT)
    assert "600851475143 = 71 * 839 * 1471 * 6857\n" in output
    written = place / "examples" / "environments" / "application" / "data" / "factors.txt"
    assert written.read_text(encoding="utf-8").splitlines() == [
        "8051 = 83 * 97",
        "1000036000099 = 1000003 * 1000033",
        "600851475143 = 71 * 839 * 1471 * 6857",
        "2147483647 = 2147483647",
    ]


def test_every_document_names_the_same_commands() -> None:
    assert commands(EXAMPLES / "README.md") == commands(ROOT / "README.md")


def test_without_its_master_the_application_says_what_to_do(start: Start) -> None:
    application = start(commands(ROOT / "README.md")[2])
    output, _ = application.communicate(timeout=LIMIT)
    assert application.returncode == 3
    assert re.search(r"/master is not running; `concurrent env launch .*/master` starts it", output)
    assert output.count("\n") == 1


def test_no_keys_are_kept_with_them() -> None:
    ignored = (EXAMPLES / ".gitignore").read_text(encoding="utf-8").split()
    assert {"*/keys/", "*/run/", "*/logs/", "*/backups/"} <= set(ignored)

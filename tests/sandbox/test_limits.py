"""What executors use, and what they may use."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.sandbox import machine
from concurrent_framework.sandbox.limits import resident_memory
from concurrent_framework.sandbox.tail import last_words

if TYPE_CHECKING:
    from pathlib import Path

HOARD = """
import subprocess, sys
data = bytearray(60 << 20); data[::4096] = b"1" * len(data[::4096])
if len(sys.argv) > 1:
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
    child.wait()
else:
    print("ready", flush=True); sys.stdin.read()
"""


@pytest.fixture
def hoarders() -> object:
    process = subprocess.Popen(
        [sys.executable, "-c", HOARD, HOARD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.communicate()


def test_memory_counts_children(hoarders: subprocess.Popen[bytes]) -> None:
    assert 120 << 20 < resident_memory(hoarders.pid) < 200 << 20


def test_memory_of_what_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resident_memory(process.pid) == 0


def test_peak_memory() -> None:
    program = """
from concurrent_framework.sandbox.limits import peak_memory
before = peak_memory()
data = bytearray(60 << 20); data[::4096] = b"1" * len(data[::4096]); del data
print(peak_memory() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert 50 << 20 < int(done.stdout) < 80 << 20


def test_executors_dump_no_core_and_go_first() -> None:
    program = """
import resource
from concurrent_framework.sandbox.limits import confine
confine()
print(resource.getrlimit(resource.RLIMIT_CORE)[0], open("/proc/self/oom_score_adj").read())
"""
    assert subprocess.check_output([sys.executable, "-c", program]).split() == [b"0", b"500"]


def test_limits_of_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    processors, memory = machine.usable_processors(), machine.usable_memory()
    assert processors >= 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (machine.usable_processors(), machine.usable_memory()) == (processors, memory)
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    assert (machine.usable_processors(), machine.usable_memory()) == (1, 1 << 20)


@pytest.mark.parametrize(
    ("value", "names"), [("", []), ("0", ["0"]), ("2, 3", ["2", "3"]), ("GPU-1,GPU-2", 2)]
)
def test_gpus_that_were_left(
    monkeypatch: pytest.MonkeyPatch, value: str, names: list[str] | int
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    found = machine.visible_gpus()
    assert found == names or len(found) == names


def words(path: Path, text: str) -> str:
    path.write_text(text)
    with path.open("rb") as file:
        return last_words(file.fileno())


def test_last_words(tmp_path: Path) -> None:
    path = tmp_path / "stderr"
    assert words(path, "") == ""
    assert words(path, "one\ntwo\n") == "one\ntwo"
    assert words(path, "\n".join(map(str, range(50)))) == "\n".join(map(str, range(30, 50)))
    assert len(words(path, "x" * 100_000)) == 4096


def test_last_words_of_a_crash_begin_where_it_happened(tmp_path: Path) -> None:
    frames = [f'  File "deep.py", line {n} in deep' for n in range(5)]
    ours = ['  File "/x/concurrent_framework/worker/executor/runner.py", line 3 in run'] * 30
    report = ["Fatal Python error: Segmentation fault", "", "Current thread:", *frames]
    text = "\n".join(["before", *report, *ours, "Extension modules: (total: 1)"])
    assert words(tmp_path / "stderr", text).splitlines() == ["before", *report]

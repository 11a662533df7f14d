"""Nodes as child processes: Ctrl-C at a terminal reaches them, and is left to their parent."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.launch import process
from concurrent_framework.launch.process import NodeProcess

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTED = """
import os, signal

def begin(code):
    os.kill(os.getpid(), signal.SIGINT)
    return code
"""


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "spawned"])
def test_a_node_leaves_ctrl_c_to_its_parent_from_its_beginning(
    forked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "interrupted_node.py").write_text(INTERRUPTED)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(process, "fork_is_safe", lambda: forked)
    node = NodeProcess("interrupted_node:begin", {"code": 7})
    node.wait()
    assert node.end == "ended with exit code 7"


def test_a_child_begins_with_ctrl_c_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def note(*_: object) -> int:
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return 0

    monkeypatch.setattr(process, "fork_is_safe", lambda: True)
    monkeypatch.setattr(process, "_fork", note)
    NodeProcess("nothing:is", {}).wait()
    assert held == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

"""Ctrl-C once more, while the command ends after the first."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IMPATIENT = """
import atexit, os, signal
from concurrent_framework import ApplicationNode

class App(ApplicationNode):
    def start_processing(self):
        atexit.register(os.kill, os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
"""


def test_ctrl_c_at_the_very_end_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "impatient.py").write_text(IMPATIENT, encoding="utf-8")
    command = [sys.executable, "-m", "concurrent_framework", "run", "--quiet", "impatient.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "KeyboardInterrupt" not in done.stderr

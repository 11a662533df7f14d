"""`concurrent run` starts quickly because what it needs first imports little."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "asyncio",
    "dask",
    "matplotlib",
    "numpy",
    "prompt_toolkit",
    "psutil",
    "pydantic",
    "ray",
    "rich",
    "sqlalchemy",
    "typer",
)


@pytest.mark.parametrize(
    "statement",
    [
        "import concurrent_framework",
        "from concurrent_framework import ApplicationNode, IApp, Task, implements",
    ],
)
def test_importing_the_public_api_loads_nothing_heavy(statement: str) -> None:
    code = f"import sys; {statement}; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []

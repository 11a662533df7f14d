"""The example package of plug-ins, installed as anybody would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.cli.conftest import LIMIT


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package with pip, without a network, and return where it went."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run(
        [*pip, *offline, "--target", str(target), str(ROOT / "examples" / "plugins")],
        check=True,
        timeout=LIMIT,
    )
    return target

"""Starts a master or a worker in this process and stays with it until it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from concurrent_framework.config import Config

if TYPE_CHECKING:
    from collections.abc import Sequence


def start_master(listen: str, name: str, settings: Sequence[str]) -> int:
    """Run a master until it is stopped; return its exit code."""
    from concurrent_framework.api.serving import beside
    from concurrent_framework.launch.nodes import run_master

    config = Config.load(None, os.environ, settings)
    return run_master(config, listen=listen, name=name, beside=beside)


def start_worker(join: str, name: str, settings: Sequence[str]) -> int:
    """Run a worker until it is stopped; return its exit code."""
    from concurrent_framework.api.serving import beside
    from concurrent_framework.cli.locating import master_of
    from concurrent_framework.launch.nodes import run_worker

    config = Config.load(None, os.environ, settings)
    return run_worker(config, master_of(join), name=name, beside=beside)

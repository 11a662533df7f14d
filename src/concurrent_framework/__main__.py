"""``python -m concurrent_framework`` is the command ``concurrent``."""

from __future__ import annotations

import sys

from concurrent_framework.cli.main import program

sys.exit(program())

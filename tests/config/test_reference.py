"""The reference page, and the explanation of one option."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.config import Config, Option
from concurrent_framework.config.reference import explain, reference
from concurrent_framework.model.errors import UsageError

OPTIONS: list[Option[Any]] = [
    Option("master", "scheduler", default="push", choices=("push", "pull"), doc="Who | asks."),
    Option("master", "lease", default=10.0, minimum=0.5, doc="Patience."),
    Option("worker", "labels", default=("gpu", "ssd")),
    Option("worker", "verbose", default=False),
    Option("worker", "executors", default=None, kind=int),
]
ROWS = list(Config.load(settings=["master.lease=5"]).describe(OPTIONS))


def test_the_reference_has_a_table_for_each_section() -> None:
    page = reference(ROWS)
    assert page.startswith("# Configuration reference\n\n")
    assert (
        "## [master]\n\n"
        "| key | type | default | what it does |\n"
        "|---|---|---|---|\n"
        "| `lease` | a number (at least 0.5) | `10.0` | Patience. |\n"
        '| `scheduler` | "push" or "pull" | `"push"` | Who \\| asks. |\n'
        "\n## [worker]\n\n"
    ) in page
    assert '| `labels` | a list of texts | `["gpu", "ssd"]` |  |' in page
    assert "| `executors` | a whole number | `none` |  |" in page
    assert "| `verbose` | true or false | `false` |  |" in page


def test_one_option_is_explained() -> None:
    assert explain(ROWS, "master.lease").splitlines() == [
        "master.lease = 5.0",
        "  from      --set",
        "  type      a number (at least 0.5)",
        "  default   10.0",
        "  variable  CONCURRENT_MASTER__LEASE",
        "  Patience.",
    ]


def test_an_unknown_option_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no option master.leese; did you mean master.lease?"):
        explain(ROWS, "master.leese")
    with pytest.raises(UsageError, match=r"no option x$"):
        explain(ROWS, "x")

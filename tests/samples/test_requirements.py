"""What a sample says when something it needs is not installed."""

from __future__ import annotations

import pytest

from concurrent_framework.model.errors import UsageError
from concurrent_framework.samples.requirements import require


def test_what_is_installed_is_accepted() -> None:
    require("mandelbrot", "json", "pathlib")


def test_what_is_missing_is_named_with_the_way_to_install_it() -> None:
    with pytest.raises(UsageError) as caught:
        require("mandelbrot", "json", "no_such_numpy", "no_such_matplotlib")
    assert str(caught.value) == (
        "the sample mandelbrot needs no_such_numpy and no_such_matplotlib: "
        'run pip install "concurrent-framework[samples]"'
    )

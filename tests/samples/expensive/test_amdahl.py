"""Amdahl's law, and work that costs processor time."""

from __future__ import annotations

from math import inf
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.samples.expensive.amdahl import amdahl, serial_fraction
from concurrent_framework.samples.expensive.tasks import burn


@pytest.mark.parametrize(
    ("serial", "processors", "speed_up"),
    [(0.0, 8, 8.0), (1.0, 8, 1.0), (0.5, 2, 4 / 3), (0.1, inf, 10.0), (0.0, inf, inf)],
)
def test_amdahls_law(serial: float, processors: float, speed_up: float) -> None:
    assert amdahl(serial, processors) == pytest.approx(speed_up)


@given(st.floats(0.0, 1.0), st.floats(1.5, 1000.0))
def test_the_serial_fraction_is_found_again(serial: float, processors: float) -> None:
    assert serial_fraction(amdahl(serial, processors), processors) == pytest.approx(
        serial, abs=1e-9
    )


def test_burning_costs_the_processor_time_it_promises_and_says_how_much() -> None:
    before = thread_time()
    burned = burn(0.02)
    assert 0.02 <= burned.work <= thread_time() - before
    assert burned.work <= burned.elapsed * 1.01

"""The tasks of a search, and what can be asked of the sample md5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.samples.md5.app import SECRET, parse
from concurrent_framework.samples.md5.attempts import Attempts
from concurrent_framework.samples.md5.digest import digest_of


@given(st.integers(0, 300), st.integers(1, 100))
def test_every_number_is_tried_once(limit: int, size: int) -> None:
    attempts = Attempts(b"", limit, size)
    numbers = [number for attempt in attempts for number in attempt.numbers]
    assert numbers == list(range(limit))
    assert len(list(attempts)) == len(attempts)


def test_an_attempt_finds_its_number_or_nothing() -> None:
    assert [attempt() for attempt in Attempts(digest_of(17), 30, 10)] == [None, 17, None]


def test_by_default_there_is_something_to_find() -> None:
    options = parse([])
    assert options.digest == digest_of(SECRET)
    assert options.limit > SECRET


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["xyz"], "'xyz' is no MD5 digest"),
        (["--limit", "-1"], "--limit must be 0 to 1,000,000,000,000,000"),
        (["--limit", str(10**16)], "--limit must be"),
        (["--size", "0"], "--size must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err

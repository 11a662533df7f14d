"""MD5 and back."""

from __future__ import annotations

import pytest

from concurrent_framework.samples.md5.digest import digest_of, find, parse_digest


def test_digests_are_those_of_md5sum() -> None:
    assert digest_of(0).hex() == "cfcd208495d565ef66e7dff9f98764da"
    assert digest_of(12_345).hex() == "827ccb0eea8a706c4c34a16891f84e7b"


@pytest.mark.parametrize("number", [0, 5_000, 9_999])
def test_a_number_is_found_in_a_range_that_holds_it(number: int) -> None:
    assert find(digest_of(number), range(10_000)) == number


def test_nothing_is_found_outside_of_the_range() -> None:
    assert find(digest_of(10_000), range(10_000)) is None


def test_a_digest_is_read_in_either_case() -> None:
    assert parse_digest("CFCD208495d565ef66e7dff9f98764da") == digest_of(0)


@pytest.mark.parametrize("text", ["", "42", "g" * 32, "a" * 31, "a" * 34])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        parse_digest(text)

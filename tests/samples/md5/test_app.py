"""The sample md5, run on a cluster."""

from __future__ import annotations

import pytest

from concurrent_framework import run
from concurrent_framework.samples.md5 import Md5
from concurrent_framework.samples.md5.digest import digest_of


def test_the_number_is_found_and_the_rest_is_not_tried(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [digest_of(54_321).hex(), "--limit", "1000000000000", "--size", "10000"]
    app = run(Md5, workers=2, arguments=arguments)
    assert app.number == 54_321
    assert "is the MD5 digest of 54321" in capsys.readouterr().out
    assert app.tried < 1000, "of 100 million"


def test_a_digest_of_no_number_is_not_found(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(Md5, workers=2, arguments=["f" * 32, "--limit", "25000", "--size", "1000"])
    assert caught.value.code == 1
    assert f"{'f' * 32} is the MD5 digest of no number below 25,000" in capsys.readouterr().out

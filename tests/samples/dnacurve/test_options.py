"""What can be asked of the sample dnacurve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.samples.dnacurve.options import parse

if TYPE_CHECKING:
    from pathlib import Path


def test_by_default_it_is_phage_lambda() -> None:
    assert parse([]).genome.name.startswith("NC_001416.1")


def test_another_genome_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "other.fasta"
    path.write_text(">other\n" + "ACGT" * 30)
    assert parse([str(path), "--step", "7"]).genome.sequence == "ACGT" * 30


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        ("ACGT", "is no FASTA file"),
        (">x\nACNT" * 20, "not N"),
        (">x\n" + "A" * 40, "is too short: 41 base pairs at least"),
        ("\xff", "is no FASTA file"),
    ],
)
def test_what_is_no_genome_is_refused(
    content: str | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.fasta"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SystemExit) as caught:
        parse([str(path)])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--step", "0"], "--step must be at least 1"),
        (["--output", "/no/such/a.png"], "there is no directory /no/such"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err

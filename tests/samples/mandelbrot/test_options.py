"""What can be asked of the sample mandelbrot."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent_framework.samples.mandelbrot.options import parse


def test_without_arguments_a_good_picture_is_drawn_here() -> None:
    options = parse([])
    assert options.output == Path("mandelbrot.png")
    assert (options.view.width, options.view.height) == (2100, 1400)
    assert not options.plain


def test_the_centre_and_the_zoom_decide_the_view() -> None:
    view = parse(["--centre", "-0.65", "0.1", "--zoom", "1"]).view
    assert view.centre == -0.65 + 0.1j
    assert view.span == pytest.approx(3.6)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--width", "0"], "--width must be at least 1"),
        (["--samples", "-2"], "--samples must be at least 1"),
        (["--zoom", "0"], "--zoom must be 0.01 to 1e+12"),
        (["--zoom", "1e15"], "--zoom must be 0.01 to 1e+12"),
        (["--zoom", "nan"], "--zoom must be"),
        (["--output", "/no/such/directory/a.png"], "there is no directory /no/such/directory"),
        (["--centre", "0", "9"], "--centre must be within 4 of 0"),
        (["--centre", "nan", "0"], "--centre must be within 4 of 0"),
        (["--centre", "1"], "expected 2 arguments"),
        (["--colour", "red"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


def test_help_teaches_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: concurrent run mandelbrot -- ")
    assert "magnification" in text

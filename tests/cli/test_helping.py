from __future__ import annotations

import pytest

from concurrent_framework.cli.app import command_names
from concurrent_framework.cli.main import main


@pytest.mark.parametrize("name", sorted(command_names()))
def test_help_shows_what_is_typed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main([*name.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"concurrent {name}" in shown
    assert "--help" in shown
    assert "<bool>" not in shown
    assert "[[" not in shown

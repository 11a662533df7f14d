"""The sample codecount, run on a cluster."""

from __future__ import annotations

import ast
import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from concurrent_framework import run
from concurrent_framework.samples.codecount import CodeCount

if TYPE_CHECKING:
    import pytest


def test_real_packages_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    root = Path(sysconfig.get_path("stdlib")) / "json"
    app = run(CodeCount, workers=2, arguments=[str(root)])
    (package,) = (one for name, one in app.packages.items() if name == "(top level)")
    counted = {one.name: one.counts for one in package.counted}
    source = Path(json.decoder.__file__).read_text(encoding="utf-8")
    assert counted["decoder.py"].lines == len(source.splitlines())
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert counted["decoder.py"].functions == len(functions)
    assert counted["decoder.py"].worst_name in {"py_scanstring", "JSONObject"}
    assert "decoder.py" in capsys.readouterr().out


def test_files_that_cannot_be_parsed_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(30):
        (tmp_path / f"good{number}.py").write_text("def f():\n    return 1\n")
    (tmp_path / "bad.py").write_text("def f(:\n")
    (tmp_path / "latin.py").write_bytes(b"name = '\xff'\n")
    app = run(CodeCount, workers=2, arguments=[str(tmp_path)])
    package = app.packages["(top level)"]
    assert len(package.counted) == package.total("functions") == 30
    assert [one.name for one in package.failed] == ["bad.py", "latin.py"]
    assert "line 1: invalid syntax" in capsys.readouterr().out

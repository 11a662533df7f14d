"""Files found, counted and brought together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.samples.codecount.app import parse, report
from concurrent_framework.samples.codecount.survey import (
    TOP_LEVEL,
    Counted,
    Failed,
    Package,
    Source,
    gather,
    sources,
    survey,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "main.py": b"import shop\n",
        "notes.txt": b"no python\n",
        "shop/__init__.py": b"",
        "shop/till.py": b"def pay(a):\n    return a if a > 0 else 0\n",
        "shop/deep/er.py": b"class A:\n    pass\n",
        "shop/old.py": b"print 'hello'\n",
        "shop/null.py": b"a\0b\n",
        ".venv/lib/six.py": b"x = 1\n",
        "site-packages/six.py": b"x = 1\n",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_sources_belong_to_packages_and_what_is_installed_is_left_out(tree: Path) -> None:
    assert [(one.package, one.name) for one in sources(tree)] == [
        (TOP_LEVEL, "main.py"),
        ("shop", "shop/__init__.py"),
        ("shop", "shop/deep/er.py"),
        ("shop", "shop/null.py"),
        ("shop", "shop/old.py"),
        ("shop", "shop/till.py"),
    ]


def test_what_cannot_be_counted_is_told_with_its_reason(tree: Path) -> None:
    results = {result.name: result for one in sources(tree) for _, result in survey(one)}
    assert isinstance(results["shop/till.py"], Counted)
    old, null = results["shop/old.py"], results["shop/null.py"]
    assert isinstance(old, Failed)
    assert old.reason.startswith("line 1: Missing parentheses")
    assert isinstance(null, Failed)
    assert "null bytes" in null.reason


def test_a_file_that_is_gone_meanwhile_is_told(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.py")
    assert survey(Source("shop", "gone.py", gone)) == [
        ("shop", Failed("gone.py", "No such file or directory"))
    ]


def test_nesting_beyond_the_parser_is_told(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_bytes(b"(" * 5000 + b")" * 5000)
    (result,) = survey(Source("shop", "deep.py", str(path)))
    assert isinstance(result[1], Failed)


def test_a_package_adds_up_its_files(tree: Path) -> None:
    results = [result for one in sources(tree) for key, result in survey(one) if key == "shop"]
    package = gather("shop", results[::-1])
    assert [one.name for one in package.counted] == [
        "shop/__init__.py",
        "shop/deep/er.py",
        "shop/till.py",
    ]
    assert [one.name for one in package.failed] == ["shop/null.py", "shop/old.py"]
    assert [package.total(field) for field in ("lines", "functions", "classes")] == [4, 1, 1]


def test_the_report_lists_the_worst_first_and_what_failed(tree: Path) -> None:
    results = [result for one in sources(tree) for _, result in survey(one)]
    text = report({"shop": gather("shop", results)}, 2)
    rows = [line.split() for line in text.splitlines()]
    assert ["all", "4", "5", "1", "1", "6"] in rows
    worst = rows.index(["file", "lines", "functions", "classes", "complexity", "worst", "function"])
    assert rows[worst + 2] == ["shop/till.py", "2", "1", "0", "3", "2", "pay"]
    assert rows[worst + 4] == []
    assert "Missing parentheses" in text


def test_nothing_to_count_is_no_error() -> None:
    assert "package" in report({}, 5)
    assert "package" in report({"empty": Package([], [])}, 5)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["/no/such"], "/no/such is no directory"), (["--top", "0"], "--top must be at least 1")],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err

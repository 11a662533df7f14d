"""What the documentation shows is what happens: its programs are run and their output compared.

A code block with a title is a file; a ``console`` block shows commands and what they print, a line
``...`` standing for any lines. Commands whose output is not shown, or that need more than this
machine, are not run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r'title="([^"]+)"')
RUNS_HERE = ("concurrent run", "python ")
LIMIT = 60
"""Seconds after which a command of a document has failed; each takes about one."""

DOCUMENTS = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```console" in path.read_text(encoding="utf-8")
]


class Step(NamedTuple):
    """A file to write, or a command to run with what it is to print."""

    name: str
    text: str
    is_file: bool


def steps(document: str) -> Iterator[Step]:
    for block in BLOCK.finditer(document):
        if title := TITLE.search(block["info"]):
            yield Step(title[1], block["body"], is_file=True)
        elif block["info"].strip() == "console":
            for part in re.split(r"^\$ ", block["body"], flags=re.MULTILINE)[1:]:
                command, _, expected = part.partition("\n")
                if command.startswith(RUNS_HERE) and expected.strip():
                    yield Step(command, expected, is_file=False)


def pattern_of(expected: str) -> str:
    lines = (
        r"(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in expected.split("\n")
    )
    return "".join(lines).removesuffix("\n")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_shows_what_happens(path: Path, tmp_path: Path) -> None:
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    for step in steps(path.read_text(encoding="utf-8")):
        if step.is_file:
            (tmp_path / step.name).write_text(step.text, encoding="utf-8")
            continue
        done = subprocess.run(
            shlex.split(step.name),
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert re.fullmatch(pattern_of(step.text), done.stdout), (
            f"`{step.name}` printed\n{done.stdout}\ninstead of\n{step.text}"
        )


def test_every_file_a_document_links_to_is_there() -> None:
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    missing = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in link.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert not missing, "\n".join(missing)

"""What the documentation shows of the API is what happens."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from concurrent_framework.api.reference import page
from tests.architecture.source import ROOT
from tests.cluster.place import COMMAND
from tests.cluster.swarm import Swarm

GUIDE = (ROOT / "docs/guides/api.md").read_text(encoding="utf-8")


def test_the_reference_is_that_of_the_methods() -> None:
    shown = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    assert shown == page(), "make it again: python -m concurrent_framework.api.reference"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example is made with curl")
def test_an_application_is_launched_and_followed_with_curl(swarm: Swarm, tmp_path: Path) -> None:
    script, expected = re.findall(
        r'```sh title="follow\.sh"\n(.*?)```\s+```text\n(.*?)```', GUIDE, re.DOTALL
    )[0]
    (tmp_path / "follow.sh").write_text(script)
    path = f"{Path(COMMAND).parent}:{swarm.place.environ['PATH']}"
    running = swarm.place.start_program(["sh", "follow.sh"], tmp_path, PATH=path)
    done = running.ends()
    assert done.code == 0, running
    number = re.findall(r"launched application (\d+)", done.out)[0]
    assert done.out == expected.replace("application 1", f"application {number}")


def test_the_component_of_the_guide_works(swarm: Swarm) -> None:
    (program,) = re.findall(
        r"```python\n(from concurrent_framework import Component.*?)```", GUIDE, re.DOTALL
    )
    code = compile(program, "guide", "exec")
    names: dict[str, type] = {}
    exec(code, names)
    from tests.api.calls import Node

    node = Node(names["Laboratory"])
    assert [one.name for one in node.dispatcher.table.all()] == ["laboratory.workers"]

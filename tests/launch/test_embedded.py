"""The cluster that an application makes for itself."""

from __future__ import annotations

import pytest

from concurrent_framework.config import Config
from concurrent_framework.launch.embedded import EmbeddedCluster
from concurrent_framework.launch.process import NodeProcess


def test_the_worker_has_ended_before_the_master_is_asked_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask, others = NodeProcess.ask_to_end, []

    with EmbeddedCluster(Config(), workers=1) as cluster:
        nodes = dict(cluster._nodes)

        def asked(node: NodeProcess) -> None:
            others.append(
                [name for name, one in nodes.items() if one is not node and not one.poll()]
            )
            ask(node)

        monkeypatch.setattr(NodeProcess, "ask_to_end", asked)
    assert others == [["master"], []]
    assert all(one.poll() for one in nodes.values())

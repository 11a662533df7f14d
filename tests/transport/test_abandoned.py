"""What becomes of a client that nobody closes, as when its owner fails while it is made."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ABANDON = """
import gc, sys
from concurrent_framework.transport.zmq import ZmqClient

def abandon():
    client = ZmqClient(sys.argv[1])
    client.send([b"never delivered"])
    client.cycle = client

for _ in range(20):
    abandon()
    gc.collect()
print("alive")
"""


def test_garbage_collection_of_an_abandoned_client_does_not_hang(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path / 'nobody.ipc'}"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", ABANDON, endpoint],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr

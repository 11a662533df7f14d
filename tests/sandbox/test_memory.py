"""Memory of large objects is used again."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import pickle, resource
from concurrent_framework.sandbox.limits import keep_freed_memory
{call}
data = bytes(1 << 20)
pickle.dumps(data)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    pickle.dumps(data)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call: str) -> int:
    program = PROGRAM.format(call=call)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Linux only: it is the C library's"
)
def test_the_system_is_not_asked_again_and_again() -> None:
    assert faults("keep_freed_memory()") < 2000

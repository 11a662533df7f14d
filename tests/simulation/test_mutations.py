"""The simulation sees broken promises: whoever breaks one on purpose is found out by its seeds."""

from __future__ import annotations
import __future__

import inspect
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from concurrent_framework.master import compaction, dispatch, keeping, recovery, workers
from tests.simulation.storm import SEEDS, run

if TYPE_CHECKING:
    from types import CodeType


class Mutation(NamedTuple):
    """A change of one function's source."""

    function: Any
    before: str
    after: str

    def code(self) -> CodeType:
        """Return what the function does with the change."""
        source = textwrap.dedent(inspect.getsource(self.function))
        assert source.count(self.before) == 1, f"not once in the source: {self.before}"
        flags = __future__.annotations.compiler_flag
        compiled = compile(source.replace(self.before, self.after), "mutated", "exec", flags)
        made: dict[str, Any] = {}
        exec(compiled, self.function.__globals__, made)
        code = made[self.function.__name__].__code__
        assert code != self.function.__code__
        return code  # type: ignore[no-any-return]


MUTATIONS = {
    "acknowledge before it is safe": Mutation(
        keeping.Keeping._carry_out,
        "    try:\n",
        "    self._perform_all(commands[1:])\n    commands = ()\n    try:\n",
    ),
    "accept late outcomes": Mutation(
        workers.on_outcomes,
        "            or record.attempt != outcome.attempt\n"
        "            or record.state != assigned\n"
        "            or record.worker != number\n",
        "",
    ),
    "forget to queue again": Mutation(workers.lose, "again.append(record)", "pass"),
    "forget who has what must not run twice": Mutation(
        dispatch.Dispatcher._assign, "self._journal.handed(records)", "pass"
    ),
    "forget in compaction what is pending": Mutation(
        compaction._Tasks.add, "if record is not None:", "if record is not None and record.losses:"
    ),
    "forget in compaction what is not delivered": Mutation(
        compaction._Tasks.add,
        "if entry is not None:",
        "if entry is not None and not entry.outcome:",
    ),
    "forget in recovery what is not delivered": Mutation(
        recovery._add_application, "_add_undelivered(application, replayed)", "pass"
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_promise_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation = MUTATIONS[name]
    monkeypatch.setattr(mutation.function, "__code__", mutation.code())
    for seed in range(SEEDS):
        try:
            run(seed, "push" if seed % 2 else "pull")
        except Exception as error:
            print(f"found with seed {seed}: {error!r}")
            return
    pytest.fail("the simulation saw nothing")

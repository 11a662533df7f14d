"""Which of the oldest entries have to be looked at, and how long a journal may be."""

from __future__ import annotations

from typing import get_args

import pytest

from concurrent_framework.master import compaction, encoding, facts
from concurrent_framework.master.compaction import SPARE_BYTES, STEP_ENTRIES, Compactor
from concurrent_framework.master.state import ApplicationRecord, MasterState, Settings, new_state
from concurrent_framework.protocol.tasks import NewTask, Outcome
from tests.master.test_facts import EVERYTHING

ENDED = facts.Ended(4, 6, [Outcome(4 << 40 | 1, 1, b"ok")])
SUBMITTED = facts.Submitted(4, 1, [NewTask(1, "buy", b"milk")])
SMALL = [b"head"]
MEBIBYTE = 1024 * 1024
LARGE = [b"head", bytes(MEBIBYTE)]


@pytest.fixture
def state() -> MasterState:
    return new_state(Settings("5e55", "m"), 0.0)


def looked_at(compactor: Compactor, number: int) -> None:
    """Look at an entry, and drop it."""
    entry = b"".join(encoding.encode([ENDED]))
    assert compactor.keep([(number, entry)]) == []
    compactor.dropped(number, (), 0)


def test_entries_of_which_nothing_is_said_again_are_not_looked_at(state: MasterState) -> None:
    compactor = Compactor(state, entries=1)
    rounds: list[list[facts.Fact]] = [
        [ENDED],
        [facts.Delivered(4, 6), ENDED],
        [ENDED, SUBMITTED],
        [ENDED],
    ]
    for told in rounds:
        compactor.wrote(told, SMALL)
    assert compactor.droppable() == 0  # nobody knows what the first has, nor its number
    looked_at(compactor, 17)
    assert compactor.droppable() == 19
    compactor.dropped(19, (), 0)
    assert compactor.droppable() == 0
    looked_at(compactor, 20)
    assert compactor.droppable() == 21
    compactor.dropped(21, (), 0)
    assert compactor.droppable() == 0


def test_what_was_said_again_is_looked_at(state: MasterState) -> None:
    compactor = Compactor(state, entries=1)
    compactor.wrote([ENDED], SMALL)
    compactor.keep([(1, b"".join(encoding.encode([ENDED])))])
    compactor.dropped(1, [b"kept"], 100)
    compactor.dropped(compactor.droppable(), (), 100)
    assert compactor.droppable() == 0


def test_few_are_dropped_at_a_time(state: MasterState) -> None:
    compactor = Compactor(state, entries=1)
    for _ in range(STEP_ENTRIES + 1):
        compactor.wrote([ENDED], SMALL)
    looked_at(compactor, 1)
    assert compactor.droppable() == 1 + STEP_ENTRIES


@pytest.mark.parametrize("before", [0, 20])
def test_what_mattered_when_it_was_said_again_and_does_not_by_the_end_is_dropped(
    state: MasterState, before: int
) -> None:
    application = ApplicationRecord(4, "5e55", "shop", parent=0, now=0.0)
    state.applications[4] = application
    compactor = Compactor(state, entries=2)
    entry = b"".join(encoding.encode([ENDED]))
    size = 20 * MEBIBYTE
    application.live_bytes = before * MEBIBYTE
    compactor.keep([(1, entry)])
    compactor.dropped(1, LARGE, size)
    application.live_bytes = 20 * MEBIBYTE
    compactor.keep([(2, entry)])
    application.live_bytes = 0
    compactor.dropped(2, LARGE, size)
    assert compactor.due(size)
    for number in (3, 4):
        compactor.keep([(number, entry)])
        compactor.dropped(number, LARGE, size)
    assert not compactor.due(size), "this is what the store takes, whatever is in it"


@pytest.mark.parametrize("fact", EVERYTHING, ids=lambda fact: type(fact).__name__)
def test_nothing_else_is_ever_said_again(state: MasterState, fact: facts.Fact) -> None:
    if type(fact) not in compaction._SAID_AGAIN:
        assert compaction.kept_facts(state, [fact]) == []


def test_all_that_may_be_said_again_is_a_fact() -> None:
    assert set(get_args(facts.Fact)) > compaction._SAID_AGAIN


def test_a_journal_may_be_longer_by_some_large_payloads(state: MasterState) -> None:
    application = ApplicationRecord(4, "5e55", "shop", parent=0, now=0.0)
    state.applications[4] = application
    compactor = Compactor(state)
    for large, live, limit in [
        (0, 3, 2 * 3),
        (5, 3, 2 * 3 + 5),
        (100, 0, 0),
        (100, 3, 2 * 3 + 4 * 3),
        (100, 20, 2 * 20 + 32),
    ]:
        while compactor._large < large * MEBIBYTE:
            compactor.wrote([ENDED], LARGE)
        application.live_bytes = live * MEBIBYTE
        assert not compactor.due(SPARE_BYTES + limit * MEBIBYTE)
        assert compactor.due(SPARE_BYTES + limit * MEBIBYTE + 1)

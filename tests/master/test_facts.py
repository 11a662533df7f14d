"""The journal's encoding is pinned: a master must read what an earlier version wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from concurrent_framework.master import encoding, facts
from concurrent_framework.master.letters import Letter, Remains
from concurrent_framework.model.outcome import Attempt, Certificate, Failure
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol.application import PushSystem, SystemEnded
from concurrent_framework.protocol.tasks import NewTask, Outcome, SpecEntry

GOLDEN = Path(__file__).parents[1] / "golden" / f"journal-{facts.FORMAT}.hex"
FORMAT_1 = GOLDEN.with_name("journal-1.hex")
WITHOUT_TIMES = GOLDEN.with_name("journal-1-without-times.hex")

CODE = CodeReference("shop.tasks", "Buy", bundle="ab" * 32)
SPEC = TaskSpec(
    CODE, Resources(2.0, 1024, 1.0, ("lab",)), 5, 60.0, 4, idempotent=False, shares=("cd" * 32,)
)
ATTEMPT = Attempt(2, "w1", 1000.5, 1001.5, "worker lost")
FAILURE = Failure(
    "worker_lost", "WorkerLost", "gone", certificate=Certificate("w1", (ATTEMPT,), 1, 9, "oh", 7)
)
PUSH = PushSystem(3, "search", CODE, b"system")
LETTER = Letter(
    4 << 40 | 3,
    "buy",
    4,
    4,
    "shop",
    "5e55",
    FAILURE,
    1700000001.5,
    SPEC,
    NewTask(1, "buy", b"milk"),
    4 << 40 | 9,
)
SYSTEM = replace(
    LETTER,
    task=None,
    spec=None,
    remains=Remains(PUSH, ("ab" * 32,), 2, (CodeBlob("ef" * 32, "data", b"x"),), b"facts", 2),
)
EVERYTHING: list[facts.Fact] = [
    facts.Life(3, 17, 5),
    facts.Application(
        4,
        "5e55",
        "shop",
        1,
        2.5,
        1700000000.25,
        9,
        1 << 39,
        3,
        6,
        5,
        1,
        2,
        True,
        7,
        paused=True,
        steered=True,
        added=3,
        origin=2,
    ),
    facts.Defined(4, (SpecEntry(1, SPEC),), (CodeBlob("ab" * 32, "bundle", b"zip"),)),
    facts.Defined(4, (), (CodeBlob("cd" * 32, "data", b"shared"),), ("ef" * 32,)),
    facts.Submitted(4, 1, [NewTask(1, "buy", b"milk"), NewTask(1, "", b"")], 1700000000.5, 1),
    facts.Ended(
        4, 6, [Outcome(4 << 40 | 1, 3 << 20 | 1, b"ok", b"changed", 0.5, worker=2)], 1700000001.25
    ),
    facts.Finishing(Outcome(4 << 40 | 2, 3 << 20 | 2, failure=FAILURE, children=2)),
    facts.Delivered(4, 6),
    facts.ApplicationOver(2),
    facts.Cancelled([4 << 40 | 2]),
    facts.Lost(4 << 40 | 2, 2, 1, (ATTEMPT,), 3),
    facts.Handed(4 << 40 | 2, 3 << 20 | 3, 2),
    facts.WorkerJoined(
        2, "0ff1", "w1", draining=True, capacity=Capacity(2, 4.0, 1 << 30), host="lab", pid=9
    ),
    facts.WorkerGone(1),
    facts.SystemPushed(4, PUSH),
    facts.SystemStarted(4, 3, 5, 2),
    facts.SystemOver(4, SystemEnded(7, 3, b"result", b"state", None, PUSH)),
    facts.Kept(4, [2], [NewTask(1, "buy", b"milk")], [1700000000.5], [1], [1]),
    facts.KeptEnded(4, [6], [Outcome(4 << 40 | 1, 1)], [NewTask(1, "buy", b"milk")], [1]),
    facts.Failed(LETTER),
    facts.Failed(SYSTEM),
    facts.Checkpointed(5, b"state", 7, 9),
    facts.RolledBack(5, 9, 1, [5 << 40 | 3]),
    facts.TaskCheckpointed(4 << 40 | 2, b"half"),
    facts.Unfailed(4 << 40 | 3),
    facts.FailedCode(CodeBlob("cd" * 32, "pickle", b"class")),
    facts.Evidence(
        2,
        "lab",
        "w1",
        5,
        1700000000.5,
        (4 << 40 | 1,),
        ((4, 1),),
        "buy: OSError",
        30.0,
        1700000031.5,
    ),
    facts.Evidence(0, "lab", "w0", 0),
    facts.History({"application": 2, "name": "shop", "ended": 1700000001.5}),
]


def test_every_fact_is_pinned() -> None:
    assert {type(fact) for fact in EVERYTHING} == set(get_args(facts.Fact))


def test_the_encoding_has_not_changed() -> None:
    """If this fails: give the format another number, keep this file, and read both."""
    assert encoding.encode(EVERYTHING) == [bytes.fromhex(GOLDEN.read_text())]


def large() -> list[facts.Fact]:
    rows = [NewTask(1, "buy", bytes([number]) * 70_000) for number in range(3)]
    outcomes = [Outcome(4 << 40 | n, 1, bytes([n]) * 80_000, b"few", worker=2) for n in range(40)]
    return [
        facts.Defined(4, (), (CodeBlob("cd" * 32, "data", b"d" * 90_000),)),
        facts.Submitted(4, 1, rows),
        facts.Ended(4, 6, outcomes[:20]),
        facts.Finishing(outcomes[20]),
        facts.Kept(4, [2], rows[:1], [0.5]),
        facts.KeptEnded(4, [6], outcomes[21:], rows[1:]),
    ]


def test_large_payloads_are_pieces_of_their_own_and_not_copied() -> None:
    told = large()
    head, *pieces = encoding.encode(told)
    assert told == large()
    assert len(head) < 3000
    assert len(pieces) == 1 + 3 + 20 + 1 + 19
    assert pieces[1] is told[1].rows[0].payload  # type: ignore[union-attr]
    assert encoding.decode(b"".join((head, *pieces))) == told


def test_the_form_of_an_entry_in_pieces_has_not_changed() -> None:
    payload = b"\1" * 70_000
    told: list[facts.Fact] = [facts.Finishing(Outcome(5, 1, payload, worker=2))]
    plain = msgspec.msgpack.encode((2, [facts.Finishing(Outcome(5, 1, 1, worker=2))]))
    lengths = len(plain).to_bytes(8, "little") + (70_000).to_bytes(8, "little")
    assert encoding.encode(told) == [b"\xc1\2\0\0\0" + lengths + plain, payload]


@pytest.mark.parametrize("left", [1, 4, 10, 30, 70_000])
def test_an_entry_in_pieces_that_is_cut_off_is_refused(left: int) -> None:
    whole = b"".join(encoding.encode([facts.Finishing(Outcome(5, 1, b"\1" * 70_000))]))
    with pytest.raises(facts.JournalError, match="cannot be read"):
        encoding.decode(whole[:left])


def test_what_was_written_is_read() -> None:
    assert encoding.decode(bytes.fromhex(GOLDEN.read_text())) == EVERYTHING


def test_what_format_1_holds_is_read() -> None:
    """It had no evidence against workers, not where they ran, and nothing left of failed systems."""
    earlier = before({facts.WorkerJoined: lambda fact: replace(fact, host="", pid=0)})
    assert encoding.decode(bytes.fromhex(FORMAT_1.read_text())) == earlier


def test_what_format_1_held_at_first_is_read() -> None:
    """Before there were times of outcomes and workers' capacities."""
    earlier = before(
        {
            facts.Ended: lambda fact: replace(fact, at=0.0),
            facts.WorkerJoined: lambda fact: replace(fact, capacity=None, host="", pid=0),
        }
    )
    assert encoding.decode(bytes.fromhex(WITHOUT_TIMES.read_text())) == earlier


def before(changed: dict[type, Any]) -> list[facts.Fact]:
    """Return what could be written in format 1, with these changes."""
    later = facts.Failed(SYSTEM)
    known = [one for one in EVERYTHING if not isinstance(one, facts.Evidence) and one != later]
    return [changed.get(type(fact), lambda fact: fact)(fact) for fact in known]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b"nonsense", "cannot be read"),
        (msgspec.msgpack.encode((facts.FORMAT, [[99, 1]])), "cannot be read"),
        (msgspec.msgpack.encode((facts.FORMAT + 1, ["anything"])), "was written in format 3"),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, message: str) -> None:
    with pytest.raises(facts.JournalError, match=message):
        encoding.decode(data)

"""How recordings are written and read, by a master's recorder and out of journals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.launch.builtin import BUILTIN
from concurrent_framework.master import encoding, facts
from concurrent_framework.master import recording as rec
from concurrent_framework.master.recorder import Recorder
from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.outcome import Failure
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import NewTask, Outcome, SpecEntry
from concurrent_framework.rehearsal.sources import find, read
from concurrent_framework.rehearsal.workload import Workload, workload_of
from concurrent_framework.store.base import IStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.store.sqlite import SqliteStore

LOG = logging.getLogger("recording")
BEGIN = 1_700_000_000.0
APP = task_key(3, 0)
SPAWNED = 1 << 39
SPEC = TaskSpec(
    CodeReference("shop", "Buy"),
    Resources(2.0),
    4,
    shares=("ab" * 32,),
    timeout=9.0,
    retry_on=("E",),
)
ROUNDS: list[list[facts.Fact]] = [
    [
        facts.Life(1),
        facts.WorkerJoined(7, "5e55", "lab", capacity=Capacity(4, 4.0)),
        facts.Application(3, "a44", "shop", 0, 2.0, BEGIN, 0, SPAWNED, 1, 1, 0, 0, 0, False),
    ],
    [
        facts.Defined(3, (SpecEntry(1, SPEC),), (CodeBlob("ab" * 32, "data", b"shared"),)),
        facts.Submitted(3, 1, [NewTask(1, "a", b"x"), NewTask(1, "b", b"y")], BEGIN),
    ],
    [
        facts.Submitted(3, SPAWNED, [NewTask(1, "c", b"z")], BEGIN + 0.75),
        facts.Ended(3, 1, [Outcome(APP | 2, 1, seconds=0.5, worker=7, children=1)], BEGIN + 0.75),
        facts.Delivered(3, 1),
    ],
    [
        facts.Ended(
            3,
            2,
            [
                Outcome(APP | 1, 1, seconds=1.5, worker=7, failure=Failure("failed", "E", "no")),
                Outcome(APP | SPAWNED, 1, seconds=0.25, worker=7),
            ],
            BEGIN + 2.0,
        )
    ],
]  # fmt: skip


def check(work: Workload) -> None:
    """Require that everything that was written has been read."""
    assert [(one.arrival, one.seconds, one.maker, one.ended) for one in work.jobs] == [
        (0.0, 1.5, -1, 2.0),
        (0.0, 0.5, -1, 0.75),
        (0.75, 0.25, 1, 2.0),
    ]
    (kind,) = work.kinds
    assert (kind.name, kind.resources, kind.priority) == ("Buy", Resources(2.0), 4)
    assert work.sizes == {"ab" * 32: 6}
    assert [(one.name, one.weight) for one in work.clients] == [("shop", 2.0)]
    assert [(one.name, one.capacity) for one in work.helpers] == [("lab", Capacity(4, 4.0))]
    assert (work.failed, work.left_out) == (1, 0)


def record(path: Path, rounds: Sequence[list[facts.Fact]] = ROUNDS, limit: int = 1 << 20) -> None:
    recorder = Recorder(path, limit, BEGIN, LOG)
    for number, entry in enumerate(rounds):
        recorder.record(entry, float(number))
    recorder.close()


def taken_from(path: Path) -> tuple[Workload, list[str]]:
    notes: list[str] = []
    return workload_of(read(find(path, None), None, notes)), notes


def journal(path: Path) -> SqliteStore:
    config = Config().replace({"store.path": str(path)}, "test")
    store = ComponentManager(config, BUILTIN).get(IStore, "sqlite")
    store.open()
    for entry in ROUNDS:
        store.append(*encoding.encode(entry))
    return store  # type: ignore[return-value]


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    record(tmp_path / "run.rec")
    work, notes = taken_from(tmp_path / "run.rec")
    check(work)
    assert notes == []
    assert (tmp_path / "run.rec").stat().st_mode & 0o777 == 0o600


def test_a_task_takes_about_ten_bytes(tmp_path: Path) -> None:
    count = 1000
    outcomes = [
        Outcome(APP | n, 1, b"x" * 100, seconds=0.01, worker=7) for n in range(1, count + 1)
    ]
    rows = [NewTask(1, "name", b"x" * 100)] * count
    many: list[facts.Fact] = [
        facts.Submitted(3, 1, rows, BEGIN),
        facts.Ended(3, 1, outcomes, BEGIN + 1),
    ]
    record(tmp_path / "run.rec", [many])
    assert (tmp_path / "run.rec").stat().st_size < 10 * count


def test_a_master_that_begins_again_goes_on_after_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.rec"
    record(path, ROUNDS[:2])
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0\0\1\0torn")
    with pytest.raises(rec.RecordingError, match="no task"):
        taken_from(path)
    record(path, ROUNDS[2:])
    check(taken_from(path)[0])


def test_a_master_that_counts_from_the_beginning_begins_it_anew(tmp_path: Path) -> None:
    path = tmp_path / "run.rec"
    record(path, ROUNDS * 3)
    Recorder(path, 1 << 20, BEGIN, LOG, anew=True).close()
    record(path)
    check(taken_from(path)[0])
    (tmp_path / "other").write_text("mine")
    with pytest.raises(UsageError, match="is something else"):
        Recorder(tmp_path / "other", 1 << 20, BEGIN, LOG, anew=True)


def test_a_recording_ends_where_it_is_as_long_as_it_may_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "run.rec"
    record(path, ROUNDS, limit=1 << 10)
    assert not caplog.records
    size = path.stat().st_size
    record(path, ROUNDS * 100, limit=1 << 10)
    assert size < path.stat().st_size <= 1 << 10
    assert "ends here: it has the 1,024 bytes that master.record_bytes allows" in caplog.text


def test_other_files_are_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt is something else"):
        record(other)
    assert other.read_text() == "mine"
    with pytest.raises(UsageError, match="cannot be written"):
        record(tmp_path)


def test_a_journal_is_read_from_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal(path).close()
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    work, notes = taken_from(path)
    check(work)
    assert notes == []
    check(taken_from(tmp_path)[0])  # the directory will do, too
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_so_are_its_large_entries(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    store = journal(path)
    large = CodeBlob("ef" * 32, "data", bytes(100_000))
    store.append(*encoding.encode([facts.Defined(3, (), (large,))]))
    store.close()
    files = list((tmp_path / "journal.db.large").iterdir())
    assert len(files) == 1
    work, notes = taken_from(path)
    assert work.sizes == {"ab" * 32: 6, "ef" * 32: 100_000}
    assert notes == []
    assert list((tmp_path / "journal.db.large").iterdir()) == files


def test_a_journal_that_was_shortened_is_told_as_such(tmp_path: Path) -> None:
    store = journal(tmp_path / "journal.db")
    store.replace(1, b"")
    store.close()
    work, notes = taken_from(tmp_path / "journal.db")
    assert len(work.jobs) == 3
    assert "has been shortened" in notes[0]


def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    store = journal(tmp_path / "journal.db")
    try:
        with pytest.raises(UsageError, match="is in use: stop its master first"):
            taken_from(tmp_path / "journal.db")
    finally:
        store.close()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing", "cannot be read: No such file"),
        ("text", "neither a recording"),
        (".", "no environment"),
    ],
)
def test_what_is_no_recording_is_told(tmp_path: Path, name: str, complaint: str) -> None:
    (tmp_path / "text").write_text("hello")
    with pytest.raises(UsageError, match=complaint):
        taken_from(tmp_path / name)


def test_a_damaged_recording_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.rec"
    path.write_bytes(rec.HEADER + b"\0\0\0\3abc")
    with pytest.raises(rec.RecordingError, match=r"run\.rec: a frame of it cannot be read"):
        taken_from(path)

"""`concurrent bench simulate` with what real runs have recorded, and with what people get wrong."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from concurrent_framework.cli.main import main
from tests.cluster.place import Place

APP = """
import time
from concurrent_framework import ApplicationNode, IApp, current_task, implements, task

@task
def child():
    time.sleep(0.03)

@task
def nap():
    time.sleep(0.03)
    current_task().push_task(child())

class Napper(ApplicationNode):
    implements(IApp)
    left = 24
    def start_processing(self):
        self.push_tasks(nap() for _ in range(12))
    def task_finished(self, task, result, error):
        assert error is None, error
"""
TASKS = 24
"""With those that tasks made."""


class Recorded(NamedTuple):
    """What a run has left: a master's environment, and an embedded cluster's recording."""

    place: Place
    environment: Path
    recording: Path


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    with tempfile.TemporaryDirectory(prefix="c") as name:
        root = Path(name)
        place = Place(root)
        try:
            (root / "napper.py").write_text(APP)
            assert place.run("env", "create", "lab", "--master", directory=root).code == 0
            settings = root / "lab" / "env.toml"
            settings.write_text(settings.read_text() + '\n[master]\nrecord = "recording"\n')
            master = place.start("env", "launch", "lab", directory=root)
            master.says("is ready")
            worker = place.start("worker", "--executors", "2", "--join", str(root / "lab"))
            busy = place.run("run", "napper.py", "--join", "./lab", directory=root)
            assert busy.code == 0, busy
            refused = place.run(
                "bench", "simulate", str(root / "lab" / "data" / "journal" / "journal.db")
            )
            assert refused.code == 2
            assert "is in use: stop its master first" in refused.err
            early = simulated(place, root / "lab")  # a recording may be read while it is written
            assert early["workload"]["tasks"] == TASKS
            for node in (worker, master):
                node.interrupt()
                node.ends()
            own = place.run("run", "--set", "master.record=own.rec", "napper.py", directory=root)
            assert own.code == 0, own
            yield Recorded(place, root / "lab", root / "own.rec")
        finally:
            place.close()


def simulated(place: Place, path: Path, *words: str) -> dict[str, Any]:
    done = place.run("bench", "simulate", str(path), "--json", *words)
    assert (done.code, done.err) == (0, ""), done
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def check(answer: dict[str, Any], executors: int) -> None:
    """Require what is known of the run."""
    work = answer["workload"]
    assert (work["tasks"], work["executors"], work["failed"], work["left_out"]) == (
        TASKS,
        executors,
        0,
        0,
    )
    assert work["applications"] == ["napper"] or "Napper" in work["applications"][0]
    for found in answer["simulated"]:
        ideal = work["run_time"] / found["executors"]
        assert ideal <= found["makespan"] <= answer["recorded"]["makespan"] + 0.1
        assert 0 < found["utilisation"] <= 1


def test_the_recording_of_an_environment(recorded: Recorded) -> None:
    words = ("--strategy", "all", "--scheduler", "pull,push")
    answer = simulated(recorded.place, recorded.environment, *words)
    check(answer, 2)
    tried = [(one["scheduler"], one["strategy"]) for one in answer["simulated"]]
    assert tried[0] == ("pull", None)
    assert ("push", "locality") in tried
    assert len(tried) == 6
    assert simulated(recorded.place, recorded.environment, *words) == answer


def test_the_journal_of_an_environment(recorded: Recorded) -> None:
    settings = recorded.environment / "env.toml"
    text = settings.read_text()
    settings.write_text(text.replace('record = "recording"', ""))
    try:
        check(simulated(recorded.place, recorded.environment), 2)
    finally:
        settings.write_text(text)
    check(simulated(recorded.place, recorded.environment / "data" / "journal"), 2)


def test_the_recording_of_an_embedded_cluster(recorded: Recorded) -> None:
    answer = simulated(recorded.place, recorded.recording, "--workers", "1", "-w", "8", "-e", "1")
    one, eight = answer["simulated"]
    assert (one["workers"], one["executors"]) == (1, 1)
    assert (eight["workers"], eight["executors"]) == (8, 8)
    assert one["makespan"] >= answer["workload"]["run_time"]
    assert eight["makespan"] < one["makespan"] / 3


def test_people_get_a_table(recorded: Recorded) -> None:
    done = recorded.place.run(
        "bench", "simulate", str(recorded.recording), "-s", "all", COLUMNS="100"
    )
    assert (done.code, done.err) == (0, "")
    assert re.search(
        r"^24 tasks of 1 application, recorded on 1 worker with \d+ executors?;", done.out
    )
    assert re.search(r"recorded +1/\d+ +\d", done.out)
    assert re.search(r"round-robin +1/\d+ +\d.* m?s +-\d+% +\d+%", done.out)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--strategy quickest", "there is no strategy 'quickest'; there are least-loaded, fastest"),
        ("--scheduler shove", "there is no scheduler 'shove'; there are push, pull"),
        (
            "--scheduler pull --strategy fastest",
            "--strategy is for the scheduler push; pull has none",
        ),
        ("--workers 0", "Invalid value for '--workers'"),
        ("--latency -1", "Invalid value for '--latency'"),
        ("--plugins nowhere", "Invalid value for '--plugins'"),
        ("--set master.lease=soon", "master.lease"),
    ],
)
def test_mistakes_are_told_in_a_line(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], words: str, complaint: str
) -> None:
    assert main(["bench", "simulate", str(recorded.recording), *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err


def test_an_environment_without_a_run_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["env", "create", str(tmp_path / "lab"), "--master"]) == 0
    assert main(["bench", "simulate", str(tmp_path / "lab")]) == 2
    assert "has the master ever been launched?" in capsys.readouterr().err
    settings = tmp_path / "lab" / "env.toml"
    settings.write_text(settings.read_text() + '\n[master]\nstore = "memory"\n')
    assert main(["bench", "simulate", str(tmp_path / "lab")]) == 2
    assert "keeps no journal and has recorded nothing" in capsys.readouterr().err

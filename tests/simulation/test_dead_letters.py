"""Failed tasks: listed, shown, attempted again; and applications that have ended."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.application.commands import TakeJob
from concurrent_framework.application.events import Flush, Leaving
from concurrent_framework.model.ids import FIRST_SPAWNED, parse_key
from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol.application import Define
from concurrent_framework.protocol.tasks import NewTask, SpecEntry
from concurrent_framework.testing.cluster import SimCluster
from concurrent_framework.testing.disk import SimDisk
from concurrent_framework.testing.nodes import SimApplication
from tests.simulation.orders import RefusedOrderError, order
from tests.simulation.test_equivalence import compare


@pytest.fixture(params=["push", "pull"])
def cluster(request: pytest.FixtureRequest) -> SimCluster:
    cluster = SimCluster(request.param, retention=100.0, failed_retention=300.0)
    cluster.add_worker(executors=2).name = "w0"
    return cluster


RETRIABLE: dict[str, Any] = {"retry_on": ("OSError",), "max_attempts": 1}


def fails_at_first(cluster: SimCluster, count: int = 1) -> SimApplication:
    """Return an application whose tasks have failed, and would not fail again."""
    app = cluster.add_application("a")
    worker = cluster.nodes[0].manager  # type: ignore[attr-defined]
    worker.failing = True
    app.push([b"0.1:fine"] * count, **RETRIABLE)
    cluster.run()
    worker.failing = False
    return app


def leave(cluster: SimCluster, app: SimApplication, *, detach: bool = False) -> None:
    app.feed([Leaving("", detach)])
    cluster.run_for(0.1)


def attach(cluster: SimCluster, number: int) -> SimApplication:
    """Do what `concurrent attach` does."""
    session = order(cluster, "attach", application=str(number))["session"]
    return cluster.add_application("attached", session=session, pid=4711)


def test_failed_tasks_are_listed_and_shown(cluster: SimCluster) -> None:
    app = fails_at_first(cluster, 2)
    [first, second] = order(cluster, "failed")
    assert (first["task"], second["task"]) == ("1/1", "1/2")
    assert first["application_name"] == "a"
    assert (first["kind"], first["type"], first["message"]) == ("failed", "OSError", "no route")
    assert (first["attempts"], first["retried_as"]) == (1, "")
    leave(cluster, app)
    assert len(order(cluster, "failed", application="a")) == 2
    assert len(order(cluster, "failed", application="1")) == 2
    shown = order(cluster, "show", task="1/1")
    assert shown["payload_bytes"] == 8
    assert shown["settings"]["max_attempts"] == 1
    assert [one["end"] for one in shown["history"]] == ["OSError: no route"]
    assert shown["text"].startswith("it ended 0 s ago as failed: no route; `concurrent retry 1/1`")
    assert order(cluster, "explain", task="1/1")["text"] == shown["text"]
    with pytest.raises(RefusedOrderError, match="there is no application 'b'"):
        order(cluster, "failed", application="b")


def test_an_open_task_is_shown_too(cluster: SimCluster) -> None:
    app = cluster.add_application("a")
    app.push([b"5:fine"], priority=3)
    cluster.run_for(1)
    shown = order(cluster, "show", task="1/1")
    assert (shown["state"], shown["worker"]) == ("assigned", "w0")
    assert shown["settings"]["priority"] == 3
    assert order(cluster, "show", task="1/2") == {
        "task": "1/2",
        "text": "it has not been submitted",
    }


def test_a_cancelled_task_has_not_failed(cluster: SimCluster) -> None:
    app = cluster.add_application("a")
    app.push([b"50:fine"] * 3)
    cluster.run_for(1)
    order(cluster, "cancel", target="a")
    cluster.run_for(1)
    assert len(app.outcomes) == 3
    assert order(cluster, "failed") == []


def test_an_application_that_is_there_gets_a_retried_task_as_a_new_one(
    cluster: SimCluster,
) -> None:
    app = fails_at_first(cluster)
    done = order(cluster, "retry", target="1/1")
    assert done == {
        "retried": 1,
        "tasks": ["1/+0"],
        "applications": [
            {"application": 1, "name": "a", "state": "running", "recovered": False},
        ],
    }
    assert app.session.outbox.outstanding == 0
    cluster.run_for(0.05)
    assert app.session.outbox.outstanding == 1, "it knows that there is something to wait for"
    assert order(cluster, "show", task="1/1")["retried_as"] == "1/+0"
    with pytest.raises(RefusedOrderError, match=r"1/1 is attempted again already, as 1/\+0"):
        order(cluster, "retry", target="1/1")
    cluster.run_for(1)
    assert [one.key & (FIRST_SPAWNED - 1) for one in app.outcomes] == [1, 0]
    assert app.outcomes[1].result == b"fine"
    assert app.session.outbox.outstanding == 0
    assert order(cluster, "failed") == [], "it has been saved"


def test_what_an_application_was_told_of_retries_survives_a_cut(cluster: SimCluster) -> None:
    app = fails_at_first(cluster, 2)
    app.cut()
    order(cluster, "retry", target="a")
    cluster.run_for(1)
    assert app.session.outbox.outstanding == 0
    app.mend()
    cluster.run_for(15)
    assert [one.result for one in app.outcomes][2:] == [b"fine"] * 2
    assert app.session.outbox.outstanding == 0


def test_a_retry_that_fails_is_a_failed_task_of_its_own(cluster: SimCluster) -> None:
    app = fails_at_first(cluster)
    cluster.nodes[0].manager.failing = True  # type: ignore[attr-defined]
    order(cluster, "retry", target="1/1")
    cluster.run_for(1)
    assert [one["task"] for one in order(cluster, "failed")] == ["1/+0"]
    order(cluster, "retry", target="1/+0")
    order(cluster, "cancel", target="1/+1")
    cluster.run_for(1)
    [left] = order(cluster, "failed")
    assert (left["task"], left["retried_as"]) == ("1/+0", ""), "a cancelled retry changes nothing"
    assert len(app.outcomes) == 3


def test_a_detached_application_keeps_the_outcome(cluster: SimCluster) -> None:
    app = fails_at_first(cluster)
    leave(cluster, app, detach=True)
    order(cluster, "retry", target="1/1")
    cluster.run_for(1)
    attached = attach(cluster, 1)
    cluster.run_for(1)
    assert [one.result for one in attached.outcomes] == [b"fine"]
    assert attached.session.outbox.outstanding == 0


def test_one_that_has_ended_is_recovered_and_attached_to(cluster: SimCluster) -> None:
    app = fails_at_first(cluster, 3)
    leave(cluster, app)
    done = order(cluster, "retry", target="1/2")
    assert (done["retried"], done["tasks"]) == (1, ["2/+0"])
    [where] = done["applications"]
    assert where == {"application": 2, "name": "a", "state": "detached", "recovered": True}
    done = order(cluster, "retry", target="1")
    assert done["tasks"] == ["2/+1", "2/+2"], "the same application takes the rest"
    cluster.run_for(1)
    assert order(cluster, "failed") == []
    attached = attach(cluster, 2)
    attached.expecting = 3
    cluster.run()
    assert [one.result for one in attached.outcomes] == [b"fine"] * 3
    assert attached.session.outbox.outstanding == 0
    # Nothing starts over: the master says that this application has begun long ago.
    assert attached.session.welcome is not None
    assert attached.session.welcome.accepted > 0


def test_a_recovered_application_that_nobody_comes_for_ends(cluster: SimCluster) -> None:
    app = fails_at_first(cluster)
    leave(cluster, app)
    order(cluster, "retry", target="1/1")
    cluster.run_for(90)
    assert [one["application"] for one in order(cluster, "applications")] == [2]
    cluster.run_for(30)
    assert order(cluster, "applications") == []


def test_what_is_under_way_when_its_application_ends_can_be_attempted_once_more(
    cluster: SimCluster,
) -> None:
    app = cluster.add_application("a")
    app.push([b"50:!wrong"])
    cluster.run()
    order(cluster, "retry", target="1/1")
    cluster.run_for(1)
    leave(cluster, app)
    [letter] = order(cluster, "failed")
    assert (letter["task"], letter["retried_as"]) == ("1/1", "")
    assert order(cluster, "retry", target="1/1")["tasks"] == ["2/+0"]


def test_code_is_kept_as_long_as_a_failed_task_needs_it(cluster: SimCluster) -> None:
    app = cluster.add_application("a")
    spec = TaskSpec(CodeReference("m", "Task", bundle="ab"), max_attempts=1)
    app.session.outbox.define(Define((SpecEntry(9, spec),), (CodeBlob("ab", "bundle", b"zip"),)))
    app.session.push(NewTask(9, "task", b"0:!wrong"))
    app.expecting += 1
    app.feed([Flush()])
    cluster.run()
    leave(cluster, app)
    state = cluster.master.state
    assert set(state.codes) == {"ab"}
    order(cluster, "retry", target="1/1")
    cluster.run_for(1)
    assert len(order(cluster, "failed")) == 1
    assert set(state.codes) == {"ab"}
    attached = attach(cluster, 2)
    [job] = [one.job for one in attached.seen if isinstance(one, TakeJob)]
    assert [code.digest for code in job.codes] == ["ab"], "who attaches can rebuild the task"
    cluster.run_for(1)
    leave(cluster, attached)
    cluster.run_for(400)
    assert order(cluster, "failed") == []
    assert not state.codes


def test_what_is_retried_has_its_code_under_the_next_master_too() -> None:
    cluster = SimCluster("push", disk=SimDisk())
    app = cluster.add_application("a")
    spec = TaskSpec(CodeReference("m", "Task", bundle="ab"), max_attempts=1, deadline=1.0)
    app.session.outbox.define(Define((SpecEntry(9, spec),), (CodeBlob("ab", "bundle", b"zip"),)))
    app.session.push(NewTask(9, "task", b"1:fine"))
    app.feed([Flush()])
    cluster.run_for(5)
    leave(cluster, app)
    order(cluster, "retry", target="1/1")
    compare(cluster)
    cluster.crash_master()
    cluster.start_master()
    attached = attach(cluster, 2)
    cluster.run_for(1)
    [job] = [one.job for one in attached.seen if isinstance(one, TakeJob)]
    assert [code.digest for code in job.codes] == ["ab"], "who attaches can rebuild the task"


def test_letters_have_limits_in_number_bytes_and_time() -> None:
    cluster = SimCluster("push", failed_tasks=3, failed_bytes=6500, failed_retention=50.0)
    cluster.add_worker()
    app, other = cluster.add_application("a"), cluster.add_application("b")
    app.push([b"0:!wrong"] * 5)
    cluster.run()
    assert [one["task"] for one in order(cluster, "failed")] == ["1/3", "1/4", "1/5"]
    other.push([b"0:!wrong" + b"x" * 1000] * 2)
    cluster.run()
    assert [one["task"] for one in order(cluster, "failed")] == ["1/4", "1/5", "2/1", "2/2"]
    letters = cluster.master.state.letters
    assert letters.bytes == sum(one.size for one in letters.of()) <= 6500
    cluster.run_for(60)
    assert order(cluster, "failed") == []
    assert letters.bytes == 0


def test_what_cannot_be_attempted_again(cluster: SimCluster) -> None:
    app = fails_at_first(cluster)
    for target, reason in (
        ("1/7", "task 1/7 is not among the failed tasks; `concurrent failed` lists those"),
        ("nobody", "there is no application 'nobody'"),
        ("x/1", "'x/1' is no task"),
    ):
        with pytest.raises(RefusedOrderError, match=reason):
            order(cluster, "retry", target=target)
    order(cluster, "retry", target="a")
    with pytest.raises(RefusedOrderError, match="application 1 has no failed task that could"):
        order(cluster, "retry", target="a")
    assert parse_key("1/+0") in cluster.master.state.tasks
    del app


def test_ended_applications_are_remembered_up_to_a_limit() -> None:
    cluster = SimCluster("push", history=2)
    cluster.add_worker()
    for name in "abc":
        app = cluster.add_application(name)
        app.push([b"0:fine", b"0:!wrong"])
        cluster.run()
        app.feed([Leaving("it is done")])
        cluster.run_for(1)
    assert order(cluster, "applications") == []
    ended = order(cluster, "applications", ended=True)
    assert [(one["name"], one["state"]) for one in ended] == [("b", "ended"), ("c", "ended")]
    assert (ended[1]["finished"], ended[1]["failed"]) == (1, 1)
    assert ended[1]["reason"] == "it is done"
    assert ended[1]["ago"] == pytest.approx(1, abs=0.1)
    text = order(cluster, "explain", task="3/1")["text"]
    assert text == "application 3 (c) has ended: it is done"
    with pytest.raises(RefusedOrderError, match="application 3 has ended; see `concurrent apps"):
        order(cluster, "cancel", target="c")


def test_what_an_application_leaves_open_is_remembered_as_cancelled() -> None:
    cluster = SimCluster("push")
    cluster.add_worker(executors=1)
    app = cluster.add_application("a")
    app.push([b"9:fine"] * 3)
    cluster.run_for(1)
    app.feed([Leaving("interrupted")])
    cluster.run_for(1)
    [ended] = order(cluster, "applications", ended=True)
    counts = {name: ended[name] for name in ("waiting", "assigned", "finished", "cancelled")}
    assert counts == {"waiting": 0, "assigned": 0, "finished": 0, "cancelled": 3}

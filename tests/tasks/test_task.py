from __future__ import annotations

from dataclasses import dataclass

import pytest

from concurrent_framework import Resources, Task
from concurrent_framework.tasks.task import stamp


class Bare(Task):
    def __init__(self) -> None:
        self.number = 1


@dataclass
class Named(Task):
    name: str
    number: int
    timeout: float | None = 2.0


@dataclass(frozen=True)
class Frozen(Task):
    number: int


def test_a_subclass_need_not_call_task_init() -> None:
    task = Bare()
    assert task.name == "Bare"
    assert (task.task_id, task.system_id, task.client_id, task.slave_id) == (None,) * 4
    assert (task.max_attempts, task.timeout, task.priority) == (3, None, 0)
    assert task.resources == Resources()
    assert task.idempotent


def test_arguments_become_attributes() -> None:
    task = Task("render", 7, "node")
    assert (task.name, task.system_id, task.client_id) == ("render", 7, "node")
    assert repr(task) == "<Task 'render'>"


def test_a_task_may_be_a_dataclass_with_a_field_called_name() -> None:
    task = Named("n", 1)
    assert (task.name, task.number, task.timeout) == ("n", 1, 2.0)
    assert not hasattr(Task, "name")


def test_worker_id_is_another_name_of_slave_id() -> None:
    task = Bare()
    task.worker_id = "alpha"
    assert task.slave_id == "alpha"
    task.slave_id = "beta"
    assert task.worker_id == "beta"


def test_stamp_works_on_frozen_tasks() -> None:
    task = Frozen(1)
    stamp(task, 5, "alpha")
    assert (task.task_id, task.worker_id) == (5, "alpha")


def test_a_task_that_does_not_say_what_to_do() -> None:
    with pytest.raises(NotImplementedError, match="Bare does not say what to do: define __call__"):
        Bare()()
    Bare().clean_up()
    Bare().finished(1, None)

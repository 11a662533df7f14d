from __future__ import annotations

import math
from typing import Any, assert_type

import pytest

from concurrent_framework import Resources, Task, UsageError, task
from concurrent_framework.tasks.payload import dump_state, load_task


@task
def power(number: int, exponent: int = 2) -> int:
    """Raise a number."""
    return int(number**exponent)


@task(name="sum of all", timeout=5, resources=Resources(cpus=2), max_attempts=1, idempotent=False)
def total(*numbers: int, start: int = 0) -> int:
    return sum(numbers, start)


@task
def strict(first: int, /, second: int, *, third: int) -> tuple[int, int, int]:
    return first, second, third


def test_calling_makes_a_task_and_calling_that_runs_the_function() -> None:
    made = power(3, exponent=4)
    assert isinstance(made, Task)
    assert made.name == "power"
    assert (made.args, made.kwargs) == ((3,), {"exponent": 4})
    assert made() == 81


def test_types_are_kept() -> None:
    assert_type(power(3)(), int)
    assert_type(power.function(3), int)


def test_the_plain_function_and_its_documentation_remain() -> None:
    assert power.function(3) == 9
    assert power.__doc__ == "Raise a number."


def test_options_become_class_attributes() -> None:
    made = total(1, 2, start=3)
    assert made() == 6
    assert (made.name, made.timeout, made.max_attempts) == ("sum of all", 5, 1)
    assert made.resources == Resources(cpus=2)
    assert not made.idempotent


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "message"),
    [
        (power, (), {}, r"power\(\): missing a required argument: 'number'"),
        (power, (1, 2, 3), {}, r"power\(\): too many positional arguments"),
        (power, (1,), {"base": 2}, r"power\(\): got an unexpected keyword argument 'base'"),
        (power, (1,), {"number": 2}, r"power\(\): multiple values for argument 'number'"),
        (strict, (1, 2), {}, r"strict\(\): missing a required.* argument: 'third'"),
        (strict, (), {"first": 1, "second": 2, "third": 3}, r"strict\(\): .*'first'"),
        (total, (1,), {"begin": 3}, r"sum|total\(\): got an unexpected keyword argument 'begin'"),
    ],
)
def test_wrong_arguments_fail_at_the_call(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        function(*args, **kwargs)


def test_right_arguments_of_every_kind_pass() -> None:
    assert strict(1, 2, third=3)() == (1, 2, 3)
    assert strict(1, third=3, second=2)() == (1, 2, 3)
    assert total()() == 0


def test_a_built_in_function_is_fine() -> None:
    assert task(math.sqrt)(9.0)() == 3.0


def test_the_name_of_one_task_can_be_its_own() -> None:
    made = power(3)
    made.name = "three squared"
    again = load_task(type(made), dump_state(made))
    assert (again.name, again()) == ("three squared", 9)


def test_nested_functions_keep_what_they_close_over() -> None:
    offset = 10

    @task
    def add(number: int) -> int:
        return number + offset

    assert add(1)() == 11


def coroutine_task() -> None:
    @task
    async def fetch() -> None: ...


def generator_task() -> None:
    @task
    def count() -> Any:
        yield 1


def unknown_option() -> None:
    options: Any = {"timeuot": 3}

    @task(**options)
    def wait() -> None: ...


def wrong_value() -> None:
    @task(timeout=-1)
    def wait() -> None: ...


def no_function() -> None:
    task(Task)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (coroutine_task, "fetch is async"),
        (generator_task, "count is a generator.*return a list"),
        (unknown_option, "@task of wait: no option 'timeuot'; there are name, max_attempts"),
        (wrong_value, "wait.timeout is -1; it must be a number of seconds > 0"),
        (no_function, "@task takes a function, not <class"),
    ],
)
def test_what_cannot_be_a_task_is_refused_at_once(wrong: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        wrong()

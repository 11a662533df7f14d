from __future__ import annotations

import enum
import pickle
from abc import ABC, abstractmethod
from typing import Any

from concurrent_framework.code import by_value
from concurrent_framework.code.by_value import define
from concurrent_framework.code.definitions import definition_of, start_run


def local_class() -> Any:
    class Counter:
        count = 0

        def method(self) -> int:
            return 1

    return Counter


def test_a_known_class_is_not_changed_by_its_own_definition() -> None:
    cls: type[Any] = local_class()
    data = by_value.dumps(cls())
    method = cls.method
    cls.count = 5
    back = pickle.loads(data)
    assert type(back) is cls
    assert cls.count == 5
    assert cls.method is method
    assert pickle.loads(define(cls).data) is cls
    assert cls.method is method


def test_enums_and_abstract_classes_stay_themselves() -> None:
    class Colour(enum.Enum):
        RED = 1

    class Base(ABC):
        @abstractmethod
        def area(self) -> int: ...

    class Square(Base):
        def area(self) -> int:
            return 1

    colour, square = pickle.loads(by_value.dumps((Colour.RED, Square())))
    assert colour is Colour.RED
    assert type(square) is Square


def test_classes_that_refer_to_each_other() -> None:
    class First:
        def other(self) -> Any:
            return Second()

    class Second:
        def other(self) -> Any:
            return First()

    assert type(pickle.loads(by_value.dumps(First())).other()) is Second


def test_a_new_run_sees_what_has_changed() -> None:
    step = 1

    class Stepper:
        def step(self) -> int:
            return step

    first = definition_of(Stepper)
    step = 2
    assert definition_of(Stepper) is first
    start_run()
    assert definition_of(Stepper).data != first.data


def test_a_definition_knows_its_sources() -> None:
    assert define(local_class()).files == {__file__}

"""JSON-RPC 2.0: the examples of the specification, its error codes, and ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.calls import Examples, Node


@pytest.fixture(scope="module")
def node() -> Node:
    return Node(Examples)


def error(answer: Any) -> int:
    return int(answer["error"]["code"])


SUBTRACT = {"jsonrpc": "2.0", "method": "example.subtract", "id": 1}


@pytest.mark.parametrize(
    ("params", "result"),
    [
        ([42, 23], 19),
        ([23, 42], -19),
        ({"subtrahend": 23, "minuend": 42}, 19),
        ({"minuend": 42, "subtrahend": 23}, 19),
    ],
)
def test_parameters_by_position_and_by_name(node: Node, params: Any, result: int) -> None:
    answer = node.answer({**SUBTRACT, "params": params})
    assert answer == {"jsonrpc": "2.0", "result": result, "id": 1}


@pytest.mark.parametrize("number", ["text", 7, 1.5, None])
def test_the_id_comes_back(node: Node, number: Any) -> None:
    assert node.answer({**SUBTRACT, "params": [2, 1], "id": number})["id"] == number


@pytest.mark.parametrize("method", ["example.hello", "foobar", "example.fail"])
def test_a_notification_is_never_answered(node: Node, method: str) -> None:
    assert node.answer({"jsonrpc": "2.0", "method": method, "params": ["x"]}) is None


def test_a_notification_is_carried_out() -> None:
    node = Node(Examples)
    node.answer({"jsonrpc": "2.0", "method": "example.hello", "params": [7]})
    assert node.noted.calls == ["example.hello"]


def test_a_method_that_is_not_there(node: Node) -> None:
    answer = node.answer({"jsonrpc": "2.0", "method": "foobar", "id": "1"})
    assert error(answer) == -32601
    assert answer["id"] == "1"


@pytest.mark.parametrize(
    "text", ['{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', ""]
)
def test_what_is_no_json(node: Node, text: str) -> None:
    answer = node.answer(text)
    assert (error(answer), answer["id"]) == (-32700, None)


@pytest.mark.parametrize(
    "request_",
    [
        {"jsonrpc": "2.0", "method": 1, "params": "bar"},
        {"method": "example.data", "id": 1},
        {"jsonrpc": "1.0", "method": "example.data", "id": 1},
        {"jsonrpc": "2.0", "method": "example.data", "params": "bar", "id": 1},
        {"jsonrpc": "2.0", "method": "example.data", "id": True},
        {"jsonrpc": "2.0", "method": "example.data", "id": {}},
        {"jsonrpc": "2.0", "id": 1},
        "foo",
        3,
        None,
        [],
    ],
)
def test_what_is_no_request(node: Node, request_: Any) -> None:
    answer = node.answer(json.dumps(request_))
    assert error(answer) == -32600
    known = request_.get("id") if isinstance(request_, dict) else None
    assert answer["id"] == (known if type(known) is int else None)


def test_a_batch_that_is_no_json(node: Node) -> None:
    text = '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]'
    assert error(node.answer(text)) == -32700


def test_a_batch_of_what_are_no_requests(node: Node) -> None:
    assert [error(one) for one in node.answer([1, 2, 3])] == [-32600] * 3


def test_a_batch_as_in_the_specification(node: Node) -> None:
    answers = node.answer(
        [
            {"jsonrpc": "2.0", "method": "example.sum", "params": [1, 2, 4], "id": "1"},
            {"jsonrpc": "2.0", "method": "example.hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "example.subtract", "params": [42, 23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "example.data", "id": "9"},
        ]
    )
    assert [one["id"] for one in answers] == ["1", "2", None, "5", "9"]
    assert [one.get("result") for one in answers] == [7, 19, None, None, ["hello", 5]]
    assert [error(one) for one in answers if "error" in one] == [-32600, -32601]


def test_a_batch_of_notifications_is_not_answered(node: Node) -> None:
    one = {"jsonrpc": "2.0", "method": "example.hello", "params": [7]}
    assert node.answer([one, one]) is None


def test_a_batch_is_bounded(node: Node) -> None:
    one = {"jsonrpc": "2.0", "method": "example.data", "id": 1}
    assert len(node.answer([one] * 100)) == 100
    assert error(node.answer([one] * 101)) == -32600


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ([1], "missing required field `subtrahend`"),
        ([1, 2, 3], "takes 2 parameters, not 3"),
        ({"minuend": 1}, "missing required field `subtrahend`"),
        ({"minuend": 1, "subtrahend": "x"}, "expected `int`, got `str` - at `subtrahend`"),
        ({"minuend": 1, "subtrahend": 2, "extra": 3}, "unknown field `extra`"),
    ],
)
def test_wrong_parameters_are_told(node: Node, params: Any, told: str) -> None:
    answer = node.answer({**SUBTRACT, "params": params})
    assert error(answer) == -32602
    assert told in answer["error"]["message"]


@pytest.mark.parametrize(
    ("how", "code", "told"),
    [
        ("usage", -32602, "there is no such thing"),
        ("master", -32001, "nobody there"),
        ("impossible", -32000, "it has ended"),
    ],
)
def test_each_failure_has_its_code(node: Node, how: str, code: int, told: str) -> None:
    request = {"jsonrpc": "2.0", "method": "example.fail", "params": [how], "id": 1}
    answer = node.answer(request)
    assert (error(answer), answer["error"]["message"]) == (code, told)


@pytest.mark.parametrize(("method", "params"), [("example.fail", ["bug"]), ("example.strange", [])])
def test_a_bug_is_reported_and_not_shown(method: str, params: list[str]) -> None:
    node = Node(Examples)
    answer = node.answer({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
    assert error(answer) == -32603
    assert "oops" not in answer["error"]["message"]
    assert node.noted.bugs
    assert node.noted.bugs[0].startswith(method)


def test_who_may_look_may_not_do(node: Node) -> None:
    request = {"jsonrpc": "2.0", "method": "example.hello", "params": [7], "id": 1}
    answer = node.answer(request, "observe")
    assert error(answer) == -32003
    assert "role 'admin'" in answer["error"]["message"]
    assert node.answer({**SUBTRACT, "params": [2, 1]}, "observe")["result"] == 1

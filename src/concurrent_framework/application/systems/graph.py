"""`TaskGraph`: tasks that need the results of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from concurrent_framework.application.system import SystemMaster, TaskSystem
from concurrent_framework.application.systems.work import choice, fail, task_maker
from concurrent_framework.model.errors import UsageError
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from concurrent_framework.model.errors import TaskError


class Node:
    """One task of a graph. Given as an argument to a later one, it stands for its result."""

    def __init__(self, index: int, name: str, work: Any, call: tuple[Any, Any] | None) -> None:
        self.index = index
        self.name = name
        self.work = work
        self.call = call
        self.needs: dict[int, None] = {}
        self.needed_by: dict[int, None] = {}
        self.keep = False

    def __repr__(self) -> str:
        return f"<Node {self.name!r}>"


class TaskGraph(TaskSystem):
    """Runs tasks as soon as those they depend on have ended, as many at a time as there is room.

    The result is a dict from names to results: of the nodes that no other needs, and of those added
    with ``keep=True``. Other results are dropped as soon as nobody needs them.

    Args:
        on_error: ``raise`` ends the system with the first task's error; ``keep`` goes on with what
            does not depend on the failed task, and puts its TaskError in the place of every result
            that does.
        name: how people see the system.

    Raises:
        UsageError: for arguments that cannot be, and for a dependency that would close a circle.

    Example:
        >>> from concurrent_framework import TaskGraph
        >>> def load(name):
        ...     return [1, 2, 3] if name == "a" else [4, 5]
        >>> def join(parts):
        ...     return sum(parts, [])
        >>> graph = TaskGraph()
        >>> a, b = graph.add(load, "a"), graph.add(load, "b")
        >>> both = graph.add(join, [a, b], name="both")
        >>> graph
        <TaskGraph 'TaskGraph': 3 nodes>

    """

    def __init__(self, *, on_error: Literal["raise", "keep"] = "raise", name: str = "") -> None:
        self.name = name or "TaskGraph"
        self.on_error = choice("on_error", on_error, "raise", "keep")
        self._nodes: list[Node] = []
        self._names: set[str] = set()
        self._results: dict[int, Any] = {}
        self._missing: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        self._running: dict[int, int] = {}
        self._ended: set[int] = set()
        self._makers: dict[int, Callable[..., Task]] = {}

    def add(
        self,
        work: Callable[..., Any] | Task,
        *args: Any,
        name: str = "",
        after: Iterable[Node] = (),
        keep: bool = False,
        **kwargs: Any,
    ) -> Node:
        """Add a task.

        Args:
            work: a function or task class to call with the arguments; or a task, which finds the
                results of the nodes in `after` in its attribute ``inputs``, a dict by name.
            args: its arguments. A node among them, also inside lists, tuples and dicts, stands for
                its result and must have ended before.
            name: its name in the result, unlike all others; the function's if empty, with a number
                after it if that is taken.
            after: nodes that must have ended before.
            keep: whether its result is wanted although other nodes need it.
            kwargs: more arguments.

        Returns:
            The node, to be given to those that depend on it.

        """
        if isinstance(work, Task) and (args or kwargs):
            message = f"{work!r} is made already and takes no arguments: give its class instead"
            raise UsageError(message)
        if not isinstance(work, Task):
            task_maker(work)  # complain here rather than on the master's side
        if name and name in self._names:
            message = f"a node named {name!r} is in the graph already"
            raise UsageError(message)
        named = name or self._free_name(str(getattr(work, "__name__", getattr(work, "name", ""))))
        call = None if isinstance(work, Task) else (args, kwargs)
        node = Node(len(self._nodes), named, work, call)
        node.keep = keep
        needs = [*_nodes_in((args, kwargs)), *after]
        for one in needs:
            self._check_ours(one)
        self._nodes.append(node)
        self._names.add(named)
        for one in needs:
            self.depend(node, one)
        return node

    def depend(self, node: Node, on: Node) -> None:
        """Have a node wait for another one; raises UsageError if that would close a circle."""
        self._check_ours(node)
        self._check_ours(on)
        circle = self._path(on, node)
        if circle:
            steps = " → ".join(one.name for one in [*circle, on])
            message = f"{node.name} cannot wait for {on.name}, which waits for it: {steps}"
            raise UsageError(message)
        node.needs[on.index] = None
        on.needed_by[node.index] = None

    def generate_tasks(self, master: SystemMaster) -> None:
        """Start with what depends on nothing."""
        self._missing = {node.index: len(node.needs) for node in self._nodes}
        self._wanted = {node.index: len(node.needed_by) for node in self._nodes}
        for node in self._nodes:
            if not node.needs:
                self._begin(master, node)

    def task_finished(
        self, master: SystemMaster, task: Any, result: Any, error: TaskError | None
    ) -> None:
        """Keep the result while it is needed; start what waited for it."""
        index = self._running.pop(task.task_id, None)
        if index is None:
            return
        node = self._nodes[index]
        if error is not None and self.on_error == "raise":
            fail(task, error)
        for one in self._end(node, result if error is None else error, failed=error is not None):
            self._begin(master, one)
        master.progress(len(self._ended), len(self._nodes))

    def gather_result(self, master: SystemMaster) -> dict[str, Any]:  # noqa: ARG002 (TaskSystem's)
        """Return the results that are wanted, by name."""
        results, self._results = self._results, {}
        return {self._nodes[index].name: results[index] for index in sorted(results)}

    def __repr__(self) -> str:
        return f"<TaskGraph {self.name!r}: {len(self._nodes)} nodes>"

    def __getstate__(self) -> dict[str, Any]:
        """Return what travels: all but the task classes, which are made anew where they are needed."""
        return {**self.__dict__, "_makers": {}}

    def _end(self, node: Node, result: Any, *, failed: bool) -> list[Node]:
        """Take a node's result and return the nodes that can start now."""
        ready: list[Node] = []
        ending = [node]
        self._ended.add(node.index)
        while ending:
            one = ending.pop()
            self._results[one.index] = result
            for index in one.needed_by:
                self._missing[index] -= 1
                if index in self._ended:
                    continue
                if failed:
                    self._ended.add(index)
                    ending.append(self._nodes[index])
                elif not self._missing[index]:
                    ready.append(self._nodes[index])
            for index in one.needs:
                self._release(index)
        return ready

    def _release(self, index: int) -> None:
        self._wanted[index] -= 1
        if not self._wanted[index] and not self._nodes[index].keep:
            self._results.pop(index, None)

    def _begin(self, master: SystemMaster, node: Node) -> None:
        """Push a node's task, under whose number its outcome comes, to another process perhaps."""
        task = self._task(node)
        master.push_task(task)
        assert task.task_id is not None
        self._running[task.task_id] = node.index

    def _task(self, node: Node) -> Task:
        if node.call is None:
            task: Task = node.work
            names = {index: self._nodes[index].name for index in node.needs}
            inputs = {name: self._results[index] for index, name in names.items()}
            object.__setattr__(task, "inputs", inputs)
        else:
            args, kwargs = _with_results(node.call, self._results)
            task = self._maker(node.work)(*args, **kwargs)
            task.name = node.name
        return task

    def _maker(self, work: Any) -> Callable[..., Task]:
        """Return one task class for all nodes that call the same function."""
        made = self._makers.get(id(work))
        if made is None:
            made = self._makers[id(work)] = task_maker(work)
        return made

    def _free_name(self, name: str) -> str:
        if name not in self._names:
            return name
        number = 2
        while f"{name}-{number}" in self._names:
            number += 1
        return f"{name}-{number}"

    def _check_ours(self, node: Any) -> None:
        if not isinstance(node, Node) or self._nodes[node.index : node.index + 1] != [node]:
            message = f"{node!r:.200} is no node of this graph"
            raise UsageError(message)

    def _path(self, start: Node, end: Node) -> list[Node]:
        """Return how `start` depends on `end`, empty if it does not."""
        before: dict[int, Node | None] = {start.index: None}
        to_do = [start]
        while to_do:
            node = to_do.pop()
            if node is end:
                path = [node]
                while (previous := before[path[-1].index]) is not None:
                    path.append(previous)
                return path[::-1]
            for index in node.needs:
                if index not in before:
                    before[index] = node
                    to_do.append(self._nodes[index])
        return []


def _nodes_in(value: Any) -> list[Node]:
    if isinstance(value, Node):
        return [value]
    if type(value) in (list, tuple):
        return [node for one in value for node in _nodes_in(one)]
    if type(value) is dict:
        return [node for one in value.values() for node in _nodes_in(one)]
    return []


def _with_results(value: Any, results: dict[int, Any]) -> Any:
    if isinstance(value, Node):
        return results[value.index]
    if type(value) in (list, tuple):
        return type(value)(_with_results(one, results) for one in value)
    if type(value) is dict:
        return {key: _with_results(one, results) for key, one in value.items()}
    return value

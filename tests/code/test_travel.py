"""Classes and the objects they use reach a worker that has none of the user's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.code.conftest import APPLICATION

if TYPE_CHECKING:
    from tests.code.conftest import Traveller

HELPERS = """
from dataclasses import dataclass

@dataclass
class Point:
    x: int

class HelperError(Exception):
    def __init__(self, point):
        super().__init__(f"no {point}")
        self.point = point

def fail(point):
    raise HelperError(point)
"""

SCRIPT = """
import enum
from dataclasses import dataclass

import helpers
from concurrent_framework import Task, task

FACTOR = 10

@dataclass
class Job:
    number: int
    calls = 0

    def scaled(self):
        return self.number * FACTOR

class Colour(enum.Enum):
    RED = 1

class ScriptError(Exception):
    pass

class Use(Task):
    def __init__(self, job):
        self.job = job
        self.point = helpers.Point(4)
        self.colour = Colour.RED

    def __call__(self):
        Job.calls += 1
        assert isinstance(self.job, Job)
        assert self.colour is Colour.RED
        return self.job, self.job.scaled(), self.point, self.colour, Job.calls

class Fail(Task):
    def __call__(self):
        raise ScriptError("here")

class FailInHelper(Task):
    def __call__(self):
        helpers.fail(helpers.Point(1))

@task
def late(number):
    import lazy
    return lazy.twice(number)

def nested(offset):
    class Inner(Task):
        def __init__(self, number):
            self.number = number
        def __call__(self):
            return self.number + offset
    return Inner(1)

TASKS = [Use(Job(3)), Use(Job(4)), Fail(), FailInHelper(), late(4), nested(2)]

def CHECK(results):
    scaled = Job.scaled
    first, second, script_error, helper_error, doubled, inner = results
    job, number, point, colour, calls = first
    assert type(job) is Job and job == Job(3), job
    assert number == 30
    assert type(point) is helpers.Point and point.x == 4
    assert colour is Colour.RED
    assert (calls, second[4]) == (1, 2), "one class on the worker, whatever travels later"
    assert Job.calls == 0 and Job.scaled is scaled, "a result never changes our own class"
    assert type(script_error) is ScriptError
    assert type(helper_error) is helpers.HelperError and helper_error.point == helpers.Point(1)
    assert doubled == 8
    assert inner == 3
"""


def test_a_script_with_modules_beside_it(traveller: Traveller) -> None:
    traveller.write(
        {
            "helpers.py": HELPERS,
            "lazy.py": "def twice(number):\n    return 2 * number\n",
            "unused.py": "raise RuntimeError",
        }
    )
    trip = traveller.travel(SCRIPT)
    assert trip.code == [".origins", "helpers.py", "lazy.py"]
    assert trip.failures[2]["message"] == "here"
    assert trip.failures[2]["traceback"].endswith(
        f'  File "{traveller.project}/script.py", line 38, in __call__\n'
        '    raise ScriptError("here")\n'
        "ScriptError: here\n"
    )
    text = trip.failures[3]["traceback"]
    assert f'File "{traveller.project}/helpers.py", line 14, in fail\n    raise HelperErr' in text


PACKAGE: dict[str, str | bytes] = {
    "shop/__init__.py": "",
    "shop/tasks.py": """
from pathlib import Path

from concurrent_framework import Task, task
from . import prices
from tools import doubled

class Price(Task):
    def __init__(self, item):
        self.item = item
        self.book = prices.Book()

    def __call__(self):
        from shop.late import suffix
        assert type(self.book) is prices.Book
        table = Path(__file__).with_name("table.txt").read_text()
        return doubled(prices.of(self.item)), table, suffix

@task
def sale(item):
    return prices.of(item) / 2
""",
    "shop/prices.py": "class Book: ...\ndef of(item):\n    return len(item)\n",
    "shop/late.py": "suffix = 'late'\n",
    "shop/table.txt": "a table",
    "shop/deep/data/more.txt": "more",
    "shop/.hidden/secret.txt": "no",
    "shop/__pycache__/old.pyc": b"no",
    "tools.py": "import numberless\ndef doubled(number):\n    return 2 * number\n",
    "numberless.py": "",
    "other/__init__.py": "raise RuntimeError",
}


def test_a_package_travels_whole_with_what_it_imports(traveller: Traveller) -> None:
    traveller.write(PACKAGE)
    trip = traveller.travel("""
from shop.tasks import Price, sale
TASKS = [Price("tea"), sale("coffee")]
def CHECK(results):
    assert results == [(6, "a table", "late"), 3.0], results
""")
    assert trip.failures == [None, None]
    assert trip.code == sorted(
        [".origins", *(n for n in PACKAGE if n[0] != "o" and "/." not in n and "/__p" not in n)]
    )


def test_modules_that_only_the_data_needs_travel_too(traveller: Traveller) -> None:
    traveller.write(
        {
            "workers_own.py": """
from concurrent_framework import Task
class Show(Task):
    def __init__(self, value):
        self.value = value
    def __call__(self):
        return type(self.value).__module__
""",
            "geometry.py": "class Point: ...\n",
            "plugin_file.py": "class Plugin: ...\n",
        }
    )
    trip = traveller.travel("""
import importlib, importlib.util, sys
from workers_own import Show
geometry = importlib.import_module("geo" + "metry")
spec = importlib.util.spec_from_file_location("plugged", "plugin_file.py")
sys.modules["plugged"] = plugged = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugged)
TASKS = [Show(geometry.Point()), Show(plugged.Plugin())]
def CHECK(results):
    assert results == ["geometry", "plugged"], results
""")
    assert trip.code == [".origins", "geometry.py", "plugged.py", "workers_own.py"]


def test_a_module_run_with_dash_m_and_a_namespace_package(traveller: Traveller) -> None:
    traveller.write({"space/inner/part.py": "def one():\n    return 1\n", "space/notes.txt": "x"})
    traveller.write({"app/__init__.py": "", "app/base.py": "BASE = 5\n"})
    script = traveller.project / "app" / "main.py"
    text = """
from concurrent_framework import task
from .base import BASE
from space.inner import part
@task
def add():
    from app import base
    return BASE + base.BASE + part.one()
TASKS = [add()]
def CHECK(results):
    assert results == [11], results
"""
    script.write_text(text + APPLICATION)
    trip = traveller.travel("", "-m", "app.main")
    assert trip.code == [
        ".origins",
        "app/__init__.py",
        "app/base.py",
        "app/main.py",
        "space/inner/part.py",
    ]


SESSION = """
import linecache
cell = '''
import tool
from concurrent_framework import task
@task
def run(number):
    if number == 0:
        raise ValueError("zero")
    return tool.double(number)
'''
linecache.cache["<cell 1>"] = (len(cell), None, cell.splitlines(True), "<cell 1>")
exec(compile(cell, "<cell 1>", "exec"))
TASKS = [run(2), run(0)]
def CHECK(results):
    assert results[0] == 4, results
"""


def test_a_session_without_a_file(traveller: Traveller) -> None:
    traveller.write({"tool.py": "def double(number):\n    return 2 * number\n"})
    trip = traveller.travel("", "-c", SESSION + APPLICATION)
    assert trip.code == [".origins", "tool.py"]
    assert (
        '<cell 1>", line 7, in run\n    raise ValueError("zero")' in trip.failures[1]["traceback"]
    )


def test_edits_are_picked_up_at_the_next_run(traveller: Traveller) -> None:
    for answer in (1, 2):
        traveller.write({"answers.py": f"def answer():\n    return {answer}\n"})
        trip = traveller.travel(f"""
import answers
from concurrent_framework import task
@task
def ask():
    return answers.answer()
TASKS = [ask()]
def CHECK(results):
    assert results == [{answer}], results
""")
        assert trip.failures == [None]


def test_what_is_missing_on_the_worker_is_said(traveller: Traveller) -> None:
    traveller.write(
        {
            "needy.py": """
import sys
if "script" in sys.argv[0]:
    sys.modules["not_there"] = sys
import not_there
from concurrent_framework import Task
class Needy(Task):
    def __call__(self): ...
""",
            "broken.py": """
import sys
from concurrent_framework import Task
if "script" not in sys.argv[0]:
    raise RuntimeError("not on workers")
class Broken(Task):
    def __call__(self): ...
""",
        }
    )
    trip = traveller.travel("""
from needy import Needy
from broken import Broken
from concurrent_framework import task
@task
def inside():
    import not_there
TASKS = [Needy(), Broken(), inside()]
def CHECK(results):
    assert [type(one).__name__ for one in results] == [
        "CodeError", "RuntimeError", "ModuleNotFoundError"
    ], results
""")
    needy, broken, inside = trip.failures
    assert "the worker has no module 'not_there', which Needy needs; install it" in needy["message"]
    assert "needy.py" in needy["traceback"]
    assert broken["message"] == "not on workers"
    assert f'{traveller.project}/broken.py", line 5, in <module>' in broken["traceback"]
    assert "the worker has no module 'not_there', which the task needs" in inside["message"]

"""`concurrent env …`, `config`, `plugins`, `logs`, `status PATH`: what people type, right and wrong."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from concurrent_framework.cli.main import main
from concurrent_framework.environment.layout import Layout
from concurrent_framework.environment.lock import locked
from tests.cli.conftest import COMMAND, LIMIT, bounded
from tests.forgetting import imports_forgotten

APP = """
from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option

class Probe(Component):
    "Says what it was given."
    implements(IApp)
    depth = Option("probe", "depth", default=3, minimum=0, doc="How deep.")
    def app_init(self): pass
    def app_main(self):
        print("probing")
        return self.depth
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


Type = Callable[..., Done]


@pytest.fixture(autouse=True)
def here(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("r")))
    with imports_forgotten(tmp_path):
        yield tmp_path


@pytest.fixture
def type_(capsys: pytest.CaptureFixture[str]) -> Type:
    def typed(line: str) -> Done:
        code = main(line.split())
        return Done(code, *capsys.readouterr())

    return typed


@pytest.fixture
def lab(type_: Type, here: Path) -> Layout:
    assert type_("env create lab --app probe").code == 0
    (here / "lab" / "plugins" / "probe_plugin.py").write_text(APP, encoding="utf-8")
    return Layout(here / "lab")


@contextmanager
def launched(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Launch an environment as people do, and end it by hand if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, "env", "launch", str(path)], stdout=subprocess.PIPE, text=True
    )
    with bounded(process):
        try:
            yield process
        finally:
            process.terminate()


def test_create_says_what_comes_next(type_: Type, here: Path) -> None:
    done = type_("env create lab --master --name Chief --listen tcp://127.0.0.1:8099")
    assert done.code == 0
    assert done.out.splitlines() == [
        f"created {here}/lab",
        f"start it:  concurrent env launch {here}/lab",
    ]
    text = (here / "lab" / "env.toml").read_text(encoding="utf-8")
    assert 'listen = "tcp://127.0.0.1:8099"' in text
    assert 'name = "Chief"' in text
    assert "set what it launches:  concurrent env app" in type_("env create other").out
    assert "put a plug-in that has the application 'x'" in type_("env create third --app x").out
    assert "did you mean worker?" in type_("env create fourth --app wrker").out


def test_a_path_to_join_is_kept_as_seen_from_the_environment(type_: Type, here: Path) -> None:
    type_("env create chief --master")
    assert type_("env create deep/hand --worker --join ./chief").code == 0
    text = (here / "deep" / "hand" / "env.toml").read_text(encoding="utf-8")
    assert 'join = "../../chief"' in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("env create", "which directory? `concurrent env create PATH` makes an environment there"),
        ("env create x --master --worker", "an environment launches one thing: give one of --app,"),
        ("env create x --worker --listen tcp://*:1", "--listen is for a master's environment"),
        ("env create x --master --join auto", "--join is for a worker or an application"),
        ("env create x --worker --join concurrent://h", "link"),
        ("env create x --worker --join ./nowhere", "there is no such directory"),
        ("env launch nowhere", "there is no such directory; `concurrent env create nowhere`"),
        ("env launch empty", "is no environment: it has no env.toml"),
        ("env stop empty", "is no environment"),
        ("env stop lab", "lab is not running"),
        ("status lab", "lab is not running; `concurrent env launch"),
        ("status lab --join auto", "name two masters: give one of them"),
        ("env app lab nobody", "no application is called 'nobody'; there is master, worker"),
        ("config lab --explain probe.dept", "no option probe.dept; did you mean probe.depth?"),
        ("config lab --check --reference", "are three questions: ask one at a time"),
        ("config lab --set probe.depth=-1", "expected a whole number (at least 0)"),
        ("config lab --set prob.depth=1", "did you mean [probe]?"),
        ("plugins lab disable", "disable what? `concurrent plugins lab` lists the names"),
        ("plugins lab enable prob", "no component or plug-in 'prob'; did you mean 'probe'?"),
        ("plugins lab toggle probe", "'toggle'"),
        ("logs empty", "is no environment"),
        ("env backup lab lab/env.toml", "env.toml exists; choose another name"),
        ("env backup lab no/where.tar.gz", "/no; make it first"),
        ("env restore nothing.tar.gz copy", "there is no backup"),
        ("env restore lab/env.toml copy", "is no whole backup"),
        ("run expensive --set components.push=disabled", 'default: set that to "pull"'),
        ("run expensive --set worker.manager=proceses", 'did you mean "processes"?'),
        ("run expensive --join ./lab", "lab is not running"),
        ("env delete lab", "this needs consent and there is no terminal to ask at: give --yes"),
        ("env delet lab", "No such command 'delet'. Did you mean 'delete'?"),
        ("console nowhere", "there is no such directory"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    type_: Type, lab: Layout, line: str, message: str
) -> None:
    (lab.root.parent / "empty").mkdir()
    before = set(lab.root.parent.rglob("*"))
    done = type_(line)
    assert done.code in {2, 3}
    assert message in done.err
    assert done.err.count("\n") == 1
    made = {one.name for one in set(lab.root.parent.rglob("*")) - before}
    assert {name for name in made if "probe_plugin" not in name} <= {"__pycache__"}


def test_launch_ends_with_the_applications_code(type_: Type, lab: Layout) -> None:
    done = type_("env launch lab --set probe.depth=7")
    assert (done.code, done.out, done.err) == (7, "probing\n", "")
    assert "lab ended with exit code 7" in type_("logs lab").out


def test_what_an_application_raises_is_shown_as_its_own(type_: Type, lab: Layout) -> None:
    text = APP.replace('print("probing")', "1 / 0")
    (lab.plugins / "probe_plugin.py").write_text(text, encoding="utf-8")
    done = type_("env launch lab")
    assert done.code == 1
    assert done.err.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert done.err.count("File ") == 1


def test_an_application_that_lacks_a_method_is_told_where_and_what(
    type_: Type, lab: Layout
) -> None:
    text = APP.replace("def app_init(self): pass", "")
    (lab.plugins / "probe_plugin.py").write_text(text, encoding="utf-8")
    done = type_("env launch lab")
    assert done.code == 2
    assert "IApp.app_init is missing" in done.err
    assert "no application is called 'probe'" in done.err


def test_two_plugins_with_components_of_one_name_are_told(type_: Type, lab: Layout) -> None:
    (lab.plugins / "twin.py").write_text(APP, encoding="utf-8")
    done = type_("env launch lab")
    assert done.code == 2
    assert "two components for IApp are called 'probe': probe_plugin:Probe" in done.err
    assert '[components] "twin:Probe" = "disabled"' in done.err
    assert type_("plugins lab disable twin:Probe").code == 0
    assert type_("env launch lab").code == 3


def test_broken_toml_is_told_with_its_line_and_can_be_saved_all_the_same(
    type_: Type, lab: Layout
) -> None:
    lab.config.write_text("[environment]\napp = \n", encoding="utf-8")
    for line in ("env launch lab", "config lab", "config lab --check", "env app lab master"):
        done = type_(line)
        assert done.code == 2
        assert "env.toml:2: Invalid value" in done.err
        assert done.err.count("\n") == 1
    done = type_("env backup lab copy.tar.gz")
    assert done.code == 0
    assert done.err.startswith("warning: ")


def test_check_tells_everything_at_once(type_: Type, lab: Layout) -> None:
    assert type_("config lab --check").out == "the configuration is in order\n"
    lab.config.write_text(
        "[environment]\nversion = 1\nlog_level = 'loud'\n[master]\nschedulr = 'push'\n"
        "scheduler = 'pul'\n[probe]\ndepth = 'deep'\n",
        encoding="utf-8",
    )
    done = type_("config lab --check")
    assert done.code == 2
    assert [line.partition("env.toml:")[2] for line in done.err.splitlines()] == [
        "5: master.schedulr: there is no such option; did you mean master.scheduler?",
        '3: environment.log_level = "loud": expected "debug" or "info" or "warning" or "error"',
        '8: probe.depth = "deep": expected a whole number (at least 0)',
        '6: master.scheduler = "pul": expected "push" or "pull"; did you mean "pull"?',
    ]
    assert json.loads(type_("config lab --check --json").out)["ok"] is False


def test_switching_off_what_is_needed_is_told_before_anything_starts(
    type_: Type, lab: Layout
) -> None:
    assert type_("plugins lab disable push").code == 0
    for line in ("config lab --check", "env launch lab"):
        done = type_(line)
        assert done.code == 2
        assert "components.push switches off what master.scheduler is by default" in done.err
        assert 'set that to "pull"' in done.err
    assert type_("env launch lab --set master.scheduler=pull").code == 3
    assert type_("plugins lab enable push").code == 0
    assert type_("config lab --check").code == 0


def test_check_finds_an_application_and_a_master_that_are_not_there(
    type_: Type, lab: Layout
) -> None:
    text = lab.config.read_text(encoding="utf-8")
    lab.config.write_text(text.replace('"probe"', '"prob"'), encoding="utf-8")
    assert "did you mean 'probe'?" in type_("config lab --check").err
    lab.config.write_text(text + 'join = "../nowhere"\n', encoding="utf-8")
    assert "there is no such directory" in type_("config lab --check").err


def test_options_are_shown_with_value_source_type_and_doc(type_: Type, lab: Layout) -> None:
    shown = type_("config lab --set probe.depth=9").out
    assert "depth = 9\n    from --set; expected a whole number (at least 0)\n    How deep." in shown
    explained = type_("config lab --explain environment.app").out
    assert f"from      {lab.config}:6" in explained
    assert "variable  CONCURRENT_ENVIRONMENT__APP" in explained
    rows = json.loads(type_("config lab --json").out)
    (row,) = [row for row in rows if row["section"] == "probe"]
    assert (row["key"], row["value"], row["source"], row["doc"]) == (
        "depth",
        3,
        "default",
        "How deep.",
    )


def test_a_secret_is_not_shown(type_: Type, lab: Layout) -> None:
    link = "concurrent://host:8081?key=" + "x" * 40 + "&token=execute-hush"
    with lab.config.open("a", encoding="utf-8") as file:
        file.write(f'join = "{link}"\n')
    for line in ("config lab", "config lab --explain environment.join", "config lab --json"):
        done = type_(line)
        assert done.code == 0
        assert "hush" not in done.out


def test_plugins_are_listed_and_switched(type_: Type, lab: Layout) -> None:
    assert "probe" in type_("plugins lab").out
    assert type_("plugins lab disable probe").out.startswith("probe is disabled from the next")
    (row,) = [one for one in json.loads(type_("plugins lab --json").out) if one["name"] == "probe"]
    assert (row["state"], row["origin"]) == ("disabled", "plugins/probe_plugin.py")
    assert row["reason"].startswith("switched off by ")
    assert type_("env launch lab").code == 2
    assert type_("env plugins lab enable probe").code == 0
    assert type_("env launch lab").code == 3


def test_a_plugin_that_raises_is_told_with_its_traceback_and_the_rest_runs(
    type_: Type, lab: Layout
) -> None:
    (lab.plugins / "broken.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    done = type_("env launch lab")
    assert (done.code, done.out) == (3, "probing\n")
    assert done.err.startswith("error: plug-in plugins/broken.py cannot be imported: ModuleNotFou")
    assert done.err.count("File ") == 1
    (row,) = [row for row in json.loads(type_("plugins lab --json").out) if row["name"] == "broken"]
    assert row["state"] == "failed"


def test_the_application_is_shown_and_set(type_: Type, lab: Layout) -> None:
    assert type_("env app lab").out == "  master\n  worker\n* probe\n"
    assert type_("env app lab worker").code == 0
    assert json.loads(type_("env app lab --json").out) == {
        "app": "worker",
        "apps": ["master", "worker", "probe"],
    }


def test_backup_restore_and_delete(type_: Type, lab: Layout, here: Path) -> None:
    (lab.data / "results").write_text("42", encoding="utf-8")
    done = type_("env backup lab safe.tar.gz")
    assert done.out.startswith(f"saved in {here}/safe.tar.gz (it holds the environment's keys")
    assert stat.S_IMODE((here / "safe.tar.gz").stat().st_mode) == 0o600
    assert type_("env delete lab --yes").out == f"deleted {lab.root}\n"
    assert type_("env restore safe.tar.gz copy").out == f"restored lab in {here}/copy\n"
    assert (here / "copy" / "data" / "results").read_text(encoding="utf-8") == "42"
    assert "is an environment already" in type_("env restore safe.tar.gz copy").err


def test_a_truncated_backup_restores_nothing(type_: Type, lab: Layout, here: Path) -> None:
    type_("env backup lab safe.tar.gz")
    (here / "safe.tar.gz").write_bytes((here / "safe.tar.gz").read_bytes()[:300])
    done = type_("env restore safe.tar.gz copy")
    assert done.code == 2
    assert "is no whole backup" in done.err
    assert not (here / "copy").exists()


def test_upgrade_says_that_there_is_nothing_to_do_or_that_it_cannot(
    type_: Type, lab: Layout
) -> None:
    assert "is of version 1 already: there is nothing to do" in type_("env upgrade lab").out
    text = lab.config.read_text(encoding="utf-8").replace("version = 1", "version = 9")
    lab.config.write_text(text, encoding="utf-8")
    for line in ("env upgrade lab", "env launch lab"):
        done = type_(line)
        assert done.code == 2
        assert "is of version 9, " in done.err
        assert "install a newer one" in done.err


def test_what_is_in_use_is_neither_launched_nor_deleted(type_: Type, lab: Layout) -> None:
    with locked(lab, "running"):
        for line in ("env launch lab", "env delete lab --yes", "env launch lab --background"):
            done = type_(line)
            assert done.code == 2
            assert f"is in use (process {os.getpid()}, running since " in done.err
            assert "`concurrent env stop " in done.err
    with locked(lab, "upgrading it"):
        assert "that ends by itself" in type_("env stop lab").err


def test_a_master_is_looked_at_and_stopped_through_its_environment(type_: Type, here: Path) -> None:
    type_("env create chief --master")
    with launched(here / "chief") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "master chief is ready; Ctrl-C ends it\n"
        done = type_("status chief")
        assert done.code == 0, done.err
        first, second, *_ = done.out.splitlines()
        assert first.startswith(f"chief  master, process {process.pid}, running for ")
        assert second.startswith("● chief")
        answer = json.loads(type_("status chief --json").out)
        assert answer["environment"]["pid"] == process.pid
        assert answer["nodes"] == []
        assert type_("apps --join chief").out.startswith("no applications")
        stopped = type_("env stop chief")
        assert stopped.out == f"{here}/chief has ended (it was process {process.pid})\n"
        assert process.wait(LIMIT) == 0
    assert type_("status chief").code == 3


def test_what_does_not_end_in_time_is_told(type_: Type, lab: Layout) -> None:
    code = (
        "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from pathlib import Path\n"
        "from concurrent_framework.environment.layout import Layout\n"
        "from concurrent_framework.environment.lock import locked\n"
        "with locked(Layout(Path('lab').resolve()), 'running'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with bounded(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        done = type_("env stop lab --timeout 0.1")
        assert done.code == 1
        assert f"has not within 0.1 s (process {process.pid})" in done.err


@pytest.mark.parametrize(
    "command",
    [
        "status",
        "apps",
        "ps",
        "explain 1/1",
        "failed",
        "show 1/1",
        "top",
        "attach 1",
        "logs Some",
        "cancel Some",
        "pause Some",
        "resume Some",
        "retry Some",
        "priority Some 1",
        "drain w1",
        "run expensive",
        "worker",
    ],
)
def test_every_command_takes_the_path_of_an_environment(
    type_: Type, lab: Layout, command: str
) -> None:
    done = type_(f"{command} --join ./lab")
    assert done.code == 3
    assert done.err.startswith(f"error: {lab.root} is not running; ")


def test_a_master_stays_in_the_background_until_it_is_stopped(type_: Type, here: Path) -> None:
    type_("env create chief --master")
    done = type_("env launch chief --background")
    try:
        assert done.code == 0, done.err
        pid = int(done.out.split("as process ")[1].split(";")[0])
        assert json.loads(type_("status chief --json").out)["environment"]["pid"] == pid
        assert "concurrent run APP --join auto" in done.out, "it says how to join"
        saved = type_("env backup chief")
        assert saved.code == 0, saved.err
    finally:
        stopped = type_("env stop chief")
    assert stopped.code == 0, stopped.err
    log = type_("logs chief").out
    assert [line.split(": ", 1)[1] for line in log.splitlines()] == [
        "chief starts as master",
        "chief ended with exit code 0",
    ]


def test_what_ends_at_once_in_the_background_tells_why(type_: Type, lab: Layout) -> None:
    type_("env create hand --worker --join ./lab")
    done = type_("env launch hand -b")
    assert done.code == 3
    assert done.err.startswith(f"error: {lab.root} is not running; `concurrent env launch")
    assert done.err.count("\n") == 1
    assert "has ended already" in type_("env launch lab -b --set probe.depth=0").out


def test_keys_are_made_at_the_first_launch_and_stay(type_: Type, here: Path) -> None:
    type_("env create chief --master --listen tcp://127.0.0.1:*")
    keys = here / "chief" / "keys"
    assert list(keys.iterdir()) == []
    links = []
    for _ in range(2):
        with launched(here / "chief") as process:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            link = next(line for line in lines if "worker --join 'concurrent://" in line)
            links.append(link.partition("?")[2])
            assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in keys.iterdir())
    assert links[0] == links[1]


def test_logs_are_followed_from_their_last_lines_on(type_: Type, lab: Layout) -> None:
    assert "there is no log yet" in type_("logs lab").err
    lab.log.write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert type_("logs lab -n 2").out == "two\nthree\n"
    process = subprocess.Popen(
        [*COMMAND, "logs", "lab", "-f", "-n", "1"], stdout=subprocess.PIPE, text=True
    )
    with bounded(process):
        assert process.stdout is not None
        assert process.stdout.readline() == "three\n"
        with lab.log.open("a", encoding="utf-8") as file:
            file.write("2026-01-31 12:00:00,250 INFO    concurrent: four\n")
        assert process.stdout.readline().endswith("four\n")
        process.send_signal(2)
        assert process.wait(LIMIT) == 130
    (line,) = type_("logs lab -n 1 --json").out.splitlines()
    assert json.loads(line)["text"] == "four"

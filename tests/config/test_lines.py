"""The lines of keys in TOML files."""

from __future__ import annotations

import time
import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from concurrent_framework.config.lines import find_lines

TEXT = '''\
# a comment = 1
[master]   # the master
lease = 5  # key = 1
"quoted key" = 1
'single' = 2

window_tasks=
[worker]
labels = [
    "a = 1", # x = [
    "b",
]
cpus = 2
text = """
inside = 1
[fake]
"""
raw = \'\'\'
also = 1\'\'\'
one = """closed"""
after = 3
[ "odd table" ]
x = 1
[application.deep]
y = 2
'''


def test_tables_and_keys_have_their_lines() -> None:
    assert find_lines(TEXT) == {
        ("master",): 2,
        ("master", "lease"): 3,
        ("master", "quoted key"): 4,
        ("master", "single"): 5,
        ("master", "window_tasks"): 7,
        ("worker",): 8,
        ("worker", "labels"): 9,
        ("worker", "cpus"): 13,
        ("worker", "text"): 14,
        ("worker", "raw"): 18,
        ("worker", "one"): 20,
        ("worker", "after"): 21,
        ("odd table",): 22,
        ("odd table", "x"): 23,
        ("application",): 24,
        ("application", "deep"): 24,
        ("application", "deep", "y"): 25,
    }


def test_dotted_keys_and_inline_tables() -> None:
    lines = find_lines('a = 1\nmaster . lease = 3\nworker.cpus = 2\nworker."x y" = 1\nt = {k = 1}')
    assert lines == {
        ("a",): 1,
        ("master", "lease"): 2,
        ("master",): 2,
        ("worker", "cpus"): 3,
        ("worker",): 3,
        ("worker", "x y"): 4,
        ("t",): 5,
    }


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
VALUES = st.sampled_from(["1", "true", '"text # = ["', "[1,\n 2]", "'[x]'", '"""\na = 1\n"""'])
NOISE = st.sampled_from(["", "# [x]", "  # y = 1"])


@settings(deadline=None)  # other work on the machine says nothing about this code
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4), NOISE)
def test_every_key_is_found_where_it_stands(tables: dict[str, dict[str, str]], noise: str) -> None:
    written: dict[tuple[str, ...], int] = {}
    text = ""
    for table, keys in tables.items():
        text += f"{noise}\n[{table}]\n"
        written[table,] = text.count("\n")
        for key, value in keys.items():
            text += f"{key} = {value}\n"
            written[table, key] = text.count("\n") - value.count("\n")
    tomllib.loads(text)
    assert find_lines(text) == written


def test_a_hostile_line_takes_no_time() -> None:
    started = time.process_time()
    assert find_lines("a" * 100_000 + "\n" + "a." * 50_000) == {}
    assert time.process_time() - started < 1

"""Changing one value of a TOML text and nothing else."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concurrent_framework.config.edit import Value, set_value
from concurrent_framework.model.errors import UsageError

TEXT = """\
# top

[master]  # the master
lease = 5  # seconds
labels = [  # some
  "a",
  "b",  # two
]
name = 'x # y'

[worker]
cpus = 2
"""


@pytest.mark.parametrize(
    ("section", "key", "value", "before", "after"),
    [
        ("master", "lease", 8, "lease = 5  # seconds", "lease = 8  # seconds"),
        ("master", "lease", 0.5, "lease = 5  # seconds", "lease = 0.5  # seconds"),
        ("master", "name", 'a "b"', "name = 'x # y'", 'name = "a \\"b\\""'),
        ("worker", "cpus", True, "cpus = 2", "cpus = true"),
        ("worker", "new", "n", "[worker]\n", '[worker]\nnew = "n"\n'),
        ("worker", "a:b c", False, "[worker]\n", '[worker]\n"a:b c" = false\n'),
        ("components", "x", "disabled", "cpus = 2\n", 'cpus = 2\n\n[components]\nx = "disabled"\n'),
        (
            "master",
            "labels",
            "none",
            'labels = [  # some\n  "a",\n  "b",  # two\n]',
            'labels = "none"',
        ),
    ],
)
def test_only_one_value_changes(
    section: str, key: str, value: Value, before: str, after: str
) -> None:
    assert set_value(TEXT, section, key, value) == TEXT.replace(before, after)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", '[environment]\napp = "x"\n'),
        ("[environment]", '[environment]\napp = "x"\n'),
        ("environment.app = 'y'", 'environment.app = "x"\n'),
        ("environment.name = 'y'", "environment.name = 'y'\nenvironment.app = \"x\"\n"),
        ('[environment]\napp = """\na = 1\n"""\n', '[environment]\napp = "x"\n'),
        ('[environment]\r\napp = "y"\r\n', '[environment]\napp = "x"\n'),
    ],
)
def test_any_form_of_the_section_will_do(text: str, wanted: str) -> None:
    assert set_value(text, "environment", "app", "x") == wanted


@pytest.mark.parametrize(
    "text", ["environment = {app = 'y'}", "environment = 3", "[[environment]]\napp = 'y'"]
)
def test_what_only_a_person_should_change_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"cannot change environment.app .* set it by hand"):
        set_value(text, "environment", "app", "x")


def test_broken_toml_is_told() -> None:
    with pytest.raises(UsageError, match="this is no valid TOML: Expected"):
        set_value("[master", "master", "lease", 1)


KEYS = st.from_regex(r"[a-c]", fullmatch=True)
VALUES = st.one_of(st.booleans(), st.integers(), st.text(max_size=4))


@settings(deadline=None)  # other work on the machine says nothing about this code
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, st.integers())), KEYS, KEYS, VALUES)
def test_the_result_means_what_was_wanted(
    tables: dict[str, dict[str, int]], section: str, key: str, value: Value
) -> None:
    text = "".join(
        f"[{name}]\n" + "".join(f"{one} = {number}\n" for one, number in table.items())
        for name, table in tables.items()
    )
    changed = tomllib.loads(set_value(text, section, key, value))
    tables.setdefault(section, {})[key] = value  # type: ignore[assignment]
    assert changed == tables

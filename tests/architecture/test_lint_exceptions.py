"""Everything is linted, and each exception says why."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, short, source_files

CODE_LINE = re.compile(r'^\s*"(?P<code>[A-Z]+\d*)",?(?P<rest>.*)$')
NOQA = re.compile(r"#\s*noqa:\s*(?P<codes>[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)(?P<reason>.*)")


def test_each_ignored_rule_of_ruff_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text[text.index("[tool.ruff.lint]") :]
    bare = [
        line.strip()
        for line in section.splitlines()
        if (found := CODE_LINE.match(line)) and not found["rest"].strip().startswith("#")
    ]
    assert 'select = ["ALL"]' in section
    assert not bare, f"say why these are ignored: {bare}"


def test_each_noqa_is_explained_where_its_code_first_appears() -> None:
    wrong = []
    for path in source_files():
        explained: set[str] = set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if "noqa" not in line:
                continue
            found = NOQA.search(line)
            if found is None:
                wrong.append(f"{short(path)}:{number} a noqa names the rule it silences")
                continue
            codes = set(re.split(r"\s*,\s*", found["codes"]))
            if found["reason"].strip(" ()#:-"):
                explained |= codes
            elif not codes <= explained:
                wrong.append(f"{short(path)}:{number} say why: # noqa: CODE (reason)")
    assert not wrong, "\n".join(wrong)

"""Words of a command line, read without any library: for what must start at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Words(NamedTuple):
    """What was typed.

    Args:
        places: words that are no options, in order.
        values: what options with a value were given, in order, by what the caller calls them.
        flags: options without a value that were given.
        rest: what follows ``--``.

    """

    places: list[str]
    values: dict[str, list[str]]
    flags: set[str]
    rest: Sequence[str]

    def last(self, name: str) -> str:
        """Return the value of an option that counts once; empty if it was not given."""
        return self.values.get(name, [""])[-1]


def read(words: Sequence[str], valued: Mapping[str, str], flags: Mapping[str, str]) -> Words | None:
    """Read words; None if one of them is no option of these, or lacks its value.

    Args:
        words: what follows the command.
        valued: options with a value, as they are typed, and what the caller calls them.
        flags: those without.

    Example:
        >>> read(["-n", "lab", "--set=a.b=1"], {"-n": "name", "--set": "set"}, {}).values
        {'name': ['lab'], 'set': ['a.b=1']}
        >>> read(["--nmae", "lab"], {"--name": "name"}, {}) is None
        True

    """
    found = Words([], {}, set(), ())
    left = list(words)
    while left:
        word = left.pop(0)
        if word == "--":
            return found._replace(rest=left)
        name, equals, value = word.partition("=")
        if name in valued and (name.startswith("--") or not equals):
            if not equals:
                if not left:
                    return None
                value = left.pop(0)
            found.values.setdefault(valued[name], []).append(value)
        elif word in flags:
            found.flags.add(flags[word])
        elif word.startswith("-"):
            return None
        else:
            found.places.append(word)
    return found


def is_count(text: str) -> bool:
    """Whether a text is a whole number from 1 on."""
    return text.isdecimal() and int(text) > 0

"""Lets the reference show our ``Example:`` blocks as code; griffe knows only ``Examples:``."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)Example:$", re.MULTILINE)


class ExampleSections(griffe.Extension):
    """Renames the section before the docstring is read."""

    def on_object(self, *, obj: griffe.Object, **_kwargs: Any) -> None:
        """Rename it in one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(r"\1Examples:", obj.docstring.value)

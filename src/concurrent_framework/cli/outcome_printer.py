"""The application that stands in for one that was detached when no other is named."""

from __future__ import annotations

from concurrent_framework.application.node import ApplicationNode
from concurrent_framework.components import IApp, implements


class OutcomePrinter(ApplicationNode):
    """Shows each outcome that is left, and ends when nothing is."""

    implements(IApp)

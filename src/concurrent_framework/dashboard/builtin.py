"""The pages that come with Concurrent. What they show is imported when somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.components import Component, implements
from concurrent_framework.dashboard.page import IDashboardPage

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View


class OverviewPage(Component):
    """Throughput, queue, utilisation and errors at a glance."""

    implements(IDashboardPage)
    name = "page-overview"
    title, path, icon, order = "Overview", "/", "insights", 10
    needs = "cluster.status"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.overview import build

        build(view)


class ApplicationsPage(Component):
    """All applications with their progress."""

    implements(IDashboardPage)
    name = "page-applications"
    title, path, icon, order = "Applications", "/applications", "apps", 20
    needs = "applications.list"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.applications import build

        await build(view)


class ApplicationPage(Component):
    """One application and its tasks."""

    implements(IDashboardPage)
    name = "page-application"
    title, path, icon, order = "Application", "/applications/{application}", "apps", 21
    needs = "applications.list"
    listed = False

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.application import build

        await build(view)


class NodesPage(Component):
    """The workers."""

    implements(IDashboardPage)
    name = "page-nodes"
    title, path, icon, order = "Nodes", "/nodes", "dns", 30
    needs = "nodes.list"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.nodes import build

        await build(view)


class StreamPage(Component):
    """What ran where and when."""

    implements(IDashboardPage)
    name = "page-stream"
    title, path, icon, order = "Task stream", "/stream", "view_timeline", 40
    needs = "events.list"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.stream import build

        build(view)


class FailuresPage(Component):
    """Tasks that failed, with traceback and death certificate."""

    implements(IDashboardPage)
    name = "page-failures"
    title, path, icon, order = "Failures", "/failures", "report", 50
    needs = "failures.list"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.failures import build

        await build(view)


class StatisticsPage(Component):
    """What the node measures of its own work."""

    implements(IDashboardPage)
    name = "page-statistics"
    title, path, icon, order = "Statistics", "/statistics", "query_stats", 60
    needs = "statistics.get"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.statistics import build

        await build(view)


class ConfigurationPage(Component):
    """Options and plug-ins."""

    implements(IDashboardPage)
    name = "page-configuration"
    title, path, icon, order = "Configuration", "/configuration", "tune", 70
    needs = "configuration.get"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.configuration import build

        await build(view)


class ExplorerPage(Component):
    """Every API method, to read about and to call."""

    implements(IDashboardPage)
    name = "page-explorer"
    title, path, icon, order = "API", "/api", "terminal", 80
    needs = "rpc.discover"

    async def build(self, view: View) -> None:
        """Build it."""
        from concurrent_framework.dashboard.pages.explorer import build

        build(view)

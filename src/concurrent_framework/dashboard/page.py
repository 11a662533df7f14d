"""What a page of the dashboard is, so that plug-ins can add theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.components import Interface

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View


class IDashboardPage(Interface):
    """A component that is a page of the dashboard.

    Its module is imported by every node, and `build` is called only in the dashboard's process: it
    imports NiceGUI in there. A page knows the cluster by its view alone, a client of the API.

    Attributes:
        title: what it is called in the navigation and the window's title.
        path: where it is, as in ``/laboratory``; ``{names}`` in it are found in ``view.parameters``.
        icon: the name of a Material icon.
        order: where it stands in the navigation; those that come with Concurrent are at 10, 20, …
        needs: an API method without which the node does not have the page.
        listed: whether the navigation shows it.

    Example:
        >>> from concurrent_framework.components import Component, implements
        >>> class Laboratory(Component):
        ...     implements(IDashboardPage)
        ...     title, path, icon = "Laboratory", "/laboratory", "science"
        ...     async def build(self, view: View) -> None:
        ...         from nicegui import ui
        ...         shown = ui.label()
        ...         async def renew() -> None:
        ...             shown.text = f"{await view.ask('laboratory.temperature')} degrees"
        ...         view.on_look(renew)

    """

    title: str
    path: str
    icon: str
    order: int = 100
    needs: str = ""
    listed: bool = True

    async def build(self, view: View) -> None:
        """Put the page's elements where the view's content is; called for each visit.

        Args:
            view: what the visitor sees: the cluster, and what he may do with it.

        """

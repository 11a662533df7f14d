"""The few elements that pages are made of."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from nicegui import ui

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

NONE = "\N{EN DASH}"
"""Stands where there is no value."""
FEWEST = 10
"""Rows of the smallest page: a table with no more needs no pages."""
OF = (
    "(first, last, total) => first.toLocaleString('en') + '\N{EN DASH}' + last.toLocaleString('en') "
    "+ ' of ' + total.toLocaleString('en')"
)
STATE_KINDS = {
    "running": "good",
    "present": "good",
    "enabled": "good",
    "active": "good",
    "assigned": "good",
    "finished": "good",
    "away": "warn",
    "paused": "warn",
    "draining": "warn",
    "drained": "warn",
    "silent": "warn",
    "on trial": "warn",
    "cancelling": "warn",
    "failed": "bad",
    "quarantined": "bad",
}


@contextmanager
def head(title: str) -> Iterator[ui.label]:
    """Make the head of a page and give its title; what is made in the block stands at its right."""
    with ui.element("div").classes("head"):
        with ui.element("h1"):
            shown = ui.label(title)
        ui.element("span").classes("spring")
        yield shown


@contextmanager
def card(title: str = "", *, flush: bool = False) -> Iterator[ui.element]:
    """Make a card; gives its title bar, for what stands beside the title."""
    with ui.element("section").classes("card flush" if flush else "card") as made:
        bar = ui.element("div").classes("titlebar")
        if title:
            made.props(f'aria-label="{escape(title)}"')
            with bar:
                ui.label(title).classes("title")
                ui.element("span").classes("spring")
        else:
            bar.set_visibility(False)
        yield bar


class Tile:
    """One figure with its name and a note.

    Args:
        label: what it is.
        meant: more about it, for who points at it.

    """

    def __init__(self, label: str, meant: str = "") -> None:
        mark = label.lower().replace(" ", "-")
        title = f' title="{meant}"' if meant else ""
        with ui.element("div").classes("tile").props(f'data-tile="{mark}"{title}'):
            ui.label(label).classes("label")
            self._value = ui.label(NONE).classes("value")
            self._note = ui.label().classes("note")

    def show(self, value: str, note: str = "", kind: str = "") -> None:
        """Show a value."""
        self._value.text = value
        self._value.classes(replace=f"value {kind}")
        self._note.text = note


def pill(text: str, kind: str = "") -> ui.label:
    """Show a state in a word."""
    return ui.label(text).classes(f"pill {kind or STATE_KINDS.get(text, 'quiet')}")


def empty(icon: str, title: str, hint: str = "", command: str = "") -> None:
    """Say that there is nothing, why, and what would change that."""
    with ui.element("div").classes("empty"):
        ui.icon(icon).props('aria-hidden="true"')
        ui.label(title).classes("strong")
        if hint:
            ui.label(hint)
        if command:
            ui.label(command).classes("command mono")


def tool(text: str, icon: str, on_click: Callable[..., Any], *, danger: bool = False) -> ui.button:
    """Make a button of the page's."""
    button = ui.button(text, icon=icon, on_click=on_click)
    return button.props("flat no-caps color=none").classes("tool danger" if danger else "tool")


async def confirmed(question: str, detail: str, yes: str) -> bool:
    """Ask the visitor whether he means it."""
    with ui.dialog() as dialog, ui.element("div").classes("ask"):
        ui.label(question).classes("strong")
        ui.label(detail).classes("muted")
        with ui.element("div").classes("buttons"):
            tool("Not now", "close", lambda: dialog.submit(result=False)).props("autofocus")
            tool(yes, "check", lambda: dialog.submit(result=True), danger=True)
    answer = await dialog
    dialog.delete()
    return bool(answer)


def column(
    name: str,
    label: str,
    *,
    number: bool = False,
    wide: bool = False,
    widest: bool = False,
    prose: bool = False,
    sort: bool = False,
) -> dict[str, Any]:
    """Describe a column of a table.

    Args:
        name: the key of its values in a row.
        label: its heading.
        number: whether it stands at the right, as buttons do.
        wide: whether a narrow window does without it.
        widest: whether all but a wide window do without it.
        prose: whether its text may take several lines.
        sort: whether it can be sorted by.

    """
    kinds = {"num": number, "wide": wide, "widest": widest, "prose": prose}
    classes = " ".join(name for name, on in kinds.items() if on)
    return {
        "name": name,
        "label": label,
        "field": name,
        "align": "right" if number else "left",
        "sortable": sort,
        "classes": classes,
        "headerClasses": classes,
    }


LINKED = (
    '<q-td :props="props"><a class="plain" :href="props.row.href">{{ props.value }}</a>'
    '<div class="narrow muted small">{{ props.row.state }}</div></q-td>'
)
"""A cell that leads to the row's `href`; in a narrow window with its state."""
NAMED = (
    '<q-td :props="props"><div class="strong">{{ props.value }}</div>'
    '<div class="muted small wide">{{ props.row.under }}</div></q-td>'
)
"""A name with what stands `under` it."""
PILL = (
    "<q-td :props=\"props\"><span :class=\"'pill ' + (props.row.kind || 'quiet')\">"
    "{{ props.value }}</span></q-td>"
)
"""A state, in the colour of the row's `kind`."""
METER = (
    '<q-td :props="props"><div style="display:flex;gap:10px;align-items:center">'
    '<div class="meter" role="progressbar" :aria-valuenow="props.row.percent">'
    "<i :style=\"{width: props.row.percent + '%'}\"></i></div>"
    '<span class="small muted" style="min-width:38px;text-align:right">{{ props.value }}</span>'
    "</div></q-td>"
)
"""A share of the row's `percent`."""
SPARK = (
    '<q-td :props="props"><svg viewBox="0 0 60 20" width="84" height="24" role="img" '
    ':aria-label="props.row.spark_label" preserveAspectRatio="none"><path :d="props.value" '
    'fill="var(--accent-soft)" stroke="var(--accent)" stroke-width="1.2" '
    'vector-effect="non-scaling-stroke"/></svg></q-td>'
)
"""A curve, whose path is the value."""
ACTIONS = (
    '<q-td :props="props"><q-btn v-for="one in props.row.actions" flat dense no-caps '
    ":class=\"'act' + (one.danger ? ' danger' : '')\" :label=\"one.label\" "
    ":aria-label=\"one.label + ' ' + props.row.called\" "
    "@click=\"$parent.$emit('act', {verb: one.verb, about: props.row.about})\"/></q-td>"
)
"""Buttons for the row's `actions`, each with `verb`, `label` and `danger`, on what it is `about`.

For those who cannot see, that is `called` something.
"""
COUNTED = (
    "<q-td :props=\"props\"><span :class=\"props.row.alarm ? 'bad strong' : ''\">"
    "{{ props.value }}</span></q-td>"
)
"""A number that is bad if the row has an `alarm`."""
PROSE = '<q-td :props="props"><span v-html="props.value"></span></q-td>'
"""Text made by `prose`."""
MONO = '<q-td :props="props"><span class="mono">{{ props.value }}</span></q-td>'


def spark(values: Sequence[float], highest: float = 0.0) -> str:
    """Return the path of a curve over 60 columns and 20 rows; the newest value is at its right.

    Args:
        values: what it shows.
        highest: the value at its top; the largest of them if 0.

    """
    top = highest or max(values, default=0.0) or 1.0
    first = 60 - len(values)
    points = [f"{first + index} {20 - 19 * one / top:.1f}" for index, one in enumerate(values)]
    return f"M{first} 20 L{' L'.join(points)} L59 20" if points else ""


def prose(text: str) -> str:
    """Return a text of ours as HTML: what stands in backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{one}</code>" if n % 2 else one for n, one in enumerate(parts))


class Paged:
    """A table that gets a page at a time, so that millions of rows cost what twenty do.

    Args:
        columns: made with `column`.
        fetch: returns how many rows there are and those from an offset on; it is given offset,
            limit, the column to sort by (empty for none) and whether that is descending.
        key: the column that names a row.
        cells: templates for the cells of columns, by name.
        nothing: shown in place of an empty table.
        size: rows on a page.

    """

    def __init__(
        self,
        columns: list[dict[str, Any]],
        fetch: Callable[[int, int, str, bool], Awaitable[tuple[int, list[dict[str, Any]]]]],
        key: str,
        *,
        cells: dict[str, str] | None = None,
        nothing: Callable[[], None] | None = None,
        size: int = 20,
    ) -> None:
        self._fetch = fetch
        self._nothing = ui.element("div")
        if nothing is not None:
            with self._nothing:
                nothing()
        self.table = ui.table(
            columns=columns,
            rows=[],
            row_key=key,
            pagination={"page": 1, "rowsPerPage": size, "rowsNumber": 0},
        )
        self.table.props('flat :rows-per-page-options="[10,20,50,100]" binary-state-sort')
        self.table.props(f'rows-per-page-label="Rows" :pagination-label="{OF}"')
        for name, template in (cells or {}).items():
            self.table.add_slot(f"body-cell-{name}", template)
        self.table.on("request", self._asked)
        self._show_empty(is_empty=True)

    async def renew(self) -> None:
        """Get the present page again."""
        wanted = self.table.pagination
        size = wanted.get("rowsPerPage") or 100
        page = max(1, wanted.get("page", 1))
        order, down = wanted.get("sortBy") or "", bool(wanted.get("descending"))
        total, rows = await self._fetch((page - 1) * size, size, order, down)
        last = max(1, -(-total // size))
        if page > last:
            page = last
            total, rows = await self._fetch((page - 1) * size, size, order, down)
        self.table.rows = rows
        self.table.pagination = {**wanted, "page": page, "rowsPerPage": size, "rowsNumber": total}
        self.table.props("hide-bottom") if total <= FEWEST else self.table.props(
            remove="hide-bottom"
        )
        self._show_empty(is_empty=not total)

    async def first(self) -> None:
        """Go to the first page, because what is wanted has changed."""
        self.table.pagination = {**self.table.pagination, "page": 1}
        await self.renew()

    async def _asked(self, event: Any) -> None:
        wanted = event.args["pagination"]
        self.table.pagination = {**self.table.pagination, **wanted}
        await self.renew()

    def _show_empty(self, *, is_empty: bool) -> None:
        self._nothing.set_visibility(is_empty)
        self.table.set_visibility(not is_empty)


def page_of(
    rows: list[dict[str, Any]], offset: int, limit: int, order: str, *, down: bool
) -> tuple[int, list[dict[str, Any]]]:
    """Return one page of rows that are all there, sorted by what `order` names."""
    if order:
        rows = sorted(rows, key=lambda one: one[order], reverse=down)
    return len(rows), rows[offset : offset + limit]

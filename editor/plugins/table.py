"""The table of the plugin browser: rows on a drawlist, of which only those that are seen are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor.draw import Pen, fitted
from editor.plugins.rows import Row
from editor.pointer import Grip, Touch
from editor.theme import Colour, Theme, alpha, mix

if TYPE_CHECKING:
    from editor.app import App

ROW, HEAD = 30, 26
MARGIN = 240


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its share of the width, and whether its text stands at the right."""

    id: str
    title: str
    share: float
    right: bool = False


COLUMNS = (
    Column("title", "Plugin", 0.25),
    Column("vendor", "Maker", 0.18),
    Column("use", "Use", 0.13),
    Column("ports", "In › out", 0.19),
    Column("latency", "Latency", 0.10, right=True),
    Column("verdict", "Verdict", 0.15),
)


def verdict_colour(verdict: str, theme: Theme) -> Colour:
    """What a verdict is coloured."""
    return {"good": theme.good, "not a plugin": theme.faint, "failed": theme.warn, "unfinished": theme.warn}.get(
        verdict, theme.bad
    )


class Table:
    """Rows that are chosen by a click. ``chosen`` hears of it, ``taken`` of a double click, ``sorted`` of the column
    that was clicked.
    """

    def __init__(
        self,
        app: App,
        parent: int | str,
        tag: str,
        size: tuple[int, int],
        chosen: Callable[[int], object],
        taken: Callable[[int], object],
        by: Callable[[str], object],
    ) -> None:
        self.app, self.tag = app, tag
        self.width, self.height = size
        self.chosen, self.taken, self.by = chosen, taken, by
        self.rows: Sequence[Row] = ()
        self.at = 0
        self.over = -1
        self.stars: frozenset[str] = frozenset()
        self.order: tuple[str, bool] = ("title", False)
        self._key: object = None
        px = app.look.px
        dpg.add_drawlist(self.width, px(HEAD), tag=f"{tag}:head", parent=parent)
        with dpg.child_window(tag=f"{tag}:scroll", parent=parent, width=self.width, height=self.height, border=False):
            dpg.add_drawlist(self.width - px(12), 10, tag=f"{tag}:rows")
        dpg.bind_item_theme(f"{tag}:scroll", "theme:strip")
        app.pointer.claim(f"{tag}:head", _HeadGrip(self))
        app.pointer.claim(f"{tag}:rows", _RowsGrip(self))

    def show(self, rows: Sequence[Row], at: int) -> None:
        """List these, one of them chosen."""
        self.rows, self.at = rows, at
        self.draw()

    def reveal(self) -> None:
        """Bring the chosen row into view."""
        row = self.app.look.px(ROW)
        top = dpg.get_y_scroll(f"{self.tag}:scroll")
        y = self.at * row
        if y < top:
            dpg.set_y_scroll(f"{self.tag}:scroll", y)
        elif y + row > top + self.height:
            dpg.set_y_scroll(f"{self.tag}:scroll", y + row - self.height)

    def edges(self) -> list[tuple[Column, float, float]]:
        """Where each column begins and ends."""
        found: list[tuple[Column, float, float]] = []
        x, room = 0.0, self.width - self.app.look.px(14)
        for column in COLUMNS:
            found.append((column, x, x + room * column.share))
            x += room * column.share
        return found

    def draw(self) -> None:
        """Draw what is seen, where that differs from what is drawn."""
        px, theme = self.app.look.px, self.app.look.theme
        top = dpg.get_y_scroll(f"{self.tag}:scroll") // (MARGIN / 2)
        key = (id(self.rows), self.at, self.over, top, id(self.app.look), self.stars, self.order)
        if key == self._key:
            return
        self._key = key
        self._head()
        dpg.delete_item(f"{self.tag}:rows", children_only=True)
        pen, row = Pen(f"{self.tag}:rows", self.app.look), px(ROW)
        seen = top * MARGIN / 2 - MARGIN, top * MARGIN / 2 + self.height + 2 * MARGIN
        for k, each in enumerate(self.rows):
            if seen[0] <= k * row <= seen[1]:
                self._row(pen, k, each, k * row)
        if not self.rows:
            pen.words((px(12), px(14)), "There is nothing like this.", theme.faint)
        dpg.configure_item(f"{self.tag}:rows", height=max(len(self.rows) * row, px(60)))

    def _head(self) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item(f"{self.tag}:head", children_only=True)
        pen = Pen(f"{self.tag}:head", self.app.look)
        for column, a, b in self.edges():
            on = self.order[0] == column.id
            ink = theme.text if on else theme.dim
            at = (b - px(10), px(5)) if column.right else (a + px(12), px(5))
            pen.words(at, column.title, ink, "small", px(12), "right" if column.right else "left")
            if on:
                x = b - px(2) if column.right else b - px(10)
                pen.icon((x, px(12)), "up" if not self.order[1] else "down", theme.accent, px(8))
        pen.line((0, px(HEAD) - 1), (self.width, px(HEAD) - 1), theme.line)

    def _row(self, pen: Pen, k: int, row: Row, y: float) -> None:
        px, theme, high = self.app.look.px, self.app.look.theme, self.app.look.px(ROW)
        right = self.width - px(14)
        if k == self.at:
            pen.box((0, y + 1), (right, y + high - 1), fill=alpha(theme.accent, 0.16), radius=px(5))
            pen.box((0, y + px(6)), (px(3), y + high - px(6)), fill=theme.accent, radius=1)
        elif k == self.over:
            pen.box((0, y + 1), (right, y + high - 1), fill=alpha(theme.lifted, 0.6), radius=px(5))
        ink = theme.text if row.good else mix(theme.text, theme.dim, 0.5)
        latency = "" if not row.good else f"{row.reported:,}".replace(",", " ")
        edges = self.edges()
        if not row.good and row.reason:
            left, end = edges[1][1] + px(12), edges[-1][1]
            words = fitted(row.reason, end - left - px(12), "small", px(12))
            pen.words((left, y + px(7.5)), words, theme.faint, "small", px(12))
        cells = (row.title, row.vendor, row.use, f"{row.inputs} › {row.outputs}" if row.good else "", latency)
        for (column, a, b), text in zip(edges, (*cells, row.verdict), strict=True):
            room = b - a - px(18)
            match column.id:
                case "title":
                    if row.item in self.stars:
                        pen.icon((b - px(12), y + high / 2), "star", theme.warn, px(11))
                        room -= px(14)
                    pen.words((a + px(12), y + px(6)), fitted(text, room, "medium", px(14)), ink, "medium", px(14))
                case "latency":
                    if row.measured and not row.agrees:
                        text = f"{text}  /  {row.measured}"
                        pen.words((b - px(10), y + px(6.5)), text, theme.warn, "mono", px(13), "right")
                    else:
                        pen.words((b - px(10), y + px(6.5)), text, theme.dim, "mono", px(13), "right")
                        if row.measured:
                            pen.icon((b - px(2), y + high / 2), "check", theme.good, px(8))
                case "verdict":
                    colour = verdict_colour(row.verdict, theme)
                    pen.dot((a + px(18), y + high / 2), px(4), colour)
                    word = text if row.file.present else "not there"
                    word = fitted(word[:1].upper() + word[1:], room - px(16), "body", px(13))
                    pen.words((a + px(29), y + px(6.5)), word, mix(colour, theme.text, 0.45), "body", px(13))
                case _:
                    pen.words((a + px(12), y + px(6.5)), fitted(text, room, "body", px(13)), theme.dim, "body", px(13))

    def row_at(self, y: float) -> int:
        """The row at a height; −1 where there is none."""
        found = int(y // self.app.look.px(ROW))
        return found if 0 <= found < len(self.rows) else -1

    def place(self, id: str) -> tuple[float, float, float, float] | None:
        """Where a row is on the window."""
        k = next((k for k, row in enumerate(self.rows) if row.id == id or row.title == id), None)
        if k is None:
            return None
        x, y = dpg.get_item_rect_min(f"{self.tag}:rows")
        high = self.app.look.px(ROW)
        return float(x), float(y + k * high), float(self.width * 0.25), float(high)

    def free(self) -> None:
        """It is there no more."""
        for part in ("head", "rows"):
            self.app.pointer.free(f"{self.tag}:{part}")


class _RowsGrip(Grip):
    def __init__(self, table: Table) -> None:
        self.table = table

    def hover(self, touch: Touch) -> None:
        self.table.over = self.table.row_at(touch.at[1])
        self.table.draw()

    def leave(self) -> None:
        self.table.over = -1
        self.table.draw()

    def press(self, touch: Touch) -> bool:
        at = self.table.row_at(touch.at[1])
        if at >= 0 and touch.button == 0:
            self.table.chosen(at)
        return False

    def double(self, touch: Touch) -> None:
        at = self.table.row_at(touch.at[1])
        if at >= 0:
            self.table.taken(at)


class _HeadGrip(Grip):
    def __init__(self, table: Table) -> None:
        self.table = table

    def press(self, touch: Touch) -> bool:
        for column, a, b in self.table.edges():
            if a <= touch.at[0] < b:
                self.table.by(column.id)
        return False

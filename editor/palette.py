"""Everything there is to add: kinds by family, plugins by maker or purpose; to be searched, and put onto the canvas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.adding import add_item
from editor.draw import Pen, fitted
from editor.model import Changes
from editor.panel import Panel
from editor.pointer import Grip, Touch
from editor.stock import Item, fitting
from editor.theme import alpha, mix
from host.devices.stored import settings_folder

if TYPE_CHECKING:
    from editor.canvas.panel import Canvas
    from editor.plugins.panel import Plugins

ROW, HEAD = 25, 28
MOST_RECENT = 8
MOST_KEPT = 200
MOST_OPEN = 60
"""With more plugins than this their groups are shut until they are opened."""
MARGIN = 300
"""How far beyond what is seen rows are drawn, in pixels."""
ORDER = ("input", "output", "mix", "dynamics", "tone", "space", "time", "control", "analysis", "utility")
OWN = ("favourites", "recent")
TITLES = {"group": "My blocks"}
"""What families are called, where not by their name."""
SHOWS = {"all": "All", "nodes": "Nodes", "plugins": "Plugins"}


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a head. ``id`` is what is remembered of it."""

    id: str
    title: str
    items: tuple[Item, ...]


def grouped(items: list[Item], by: str) -> list[Group]:
    """Kinds by family in the order of work, then plugins by ``vendor`` or ``category``, by name."""
    families: dict[str, list[Item]] = {}
    makers: dict[str, list[Item]] = {}
    for item in items:
        if item.is_plugin:
            makers.setdefault(item.vendor if by == "vendor" else item.category, []).append(item)
        else:
            families.setdefault(item.family, []).append(item)
    order = sorted(families.items(), key=lambda f: ORDER.index(f[0]) if f[0] in ORDER else len(ORDER))
    found = [Group(family, TITLES.get(family, family), tuple(own)) for family, own in order]
    return found + [
        Group(f"plugins/{name}", name, tuple(own))
        for name, own in sorted(makers.items(), key=lambda pair: pair[0].casefold())
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A head, or something to add, at a height."""

    top: float
    group: Group
    item: Item | None = None


class Palette(Panel):
    """Groups of what is in stock, drawn on one drawlist; favourites and the newest used first."""

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        if not hasattr(self, "favourites"):
            self.favourites: list[str] = []
            self.recent: list[str] = []
            self.turned: set[str] = set()
            """Groups that are shut though they would be open, or open though they would be shut."""
            self.show, self.by = "all", "vendor"
            self._read()
        self.typed = ""
        self.over = ""
        self.lines: list[Line] = []
        self._count = -1
        self._groups: tuple[object, list[Group]] = (None, [])
        dpg.add_input_text(
            hint="Search nodes and plugins", width=-1, parent=parent, tag="palette:search",
            callback=lambda _, v: self._search(v),
        )  # fmt: skip
        with dpg.group(horizontal=True, parent=parent, horizontal_spacing=px(4)):
            for name, label in SHOWS.items():
                button = dpg.add_button(
                    label=label, tag=f"palette:show:{name}", user_data=name, small=False,
                    callback=lambda _, __, chosen: self._choose(show=chosen),
                )  # fmt: skip
                dpg.bind_item_font(button, fonts.font("small"))
            button = dpg.add_button(
                label="", tag="palette:by", callback=lambda: self._choose(by={"vendor": "category"}.get(self.by))
            )
            dpg.bind_item_font(button, fonts.font("small"))
            dpg.bind_item_theme(button, "theme:flat")
        with dpg.child_window(tag="palette:scroll", parent=parent, border=False, height=-px(34)):
            dpg.add_drawlist(10, 10, tag="palette")
        dpg.bind_item_theme("palette:scroll", "theme:strip")
        foot = dpg.add_button(
            label="", tag="palette:plugins", width=-1, parent=parent, callback=lambda: self._plugins.browse()
        )
        dpg.bind_item_font(foot, fonts.font("small"))
        self.app.pointer.claim("palette", _PaletteGrip(self))
        self._key: object = None
        self._show_choice()

    @property
    def _plugins(self) -> Plugins:
        return cast("Plugins", self.app.panels["plugins"])

    def sync(self, changes: Changes) -> None:
        if changes.added and not changes.everything:
            here = self.session.here.nodes()
            for id in sorted(changes.added):
                entry = here[id]
                uid, format = entry.settings.get("uid"), entry.settings.get("format", "vst3")
                name = f"{entry.kind}:{format}:{uid}" if uid else entry.kind
                if name in self.session.stock:
                    self.recent = [name, *[k for k in self.recent if k != name]][:MOST_RECENT]
            self._write()
        self.draw()

    def _search(self, typed: str) -> None:
        self.typed = typed
        dpg.set_y_scroll("palette:scroll", 0)
        self.draw()

    @property
    def searching(self) -> bool:
        """Whether something is searched with the keys."""
        return bool(self.typed.split()) and self.app.keyboard.is_in("palette:search")

    @property
    def first(self) -> str:
        """What a search found first; empty where there is none, or nothing is searched."""
        found = self.listed() if self.typed.split() else []
        return found[0].items[0].id if found else ""

    def take(self) -> None:
        """Put what was found first onto the canvas."""
        if self.first:
            canvas = cast("Canvas", self.app.panels["canvas"])
            add_item(canvas, self.first, canvas.free_place())

    def _choose(self, **fields: str | None) -> None:
        self.show, self.by = fields.get("show") or self.show, fields.get("by", self.by) or "vendor"
        self._write()
        self._show_choice()
        self.draw()

    def _show_choice(self) -> None:
        for name in SHOWS:
            dpg.bind_item_theme(f"palette:show:{name}", "theme:lit" if name == self.show else "theme:flat")
        dpg.configure_item("palette:by", label=f"by {'maker' if self.by == 'vendor' else 'use'}")

    # -- what is listed ------------------------------------------------------------------------------------------------

    def listed(self) -> list[Group]:
        """What is to be shown: groups with what is in them."""
        key = (*self.session.stock.count, self.typed, self.show, self.by, *self.favourites, "|", *self.recent)
        if key == self._groups[0]:
            return self._groups[1]
        stock = self.session.stock
        wanted = [i for i in stock.items() if self.show == "all" or i.is_plugin == (self.show == "plugins")]
        if self.typed.split():
            fits = fitting(wanted, self.typed)
            found = grouped(fits, self.by)
        else:
            there = {item.id for item in wanted}
            own = {"favourites": self.favourites, "recent": self.recent}
            lists = [Group(name, name, tuple(stock[k] for k in ids if k in there)) for name, ids in own.items()]
            found = [group for group in lists if group.items] + grouped(wanted, self.by)
        self._groups = key, found
        return found

    def is_open(self, group: Group) -> bool:
        """Whether the lines of a group are shown; while one searches, all are."""
        many = group.id.startswith("plugins/") and len(self.session.stock.plugins()) > MOST_OPEN
        return bool(self.typed.split()) or (group.id in self.turned) == many

    def turn(self, group: Group) -> None:
        """Shut a group, or open it."""
        self.turned ^= {group.id}
        self._write()
        self.draw()

    # -- how it looks --------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what is seen of the list, where it differs from what is drawn."""
        slot = self.app.slots.get("left")
        px = self.app.look.px
        width = (slot.width if slot else 220) - px(22)
        groups = self.listed()
        top = dpg.get_y_scroll("palette:scroll") // (MARGIN / 2)
        tall = dpg.get_item_rect_size("palette:scroll")[1]
        shut = tuple(g.id for g in groups if not self.is_open(g))
        key = (id(groups), width, self.over, id(self.app.look), tuple(self.favourites), top, tall, shut)
        if key == self._key:
            return
        self._key = key
        self.lines = []
        y = 0.0
        for group in groups:
            self.lines.append(Line(y, group))
            y += px(HEAD)
            if group.id not in shut:
                for item in group.items:
                    self.lines.append(Line(y, group, item))
                    y += px(ROW)
        dpg.delete_item("palette", children_only=True)
        pen = Pen("palette", self.app.look)
        seen = top * MARGIN / 2 - MARGIN, top * MARGIN / 2 + max(tall, 100) + 2 * MARGIN
        for line in self.lines:
            if seen[0] <= line.top <= seen[1]:
                if line.item is None:
                    self._head(pen, line, width, line.group.id in shut)
                else:
                    self._row(pen, line.top, line.group, line.item, width)
        if not groups:
            pen.words((px(4), px(10)), self._nothing(), self.app.look.theme.faint)
            y = 40
        dpg.configure_item("palette", width=max(round(width), 10), height=round(y) + px(8))

    def _nothing(self) -> str:
        if self.show == "plugins" and not self.session.stock.plugins():
            return "No plugins are known yet."
        return "There is nothing like this."

    def _head(self, pen: Pen, line: Line, width: float, shut: bool) -> None:
        px, theme, group = self.app.look.px, self.app.look.theme, line.group
        plugins = group.id.startswith("plugins/")
        family = theme.hue("plugin") if plugins else theme.families.get(group.id, theme.dim)
        colour = theme.accent if group.id in OWN else family
        ink = mix(colour, theme.text, 0.25)
        x, y = px(4), line.top + px(9)
        if self.over == f"{group.id}/":
            ink = theme.text
        if plugins:
            pen.icon((x + px(5), y + px(7)), "plug", ink, px(10))
            x += px(16)
        title = fitted(group.title.upper(), width - x - px(34), "small", px(11))
        pen.words((x, y), title, ink, "small", px(11))
        count = str(len(group.items))
        pen.icon((width - px(13), y + px(6)), "caret-right" if shut else "caret-down", theme.faint, px(11))
        if shut:
            pen.words((width - px(24), y), count, theme.faint, "small", px(11), "right")

    def _row(self, pen: Pen, y: float, group: Group, item: Item, width: float) -> None:
        px, theme = self.app.look.px, self.app.look.theme
        over = self.over == f"{group.id}/{item.id}"
        if over:
            pen.box((0, y), (width, y + px(ROW)), fill=theme.lifted, radius=px(5))
            star = "star" if item.id in self.favourites else "star-empty"
            pen.icon((width - px(13), y + px(ROW) / 2), star, theme.warn, px(13))
        elif item.id == self.first:
            pen.box((0, y), (width, y + px(ROW)), fill=alpha(theme.accent, 0.18), radius=px(5))
        own = theme.hue(item.family)
        pen.box((px(6), y + px(7)), (px(9), y + px(ROW - 7)), fill=alpha(own, 0.95), radius=1)
        room = width - px(44)
        title = fitted(item.title, room, "body", px(14))
        pen.words((px(18), y + px(3.5)), title, theme.text, "body", px(14))
        left = room - fonts.width(title, "body", px(14)) - px(12)
        word = item.category if group.id != f"plugins/{item.category}" else ""
        if word and not over and fonts.width(word, "small", px(11)) < left + px(22):
            pen.words((width - px(8), y + px(6)), word, theme.faint, "small", px(11), "right")

    def at(self, y: float) -> Line | None:
        """The line at a height."""
        px = self.app.look.px
        return next((x for x in self.lines if x.top <= y < x.top + px(ROW if x.item else HEAD)), None)

    def frame(self, now: float, readings: Any) -> None:
        self.draw()
        count = len(self.session.stock.plugins())
        progress = self._plugins.work.progress
        words = f"{count} plugin{'' if count == 1 else 's'}…" if count else "Look for plugins…"
        if progress is not None:
            words = f"{progress.what}: {progress.done} of {progress.due}" if progress.due else f"{progress.what}…"
        if dpg.get_item_label("palette:plugins") != words:
            dpg.configure_item("palette:plugins", label=words)

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        name = what.removeprefix("palette:")
        if name == what or not dpg.does_item_exist("palette") or dpg.does_item_exist(what):
            return None
        line = next((x for x in self.lines if x.item and x.item.id == name and x.group.id not in OWN), None)
        if line is None:
            return None
        x, y = dpg.get_item_rect_min("palette")
        return x, y + line.top, 120.0, float(self.app.look.px(ROW))

    def landmarks(self) -> list[str]:
        return [f"palette:{line.item.id}" for line in self.lines if line.item and line.group.id not in OWN]

    # -- what is remembered --------------------------------------------------------------------------------------------

    def star(self, name: str) -> None:
        """Make something a favourite, or no longer."""
        without = [k for k in self.favourites if k != name]
        self.favourites = without if name in self.favourites else [*without, name]
        self._write()
        self.draw()

    def _read(self) -> None:
        try:
            raw = json.loads((settings_folder() / "palette.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # nothing has been remembered yet, or nothing that can be read
            return
        if isinstance(raw, dict):
            for field in ("favourites", "recent"):
                names = raw.get(field)
                if isinstance(names, list):
                    setattr(self, field, [n for n in names[:MOST_KEPT] if isinstance(n, str)])
            turned = raw.get("turned")
            if isinstance(turned, list):
                self.turned = {n for n in turned[:MOST_KEPT] if isinstance(n, str)}
            self.show = raw["show"] if raw.get("show") in SHOWS else self.show
            self.by = raw["by"] if raw.get("by") in ("vendor", "category") else self.by

    def _write(self) -> None:
        path = settings_folder() / "palette.json"
        kept = {"favourites": self.favourites, "recent": self.recent, "turned": sorted(self.turned)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**kept, "show": self.show, "by": self.by}), encoding="utf-8")


class _PaletteGrip(Grip):
    """Drags things onto the canvas."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._item = ""

    def hover(self, touch: Touch) -> None:
        line = self.palette.at(touch.at[1])
        self.palette.over = f"{line.group.id}/{line.item.id if line.item else ''}" if line else ""
        if line and line.item:
            self.palette.app.hint = line.item.detail
        self.palette.draw()

    def leave(self) -> None:
        self.palette.over = self.palette.app.hint = ""
        self.palette.draw()

    def press(self, touch: Touch) -> bool:
        line = self.palette.at(touch.at[1])
        self._item = ""
        if line is None or touch.button != 0:
            return False
        if line.item is None:
            self.palette.turn(line.group)
            return False
        width = dpg.get_item_configuration("palette")["width"]
        if touch.at[0] > width - self.palette.app.look.px(28):
            self.palette.star(line.item.id)
            return False
        self._item = line.item.id
        return True

    def drag(self, touch: Touch) -> None:
        canvas = cast("Canvas", self.palette.app.panels["canvas"])
        slot = self.palette.app.slots["centre"]
        inside = slot.holds(*touch.screen) and self._item in self.palette.session.stock
        canvas.carry(self._item if inside else "", (touch.screen[0] - slot.x, touch.screen[1] - slot.y))

    def release(self, touch: Touch) -> None:
        canvas = cast("Canvas", self.palette.app.panels["canvas"])
        slot = self.palette.app.slots["centre"]
        item, self._item = self._item, ""
        canvas.carry("", (0, 0))
        if slot.holds(*touch.screen) and item in self.palette.session.stock:  # a scan may take it away
            canvas.drop(item, (touch.screen[0] - slot.x, touch.screen[1] - slot.y))

    def double(self, touch: Touch) -> None:
        line = self.palette.at(touch.at[1])
        if line is not None and line.item is not None:
            canvas = cast("Canvas", self.palette.app.panels["canvas"])
            add_item(canvas, line.item.id, canvas.free_place())

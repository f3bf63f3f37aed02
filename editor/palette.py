"""Every kind there is, by family, to be searched and put onto the canvas: drag it there, or click it twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import dearpygui.dearpygui as dpg

from editor.canvas.adding import add_kind
from editor.draw import Pen, fitted
from editor.faces import family_of, spoken
from editor.model import Changes
from editor.panel import Panel
from editor.pointer import Grip, Touch
from editor.theme import alpha, mix
from host.devices.stored import settings_folder

if TYPE_CHECKING:
    from editor.canvas.panel import Canvas

ROW = 25
MOST_RECENT = 5
ORDER = ("input", "output", "mix", "dynamics", "tone", "space", "time", "control", "analysis", "utility")


class Palette(Panel):
    """A list of kinds in families, drawn on one drawlist; favourites and the newest used first."""

    def build(self, parent: int | str) -> None:
        px = self.app.look.px
        if not hasattr(self, "favourites"):
            self.favourites: list[str] = []
            self.recent: list[str] = []
            self._read()
        self.typed = ""
        self.over = ""
        self.rows: list[tuple[float, str, str]] = []
        """Top, what it is (head or kind), name."""
        dpg.add_input_text(
            hint="Search nodes", width=-1, parent=parent, tag="palette:search", callback=lambda _, v: self._search(v)
        )
        with dpg.child_window(tag="palette:scroll", parent=parent, border=False):
            dpg.add_drawlist(10, 10, tag="palette")
        dpg.bind_item_theme("palette:scroll", "theme:strip")
        self.app.pointer.claim("palette", _PaletteGrip(self))
        self._key: object = None
        self._gap = px(2)
        self.draw()

    def sync(self, changes: Changes) -> None:
        if changes.added:
            here = self.session.here.nodes()
            for id in sorted(changes.added):
                kind = here[id].kind
                if kind in self.session.kinds and not changes.everything:
                    self.recent = [kind, *[k for k in self.recent if k != kind]][:MOST_RECENT]
            self._write()
        self.draw()

    def _search(self, typed: str) -> None:
        self.typed = typed
        self.draw()

    def listed(self) -> list[tuple[str, list[str]]]:
        """What is to be shown: heads with their kinds."""
        words = self.typed.lower().split()
        kinds = self.session.kinds
        fits = {n: k for n, k in kinds.items() if all(w in f"{n} {spoken(n)} {k.summary()}".lower() for w in words)}
        families: dict[str, list[str]] = {}
        for name, kind in fits.items():
            families.setdefault(family_of(kind), []).append(name)
        rest = sorted(families.items(), key=lambda f: ORDER.index(f[0]) if f[0] in ORDER else len(ORDER))
        own = [
            ("favourites", [k for k in self.favourites if k in fits]),
            ("recent", [k for k in self.recent if k in fits]),
        ]
        return [(head, names) for head, names in [*(own if not words else []), *rest] if names]

    def draw(self) -> None:
        """Draw the list, where it differs from what is there."""
        slot = self.app.slots.get("left")
        width = (slot.width if slot else 220) - self.app.look.px(22)
        listed = self.listed()
        key = (str(listed), width, self.over, id(self.app.look), tuple(self.favourites))
        if key == self._key:
            return
        self._key = key
        px, theme = self.app.look.px, self.app.look.theme
        dpg.delete_item("palette", children_only=True)
        pen = Pen("palette", self.app.look)
        self.rows = []
        y = 0.0
        for head, names in listed:
            colour = theme.accent if head in ("favourites", "recent") else theme.families.get(head, theme.dim)
            y += px(8)
            pen.words((px(4), y), head.upper(), mix(colour, theme.text, 0.25), "small", 11 * self.app.look.scale)
            y += px(20)
            for name in names:
                self.rows.append((y, head, name))
                if self.over == f"{head}/{name}":
                    pen.box((0, y), (width, y + px(ROW)), fill=theme.lifted, radius=px(5))
                    star = "star" if name in self.favourites else "star-empty"
                    pen.icon((width - px(13), y + px(ROW) / 2), star, theme.warn, px(13))
                own = theme.family(family_of(self.session.kinds[name]))
                pen.box((px(6), y + px(7)), (px(9), y + px(ROW - 7)), fill=alpha(own, 0.95), radius=1)
                title = fitted(spoken(name), width - px(44), "body", 14 * self.app.look.scale)
                pen.words((px(18), y + px(3.5)), title, theme.text, "body", 14 * self.app.look.scale)
                y += px(ROW)
        if not listed:
            pen.words((px(4), px(10)), "There is no node like this.", theme.faint)
            y = 40
        dpg.configure_item("palette", width=max(round(width), 10), height=round(y) + px(8))

    def at(self, y: float) -> tuple[str, str] | None:
        """The line at a height: its head and its kind."""
        row = self.app.look.px(ROW)
        return next(((head, name) for top, head, name in self.rows if top <= y < top + row), None)

    def frame(self, now: float, readings: Any) -> None:
        self.draw()

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        if not what.startswith("palette:") or not dpg.does_item_exist("palette"):
            return None
        name = what.removeprefix("palette:")
        found = next(
            (top for top, head, kind in self.rows if kind == name and head not in ("favourites", "recent")), None
        )
        if found is None:
            return None
        x, y = dpg.get_item_rect_min("palette")
        return x, y + found, 120.0, float(self.app.look.px(ROW))

    def landmarks(self) -> list[str]:
        return [f"palette:{kind}" for _, head, kind in self.rows if head not in ("favourites", "recent")]

    # -- what is remembered --------------------------------------------------------------------------------------------

    def star(self, name: str) -> None:
        """Make a kind a favourite, or no longer."""
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
                    setattr(self, field, [n for n in names[:50] if isinstance(n, str) and n in self.session.kinds])

    def _write(self) -> None:
        path = settings_folder() / "palette.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"favourites": self.favourites, "recent": self.recent}), encoding="utf-8")


class _PaletteGrip(Grip):
    """Drags kinds onto the canvas."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._kind = ""

    def hover(self, touch: Touch) -> None:
        found = self.palette.at(touch.at[1])
        self.palette.over = "/".join(found) if found else ""
        if found:
            self.palette.app.hint = self.palette.session.kinds[found[1]].summary()
        self.palette.draw()

    def leave(self) -> None:
        self.palette.over = self.palette.app.hint = ""
        self.palette.draw()

    def press(self, touch: Touch) -> bool:
        found = self.palette.at(touch.at[1])
        self._kind = found[1] if found and touch.button == 0 else ""
        width = dpg.get_item_configuration("palette")["width"]
        if self._kind and touch.at[0] > width - self.palette.app.look.px(28):
            self.palette.star(self._kind)
            self._kind = ""
        return bool(self._kind)

    def drag(self, touch: Touch) -> None:
        canvas = cast("Canvas", self.palette.app.panels["canvas"])
        slot = self.palette.app.slots["centre"]
        inside = slot.holds(*touch.screen)
        canvas.carry(self._kind if inside else "", (touch.screen[0] - slot.x, touch.screen[1] - slot.y))

    def release(self, touch: Touch) -> None:
        canvas = cast("Canvas", self.palette.app.panels["canvas"])
        slot = self.palette.app.slots["centre"]
        if slot.holds(*touch.screen) and self._kind:
            canvas.drop(self._kind, (touch.screen[0] - slot.x, touch.screen[1] - slot.y))
        canvas.carry("", (0, 0))
        self._kind = ""

    def double(self, touch: Touch) -> None:
        found = self.palette.at(touch.at[1])
        if found:
            canvas = cast("Canvas", self.palette.app.panels["canvas"])
            add_kind(canvas, found[1], canvas.free_place())

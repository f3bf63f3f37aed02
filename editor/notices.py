"""What the program has to say: kept in a list, and shown for a while above the canvas."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from time import monotonic, strftime
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen, fitted
from editor.layout import Rect
from editor.link import Readings
from editor.model import Changes
from editor.panel import Panel
from editor.theme import Colour, Theme, mix

if TYPE_CHECKING:
    from editor.app import App

MOST = 500
SHOWN_S = {"info": 4.0, "good": 3.0, "warning": 8.0, "error": 12.0}
MOST_TOASTS = 4
ICON = {"info": "info", "good": "good", "warning": "warning", "error": "error"}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was said: ``level`` is info, good, warning or error."""

    level: str
    text: str
    clock: str
    until: float


class Notices:
    """All that was said, the newest last. ``say`` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: deque[Notice] = deque(maxlen=MOST)
        self.count = 0

    def say(self, level: str, text: str) -> None:
        """Say something. What was said last and is still shown is not said twice."""
        level = level if level in SHOWN_S else "info"
        now = monotonic()
        with self._lock:
            if self._all and self._all[-1].text == text and self._all[-1].until > now:
                self._all.pop()
            self._all.append(Notice(level, text, strftime("%H:%M:%S"), now + SHOWN_S[level]))
            self.count += 1

    def listed(self) -> list[Notice]:
        """Everything, the newest last."""
        with self._lock:
            return list(self._all)

    def shown(self, now: float) -> list[Notice]:
        """What is still to be shown."""
        return [n for n in self.listed()[-MOST_TOASTS:] if n.until > now]

    def dismiss(self, notice: Notice | None = None) -> None:
        """Show one of them no more, or none at all."""
        with self._lock:
            shown = (replace(n, until=0.0) if notice is None or n is notice else n for n in self._all)
            self._all = deque(shown, maxlen=MOST)
            self.count += 1


def colour_of(level: str, theme: Theme) -> Colour:
    """What a level is coloured."""
    return {"warning": theme.warn, "error": theme.bad, "good": theme.good}.get(level, theme.accent)


class Toasts:
    """The newest notices, on the canvas's upper right."""

    WIDTH = 340

    def __init__(self, app: App) -> None:
        self.app = app
        self._shown: tuple[object, ...] = ()
        self._cards: list[tuple[Rect, Notice]] = []

    def step(self, now: float) -> None:
        """Bring up what is to be shown now."""
        notices = self.app.notices.shown(now)
        area = self.app.slots["centre"]
        key = (tuple(notices), area, id(self.app.look))
        if key == self._shown:
            return
        self._shown = key
        if not dpg.does_item_exist("toasts"):
            dpg.add_viewport_drawlist(front=True, tag="toasts")
        dpg.delete_item("toasts", children_only=True)
        self._cards.clear()
        px, theme = self.app.look.px, self.app.look.theme
        pen = Pen("toasts", self.app.look)
        x, y = area.x + area.width - px(self.WIDTH) - px(14), area.y + px(14)
        size = fonts.ROLES["medium"][1] * self.app.look.scale
        for notice in reversed(notices):
            lines = wrapped(notice.text, px(self.WIDTH - 62), size)
            height = px(20) + len(lines) * px(19)
            colour = colour_of(notice.level, theme)
            pen.box((x + 2, y + 3), (x + px(self.WIDTH) + 2, y + height + 3), fill=theme.shadow, radius=px(8))
            fill = mix(theme.panel, theme.raised, 0.8)
            pen.box(
                (x, y), (x + px(self.WIDTH), y + height), fill=fill, line=mix(theme.line, colour, 0.35), radius=px(8)
            )
            pen.box((x, y + px(8)), (x + px(3), y + height - px(8)), fill=colour, radius=1)
            pen.icon((x + px(24), y + height / 2), ICON[notice.level], colour, px(17))
            for k, line in enumerate(lines):
                pen.words((x + px(46), y + px(10) + k * px(19)), line, theme.text, "medium")
            self._cards.append((Rect(x, y, px(self.WIDTH), height), notice))
            y += height + px(8)

    def at(self, x: float, y: float) -> Notice | None:
        """The one that is shown at a point of the window."""
        for card, notice in self._cards:
            if card.holds(x, y):
                return notice if notice.until > monotonic() else None
        return None

    def locate(self, number: int) -> tuple[float, float, float, float] | None:
        """Where one is, counted from above."""
        if number >= len(self._cards):
            return None
        card = self._cards[number][0]
        return card.x, card.y, card.width, card.height


def wrapped(text: str, room: float, size: float, most: int = 4) -> list[str]:
    """A text broken into lines of a width, at most so many."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and fonts.width(longer, "medium", size) > room:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [fitted(each, room, "medium", size) for each in lines]


class NoticeList(Panel):
    """All notices with their times, and how to clear the screen of them."""

    def build(self, parent: int | str) -> None:
        self._count = -1
        with dpg.child_window(parent=parent, tag="notice-list", border=False):
            pass

    def frame(self, now: float, readings: Readings) -> None:
        if self.app.notices.count == self._count:
            return
        self._count = self.app.notices.count
        dpg.delete_item("notice-list", children_only=True)
        theme = self.app.look.theme
        listed = self.app.notices.listed()
        if not listed:
            dpg.add_text("Nothing has happened yet.", color=theme.dim, parent="notice-list")
        for notice in reversed(listed):
            with dpg.group(horizontal=True, parent="notice-list"):
                icon = dpg.add_text(fonts.ICONS[ICON[notice.level]], color=colour_of(notice.level, theme))
                dpg.bind_item_font(icon, fonts.font("icons"))
                clock = dpg.add_text(notice.clock, color=theme.faint)
                dpg.bind_item_font(clock, fonts.font("mono"))
                dpg.add_text(notice.text, color=theme.text)

    def sync(self, changes: Changes) -> None:
        pass

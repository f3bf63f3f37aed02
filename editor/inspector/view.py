"""What every picture of the inspector is, and what they are drawn with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg
import numpy as np

from editor import fonts
from editor.draw import Pen
from editor.inspector.subject import Subject
from editor.link import Readings
from editor.pointer import Grip
from editor.theme import Colour, Look, mix, rgb

if TYPE_CHECKING:
    from editor.app import App

BANDS: tuple[Colour, ...] = (
    rgb(0x57B6F2), rgb(0x4FCB8D), rgb(0xF0B64D), rgb(0xB78AF5), rgb(0xF0727F), rgb(0x4CCFD0), rgb(0xE58BC4),
    rgb(0xA9C65A),
)  # fmt: skip
"""The colours of bands and channels, one after the other."""


def band_colour(look: Look, number: int) -> Colour:
    """The colour of a band, darker where the ground is light."""
    colour = BANDS[number % len(BANDS)]
    return mix(colour, look.theme.text, 0.35) if look.theme.name == "light" else colour


class View(Grip):
    """A picture of a node in a drawlist of its own: made for one node, brought up to date by ``show`` and ``frame``."""

    def __init__(self, app: App, subject: Subject, parent: int | str, tag: str, size: tuple[int, int]) -> None:
        self.app, self.subject = app, subject
        self.tag, self.parent = tag, parent
        self.width, self.height = size
        dpg.add_drawlist(*size, tag=tag, parent=parent)
        app.pointer.claim(tag, self)

    @property
    def px(self):
        """Lengths at this scale."""
        return self.app.look.px

    def layer(self) -> Pen:
        """A layer over what was drawn before, to be cleared by itself."""
        return Pen(dpg.add_draw_layer(parent=self.tag), self.app.look)

    def show(self, subject: Subject) -> None:
        """The node is as this says now."""
        self.subject = subject

    def frame(self, now: float, readings: Readings) -> None:
        """Some 30 times a second."""

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Where something of its own drawing is on the window."""
        return None

    def still(self, held: bool) -> None:
        """Keep what it lies in from scrolling by the wheel, or let it."""
        dpg.configure_item("panel:inspector", no_scroll_with_mouse=held)

    def leave(self) -> None:
        self.still(False)

    def free(self) -> None:
        """It is there no more."""
        self.app.pointer.free(self.tag)
        self.still(False)


class Tiles(View):
    """Numbers in a row, each with its name above it. ``put`` sets one; nothing is drawn where nothing changed."""

    def __init__(
        self, app: App, subject: Subject, parent: int | str, tag: str, width: int, titles: tuple[str, ...]
    ) -> None:
        super().__init__(app, subject, parent, tag, (width, app.look.px(46)))
        theme, px = app.look.theme, app.look.px
        self._shown: list[object] = [None] * len(titles)
        self._items: list[int] = []
        gap = px(6)
        each = (width - gap * (len(titles) - 1)) / max(len(titles), 1)
        pen = self.layer()
        self._centres: list[float] = []
        for k, title in enumerate(titles):
            left = k * (each + gap)
            pen.box((left, 0), (left + each, self.height), theme.raised, radius=px(6))
            pen.words((left + each / 2, px(6)), title, theme.dim, "small", px(11), "centre")
            self._centres.append(left + each / 2)
            self._items.append(pen.words((left + each / 2, px(21)), "", theme.text, "strong", px(15), "centre"))

    def put(self, index: int, text: str, colour: Colour | None = None) -> None:
        """Show a text in one of the tiles."""
        colour = colour or self.app.look.theme.text
        if self._shown[index] == (text, colour):
            return
        self._shown[index] = (text, colour)
        width = fonts.width(text, "strong", self.px(15))
        at = (self._centres[index] - width / 2, self.px(21))
        dpg.configure_item(self._items[index], text=text, pos=at, color=colour)


def decibels(sample: float) -> float:
    """A sample value in dB of full scale."""
    return 20 * float(np.log10(max(sample, 1e-9)))


def db_words(value: float | None, lowest: float = -119.0) -> str:
    """Decibels as shown beside a name that says of what."""
    if value is None or value <= lowest:
        return "−∞"
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")

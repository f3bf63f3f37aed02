"""A and B at one loudness: measured when asked, shown as two bars, and kept to while they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.draw import Pen
from editor.snapshots.matching import Match, Measuring, Passage, trims
from editor.theme import alpha, mix

if TYPE_CHECKING:
    from editor.app import App
    from editor.plugins.panel import Plugins

WIDTH, HEIGHT = 360, 58
QUIETEST, LOUDEST = -50.0, -5.0
"""The ends of the bars, in LUFS."""


class Compare:
    """The part of the panel of snapshots that matches loudness."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.names = ("", "")
        self.match: Match | None = None
        self.measuring: Measuring | None = None
        self.on = False
        self.at: float | None = None
        """Where between A (0) and B (1) the patch stands, as far as that is known."""
        self._shown: object = None

    def build(self) -> None:
        """Make the widgets in the container that is open."""
        px, theme = self.app.look.px, self.app.look.theme
        self._shown = None
        dpg.bind_item_font(dpg.add_text("Loudness of the two", color=theme.text), fonts.font("strong"))
        dpg.add_spacer(height=px(6))
        with dpg.group(horizontal=True, horizontal_spacing=px(10)):
            dpg.add_button(label="Match loudness", tag="snapshots:match", width=px(150), callback=lambda: self.toggle())
            dpg.add_text("", tag="snapshots:trim", color=theme.dim)
        dpg.add_spacer(height=px(4))
        dpg.add_drawlist(px(WIDTH), px(HEIGHT), tag="snapshots:bars")
        dpg.add_text("", tag="snapshots:match-words", color=theme.dim, wrap=px(WIDTH))
        dpg.bind_item_font("snapshots:match-words", fonts.font("small"))
        self.show()

    # -- what is done --------------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Measure and match; or stop measuring; or match no more."""
        if self.measuring is not None:
            self.measuring.stop()
            self.measuring = None
        elif self.on:
            self.on = False
        elif all(self.names) and self.names[0] != self.names[1]:
            cast("Plugins", self.app.panels["plugins"]).settle(self._measure)
        self.apply()

    def _measure(self) -> None:
        session = self.app.session
        if self.measuring is None and all(name in session.patch.snapshots for name in self.names):
            passage = Passage.of(session.patch, self.app.sound.state.place_s)
            self.measuring = Measuring(session.patch, session.kinds, *self.names, passage)
            self.passage = passage
            self.apply()

    def compare(self, names: tuple[str, str]) -> None:
        """Compare these two; what was measured of others does not count."""
        if names != self.names:
            self.forget()
            self.names = names

    def forget(self) -> None:
        """Nothing is known, and nothing is matched."""
        if self.measuring is not None:
            self.measuring.stop()
        self.names, self.match, self.measuring, self.on, self.at = ("", ""), None, None, False, None
        self.apply()

    @property
    def trim_db(self) -> float:
        """How far what is heard is turned down."""
        return round(self.match.trim(self.at), 2) if self.on and self.match and self.at is not None else 0.0

    def apply(self) -> None:
        """Let it be heard so, and shown."""
        session = self.app.session
        self.app.sound.trim(trims(session.patch, session.kinds, self.trim_db))
        self.show()

    def step(self) -> None:
        """Take in what the measurement has told."""
        if self.measuring is None:
            return
        self.measuring.step()
        if self.measuring.over:
            done, self.measuring = self.measuring, None
            self.match = done.match
            self.on = self.match is not None and self.match.known
            if done.error:
                self.app.notices.say("warning", f"The two cannot be compared: {done.error}")
            self.apply()
        else:
            self.app.touch()
        self.show()

    # -- how it looks --------------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Bring the words and bars up to date."""
        share = (self.measuring.share or 0.0) if self.measuring else None
        ready = all(self.names) and self.names[0] != self.names[1]
        state = (self.match, share, self.on, self.at, self.trim_db, ready, self.app.look)
        if state == self._shown or not dpg.does_item_exist("snapshots:match"):
            return
        self._shown = state
        label = "Cancel" if self.measuring else "Matched" if self.on else "Match loudness"
        dpg.configure_item("snapshots:match", label=label, enabled=ready)
        dpg.bind_item_theme("snapshots:match", "theme:lit" if self.on else "theme:unlit")
        dpg.set_value("snapshots:trim", f"{self.trim_db:+.1f} dB now".replace("-", "−") if self.on else "")
        dpg.set_value("snapshots:match-words", self._words(ready))
        self._bars(share)

    def _words(self, ready: bool) -> str:
        if not ready:
            return ""
        if self.measuring:
            return f"Rendering the same {self.passage.seconds:.0f} s of both…"
        if self.match is None:
            return "The louder of two mostly seems the better one. Matching turns it down while they are compared."
        if not self.match.known:
            return "One of the two is silent there: go to where something plays, and measure again."
        a, b = clock(self.passage.start_s), clock(self.passage.start_s + self.passage.seconds)
        return f"Measured from {a} to {b} (BS.1770). Only what you hear is turned down, not the patch."

    def _bars(self, share: float | None) -> None:
        px, theme, size = self.app.look.px, self.app.look.theme, self.app.look.px(12.5)
        dpg.delete_item("snapshots:bars", children_only=True)
        pen = Pen("snapshots:bars", self.app.look)
        left, right, high = px(24), px(WIDTH - 86), px(18)
        loud = (self.match.a, self.match.b) if self.match else (None, None)
        known = [each for each in loud if each is not None]

        def place(lufs: float) -> float:
            return left + (right - left) * min(max((lufs - QUIETEST) / (LOUDEST - QUIETEST), 0.0), 1.0)

        for number, letter in enumerate("AB"):
            y, lufs = px(4) + number * px(26), loud[number]
            here = self.at is not None and abs(self.at - number) < 0.5
            pen.words((px(4), y + px(1)), letter, theme.text if here else theme.dim, "strong", px(13))
            pen.box((left, y), (right, y + high), theme.well, radius=px(4))
            if share is not None:
                done = min(max(share * 2 - number, 0.0), 1.0)
                pen.box((left, y), (left + (right - left) * done, y + high), alpha(theme.accent, 0.3), radius=px(4))
            elif lufs is not None:
                low = place(min(known))
                kept = place(lufs) if not self.on else low
                pen.box(
                    (left, y),
                    (kept, y + high),
                    theme.accent if here else mix(theme.accent, theme.well, 0.5),
                    radius=px(4),
                )
                if self.on and place(lufs) > low + 1:
                    pen.box((low, y), (place(lufs), y + high), alpha(theme.warn, 0.28), radius=px(2))
                    pen.line((place(lufs), y), (place(lufs), y + high), theme.warn, px(1.5))
            words = "" if self.match is None else "silent" if lufs is None else f"{lufs:.1f} LUFS".replace("-", "−")
            pen.words((px(WIDTH), y + px(1)), words, theme.text if here else theme.dim, "medium", size, "right")


def clock(seconds: float) -> str:
    """A place on the timeline, short."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"

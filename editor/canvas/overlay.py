"""What can be laid over the canvas: latencies and compensation, what nodes cost; and the way out of groups."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.canvas.curves import point_at
from editor.canvas.insight import Insight
from editor.canvas.scene import Scene
from editor.canvas.view import Box, Point, View
from editor.draw import Pen
from editor.faces import inner_patch, spoken
from editor.link import Sound
from editor.model import Session
from editor.theme import Colour, Look, alpha, mix
from graph.document import CableKey

EVERY_S = 0.5


SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
"""Where on a cable its badge may be, the best first."""


def clear(places: Sequence[Box], taken: Sequence[Box]) -> Box:
    """The first place that meets none of those that are taken; the first of all where there is none."""
    return next((place for place in places if not any(place.meets(other) for other in taken)), places[0])


class Overlay:
    """``shows``: nothing, ``latency`` or ``cost``."""

    shows = ""
    """Of the class, so that it lasts when the canvas is drawn anew."""

    def __init__(self, session: Session, scene: Scene, look: Look) -> None:
        self.session, self.scene, self.look = session, scene, look
        self._costs_at = 0.0
        self._size: Point = (0.0, 0.0)
        self._crumbs: list[tuple[Box, tuple[str, ...]]] = []

    def draw(self, insight: Insight, sound: Sound, view: View, size: Point) -> None:
        """Draw all of it into the upper layer."""
        self._size = size
        self._breadcrumb()
        dpg.add_draw_node(tag="canvas:badges", parent="canvas:over") if not dpg.does_item_exist(
            "canvas:badges"
        ) else None
        self._badges(insight, sound, view)
        if not self.scene.places:
            self._empty(size)

    def live(self, insight: Insight, sound: Sound, view: View, now: float) -> None:
        """Bring costs up to date, now and then."""
        if Overlay.shows == "cost" and now - self._costs_at > EVERY_S and dpg.does_item_exist("canvas:badges"):
            self._costs_at = now
            dpg.delete_item("canvas:badges", children_only=True)
            self._badges(insight, sound, view)

    def _empty(self, size: Point) -> None:
        pen, theme, px = Pen("canvas:over", self.look), self.look.theme, self.look.px
        x, y = size[0] / 2, size[1] / 2
        pen.icon((x, y - px(46)), "plug", theme.faint, px(34))
        pen.words((x, y - px(14)), "Nothing here yet", theme.dim, "title", align="centre")
        words = "Press Tab or double-click to add a node, or drag one from the list on the left"
        pen.words((x, y + px(18)), words, theme.faint, "body", align="centre")

    def _breadcrumb(self) -> None:
        """The way from the outermost patch to here; each part of it but the last leads back there."""
        self._crumbs.clear()
        if not self.session.path:
            return
        pen, theme, px = Pen("canvas:over", self.look), self.look.theme, self.look.px
        size = fonts.ROLES["medium"][1] * self.look.scale
        names, patch = [self.session.patch.name or "Patch"], self.session.patch
        for id in self.session.path:
            entry = patch.node(id)
            names.append(entry.title or spoken(id))
            patch = inner_patch(entry) or patch
        x, y, high = px(12), px(12), px(30)
        for k, name in enumerate(names):
            last = k + 1 == len(names)
            wide = fonts.width(name, "medium", size) + px(24)
            fill = theme.raised if last else alpha(theme.panel, 0.94)
            line = theme.accent if last else theme.line
            pen.box((x, y), (x + wide, y + high), fill=fill, line=line, radius=px(6))
            pen.words((x + px(12), y + px(7)), name, theme.text if last else theme.dim, "medium")
            if not last:
                self._crumbs.append((Box(x, y, wide, high), self.session.path[:k]))
                pen.icon((x + wide + px(10), y + high / 2), "right", theme.faint, px(10))
            x += wide + px(20)
        pen.words((x - px(8), y + px(8)), "Esc leaves", theme.faint, "small")

    def crumb_at(self, at: Point) -> tuple[str, ...] | None:
        """The level that a point of the canvas leads back to, if it does."""
        return next((path for box, path in self._crumbs if box.holds(*at)), None)

    def crumb(self, depth: int) -> Box | None:
        """Where the way back to a level is."""
        return next((box for box, path in self._crumbs if len(path) == depth), None)

    def _badges(self, insight: Insight, sound: Sound, view: View) -> None:
        if Overlay.shows == "latency":
            self._latencies(insight, view)
        elif Overlay.shows == "cost":
            self._costs(sound, view)

    def _legend(self, words: str, colour: Colour) -> None:
        pen, theme, px = Pen("canvas:badges", self.look), self.look.theme, self.look.px
        width = fonts.width(words, "medium", fonts.ROLES["medium"][1] * self.look.scale) + px(28)
        y = self._size[1] - px(44)
        pen.box(
            (px(12), y),
            (px(12) + width, y + px(30)),
            fill=alpha(theme.panel, 0.94),
            line=mix(theme.line, colour, 0.6),
            radius=px(6),
        )
        pen.words((px(26), y + px(7)), words, theme.text, "medium")

    def say(self, words: str, colour: Colour) -> None:
        """Say something in the middle of the upper edge, while it is so."""
        pen, theme, px = Pen("canvas:over", self.look), self.look.theme, self.look.px
        half = fonts.width(words, "medium", fonts.ROLES["medium"][1] * self.look.scale) / 2 + px(16)
        x, y = self._size[0] / 2, px(12)
        fill = mix(theme.panel, colour, 0.16)
        pen.box((x - half, y), (x + half, y + px(32)), fill=fill, line=alpha(colour, 0.8), radius=px(16))
        pen.words((x, y + px(7.5)), words, theme.text, "medium", align="centre")

    def _badge(self, view: View, node: str, words: str, colour: Colour) -> None:
        box, px, theme = self.scene.box(node), self.look.px, self.look.theme
        x, y = view.to_canvas(box.x + box.width / 2, box.bottom + 4)
        pen = Pen("canvas:badges", self.look)
        half = fonts.width(words, "small", fonts.ROLES["small"][1] * self.look.scale) / 2 + px(8)
        pen.box(
            (x - half, y),
            (x + half, y + px(20)),
            fill=mix(theme.panel, colour, 0.22),
            line=alpha(colour, 0.7),
            radius=px(10),
        )
        pen.words((x, y + px(2.5)), words, theme.text, "small", align="centre")

    def _latencies(self, insight: Insight, view: View) -> None:
        theme = self.look.theme
        for node in self.scene.places:
            address = self.session.address(node)
            own, at = insight.latency.get(address, 0), insight.arrival.get(address)
            if at is None:
                continue
            words = f"+{own}   at {at + own}" if own else f"at {at}"
            self._badge(view, node, words, theme.warn if own else theme.faint)
        prefix, px = "/".join((*self.session.path, "")), self.look.px
        pen, fill = Pen("canvas:badges", self.look), mix(theme.panel, theme.accent, 0.3)
        taken = [box for key in self.scene.curves if (box := self._named(view, key)) is not None]
        for key, curve in self.scene.curves.items():
            name = f"{prefix}{key[0]}.{key[1]} -> {prefix}{key[2]}.{key[3]}"
            frames = insight.compensation.get(name, 0)
            if frames:
                words = f"wait {frames}"
                half = fonts.width(words, "small", fonts.ROLES["small"][1] * self.look.scale) / 2 + px(8)
                places = [view.to_canvas(*point_at(curve, share)) for share in SHARES]
                badge = clear([Box(x - half, y - px(10), 2 * half, px(20)) for x, y in places], taken)
                taken.append(badge)
                pen.box((badge.x, badge.y), (badge.right, badge.bottom), fill=fill, line=theme.accent, radius=px(10))
                pen.words((badge.x + half, badge.y + px(2)), words, theme.text, "small", align="centre")
        whole = max(insight.outputs.values(), default=0)
        self._legend(f"Latency in frames: {whole} in all, {1000 * whole / insight.rate:.1f} ms", theme.warn)

    def _named(self, view: View, key: CableKey) -> Box | None:
        """What the badge of a cable covers that says its amount, or that it feeds back; None where it has none."""
        cable, f = self.scene.cables[key], view.factor
        x, y = view.to_canvas(*point_at(self.scene.curves[key], 0.5))
        wide = 60 * f if cable.feedback else 44 * f if self.scene.types.get(key) == "control" else 0.0
        return Box(x - wide / 2, y - 8 * f, wide, 16 * f) if wide else None

    def _costs(self, sound: Sound, view: View) -> None:
        theme, costs = self.look.theme, sound.costs()
        highest = max((c[0] for c in costs.values()), default=0.0)
        for node in self.scene.places:
            cost = costs.get(self.session.address(node))
            if cost is None:
                continue
            heat = cost[0] / highest if highest > 0 else 0.0
            colour = (
                mix(theme.good, theme.warn, min(heat * 2, 1))
                if heat < 0.5
                else mix(theme.warn, theme.bad, heat * 2 - 1)
            )
            self._badge(view, node, f"{cost[0]:.2%}", colour)
        self._costs_at = monotonic()
        total = sum(c[0] for n, c in costs.items())
        self._legend(f"Share of the time there is: {total:.1%} in all", theme.warn)

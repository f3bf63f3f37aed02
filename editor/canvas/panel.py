"""The canvas as a panel: it joins session, scene, gestures and pictures, and offers what can be done as commands."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, cast

import dearpygui.dearpygui as dpg

from editor.canvas.adding import add_item
from editor.canvas.badges import Badges
from editor.canvas.commands import COMMANDS
from editor.canvas.curves import point_at
from editor.canvas.gestures import Gestures
from editor.canvas.grip import CanvasGrip
from editor.canvas.held import Keys
from editor.canvas.insight import Insights, layouts_here
from editor.canvas.marks import draw_marks, words_of
from editor.canvas.minimap import Minimap
from editor.canvas.overlay import Overlay
from editor.canvas.painter import Painter
from editor.canvas.plugging import goes_into
from editor.canvas.popups import Popups
from editor.canvas.scene import Hit, PinAt, Scene
from editor.canvas.shape import HEADER, RADIUS
from editor.canvas.view import Box, Point, View
from editor.canvas.waves import Waves
from editor.controls.hands import hands_of
from editor.controls.marks import ControlMarks
from editor.link import Readings
from editor.model import Changes, Level
from editor.panel import Panel
from editor.pointer import Touch
from graph.document import CableKey

if TYPE_CHECKING:
    from editor.plugins.panel import Plugins
    from editor.usernodes.panel import OwnNodesPanel

FLIGHT_S = 0.22
NEAR = 0.7
"""From what zoom on a node can be read and turned at."""
SETTLE_S = 0.008
"""How long cables are led in one frame."""
GAP = 20
"""Above and below a node, where a new one shall not be put onto it."""


class Canvas(Panel):
    """Nodes and cables, drawn on one drawlist."""

    commands = COMMANDS

    def build(self, parent: int | str) -> None:
        if not hasattr(self, "scene"):
            self._begin()
        look = self.app.look
        dpg.add_drawlist(10, 10, tag="canvas", parent=parent)
        self.painter = Painter(self.session, self.scene, look, self.waves)
        self.painter.words = lambda address, param, value: self._plugins.playing.text(address, param, value)
        self.badges = Badges(self.painter)
        self.control_marks = ControlMarks(self.painter)
        self.minimap = Minimap(self.scene, look)
        self.overlay = Overlay(self.session, self.scene, look)
        self.gestures.view = replace(self.gestures.view, scale=look.scale)
        self.app.pointer.claim("canvas", CanvasGrip(self))
        self._key: object = None
        self._seen: object = None
        self.size: Point = (1.0, 1.0)

    def _begin(self) -> None:
        self.scene = Scene(self.session)
        self.waves = Waves(self.session)
        self.insights = Insights(self.session)
        self.popups = Popups(self)
        self.views: dict[tuple[str, ...], View] = {}
        self.follows_signal = False
        self.mouse: Point = (0.0, 0.0)
        """Where the mouse was last, in pixels of the canvas."""
        self._hover = Hit()
        self._flight: tuple[float, View, View] | None = None
        self._level: Level | None = None
        self.gestures = Gestures(
            self.session,
            self.scene,
            say=lambda words: self.app.notices.say("warning", words[:1].upper() + words[1:] + "."),
            ask_loop=self.popups.ask_loop,
            ask_kind=lambda pin, at: self.popups.search_for(pin, at),
            assigning=lambda: self.app.assigning,
            settle=lambda then: self.app.settle(then, True),
        )

    # -- following -----------------------------------------------------------------------------------------------------

    def sync(self, changes: Changes) -> None:
        self._resize()
        if changes.everything:
            self._arrive()
        self.scene.sync(replace(changes, everything=True) if changes.look else changes)
        if changes.everything and self._level_is_new:
            self._first_view()
        if changes.structure:
            self.insights.changed()
        if changes.look:
            self.painter.look_at(self.gestures.view, self.size)
        self._relate()
        self.painter.sync()
        self._show_hand()
        self._draw_over()

    def _arrive(self) -> None:
        """Another level is looked at: its view comes back, or one of all that is there."""
        level = self.session.level
        if level != self._level:
            self.popups.close()  # it was about what is seen no more
        if self._level is not None and self._level[0] == level[0]:
            self.views[self._level[1]] = self.gestures.view
        elif self._level is not None:
            self.views.clear()
        self._level_is_new = level[1] not in self.views
        if not self._level_is_new:
            self.gestures.view = self.views[level[1]]
        self._level = level
        self.painter.forget()

    def _first_view(self) -> None:
        span, view = self.scene.span(), View(scale=self.app.look.scale)
        self.gestures.view = view.showing(span, self.size) if span is not None else view
        self.painter.look_at(self.gestures.view, self.size)

    def _relate(self) -> None:
        """Which nodes are up or down the signal of what is selected."""
        import networkx as nx

        chosen = self.session.selection
        if not self.follows_signal or not chosen:
            self.painter.related = None
            return
        graph = self.session.here.graph
        related = set(chosen)
        for id in chosen & set(graph):
            related |= nx.ancestors(graph, id) | nx.descendants(graph, id)
        self.painter.related = frozenset(related)

    def _resize(self) -> None:
        slot = self.app.slots.get("centre")
        if slot is None or (slot.width, slot.height) == self.size:
            return
        self.size = (slot.width, slot.height)
        dpg.configure_item("canvas", width=round(slot.width), height=round(slot.height))
        self.painter.look_at(self.gestures.view, self.size)
        self.painter.sync()
        self._draw_over()

    def frame(self, now: float, readings: Readings) -> None:
        self._resize()
        self.popups.look()
        self.insights.step()
        insight = self.insights.now
        macro = self.app.assigning
        seen = (insight, self.waves.count, self.session.path, macro, macro.held if macro is not None else None)
        if seen != self._seen:
            self._seen = seen
            self.painter.layouts = layouts_here(self.session, insight)
            self.painter.sync()
            self._draw_over()
        if self._flight is not None:
            self._fly()
        if self.gestures.held is None and self.scene.unsettled:
            self._settle()
        self.painter.live(readings, now)
        own = cast("OwnNodesPanel", self.app.panels["usernodes"])
        self.badges.show({**self._plugins.badges(self.scene.shapes), **own.badges(self.scene.shapes)})
        moved = hands_of(self.app).marks()
        self.control_marks.show({id: frozenset(params) for id, params in moved.items()})
        self.overlay.live(self.insights.now, self.app.sound, self.gestures.view, now)

    def _settle(self) -> None:
        """Lead cables round what was moved, a part of them in each frame."""
        self.app.touch()
        end = perf_counter() + SETTLE_S
        if self.scene.settle(lambda: perf_counter() > end):
            self.painter.sync()
            self._draw_over()

    @property
    def _plugins(self) -> Plugins:
        return cast("Plugins", self.app.panels["plugins"])

    # -- the view ------------------------------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Look somewhere else."""
        self.gestures.view = view
        self.painter.look_at(view, self.size)
        self.painter.sync()
        self._draw_over()
        self._show_hand()
        self.app.touch()

    def fly(self, view: View) -> None:
        """Look somewhere else, going there smoothly where the zoom stays the same."""
        if view.zoom != self.gestures.view.zoom:
            self.show(view)
        else:
            self._flight = (monotonic(), self.gestures.view, view)
            self.app.touch()

    def _fly(self) -> None:
        assert self._flight is not None
        began, a, b = self._flight
        share = min((monotonic() - began) / FLIGHT_S, 1.0)
        eased = 1 - (1 - share) ** 3
        pan = tuple(x + (y - x) * eased for x, y in zip(a.pan, b.pan, strict=True))
        if share >= 1.0:
            self._flight = None
        self.show(replace(b, pan=(pan[0], pan[1])))

    def show_nodes(self, nodes: frozenset[str] | None = None) -> None:
        """Look at these nodes, or at all."""
        span = self.scene.span(nodes)
        if span is not None:
            self.show(self.minimap.clear_of(self.gestures.view.showing(span, self.size), span, self.size))

    def fly_to(self, node: str) -> None:
        """Select a node and bring it to the middle, so near that it can be read; one that has gone is passed over."""
        if node not in self.scene.places:
            return
        self.session.select({node})
        view = self.gestures.view
        if view.zoom < NEAR:
            view = replace(view, zoom=NEAR)
        self.fly(view.centred(self.scene.box(node).middle, self.size))

    def _draw_over(self) -> None:
        dpg.delete_item("canvas:over", children_only=True)
        self.minimap.draw(self.gestures.view, self.size, self.session.selection)
        self.overlay.draw(self.insights.now, self.app.sound, self.gestures.view, self.size)
        macro = self.app.assigning
        if macro is not None and macro.valid:
            draw_marks("canvas:over", self.app.look, self.scene, self.gestures.view, self.size, macro)
            self.overlay.say(words_of(macro), self.app.look.theme.pin("control"))

    def _show_hand(self) -> None:
        hover = self._hover
        pin = (hover.pin.node, hover.pin.pin.name, hover.pin.pin.flow) if hover.pin else None
        held = self.gestures.held is not None
        self.painter.hand(
            self.gestures.shown, None if held else pin, hover.cable.key if hover.cable and not held else None
        )

    # -- the mouse -----------------------------------------------------------------------------------------------------

    def moved(self, touch: Touch) -> None:
        """The mouse is somewhere else, with nothing held."""
        self.mouse = touch.at
        before = self._hover
        self._hover = self.scene.at(*self.gestures.view.to_plane(*touch.at), reach=1 / self.gestures.view.zoom)
        if before != self._hover:
            self._show_hand()
            self.popups.hint(self._hover, touch)

    def dragged(self, touch: Touch) -> None:
        """The mouse is somewhere else while it is held."""
        self.mouse = touch.at
        view = self.gestures.view
        self.gestures.drag(touch.at, Keys(touch.shift, touch.ctrl, touch.alt))
        if self.gestures.view is not view:
            self.show(self.gestures.view)
        self._show_hand()

    def at_mouse(self) -> Point:
        """The point of the plane below the mouse, or in the middle where it is elsewhere."""
        x, y = self.mouse
        inside = 0 <= x < self.size[0] and 0 <= y < self.size[1]
        return self.gestures.view.to_plane(x, y) if inside else self.gestures.view.seen(self.size).middle

    # -- what is brought here ------------------------------------------------------------------------------------------

    def carry(self, item: str, at: Point) -> None:
        """Something in stock is held over a pixel of the canvas; nothing where it is empty."""
        self.gestures.shown.insert = self._cable_for(item, at) if item else None
        self.painter.ghost(self.session.stock[item].title if item else "", self.gestures.view.to_plane(*at))
        self._show_hand()

    def drop(self, item: str, at: Point) -> str:
        """Put a node of something in stock at a pixel, into the cable there, if there is one it fits; the answer is its
        id.
        """
        into = self._cable_for(item, at)
        self.gestures.shown.insert = None
        return add_item(self, item, self.gestures.view.to_plane(*at), into)

    def _cable_for(self, item: str, at: Point) -> CableKey | None:
        cable = self.scene.cable_at(*self.gestures.view.to_plane(*at), 26.0)
        if cable is None or not goes_into(self.session, item, cable):
            return None
        return cable.key

    def below(self, at: Point) -> Point:
        """The first point from here downwards that no node covers."""
        boxes = sorted((self.scene.box(node) for node in self.scene.places), key=lambda box: box.y)
        x, y = at
        for box in boxes:
            if box.grown(GAP).holds(x, y):
                y = box.bottom + 2 * GAP
        return x, y

    def free_place(self) -> Point:
        """A point in view with no node on it, from the middle downwards."""
        seen = self.gestures.view.seen(self.size)
        x, y = seen.middle
        for _ in range(60):
            if not any(self.scene.box(n).grown(20).meets(Box(x - 93, y - 20, 186, 150)) for n in self.scene.places):
                break
            x, y = (x, y + 40) if y + 200 < seen.bottom else (x + 210, seen.y + 60)
        return x, y

    # -- for tests -----------------------------------------------------------------------------------------------------

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        slot = self.app.slots.get("centre")
        kind, _, name = what.partition(":")
        if kind == "toast":
            return self.app.toasts.locate(int(name))
        if slot is not None and kind == "crumb":
            crumb = self.overlay.crumb(int(name))
            return (slot.x + crumb.x, slot.y + crumb.y, crumb.width, crumb.height) if crumb else None
        if slot is None or kind not in ("node", "pin", "knob", "header", "cable", "plane", "badge", "refused"):
            return None
        f = self.gestures.view.factor

        def on_screen(box: Box) -> tuple[float, float, float, float]:
            x, y = self.gestures.view.to_canvas(box.x, box.y)
            return slot.x + x, slot.y + y, box.width * f, box.height * f

        if kind == "refused":
            loose, why = self.gestures.shown.loose, self.gestures.shown.refused
            return on_screen(Box(*loose[1], 0, 0)) if loose and why else None
        if kind == "plane":
            x, _, y = name.partition(",")
            return on_screen(Box(float(x), float(y), 0, 0))
        if kind == "cable":
            for key, curve in self.scene.curves.items():
                if name == f"{key[0]}.{key[1]}->{key[2]}.{key[3]}":
                    return on_screen(Box(*point_at(curve, 0.5), 0, 0))
            return None
        node, _, part = name.partition(".")
        if node not in self.scene.places:
            return None
        box, own = self.scene.box(node), self.scene.shapes[node]
        if kind == "node":
            return on_screen(box)
        if kind == "badge":
            return on_screen(Box(box.x, box.y - 12, box.width, 12)) if self.badges.shown(node) else None
        if kind == "header":
            return on_screen(Box(box.x, box.y, box.width * 0.6, HEADER))
        found: list[tuple[Point, float]] = [(k.at, RADIUS) for k in own.knobs if k.param.name == part]
        if kind == "pin":
            found = [(p.at, 5.0) for p in own.pins if p.name == part.removeprefix("<").removeprefix(">")]
        for (x, y), r in found[:1]:
            return on_screen(Box(box.x + x - r, box.y + y - r, 2 * r, 2 * r))
        return None

    def landmarks(self) -> list[str]:
        found = [f"cable:{a}.{b}->{c}.{d}" for a, b, c, d in self.scene.curves]
        for node, own in self.scene.shapes.items():
            found += [f"header:{node}", f"node:{node}"]
            found += [f"pin:{node}.{pin.name}" for pin in own.pins]
            found += [f"knob:{node}.{knob.param.name}" for knob in own.knobs]
        return found

    def pin_at(self, node: str, name: str, flow: str) -> PinAt | None:
        """A pin of a node."""
        pin = self.scene.shapes[node].pin(name, flow)  # type: ignore[arg-type]
        return PinAt(node, pin) if pin else None

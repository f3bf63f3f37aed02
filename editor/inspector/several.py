"""The page of several nodes: the params that all of them have, turned together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import dearpygui.dearpygui as dpg

from editor import fonts
from editor.dials import UNMOVED
from editor.faces import face, spoken
from editor.inspector.params import Params
from editor.link import Readings
from editor.model import Changes, Session
from editor.swatches import colour_nodes, swatches, tint_of
from editor.turning import Turning
from graph.edits import Edit, SetBypass, SetMute
from graph.spec import Param

if TYPE_CHECKING:
    from editor.app import App


def shared(session: Session, nodes: tuple[str, ...]) -> list[Param]:
    """The params that all of some nodes have under one name, with one range and unit."""
    faces = [face(id, session.here.node(id), session.kinds) for id in nodes]
    names = [{p.name: p for p in each.params} for each in faces]
    found: list[Param] = []
    for param in faces[0].params if faces else ():
        others = [own.get(param.name) for own in names[1:]]
        if all(
            o is not None and (o.low, o.high, o.unit, o.curve, o.choices) == (
                param.low, param.high, param.unit, param.curve, param.choices)
            for o in others
        ):  # fmt: skip
            found.append(param)
    return found


class SeveralPage:
    """What several nodes have in common."""

    def __init__(self, app: App, nodes: tuple[str, ...], width: int) -> None:
        self.app, self.nodes = app, nodes
        self._tint: object = self
        session, theme, px = app.session, app.look.theme, app.look.px
        parent = "inspector:page"
        title = dpg.add_text(f"{len(nodes)} nodes", tag="inspector:several", parent=parent)
        dpg.bind_item_font(title, fonts.font("title"))
        kinds = Counter(session.here.node(id).kind for id in nodes)
        words = ", ".join(f"{count} {spoken(kind).lower()}" if count > 1 else spoken(kind).lower()
                          for kind, count in kinds.most_common(6))  # fmt: skip
        item = dpg.add_text(words, wrap=width, color=theme.dim, parent=parent)
        dpg.bind_item_font(item, fonts.font("small"))
        dpg.add_spacer(height=px(4), parent=parent)
        with dpg.group(horizontal=True, parent=parent):
            half = (width - px(8)) // 2
            dpg.add_button(label="Bypass", tag="inspector:several:bypass", width=half, callback=self._bypass)
            dpg.add_button(label="Mute", tag="inspector:several:mute", width=half, callback=self._mute)
        dpg.add_spacer(height=px(6), parent=parent)
        dpg.add_group(tag="inspector:several:colours", parent=parent)
        dpg.add_spacer(height=px(6), parent=parent)
        params = shared(session, nodes)
        self.params: Params | None = None
        if params:
            self.params = Params(
                app,
                parent,
                width,
                params,
                "inspector:several",
                lambda param: Turning(session, nodes, param),
                lambda name: UNMOVED,
                theme.accent,
            )
        else:
            dpg.add_text("They have no params in common.", wrap=width, color=theme.faint, parent=parent)
        self._light()

    def _entries(self):
        here = self.app.session.here
        return {id: here.node(id) for id in self.nodes}

    def _bypassable(self) -> list[str]:
        kinds = self.app.session.kinds
        return [
            id for id, e in self._entries().items()
            if e.kind == "group" or (e.kind in kinds and kinds[e.kind].bypassable)
        ]  # fmt: skip

    def _bypass(self) -> None:
        able, entries = self._bypassable(), self._entries()
        on = not all(entries[id].bypass for id in able)
        edits: list[Edit] = [SetBypass(id, on) for id in able]
        self.app.session.do(*edits, name=f"{'Bypass' if on else 'Use'} {len(edits)} nodes")

    def _mute(self) -> None:
        entries = self._entries()
        on = not all(e.mute for e in entries.values())
        edits: list[Edit] = [SetMute(id, on) for id in entries]
        self.app.session.do(*edits, name=f"{'Mute' if on else 'Unmute'} {len(edits)} nodes")

    def _light(self) -> None:
        able, entries = self._bypassable(), self._entries()
        lit = {
            "bypass": bool(able) and all(entries[id].bypass for id in able),
            "mute": all(e.mute for e in entries.values()),
        }
        for name, on in lit.items():
            dpg.bind_item_theme(f"inspector:several:{name}", "theme:accent" if on else 0)
        dpg.configure_item("inspector:several:bypass", enabled=bool(able))
        self._offer_colours()

    def _offer_colours(self) -> None:
        session, look, row = self.app.session, self.app.look, "inspector:several:colours"
        state = tint_of(session, self.nodes)
        if state == self._tint:
            return
        self._tint = state
        dpg.delete_item(row, children_only=True)
        plain = look.theme.hue(session.face(self.nodes[0]).family)
        swatches(look, row, state, plain, lambda name: colour_nodes(session, self.nodes, name))

    def sync(self, changes: Changes) -> bool:
        """Follow a change; False where the page must be made anew."""
        if changes.structure and not changes.nodes <= set(self.nodes):
            return changes.nodes.isdisjoint(self.nodes) and not changes.added and not changes.removed
        if self.params:
            self.params.show()
        self._light()
        return True

    def frame(self, now: float, readings: Readings) -> None:
        """Nothing of several nodes is measured."""

    def locate(self, what: str) -> tuple[float, float, float, float] | None:
        """Items are found by their tags."""
        return None

    def free(self) -> None:
        """It is there no more."""
        if self.params:
            self.params.free()

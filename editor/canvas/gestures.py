"""What the mouse does on the canvas, as a machine of a few states: it reads the scene and does edits.

Points are of the plane unless they are called pixels. What a gesture shows while it lasts (a band, a loose cable, a
word at a pin) it says in ``shown``; the panel draws it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from editor.canvas.clip import copied, paste_edits
from editor.canvas.frames import frame_edit
from editor.canvas.held import Held, Keys, Shown
from editor.canvas.loose import Loose
from editor.canvas.plugging import healing_edits, insert_edits, judge
from editor.canvas.scene import PinAt, Scene, frames_of
from editor.canvas.shape import Knob
from editor.canvas.view import Box, Point, View, spanning
from editor.faces import from_unit, to_unit
from editor.macros.assigning import Assigning
from editor.model import Session
from graph.document import Cable, CableKey
from graph.edits import Connect, Disconnect, Edit, Move, RemoveNode, SetBypass, SetMute, SetParam

SLACK = 4.0
"""Pixels the mouse may move before a press becomes a drag."""
TRAVEL = 180.0
"""Pixels from one end of a knob's range to the other."""
FINE = 0.1
GRID = 10.0
SMALLEST_FRAME = 80.0


class Gestures:
    """``ask_loop(cable, edits)``: asked whether a cable that closes a loop is to be a feedback cable.
    ``ask_kind(pin, at)``: asked what a cable that was dropped on nothing is to lead to.
    ``assigning``: the macro that is being assigned, if one is; knobs that are pressed are its own then.
    ``settle``: does something when the patch has what was done in plugins' windows, soon or at once.
    """

    def __init__(
        self,
        session: Session,
        scene: Scene,
        *,
        say: Callable[[str], None],
        ask_loop: Callable[[Cable, list[Edit]], None],
        ask_kind: Callable[[PinAt, Point], None],
        assigning: Callable[[], Assigning | None] = lambda: None,
        settle: Callable[[Callable[[], object]], object] = lambda then: then(),
    ) -> None:
        self.session, self.scene = session, scene
        self.loose = Loose(session, scene)
        self.say, self.ask_loop, self.ask_kind = say, ask_loop, ask_kind
        self.assigning, self.settle = assigning, settle
        self.view = View()
        self.held: Held | None = None
        self.shown = Shown()
        self._serial = 0

    # -- pressing ------------------------------------------------------------------------------------------------------

    def press(self, pixel: Point, button: int = 0, keys: Keys | None = None) -> None:
        """A button goes down."""
        keys = keys or Keys()
        at = self.view.to_plane(*pixel)
        self._serial += 1
        if button != 0:
            self.held = Held("pan", at, pixel, keys, serial=self._serial, level=self.session.level)
            return
        hit, before = self.scene.at(*at, reach=1 / self.view.zoom), self.session.selection
        held = self.held = Held(
            "band", at, pixel, keys, hit=hit, before=before, serial=self._serial, level=self.session.level
        )
        if hit.pin is not None:
            self.loose.take(held, hit.pin)
        elif hit.switch:
            self._switch(hit.node, hit.switch)
            held.what = "nothing"
        elif hit.knob is not None and (macro := self._assigning(hit.node)) is not None:
            held.what, held.macro = "assign", macro
            macro.press(hit.node, hit.knob.param)
        elif hit.knob is not None:
            held.what, held.knob = "turn", hit.knob
            held.place = to_unit(hit.knob.param, self._value(hit.node, hit.knob))
            self.session.select({hit.node})
            self.shown.knob = hit.node, hit.knob.param.name
        elif hit.node:
            self._choose(hit.node, keys)
            held.what = "move"
            held.nodes = {n: self.scene.places[n] for n in self.session.selection}
            self.scene.raise_(self.session.selection)
        elif hit.cable is not None:
            chosen = self.session.cables ^ {hit.cable.key} if keys.shift or keys.ctrl else {hit.cable.key}
            self.session.select(cables=chosen)
            held.what = "cable"
        elif hit.frame is not None:
            held.what, held.frame = ("resize" if hit.corner else "frame"), hit.frame
            held.nodes = {n: self.scene.places[n] for n in self.scene.framed(hit.frame)}
            self.session.select(held.nodes)

    def _assigning(self, node: str) -> Assigning | None:
        """The macro that takes the knobs of a node; it leaves its own alone."""
        macro = self.assigning()
        return macro if macro is not None and macro.valid and macro.macro != node else None

    def _choose(self, node: str, keys: Keys) -> None:
        selection = self.session.selection
        if keys.shift or keys.ctrl:
            self.session.select(selection ^ {node} if keys.ctrl else selection | {node})
        elif node not in selection:
            self.session.select({node})

    def _switch(self, node: str, name: str) -> None:
        entry = self.session.here.node(node)
        edit = SetBypass(node, not entry.bypass) if name == "bypass" else SetMute(node, not entry.mute)
        self.session.do(edit)

    def _value(self, node: str, knob: Knob) -> float:
        return float(self.scene.shapes[node].face.values.get(knob.param.name, knob.param.default))

    # -- dragging ------------------------------------------------------------------------------------------------------

    def drag(self, pixel: Point, keys: Keys | None = None) -> None:
        """The mouse has moved while a button is held."""
        held = self._still_held()
        if held is None:
            return
        held_keys = keys or held.keys
        dx, dy = pixel[0] - held.pixel[0], pixel[1] - held.pixel[1]
        if held.what == "pan":
            self.view = self.view.panned(dx, dy)
            held.pixel, held.moved = pixel, True
            return
        if not held.moved and abs(dx) + abs(dy) < SLACK:
            return
        first, held.moved = not held.moved, True
        at = self.view.to_plane(*pixel)
        match held.what:
            case "turn":
                self._turn(held, pixel, held_keys)
            case "assign":
                assert held.macro is not None
                held.macro.drag((held.pixel[1] - pixel[1]) / TRAVEL, held_keys.shift)
                held.pixel = pixel
            case "move":
                if first and held.keys.alt:
                    held.waits = at
                    self.settle(lambda: self._duplicate(held))
                if held.waits is not None:
                    held.waits = at
                else:
                    self._move(held, at, held_keys)
            case "cable-end" | "cable":
                if held.what == "cable":
                    self.loose.loosen(held)
                self._lead(held, at)
            case "band":
                self.shown.band = spanning(held.at, at)
                found = self.scene.in_box(self.shown.band)
                self.session.select(found | held.before if held_keys.shift or held_keys.ctrl else found)
            case "frame" | "resize":
                self._move_frame(held, at)

    def _still_held(self) -> Held | None:
        """The gesture, unless an undo, a delete or another patch has taken away meanwhile what it is about."""
        if self.held is not None and not self._is_there(self.held):
            self.held, self.shown = None, Shown()
            self.session.end_gesture()
        return self.held

    def _is_there(self, held: Held) -> bool:
        """Whether all that a gesture is about is where it began."""
        here = self.session.here
        pins = [pin.node for pin in (held.fixed, held.hit.pin) if pin is not None]
        nodes = {*held.nodes, *pins, *([held.hit.node] if held.hit.node else [])}
        cables = [cable.key for cable in (held.hit.cable, held.pulled) if cable is not None]
        return (
            held.level == self.session.level
            and all(here.graph.has_node(node) for node in nodes)
            and all(here.graph.has_edge(a, b, (out, into)) for a, out, b, into in cables)
            and (held.frame is None or held.frame.index < len(frames_of(here.metadata)))
        )

    def _turn(self, held: Held, pixel: Point, keys: Keys) -> None:
        assert held.knob is not None
        along = (held.pixel[1] - pixel[1]) / TRAVEL * (FINE if keys.shift else 1.0)
        held.pixel = pixel
        held.place = min(max(held.place + along, 0.0), 1.0)
        value = from_unit(held.knob.param, held.place)
        if value != self._value(held.hit.node, held.knob):
            self.set_param(held.hit.node, held.knob, value, gesture=held.gesture)

    def set_param(self, node: str, knob: Knob, value: float, gesture: object = None) -> None:
        """Give a param a value, as few digits as a knob needs."""
        name = knob.param.name
        span = knob.param.high - knob.param.low
        digits = 2 if span >= 20 else 4
        if knob.param.curve == "log":
            value = float(f"{value:.4g}")
        value = min(max(round(value, digits + 2), knob.param.low), knob.param.high)
        self.session.do(SetParam(node, name, value), name=f"Turn {node}.{name}", gesture=gesture)

    def _duplicate(self, held: Held) -> None:
        """Let the drag move copies, and leave what it began with where it was."""
        at, held.waits = held.waits, None
        if at is None or not self._is_there(held):
            return
        clip = copied(self.session, held.nodes)
        for id in clip.nodes():
            clip.node(id).position = held.nodes[id]
        edits, names = paste_edits(self.session, clip, None)
        self.session.do(*edits, name=f"Duplicate {len(names)}", gesture=held.gesture)
        held.nodes = {names[id]: place for id, place in held.nodes.items()}
        self.session.select(names.values())
        if self.held is not held:  # it was let go of meanwhile
            self._move(held, at, held.keys)
            self.session.end_gesture()

    def _move(self, held: Held, at: Point, keys: Keys) -> None:
        dx, dy = at[0] - held.at[0], at[1] - held.at[1]
        if not keys.ctrl and held.nodes:
            x, y = next(iter(held.nodes.values()))
            dx, dy = round((x + dx) / GRID) * GRID - x, round((y + dy) / GRID) * GRID - y
        edits: list[Edit] = [
            Move(n, (x + dx, y + dy))
            for n, (x, y) in held.nodes.items()
            if self.scene.places.get(n) != (x + dx, y + dy)
        ]
        many = f"Move {len(held.nodes)} nodes" if len(held.nodes) > 1 else ""
        self.session.do(*edits, name=many, gesture=held.gesture)
        self.shown.insert = self._taker(held, at)

    def _taker(self, held: Held, at: Point) -> CableKey | None:
        """The cable that would take in the one node that is dragged over it, if that has nothing plugged in."""
        if len(held.nodes) != 1 or held.keys.alt:
            return None
        node = next(iter(held.nodes))
        if node not in self.session.here.graph or self.session.here.graph.degree(node):
            return None
        return self._cable_under(node, at)

    def _cable_under(self, node: str, at: Point) -> CableKey | None:
        points = [at]
        if node in self.scene.places:
            box = self.scene.box(node)
            points += [box.middle, (box.x + box.width / 2, box.y + 14)]
        for point in points:
            cable = self.scene.cable_at(*point, 26.0, but=(node,))
            if cable is not None:
                return cable.key
        return None

    def _lead(self, held: Held, at: Point) -> None:
        fixed = held.fixed
        if fixed is None:
            return
        place = self.scene.pin_place(fixed.node, fixed.pin.name, fixed.pin.flow)
        if place is None:
            return
        target = self.loose.target(fixed, at, self.view.zoom)
        end = at
        if target is not None:
            end = self.scene.pin_place(target.node, target.pin.name, target.pin.flow) or at
        type = fixed.pin.type if fixed.pin.flow == "out" or not target else target.pin.type
        self.shown.loose = (place, end, type) if fixed.pin.flow == "out" else (end, place, type)
        if target != self.shown.target:
            self.shown.target = target
            self.shown.refused = self.loose.why_not(fixed, target, held.pulled)

    def _move_frame(self, held: Held, at: Point) -> None:
        assert held.frame is not None
        dx, dy = round((at[0] - held.at[0]) / GRID) * GRID, round((at[1] - held.at[1]) / GRID) * GRID
        box, edits = held.frame.box, list[Edit]()
        if held.what == "resize":
            moved = Box(box.x, box.y, max(box.width + dx, SMALLEST_FRAME), max(box.height + dy, SMALLEST_FRAME))
        else:
            moved = box.moved(dx, dy)
            edits += [Move(node, (x + dx, y + dy)) for node, (x, y) in held.nodes.items()]
        edits.append(frame_edit(self.session, replace(held.frame, box=moved)))
        name = "Resize a frame" if held.what == "resize" else "Move a frame"
        self.session.do(*edits, name=name, gesture=held.gesture)

    # -- letting go ----------------------------------------------------------------------------------------------------

    def release(self, pixel: Point) -> None:
        """The button is let go."""
        held, shown = self._still_held(), self.shown
        self.held, self.shown = None, Shown()
        if held is None:
            return
        at = self.view.to_plane(*pixel)
        if held.waits is not None:
            held.waits = at
            return
        try:
            if held.what == "cable-end" and held.moved:
                self._plug(held, shown, at)
            elif held.what == "move" and held.moved and shown.insert is not None:
                self.insert(next(iter(held.nodes)), shown.insert, gesture=held.gesture)
            elif held.what == "move" and not held.moved and not (held.keys.shift or held.keys.ctrl):
                self.session.select({held.hit.node})
            elif held.what == "band" and not held.moved and not (held.keys.shift or held.keys.ctrl):
                self.session.select()
        finally:
            self.session.end_gesture()

    def _plug(self, held: Held, shown: Shown, at: Point) -> None:
        fixed, target, pulled = held.fixed, shown.target, held.pulled
        if fixed is None:
            return
        edits: list[Edit] = [Disconnect(*pulled.key)] if pulled else []
        if target is None:
            if pulled is not None:
                self.session.do(*edits)
            elif not self.scene.at(*at).node:
                self.ask_kind(fixed, at)
            return
        cable = self.loose.cable(fixed, target, pulled)
        if pulled is not None and cable.key == pulled.key:
            return
        if shown.refused:
            self.say(shown.refused)
            return
        self.connect(cable, edits, pulled)

    def connect(self, cable: Cable, before: list[Edit] | None = None, pulled: Cable | None = None) -> None:
        """Plug a cable, after other edits; ask first where it closes a loop."""
        verdict = judge(self.session, cable, pulled)
        if verdict.refused:
            self.say(verdict.refused)
            return
        if verdict.loop:
            self.ask_loop(replace(cable, feedback=True), before or [])
            return
        name = f"Connect {cable.source} to {cable.target}"
        self.session.do(*(before or []), Connect(cable), name=name)

    def insert(self, node: str, key: CableKey, gesture: object = None) -> None:
        """Put a node into a cable."""
        cable, shape = self.scene.cables.get(key), self.scene.shapes.get(node)
        if cable is None or shape is None:
            return
        edits = insert_edits(self.session, node, shape.face, cable)
        if not edits:
            self.say(f"{node} has no input and output that fit this cable")
            return
        self.session.do(*edits, name=f"Insert {node}", gesture=gesture)

    def cancel(self) -> None:
        """Let go without doing anything more."""
        if self.held is not None:
            self.held.waits = None
            self.session.undo(self.held.gesture)
            self.session.end_gesture()
        self.held, self.shown = None, Shown()

    # -- without a drag ------------------------------------------------------------------------------------------------

    def delete(self, heal: bool = False) -> None:
        """Remove what is selected; with ``heal``, close the gaps that chains get."""
        nodes, here = self.session.selection, self.session.here
        edits: list[Edit] = [Disconnect(*k) for k in self.session.cables if k[0] not in nodes and k[2] not in nodes]
        healing = healing_edits(self.session, nodes) if heal else []
        edits += [RemoveNode(n) for n in sorted(nodes) if n in here.graph]
        edits += healing
        if edits:
            count = len(nodes) or len(edits)
            noun = "node" if nodes else "cable"
            name = edits[0].name if len(edits) == 1 else f"Remove {count} {noun}{'s' if count > 1 else ''}"
            self.session.do(*edits, name=name)

    def reset(self, pixel: Point) -> bool:
        """Give the knob at a pixel its default back; whether there was one."""
        hit = self.scene.at(*self.view.to_plane(*pixel), reach=1 / self.view.zoom)
        if hit.knob is None:
            return False
        if hit.knob.param.name in self.session.here.node(hit.node).params:
            self.session.do(
                SetParam(hit.node, hit.knob.param.name, None), name=f"Reset {hit.node}.{hit.knob.param.name}"
            )
        return True

"""A cable in the hand: which one it is, where it would go, and why it cannot."""

from __future__ import annotations

from dataclasses import replace

from editor.canvas.held import Held
from editor.canvas.plugging import first_input, first_output, fits, judge
from editor.canvas.scene import PinAt, Scene
from editor.canvas.shape import Pin
from editor.canvas.view import Point
from editor.model import Session
from graph.document import Cable

REACH = 1.6
"""How far beside a pin a loose cable still goes to it, by how far one may be pressed."""


class Loose:
    """Cables of a scene that are led from one pin to another."""

    def __init__(self, session: Session, scene: Scene) -> None:
        self.session, self.scene = session, scene

    def take(self, held: Held, at: PinAt) -> None:
        """Pull a new cable out of a pin; or the one that is plugged in, from an input (with Ctrl, any pin)."""
        held.what, held.fixed = "cable-end", at
        plugged = [c for c in self.scene.cables.values() if (c.target, c.target_port) == (at.node, at.pin.name)]
        if at.pin.flow == "out":
            plugged = [c for c in self.scene.cables.values() if (c.source, c.source_port) == (at.node, at.pin.name)]
            plugged = plugged if held.keys.ctrl else []
        chosen = [c for c in plugged if c.key in self.session.cables]
        if plugged:
            held.pulled = (chosen or plugged)[-1]
            held.fixed = self.other_end(held.pulled, at.pin.flow)

    def other_end(self, cable: Cable, flow: str) -> PinAt | None:
        """The pin at the far end of a cable, seen from its input (``in``) or from its output (``out``)."""
        node, port = (cable.source, cable.source_port) if flow == "in" else (cable.target, cable.target_port)
        pin = self.scene.shapes[node].pin(port, "out" if flow == "in" else "in")
        return PinAt(node, pin) if pin else None

    def loosen(self, held: Held) -> None:
        """A cable was taken by its middle: the nearer end comes off."""
        cable = held.hit.cable
        assert cable is not None
        a, b = self.scene.curves[cable.key][0], self.scene.curves[cable.key][-1]
        near_b = abs(held.at[0] - b[0]) + abs(held.at[1] - b[1]) <= abs(held.at[0] - a[0]) + abs(held.at[1] - a[1])
        held.what, held.pulled = "cable-end", cable
        held.fixed = self.other_end(cable, "in" if near_b else "out")

    def target(self, fixed: PinAt, at: Point, zoom: float) -> PinAt | None:
        """Where a loose cable would go: the pin at a point, or the first of the node there that fits, or its knob."""
        hit = self.scene.at(*at, reach=REACH / zoom)
        if hit.pin is not None:
            return hit.pin if hit.pin.pin.flow != fixed.pin.flow else None
        if not hit.node or hit.node == fixed.node:
            return None
        own = self.scene.shapes[hit.node]
        if hit.knob is not None and fixed.pin.flow == "out" and hit.knob.param.modulatable:
            return PinAt(hit.node, Pin(hit.knob.param.name, "in", "control", hit.knob.at, "", is_param=True))
        port = (first_input if fixed.pin.flow == "out" else first_output)(own.face, fixed.pin.type)
        pin = own.pin(port.name, port.flow) if port else None
        return PinAt(hit.node, pin) if pin else None

    def cable(self, fixed: PinAt, target: PinAt, pulled: Cable | None) -> Cable:
        """The cable between two pins; what was ``pulled`` keeps what it is."""
        a, b = (fixed, target) if fixed.pin.flow == "out" else (target, fixed)
        made = Cable(a.node, a.pin.name, b.node, b.pin.name)
        if b.pin.is_param:
            made = replace(made, amount=pulled.amount if pulled and pulled.amount is not None else 0.25)
        return replace(made, feedback=pulled.feedback) if pulled else made

    def why_not(self, fixed: PinAt, target: PinAt | None, pulled: Cable | None) -> str:
        """Why a cable cannot go there; nothing where it can."""
        if target is None:
            return ""
        cable = self.cable(fixed, target, pulled)
        if pulled is not None and pulled.key == cable.key:
            return ""
        a, b = (fixed, target) if fixed.pin.flow == "out" else (target, fixed)
        if not fits(a.pin.type, b.pin.type):
            return f"{b.pin.label or b.pin.name} takes no {a.pin.type} signal"
        return judge(self.session, cable, pulled).refused

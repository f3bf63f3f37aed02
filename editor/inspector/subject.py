"""The node that is looked at: its face, what else moves its params, what is around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from editor.dials import UNMOVED, Moved
from editor.faces import Face, inner_patch
from editor.inspector.offers import Offers, Spectrum, offers_of, spectrum_of
from editor.link import Readings
from editor.model import Session
from editor.turning import Turning
from graph.document import Cable, Patch
from graph.errors import PatchError
from graph.spec import Param

NEAR = 4
"""How many cables away a spectrum may be to be shown behind a curve."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A node at the level that is looked at. A new one is made whenever the node becomes another one."""

    session: Session
    id: str
    face: Face
    offers: Offers
    moved: Mapping[str, Moved]

    @property
    def address(self) -> str:
        """What the engine calls it."""
        return self.session.address(self.id)

    @property
    def rate(self) -> float:
        """Frames per second that curves are drawn for."""
        return float(self.session.patch.sample_rate or 48000)

    def turning(self, param: Param) -> Turning:
        """A param of it, as something to turn."""
        stored = param.name in self.session.here.node(self.id).params
        return Turning(self.session, (self.id,), param, param.default if stored else self.face.values.get(param.name))

    def reading(self, readings: Readings, name: str) -> np.ndarray | None:
        """What it measures, as far as the engine says it."""
        found = readings.get(self.address, {}).get(name)
        return found if found is not None and len(found) else None


def subject(session: Session, id: str) -> Subject:
    """The node of this id, as it is now."""
    seen = session.face(id)
    return Subject(session, id, seen, offers_of(seen), moved(session, id))


def moved(session: Session, id: str) -> dict[str, Moved]:
    """What moves the params of a node beside its knobs, by the params' names: automation and cables."""
    found = dict[str, Moved]()
    cables: dict[str, list[Cable]] = {}
    into = [c for c in session.survey.cables_of(id) if c.target == id]
    names = {p.name for p in session.face(id).params} if into else set[str]()
    for cable in into:
        if cable.target_port in names:
            cables.setdefault(cable.target_port, []).append(cable)
    drawn = automated(session, id)
    for name in drawn | cables.keys():
        own = cables.get(name, [])
        words = ["Automated: it is heard as it is drawn, not as the knob stands."] if name in drawn else []
        words += [
            f"Moved by {c.source}, {1.0 if c.amount is None else c.amount:+.0%} of the range"
            + (", one tick late." if c.feedback else ".")
            for c in own
        ]
        amounts = tuple(1.0 if c.amount is None else c.amount for c in own)
        found[name] = Moved(name in drawn, amounts, any(c.feedback for c in own), "\n".join(words))
    return found


def automated(session: Session, id: str) -> set[str]:
    """The params of a node that enabled automation plays, of this level or of one outside it."""
    found = {line.param for line in session.here.automation if line.node == id and line.enabled}
    patch: Patch = session.patch
    for depth in range(len(session.path)):
        address = "/".join((*session.path[depth:], id))
        found |= {line.param for line in patch.automation if line.node == address and line.enabled}
        if depth + 1 < len(session.path):
            patch = _inside(patch, session.path[depth])
    return found


def _inside(patch: Patch, group: str) -> Patch:
    found = inner_patch(patch.node(group))
    if found is None:
        raise PatchError("what is inside this group cannot be read", place=f"nodes.{group}", node=group)
    return found


def state_of(subject: Subject, name: str) -> Moved:
    """What moves a param beside its knob."""
    return subject.moved.get(name, UNMOVED)


def spectrum_near(session: Session, id: str) -> tuple[str, Spectrum] | None:
    """A node with a spectrum, by which to see what a node does: itself, or the nearest one along audio cables, after
    it rather than before it; with the names of its readings.
    """

    def offered(node: str) -> Spectrum | None:
        return spectrum_of(session.face(node).readings)

    own = offered(id)
    if own is not None:
        return id, own
    for forward in (True, False):
        seen, edge = {id}, [id]
        for _ in range(NEAR):
            follow = [
                (c.target if forward else c.source)
                for node in edge
                for c in session.survey.cables_of(node)
                if (c.source if forward else c.target) == node and _main(session, c)
            ]
            edge = [node for node in dict.fromkeys(follow) if node not in seen]
            seen.update(edge)
            for node in edge:
                found = offered(node)
                if found is not None:
                    return node, found
    return None


def _main(session: Session, cable: Cable) -> bool:
    """Whether sound goes through a cable, not only control."""
    entry = session.here.node(cable.target)
    kind = session.kinds.get(entry.kind)
    if kind is None:
        return entry.kind == "group"
    port = session.face(cable.target).port(cable.target_port)
    return port is not None and port.type == "audio"

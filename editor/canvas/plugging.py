"""Cables: whether one may be plugged, where it would fit, and the edits that plug, re-plug and insert."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import networkx as nx

from editor.faces import Face, face
from editor.model import Session
from graph.check import problems
from graph.compiler import compile
from graph.document import Cable, Patch
from graph.edits import Connect, Disconnect, Edit
from graph.errors import PatchError
from graph.spec import Port

TAKES = {"audio": ("audio",), "sidechain": ("audio",), "control": ("control", "audio"), "events": ("events",)}
"""What an input takes from outputs, by their types; a param takes what a control input takes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a cable may be plugged: why not; or that it closes a loop, and would have to be a feedback cable."""

    refused: str = ""
    loop: bool = False

    def __bool__(self) -> bool:
        return not self.refused and not self.loop


def judge(session: Session, cable: Cable, instead: Cable | None = None) -> Verdict:
    """Whether a cable may be plugged into the patch at this level; ``instead``: one that is pulled for it."""
    here = session.here
    if cable.source not in here.graph or cable.target not in here.graph:
        return Verdict("one of its ends is there no more")
    if here.graph.has_edge(cable.source, cable.target, (cable.source_port, cable.target_port)):
        if instead is None or instead.key != cable.key:
            return Verdict("this cable is there already")
    trial = here.copy()
    if instead is not None:
        trial.unplug(instead.key)
    before = {(p.place, p.message) for p in problems(trial, session.kinds)}
    if not cable.feedback and closes_loop(trial, cable, session):
        return Verdict(loop=True)
    worked = _compile_error(trial, session) is None
    trial.plug(cable)
    for problem in problems(trial, session.kinds):
        if (problem.place, problem.message) not in before:
            return Verdict(problem.message)
    if worked:
        error = _compile_error(trial, session)
        if error is not None:
            return Verdict(error)
    return Verdict()


def _compile_error(patch: Patch, session: Session) -> str | None:
    try:
        compile(patch, session.kinds, session.shelf.services(session.patch.folder or Path.cwd()), missing=[])
    except PatchError as error:
        return error.message
    return None


def closes_loop(patch: Patch, cable: Cable, session: Session) -> bool:
    """Whether a cable closes a loop that nothing in it is able to break."""
    plain: nx.DiGraph[str] = nx.DiGraph()
    plain.add_nodes_from(patch.graph)
    plain.add_edges_from((c.source, c.target) for c in patch.cables() if not c.feedback)
    for id, entry in patch.nodes().items():
        kind = session.kinds.get(entry.kind)
        if kind is not None and kind.emit is not None:
            plain.remove_node(id)
    ends_left = cable.source in plain and cable.target in plain
    return ends_left and (cable.source == cable.target or nx.has_path(plain, cable.target, cable.source))


def fits(output: str, input: str) -> bool:
    """Whether an input's type takes an output's."""
    return output in TAKES.get(input, ())


def first_input(own: Face, type: str) -> Port | None:
    """The port where a cable from an output of this type goes, if it is dropped on a node."""
    return next((p for p in own.inputs if fits(type, p.type)), None)


def first_output(own: Face, type: str) -> Port | None:
    """The port that feeds an input of this type, if its cable is dropped on a node."""
    return next((p for p in own.outputs if fits(p.type, type)), None)


def items_that_fit(session: Session, type: str, flow: str) -> list[str]:
    """What in stock a loose cable could end at: one from an output (``flow`` "out") of a type, or to an input."""
    found: list[str] = []
    for item in session.stock.items():
        ports = session.stock.ports(item.id)
        if flow == "out" and any(p.flow == "in" and fits(type, p.type) for p in ports):
            found.append(item.id)
        if flow == "in" and any(p.flow == "out" and fits(p.type, type) for p in ports):
            found.append(item.id)
    return found


def insert_edits(session: Session, node: str, own: Face, cable: Cable) -> list[Edit]:
    """The edits that put a node into a cable; none where it has no ports for that. Raises PatchError."""
    source = session.here.node(cable.source)
    out = face(cable.source, source, session.kinds, session.here.cables()).port(cable.source_port)
    goes_in = first_input(own, out.type if out else "audio")
    comes_out = own.outputs[0] if own.outputs else None
    if goes_in is None or comes_out is None or comes_out.type != (out.type if out else "audio"):
        return []
    _, order = session.here.cable(cable.key)
    return [
        Disconnect(*cable.key),
        Connect(Cable(cable.source, cable.source_port, node, goes_in.name, cable.feedback)),
        Connect(replace(cable, source=node, source_port=comes_out.name, feedback=False), order),
    ]


def goes_into(session: Session, item: str, cable: Cable) -> bool:
    """Whether a new node of something in stock can be put into a cable."""
    source = session.here.node(cable.source)
    out = face(cable.source, source, session.kinds, session.here.cables()).port(cable.source_port)
    ports = session.stock.ports(item)
    comes_out = next((p for p in ports if p.flow == "out"), None)
    takes = any(p.flow == "in" and fits(out.type if out else "audio", p.type) for p in ports)
    return takes and comes_out is not None and comes_out.type == (out.type if out else "audio")


def healing_edits(session: Session, nodes: frozenset[str]) -> list[Edit]:
    """Cables that close the gap when nodes are taken out of a chain: from what fed each to what it fed."""
    here = session.here
    found: list[Edit] = []
    for node in nodes:
        ins = [c for _, c in here.cables_of(node) if c.target == node and c.source not in nodes]
        outs = [c for _, c in here.cables_of(node) if c.source == node and c.target not in nodes]
        own = face(node, here.node(node), session.kinds, here.cables())
        main = [c for c in ins if own.inputs and c.target_port == own.inputs[0].name]
        if len(main) == 1:
            made = [replace(c, source=main[0].source, source_port=main[0].source_port) for c in outs]
            found += [
                Connect(c) for c in made if not here.graph.has_edge(c.source, c.target, (c.source_port, c.target_port))
            ]
    return found

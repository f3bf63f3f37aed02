"""The patch: the editable document, a networkx MultiDiGraph with what surrounds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import networkx as nx

from graph.errors import PatchError
from graph.fields import (
    Point,
    Snapshot,
    address,
    checked_address,
    checked_id,
    checked_name,
    checked_points,
    checked_snapshot,
)
from graph.plain import brief, checked_number, checked_text, copied, plain, within

CableKey = tuple[str, str, str, str]
"""Source node, source port, target node, target port: no two cables have all four in common."""

NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class NodeEntry:
    """What a patch says of one node.

    ``params`` are in display units, and may be integers or booleans, as they were given. ``extra`` are fields that are
    not known here. ``written`` names the fields that the file wrote out although they hold their defaults: they are
    written again.
    """

    kind: str
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    params: dict[str, float] = field(default_factory=dict[str, float])
    bypass: bool = False
    mute: bool = False
    title: str = ""
    tint: str = ""
    """The name of the colour that the editor shows it in; empty: that of its family."""
    position: tuple[float, float] | None = None
    state: bytes | None = None
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    written: frozenset[str] = field(default=NOTHING, compare=False, repr=False)

    def copy(self) -> NodeEntry:
        """A copy that shares nothing that can change."""
        settings, params, extra = copied(self.settings), dict(self.params), copied(self.extra)
        kept = self.title, self.tint, self.position, self.state, extra, self.written
        return NodeEntry(self.kind, settings, params, self.bypass, self.mute, *kept)


@dataclass(frozen=True, slots=True)
class Cable:
    """A drawn connection. ``amount`` scales a cable into a param; without one it is 1."""

    source: str
    source_port: str
    target: str
    target_port: str
    feedback: bool = False
    amount: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    written: frozenset[str] = field(default=NOTHING, compare=False, repr=False)

    @property
    def key(self) -> CableKey:
        """What tells it from every other cable of the patch."""
        return self.source, self.source_port, self.target, self.target_port

    @property
    def place(self) -> str:
        """Where it is, in messages."""
        return f"cables.{self.source}.{self.source_port} -> {self.target}.{self.target_port}"


@dataclass(frozen=True, slots=True)
class Automation:
    """How a param moves along the timeline. ``node`` may be an address inside a group, ``group/inner``."""

    node: str
    param: str
    points: tuple[Point, ...]
    enabled: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    written: frozenset[str] = field(default=NOTHING, compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where it is, in messages."""
        return f"automation.{self.node}.{self.param}"


@dataclass(frozen=True, slots=True)
class Transport:
    """Tempo in beats per minute, time signature, and the loop in seconds, if there is one."""

    tempo: float = 120
    time_signature: tuple[int, int] = (4, 4)
    loop: tuple[float, float] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    written: frozenset[str] = field(default=NOTHING, compare=False, repr=False)


class Patch:
    """The whole document: nodes and cables in ``graph``, and automation, snapshots, transport and words beside them.

    In ``graph``, a node's data has its ``entry``, and a cable's its ``cable`` and ``order``: where it stands in the
    file's list. Paths in settings are relative to ``folder``, where the patch was loaded from; it is no part of the
    content.
    """

    def __init__(
        self,
        name: str = "",
        sample_rate: int | None = None,
        *,
        description: str = "",
        author: str = "",
        license: str = "",
    ) -> None:
        self.graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self.name = name
        self.description = description
        self.author = author
        self.license = license
        self.tags: list[str] = []
        self.sample_rate = sample_rate
        self.automation: list[Automation] = []
        self.snapshots: dict[str, Snapshot] = {}
        self.snapshot_states: dict[str, dict[str, bytes]] = {}
        """States of plugins that belong to snapshots."""
        self.transport = Transport()
        self.metadata: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        """Top-level fields that are not known here."""
        self.written: frozenset[str] = NOTHING
        self.folder: Path | None = None
        self._next_order = 0

    # -- nodes ---------------------------------------------------------------------------------------------------------

    def add(self, id: str, kind: str, settings: Mapping[str, Any] | None = None, **params: float) -> str:
        """Add a node, its params as keywords; the answer is its id. Raises PatchError."""
        place = within("nodes", id)
        entry = NodeEntry(
            checked_text(kind, f"{place}.kind"),
            plain(settings or {}, f"{place}.settings"),
            {name: checked_number(value, f"{place}.params.{name}") for name, value in params.items()},
        )
        self.put(id, entry)
        return id

    def put(self, id: str, entry: NodeEntry) -> None:
        """Add a node as it is. Raises PatchError where the id is taken or not one."""
        checked_id(id, "nodes")
        if id in self.graph:
            raise PatchError("there is a node of this id already", place=f"nodes.{id}", node=id)
        self.graph.add_node(id, entry=entry)

    def node(self, id: str) -> NodeEntry:
        """The entry of a node, to read or to change. Raises PatchError where there is none."""
        if id not in self.graph:
            raise PatchError(f"there is no node {brief(repr(id), 80)}", place="nodes")
        return cast(NodeEntry, self.graph.nodes[id]["entry"])

    def nodes(self) -> dict[str, NodeEntry]:
        """Every node's entry, by id."""
        return {id: cast(NodeEntry, data["entry"]) for id, data in self.graph.nodes(data=True)}

    def set(self, id: str, /, **params: float) -> None:
        """Give params of a node values. Raises PatchError."""
        entry = self.node(id)
        checked = {name: checked_number(value, f"nodes.{id}.params.{name}") for name, value in params.items()}
        entry.params.update(checked)

    def remove(self, id: str) -> None:
        """Remove a node with its cables, automation and what snapshots hold of it. Raises PatchError."""
        self.node(id)
        self.graph.remove_node(id)
        self.automation = [line for line in self.automation if not belongs(line.node, id)]
        for name, values in self.snapshots.items():
            self.snapshots[name] = {node: v for node, v in values.items() if not belongs(node, id)}
        for name, states in self.snapshot_states.items():
            self.snapshot_states[name] = {node: v for node, v in states.items() if not belongs(node, id)}

    # -- cables --------------------------------------------------------------------------------------------------------

    def connect(self, source: str, target: str, feedback: bool = False, amount: float | None = None) -> Cable:
        """Plug a cable from ``node.port`` to ``node.port`` or ``node.param``. Raises PatchError."""
        place = f"cables.{brief(str(source), 80)} -> {brief(str(target), 80)}"
        if amount is not None:
            amount = checked_number(amount, f"{place}.amount")
        cable = Cable(*address(source, place), *address(target, place), bool(feedback), amount)
        self.plug(cable)
        return cable

    def plug(self, cable: Cable, order: int | None = None, place: str = "") -> None:
        """Add a cable as it is, last in the list unless ``order`` says where. Raises PatchError."""
        source, source_port, target, target_port = cable.key
        for id in (source, target):
            if id not in self.graph:
                raise PatchError(f"there is no node {brief(repr(id), 80)}", place=place or cable.place)
        ports = (source_port, target_port)
        if self.graph.has_edge(source, target, ports):
            raise PatchError(
                f"the cable from {source}.{source_port} to {target}.{target_port} is there already",
                place=place or cable.place,
                node=target,
            )
        order = self._next_order if order is None else order
        self._next_order = max(self._next_order, order + 1)
        self.graph.add_edge(source, target, key=ports, cable=cable, order=order)

    def disconnect(self, source: str, target: str) -> None:
        """Pull the cable from ``node.port`` to ``node.port``. Raises PatchError where there is none."""
        place = f"cables.{brief(str(source), 80)} -> {brief(str(target), 80)}"
        self.unplug((*address(source, place), *address(target, place)))

    def unplug(self, key: CableKey) -> None:
        """Remove a cable. Raises PatchError where there is none."""
        self.cable(key)
        source, source_port, target, target_port = key
        self.graph.remove_edge(source, target, key=(source_port, target_port))

    def cable(self, key: CableKey) -> tuple[Cable, int]:
        """A cable and where it stands in the list. Raises PatchError where there is none."""
        source, source_port, target, target_port = key
        if not self.graph.has_edge(source, target, (source_port, target_port)):
            message = f"there is no cable from {source}.{source_port} to {target}.{target_port}"
            raise PatchError(message, place="cables")
        data = cast(Mapping[str, Any], self.graph.edges[source, target, (source_port, target_port)])
        return cast(Cable, data["cable"]), cast(int, data.get("order", 0))

    def cables(self) -> list[Cable]:
        """Every cable, in the order of the file."""
        return [cable for _, cable in self.ordered_cables(self.graph.edges(data=True))]

    def cables_of(self, id: str) -> list[tuple[int, Cable]]:
        """The cables into and out of a node, each with where it stands in the list."""
        touching = {
            cable.key: (order, cable) for order, cable in self.ordered_cables(self.graph.in_edges(id, data=True))
        }
        touching |= {pair[1].key: pair for pair in self.ordered_cables(self.graph.out_edges(id, data=True))}
        return sorted(touching.values(), key=lambda found: (found[0], found[1].key))

    @staticmethod
    def ordered_cables(edges: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[tuple[int, Cable]]:
        """What networkx says of edges, as cables in the order of the file; those without one come first, by name."""
        found = [(cast(int, data.get("order", -1)), cast(Cable, data["cable"])) for _, _, data in edges]
        return sorted(found, key=lambda pair: (pair[0], pair[1].key))

    # -- the rest ------------------------------------------------------------------------------------------------------

    def automate(self, id: str, param: str, points: Iterable[Sequence[Any]], enabled: bool = True) -> Automation:
        """Add automation: points are ``(seconds, value)`` or ``(seconds, value, curve)``. Raises PatchError.

        ``id`` may be ``group/inner``. What the curves, values and times must be, ``graph.check`` knows.
        """
        place = f"automation.{brief(str(id), 160)}.{brief(str(param), 80)}"
        line = Automation(
            checked_address(id, place), checked_name(param, place), checked_points(points, place), enabled
        )
        self.automation.append(line)
        return line

    def snapshot(self, name: str, values: Mapping[str, Mapping[str, float]]) -> None:
        """Keep values of params under a name, in place of what was there. Raises PatchError."""
        self.snapshots[checked_text(name, "snapshots")] = checked_snapshot(values, within("snapshots", name))

    def copy(self) -> Patch:
        """A patch of the same content that shares nothing that can change."""
        other = Patch(
            self.name, self.sample_rate, description=self.description, author=self.author, license=self.license
        )
        for id, entry in self.nodes().items():
            other.graph.add_node(id, entry=entry.copy())
        edges: Iterable[tuple[str, str, Any, dict[str, Any]]] = self.graph.edges(keys=True, data=True)
        for source, target, key, data in edges:
            other.graph.add_edge(source, target, key=key, **data)
        other.tags = list(self.tags)
        other.automation = list(self.automation)
        other.snapshots = {name: {node: dict(v) for node, v in s.items()} for name, s in self.snapshots.items()}
        other.snapshot_states = {name: dict(states) for name, states in self.snapshot_states.items()}
        other.transport = self.transport
        other.metadata = copied(self.metadata)
        other.extra = copied(self.extra)
        other.written = self.written
        other.folder = self.folder
        other._next_order = self._next_order
        return other

    def take(self, other: Patch) -> None:
        """Become what another patch is, in the folder where this one is; the two then share their content."""
        self.__dict__.update({**other.__dict__, "folder": self.folder})

    def __eq__(self, other: object) -> bool:
        """Whether the content is the same, whatever the order of nodes and cables."""
        return isinstance(other, Patch) and self._content() == other._content()

    __hash__ = None  # pyright: ignore[reportAssignmentType] - it changes

    def _content(self) -> tuple[object, ...]:
        words = (self.name, self.description, self.author, self.license, self.tags, self.sample_rate)
        snapshots = self.snapshots, {name: s for name, s in self.snapshot_states.items() if s}
        rest = (self.automation, snapshots, self.transport, self.metadata, self.extra)
        return words, self.nodes(), {cable.key: cable for cable in self.cables()}, rest

    def __repr__(self) -> str:
        counts = f"{self.graph.number_of_nodes()} nodes, {self.graph.number_of_edges()} cables"
        return f"<Patch {brief(repr(self.name), 48)}: {counts}>"

    # -- files ---------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the patch to a file, ``.pwp`` or ``.json``, whole or not at all. Raises PatchError."""
        from graph.patchfile import save

        save(self, path)

    @staticmethod
    def load(path: str | Path) -> Patch:
        """The patch in a file of either form. Raises PatchError."""
        from graph.patchfile import load

        return load(path)

    def to_json(self) -> str:
        """The patch in its text form. Raises PatchError where it holds what a file cannot."""
        from graph.patchfile import dumps

        return dumps(self, "json").decode()

    @staticmethod
    def from_json(text: str) -> Patch:
        """The patch in a text. Raises PatchError."""
        from graph.patchfile import loads

        return loads(text.encode("utf-8", "surrogatepass"))


def belongs(address: str, id: str) -> bool:
    """Whether an address, ``node`` or ``group/inner``, is in the node ``id``."""
    return address == id or address.startswith(id + "/")

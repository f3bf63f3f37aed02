"""What is being worked on: a patch, its history, what is selected and where one is in it. Knows no window.

Everything that happens to the document is an edit of ``graph.edits``, done through ``Session.do`` and undoable.
Panels ask once a frame what has become different (``changes``), and compare nothing themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from editor.faces import Face
from editor.plugins.shelf import KnownKinds, Shelf
from editor.stock import Stock
from editor.survey import Survey
from editor.telling import Value, told
from graph.document import Automation, CableKey, NodeEntry, Patch, Point
from graph.edits import Batch, Edit, History, Move, SetParam, inside
from graph.errors import PatchError
from graph.form import FORMAT, VERSION, from_document
from graph.spec import Kinds

ParamKey = tuple[str, str]
"""Node and param."""

Level = tuple[int, tuple[str, ...]]
"""How many patches were opened before, and the groups one has entered."""

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Changes:
    """What has become different since the last time, at the level that is looked at."""

    everything: bool = False
    """Another patch or another level: nothing that was known holds."""
    added: frozenset[str] = NOBODY
    removed: frozenset[str] = NOBODY
    nodes: frozenset[str] = NOBODY
    """Nodes that were there and now differ in anything beside params and position."""
    moved: frozenset[str] = NOBODY
    params: frozenset[ParamKey] = frozenset()
    cables: bool = False
    automation: bool = False
    snapshots: bool = False
    words: bool = False
    """Name, tags, transport, metadata: what a patch has beside its graph."""
    selection: bool = False
    history: bool = False
    look: bool = False
    """Theme or scale: everything is drawn anew."""

    @property
    def structure(self) -> bool:
        """Whether nodes or cables came, went or became other ones."""
        return self.everything or bool(self.added or self.removed or self.nodes) or self.cables

    def __bool__(self) -> bool:
        return self != NO_CHANGES

    def __or__(self, later: Changes) -> Changes:
        """Both, as one who has seen neither would see them: what came and went again is not told of."""
        if not self or not later:
            return self or later
        if later.everything:
            return replace(later, look=self.look or later.look)
        both = Changes(**{each.name: getattr(self, each.name) | getattr(later, each.name) for each in fields(self)})
        return replace(
            both,
            added=self.added - later.removed | later.added,
            removed=self.removed | later.removed - self.added,
            nodes=self.nodes - later.removed | later.nodes,
            moved=self.moved - later.removed | later.moved,
            params=frozenset(p for p in self.params if p[0] not in later.removed) | later.params,
        )


NO_CHANGES = Changes()


@dataclass(slots=True)
class _Seen:
    """What was there at the last look."""

    revision: int = -1
    level: Level | None = None
    nodes: dict[str, NodeEntry] = field(default_factory=dict[str, NodeEntry])
    cables: dict[CableKey, tuple[bool, float | None]] = field(default_factory=dict)
    automation: tuple[Automation, ...] = ()
    snapshots: dict[str, Any] = field(default_factory=dict[str, Any])
    words: tuple[object, ...] = ()
    selection: tuple[frozenset[str], frozenset[CableKey]] = (frozenset(), frozenset())
    history: int = -1
    look: int = 0


class Session:
    """A patch being edited. ``file``: where it is kept, if it is.

    ``path`` says inside which group, inside which group, the user is; ``here`` is the patch there. Nodes are named as
    they are called there; ``address`` gives what the engine calls them.
    """

    def __init__(
        self,
        patch: Patch | None = None,
        kinds: Kinds | None = None,
        file: Path | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        if kinds is None:
            from nodes import kinds as built_in

            kinds = built_in()
        self.shelf = shelf or Shelf()
        """The plugins that there are."""
        self._known = KnownKinds(kinds, self.shelf)
        self.kinds: Kinds = self._known
        self.stock = Stock(self._known, self.shelf)
        """What can be added."""
        self.selection: frozenset[str] = frozenset()
        self.cables: frozenset[CableKey] = frozenset()
        """Selected cables."""
        self._look = self._edits = self._revision = self._stamp = self._world = self._wires = self._opened = 0
        self._survey = Survey(self.kinds)
        self._touched: set[str] | None = None
        """The nodes of this level that may differ from what was last seen, nothing else; None: anything may."""
        self.to_engine: list[tuple[str, str, float]] = []
        """Params that only changed their values, for the engine: address, param, value."""
        self.points_to_engine: dict[ParamKey, tuple[Point, ...]] = {}
        """Automation that only got other points, for the engine: by address and param."""
        self.patch_changed = True
        """Whether the engine must be given the whole patch."""
        self._open(patch or Patch(), file)

    def _open(self, patch: Patch, file: Path | None) -> None:
        if patch.folder is None:
            patch.folder = file.resolve().parent if file else Path.cwd()
        self._known.look_in(patch.folder)
        self.patch = patch
        self.file = file
        self.history = History(patch)
        self._opened += 1
        self.path: tuple[str, ...] = ()
        self.selection, self.cables = frozenset(), frozenset()
        self._inside: tuple[object, Patch] | None = None
        self._seen = _Seen()
        self._revision += 1
        self._stamp += 1
        self._world += 1
        self._touched = None
        self.patch_changed = True
        self.to_engine.clear()
        self.points_to_engine.clear()

    def open(self, patch: Patch, file: Path | None = None) -> None:
        """Work on another patch, with no history."""
        self._open(patch, file)

    def saved(self, file: Path) -> None:
        """The patch as it is now is what is in this file."""
        self.file = file
        self.patch.folder = file.resolve().parent
        self._known.look_in(self.patch.folder)
        self.history.mark_saved()
        self._edits += 1
        self._revision += 1

    def looks_different(self) -> None:
        """Theme or scale have changed: everything is to be drawn anew."""
        self._look += 1
        self._revision += 1

    def relearned(self) -> None:
        """What kinds and plugins there are may be different: everything is to be looked at anew, and played anew."""
        self._seen = _Seen(look=self._look)
        self._revision += 1
        self._stamp += 1
        self._world += 1
        self._touched = None
        self.patch_changed = True

    # -- where one is --------------------------------------------------------------------------------------------------

    @property
    def here(self) -> Patch:
        """The patch at the level that is looked at; to read, never to change."""
        if not self.path:
            return self.patch
        key = self._stamp, self.path
        if self._inside is None or self._inside[0] != key:
            patch = self.patch
            for id in self.path:
                raw = patch.node(id).settings.get("patch")
                patch = from_document({**dict(raw or {}), "format": FORMAT, "version": VERSION})
            self._inside = key, patch
        return self._inside[1]

    @property
    def level(self) -> Level:
        """Equal as long as it is the same patch that is open, and the same place in it that is looked at."""
        return self._opened, self.path

    @property
    def survey(self) -> Survey:
        """Cables and faces of the level that is looked at, kept from edit to edit."""
        self._survey.follow(self.here, (self._world, self.path), self._stamp, self._wires)
        return self._survey

    def face(self, node: str) -> Face:
        """The face of a node of this level. Raises PatchError where there is none."""
        return self.survey.face(node)

    def address(self, node: str) -> str:
        """What the engine calls a node of this level."""
        return "/".join((*self.path, node))

    def enter(self, group: str) -> None:
        """Look at the inside of a group. Raises PatchError where it is none."""
        entry = self.here.node(group)
        if entry.kind != "group" or not isinstance(entry.settings.get("patch"), Mapping):
            raise PatchError(f"{group} is no group that can be entered", place=f"nodes.{group}", node=group)
        self.go((*self.path, group))

    def go(self, path: tuple[str, ...]) -> None:
        """Look at another level, by the ids of its groups from the outermost."""
        left = self.path
        self.path, self._touched = path, None
        try:
            _ = self.here
        except PatchError:
            self.path = left
            raise
        inner = left[len(path)] if left[: len(path)] == path and len(left) > len(path) else None
        self.select({inner} if inner else ())

    # -- edits ---------------------------------------------------------------------------------------------------------

    def do(self, *edits: Edit, name: str = "", gesture: object = None) -> None:
        """Do edits of this level as one step of the history. Raises PatchError, with nothing changed.

        Edits of one ``gesture`` (anything that compares equal), one after another, are one step.
        """
        if not edits:
            return
        edit = edits[0] if len(edits) == 1 else Batch(name or edits[0].name, edits)
        edit = inside(self.path, edit)
        touched, wires, path = self._touched, self._wires, self.path
        self.do_at_root(edit, name=name or edits[0].name, gesture=gesture)
        if self.path == path and all(isinstance(each, SetParam | Move) for each in edits):
            self._wires = wires
            if touched is not None:
                self._touched = touched | {each.node for each in edits if isinstance(each, SetParam | Move)}

    def do_at_root(self, edit: Edit, *, name: str = "", gesture: object = None) -> None:
        """Do an edit of the outermost patch. Raises PatchError, with nothing changed."""
        news = told(edit, lambda path: self.here.automation if path == self.path else None)
        self.history.do(edit, name=name, gesture=gesture)
        if news is None:
            self.patch_changed = True
        for one in news or ():
            if isinstance(one, Value):
                self.to_engine.append(one)
            else:
                self.points_to_engine[one.node, one.param] = one.points
        self._settle()

    def adopt(self, edit: Edit) -> None:
        """Apply an edit of the outermost patch that is no step of the history, since nothing is heard or shown of it.
        Raises PatchError, with nothing changed.
        """
        edit.apply(self.patch)
        self.patch_changed = True
        self._settle()

    def end_gesture(self) -> None:
        """What comes next is another step of the history."""
        self.history.end_gesture()

    def undo(self, gesture: object = None) -> str | None:
        """Take the last step back, with ``gesture`` only if it is that one's; the answer is its name."""
        return self._moved(self.history.undo(gesture))

    def redo(self) -> str | None:
        """Do again what was undone last; the answer is its name."""
        return self._moved(self.history.redo())

    def _moved(self, name: str | None) -> str | None:
        if name is not None:
            self.patch_changed = True
            self._settle()
        return name

    def _settle(self) -> None:
        """Leave groups and drop selections that are there no more."""
        self._edits += 1
        self._revision += 1
        self._stamp += 1
        self._wires += 1
        self._touched = None
        while self.path:
            try:
                here = self.here
                break
            except PatchError:
                self.path = self.path[:-1]
        else:
            here = self.patch
        if any(id not in here.graph for id in self.selection):
            self.selection = frozenset(id for id in self.selection if id in here.graph)
        if self.cables:
            self.cables &= {cable.key for cable in self.survey.cables}

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self.history.dirty

    # -- selection -----------------------------------------------------------------------------------------------------

    def select(self, nodes: Iterable[str] = (), cables: Iterable[CableKey] = ()) -> None:
        """Select these, as far as they are there, and nothing else."""
        graph = self.here.graph
        self.selection = frozenset(id for id in nodes if id in graph)
        self.cables = frozenset(key for key in cables if graph.has_edge(key[0], key[2], (key[1], key[3])))
        self._revision += 1

    @property
    def chosen(self) -> str | None:
        """The node that is selected, where it is one."""
        return next(iter(self.selection)) if len(self.selection) == 1 else None

    def fresh_id(self, kind: str, taken: Iterable[str] = ()) -> str:
        """An id for a new node of this level: the kind's name, with a number where it is taken."""
        here = self.here
        busy = {*here.graph, *taken}
        busy |= {line.node.split("/")[0] for line in here.automation}
        busy |= {node.split("/")[0] for snapshot in here.snapshots.values() for node in snapshot}
        base = kind[:58] or "node"
        if base not in busy:
            return base
        return next(f"{base}{k}" for k in range(2, len(busy) + 3) if f"{base}{k}" not in busy)

    # -- what has changed ----------------------------------------------------------------------------------------------

    def changes(self) -> Changes:
        """What is different from the last time this was called."""
        if self._revision == self._seen.revision:
            return NO_CHANGES
        here, before = self.here, self._seen
        level = self.level
        nodes, cables, candidates = self._looked_at(here, before)
        now = self._seen = _Seen(
            self._revision,
            level,
            nodes,
            cables,
            tuple(here.automation),
            dict(here.snapshots),
            _words(here) + _words(self.patch) + (self.file, self.dirty),
            (self.selection, self.cables),
            self._edits,
            self._look,
        )
        if level != before.level:
            more = {"automation": True, "snapshots": True, "words": True, "selection": True, "history": True}
            return Changes(everything=True, cables=True, look=before.look != now.look, **more)
        altered, moved, params = set[str](), set[str](), set[ParamKey]()
        for node in candidates & before.nodes.keys():
            a, b = before.nodes[node], now.nodes[node]
            if a is b:
                continue
            if a.position != b.position:
                moved.add(node)
            if a.params != b.params:
                names = a.params.keys() | b.params.keys()
                params |= {(node, name) for name in names if a.params.get(name) != b.params.get(name)}
            if _rest(a) != _rest(b):
                altered.add(node)
        return Changes(
            False,
            frozenset(now.nodes.keys() - before.nodes.keys()),
            frozenset(before.nodes.keys() - now.nodes.keys()),
            frozenset(altered),
            frozenset(moved),
            frozenset(params),
            now.cables != before.cables,
            now.automation != before.automation,
            now.snapshots != before.snapshots,
            now.words != before.words,
            now.selection != before.selection,
            now.history != before.history,
            now.look != before.look,
        )

    def _looked_at(
        self, here: Patch, before: _Seen
    ) -> tuple[dict[str, NodeEntry], dict[CableKey, tuple[bool, float | None]], set[str]]:
        """Nodes and cables as they are, what was equal before being the same object, and the nodes to be compared."""
        entries, touched = here.nodes(), self._touched
        if touched is None or before.level != self.level:
            nodes, candidates = dict[str, NodeEntry](), set(entries)
            cables = {c.key: (c.feedback, c.amount) for c in self.survey.cables}
        else:
            nodes, candidates, cables = dict(before.nodes), touched & entries.keys(), before.cables
        for node in candidates:
            entry, old = entries[node], before.nodes.get(node)
            nodes[node] = old if old is not None and old == entry else entry.copy()
        self._touched = set()
        return nodes, cables, candidates


def _rest(entry: NodeEntry) -> tuple[object, ...]:
    return entry.kind, entry.settings, entry.bypass, entry.mute, entry.title, entry.tint, entry.state, entry.extra


def _words(patch: Patch) -> tuple[object, ...]:
    words = patch.name, patch.description, patch.author, patch.license, tuple(patch.tags), patch.sample_rate
    return (*words, patch.transport, repr(patch.metadata))

"""Everything that can be put onto the canvas: the kinds that there are, and the plugins that scans found. No window.

What can be added goes by an id: a kind's name, or ``plugin:FORMAT:UID``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from editor.blocks import Block, Blocks
from editor.faces import face, family_of, spoken
from editor.plugins.shelf import KnownKinds, Shelf, of_found
from editor.usernodes.listing import OWN, OwnNodes
from graph.document import NodeEntry
from graph.errors import PatchError
from graph.plain import copied
from graph.spec import Port

if TYPE_CHECKING:
    from host.plugins.store import Found
    from host.usernodes.listing import Own

BLOCK = "block"
PLUGIN = "plugin"
"""The kind that a plugin is put into."""


VAGUE = ("fx", "mono", "stereo", "surround", "ambisonics")
"""What plugins say of themselves that does not tell one from another."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to add. ``stem`` is what ids of such nodes begin with, ``words`` what a search looks at."""

    id: str
    title: str
    detail: str
    family: str
    stem: str
    words: str
    vendor: str = ""
    category: str = ""
    """Of plugins: their maker, and what they say they are for."""
    kind: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    label: str = ""
    """The title that a node gets; empty for none."""
    made: NodeEntry | None = None
    """A node that is to be copied, of what is no mere kind."""

    @property
    def is_plugin(self) -> bool:
        """Whether it is one of the plugins that were found."""
        return self.kind == PLUGIN and bool(self.settings)

    def entry(self) -> NodeEntry:
        """A new node of this."""
        if self.made is not None:
            found = self.made.copy()
            found.settings = copied(self.made.settings)
            return found
        found = NodeEntry(self.kind)
        found.settings.update(self.settings)
        found.title = self.label
        return found


class Stock:
    """What there is, by id. Plugins come and go with scans."""

    def __init__(self, kinds: KnownKinds, shelf: Shelf) -> None:
        self._kinds, self._shelf = kinds, shelf
        self._own = {name: _of_kind(name, kinds) for name in kinds}
        self.blocks = Blocks()
        self.nodes = OwnNodes()
        """The user's own, in the node folder."""
        self._nodes: tuple[int, dict[str, Item]] = (-1, {})
        self._blocks: tuple[int, dict[str, Item]] = (-1, {})
        self._plugins: dict[str, Item] = {}
        self._ports: dict[str, tuple[Port, ...]] = {}
        self._seen = -1

    def _plugins_now(self) -> Mapping[str, Item]:
        if self._seen != self._shelf.count:
            self._seen = self._shelf.count
            found = (of_plugin(each) for each in self._shelf.known.plugins)
            self._plugins = {item.id: item for item in found} if PLUGIN in self._kinds else {}
            self._ports = {}
        return self._plugins

    def items(self) -> list[Item]:
        """Everything: kinds by name, then plugins by name."""
        own = self._own.values(), self._nodes_now().values(), self._blocks_now().values()
        return [*(item for items in own for item in items), *self._plugins_now().values()]

    def _nodes_now(self) -> Mapping[str, Item]:
        if self._nodes[0] != self.nodes.count:
            found = (_of_own(each) for each in self.nodes.listed if not each.problem)
            self._nodes = self.nodes.count, {item.id: item for item in found}
            self._ports = {}
        return self._nodes[1]

    def _blocks_now(self) -> Mapping[str, Item]:
        if self._blocks[0] != self.blocks.count:
            found = (_of_block(each) for each in self.blocks.listed().values())
            self._blocks = self.blocks.count, {item.id: item for item in found}
        return self._blocks[1]

    @property
    def count(self) -> tuple[int, ...]:
        """Another one whenever there may be other things."""
        return self._shelf.count, self.blocks.count, self.nodes.count

    def plugins(self) -> list[Item]:
        """The plugins, by name."""
        return list(self._plugins_now().values())

    def __contains__(self, id: object) -> bool:
        return self.get(id) is not None

    def __getitem__(self, id: str) -> Item:
        """Raises KeyError for what there is no more."""
        found = self.get(id)
        if found is None:
            raise KeyError(id)
        return found

    def get(self, id: str) -> Item | None:
        """The one of an id, if it is there."""
        shelves = self._own, self._nodes_now(), self._blocks_now(), self._plugins_now()
        return next((items[id] for items in shelves if id in items), None)

    def ports(self, id: str) -> tuple[Port, ...]:
        """The ports that a new node of this has."""
        item = self[id]
        if item.made is not None:
            own = face(item.stem, item.made, self._kinds)
            return (*own.inputs, *own.outputs)
        known = self._ports
        if id not in known:
            try:
                kind = self._kinds.variant(item.entry())
                known[id] = kind.ports({s.name: item.settings.get(s.name, s.default) for s in kind.settings_declared()})
            except PatchError:
                known[id] = ()
        return known[id]

    def warm(self) -> None:
        """Find the ports of all plugins, so that nobody waits for them later; from any thread."""
        for item in self.plugins():
            if item.id in self:
                self.ports(item.id)


def _of_kind(name: str, kinds: KnownKinds) -> Item:
    kind = kinds[name]
    words = f"{name} {spoken(name)} {kind.summary()}".lower()
    return Item(name, spoken(name), kind.summary(), family_of(kind), name, words, kind=name)


def _of_block(block: Block) -> Item:
    words = f"{block.name} {block.about} block group".lower()
    stem = re.sub(r"[^a-z0-9]+", "_", block.name.lower()).strip("_")[:40] or BLOCK
    return Item(
        f"{BLOCK}:{block.name}", block.name, block.about, "group", stem, words, kind=block.entry.kind, made=block.entry
    )


def _of_own(own: Own) -> Item:
    about = own.about
    doc = about.doc if about else ""
    detail = doc if own.trusted else f"{doc} Your own, {own.standing}: add it, look at it and trust it there."
    return Item(
        f"{OWN}:{own.path}",
        spoken(own.kind),
        detail,
        about.family if about else "utility",
        re.sub(r"[^a-z0-9]+", "_", own.kind.lower()).strip("_")[:40] or OWN,
        f"{own.kind} {spoken(own.kind)} {doc} own node".lower(),
        category="own" if own.trusted else "not trusted",
        kind=OWN,
        settings={"path": own.path},
        label=spoken(own.kind),
    )


def of_plugin(found: Found) -> Item:
    """A plugin that was found, as something to add."""
    about = found.description
    settings = {name: value for name, value in of_found(found).items() if value}
    category = purpose(about.category)
    return Item(
        f"{PLUGIN}:{found.format}:{about.uid}",
        about.name,
        ", ".join(word for word in (about.vendor, category) if word),
        "plugin",
        re.sub(r"[^a-z0-9]+", "_", about.name.lower()).strip("_")[:40] or PLUGIN,
        f"{about.name} {about.vendor} {about.category} plugin {found.format}".lower(),
        about.vendor or "Unknown vendor",
        category or ("Instrument" if about.instrument else "Other"),
        PLUGIN,
        settings,
        about.name,
    )


def purpose(category: str) -> str:
    """What a plugin says it is for, in a word: ``Fx|Dynamics|Mono`` is ``Dynamics``."""
    words = [word.strip() for word in category.split("|") if word.strip()]
    telling = [w for w in words if w.lower() not in VAGUE and not w.lower().startswith(("only", "no"))]
    return telling[0] if telling else words[0] if words else ""


def fitting(items: Iterable[Item], typed: str) -> list[Item]:
    """Those that have every word that was typed; those whose title begins with it first."""
    words = typed.lower().split()
    found = [item for item in items if all(word in item.words for word in words)]
    first = " ".join(words)
    return sorted(found, key=lambda item: not item.title.lower().startswith(first)) if words else found

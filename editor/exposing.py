"""What a group shows of its inside: ports and params under names of its own, as edits. Knows no window.

A group is told by the ids of the groups round it and its own, from the outermost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from editor.faces import Face, face, group_shows, inner_patch, spoken
from editor.following import do_moving_at_root
from editor.model import Session
from graph.document import NodeEntry, Patch
from graph.edits import Batch, Connect, Disconnect, Edit, SetAutomation, SetParam, SetSetting, inside
from graph.errors import PatchError

What = Literal["ports", "params"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A port or param of a group: its name there, and what it is inside, as ``node.name``."""

    what: What
    name: str
    inside: str
    flow: str
    """in, out; empty for a param."""
    words: str
    """What it is called inside: the node's title, and the port's or param's name."""


class Group:
    """A group at a place of a session, as it is now. Raises PatchError where there is none."""

    def __init__(self, session: Session, path: Path) -> None:
        self.session, self.path = session, path
        self.outer = outer = _patch_at(session, path[:-1])
        self.id = path[-1]
        self.entry: NodeEntry = outer.node(self.id)
        inner = inner_patch(self.entry)
        if inner is None:
            raise PatchError("what is inside this group cannot be read", place=f"nodes.{self.id}", node=self.id)
        self.inner = inner
        cables = inner.cables()
        self.faces: Mapping[str, Face] = {
            id: face(id, entry, session.kinds, cables) for id, entry in inner.nodes().items()
        }

    def _setting(self, what: What) -> dict[str, str]:
        return group_shows(self.entry, what)

    def _described(self, what: What, name: str, inside: str) -> Shown:
        node, _, own = inside.rpartition(".")
        known = self.faces.get(node)
        port = known.port(own) if known and what == "ports" else None
        param = known.param(own) if known and what == "params" else None
        words = known.label(param) if known and param else spoken(own)
        return Shown(what, name, inside, port.flow if port else "", f"{known.title if known else node}  {words}")

    def shown(self) -> list[Shown]:
        """What it shows: inputs, outputs, then params, in the order of the file."""
        ports = [self._described("ports", *item) for item in self._setting("ports").items()]
        params = [self._described("params", *item) for item in self._setting("params").items()]
        return [*sorted(ports, key=lambda p: p.flow == "out"), *params]

    def hidden(self) -> list[Shown]:
        """What it could show too: ports that nothing inside is plugged to first, then the others, then params."""
        seen = {inside for what in ("ports", "params") for inside in self._setting(what).values()}
        used = {f"{c.target}.{c.target_port}" for c in self.inner.cables()}
        used |= {f"{c.source}.{c.source_port}" for c in self.inner.cables()}
        ports: list[tuple[bool, Shown]] = []
        params: list[Shown] = []
        for id, own in self.faces.items():
            for port in (*own.inputs, *own.outputs):
                inside = f"{id}.{port.name}"
                if inside not in seen:
                    ports.append((inside in used, self._described("ports", port.name, inside)))
            for param in own.params:
                if f"{id}.{param.name}" not in seen:
                    params.append(self._described("params", param.name, f"{id}.{param.name}"))
        return [*(port for _, port in sorted(ports, key=lambda row: row[0])), *params]

    def _free_name(self, item: Shown) -> str:
        busy = {*self._setting("ports"), *self._setting("params")}
        node, _, own = item.inside.rpartition(".")
        wanted = (own, f"{node}_{own}", *(f"{own}{k}" for k in range(2, len(busy) + 3)))
        return next(name for name in wanted if name not in busy and len(name) <= 64)

    # -- edits ---------------------------------------------------------------------------------------------------------

    def _do(self, name: str, edits: list[Edit], item: Shown | None = None, now: str = "") -> None:
        """Do edits of the patch that the group is in. What the group round it shows of ``item`` is ``now`` there."""
        edit = inside(self.path[:-1], Batch(name, tuple(edits)))
        if item is not None and len(self.path) > 1:
            round_it = Group(self.session, self.path[:-1])
            shown = round_it._setting(item.what)
            named = {outer: now if own == f"{self.id}.{item.name}" else own for outer, own in shown.items()}
            edit = Batch(name, (edit, inside(self.path[:-2], SetSetting(round_it.id, item.what, named))))
        do_moving_at_root(self.session, edit, name)

    def show(self, item: Shown) -> str:
        """Show something more; the answer is the name it gets."""
        name = self._free_name(item)
        value: Any = {**self._setting(item.what), name: item.inside}
        self._do(f"Show {item.words}", [SetSetting(self.id, item.what, value)])
        return name

    def hide(self, item: Shown) -> None:
        """Show something no more. What was plugged into it goes with it; its value, its automation, and what snapshots
        hold of it become those of the param inside.
        """
        edits: list[Edit] = self._unplugged(item.name)
        if item.what == "params" and item.name in self.entry.params:
            address, _, param = item.inside.rpartition(".")
            *groups, node = self.id, *address.split("/")
            inner = inside(groups, SetParam(node, param, self.entry.params[item.name]))
            edits += [SetParam(self.id, item.name, None), inner]
        rest = {name: inside for name, inside in self._setting(item.what).items() if name != item.name}
        self._do(f"Hide {item.name}", [*edits, SetSetting(self.id, item.what, rest)], item, f"{self.id}/{item.inside}")

    def rename(self, item: Shown, name: str) -> None:
        """Give something another name; what is plugged into it, its value and its automation stay with it.

        Raises PatchError where the name is empty, too long or taken.
        """
        name = "_".join(name.split())
        place = f"nodes.{self.id}"
        if name == item.name:
            return
        if not 1 <= len(name) <= 64 or any(letter in name for letter in "./"):
            raise PatchError("expected a name of 1 to 64 letters without dots and slashes", place=place, node=self.id)
        if name in self._setting("ports") or name in self._setting("params"):
            raise PatchError(f"this group shows {name} already", place=place, node=self.id)
        edits: list[Edit] = self._unplugged(item.name)
        edits.append(
            SetSetting(
                self.id,
                item.what,
                {name if old == item.name else old: inside for old, inside in self._setting(item.what).items()},
            )
        )
        if item.what == "params" and item.name in self.entry.params:
            edits += [
                SetParam(self.id, item.name, None),
                SetParam(self.id, name, self.entry.params[item.name]),
            ]
        for order, cable in self.outer.cables_of(self.id):
            moved = cable
            if (cable.source, cable.source_port) == (self.id, item.name):
                moved = replace(moved, source_port=name)
            if (cable.target, cable.target_port) == (self.id, item.name):
                moved = replace(moved, target_port=name)
            if moved != cable:
                edits.append(Connect(moved, order))
        for line in self.outer.automation:  # of a patch inside; the outermost one's follows anyway
            if (line.node, line.param) == (self.id, item.name):
                edits += [
                    SetAutomation(self.id, item.name, None),
                    SetAutomation(self.id, name, replace(line, param=name)),
                ]
        self._do(f"Rename {item.name}", edits, item, f"{self.id}.{name}")

    def _unplugged(self, name: str) -> list[Edit]:
        ends = ((c.key, (c.source, c.source_port), (c.target, c.target_port)) for _, c in self.outer.cables_of(self.id))
        return [Disconnect(*key) for key, source, target in ends if (self.id, name) in (source, target)]


def _patch_at(session: Session, path: Path) -> Patch:
    patch = session.patch
    for id in path:
        inner = inner_patch(patch.node(id))
        if inner is None:
            raise PatchError("what is inside this group cannot be read", place=f"nodes.{id}", node=id)
        patch = inner
    return patch

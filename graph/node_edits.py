"""Edits of nodes: their coming and going, and what each holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

from graph.document import Automation, Cable, NodeEntry, Patch, belongs
from graph.edit import Edit
from graph.errors import PatchError
from graph.fields import checked_id, checked_name
from graph.form import FORMAT, VERSION, from_document, to_document
from graph.plain import checked_number, checked_text, mismatch, plain, within

Placed = tuple[int, Cable]
Values = tuple[tuple[str, str, Mapping[str, float]], ...]
"""Of snapshots: the snapshot, the node, its values."""
States = tuple[tuple[str, str, bytes], ...]
"""Of snapshots: the snapshot, the node, its plugin's state."""


@dataclass(frozen=True, slots=True)
class AddNode(Edit):
    """Add a node; and, where it was there before, its cables, automation and what snapshots held of it, each to its old
    place.
    """

    id: str
    entry: NodeEntry
    cables: tuple[Placed, ...] = ()
    automation: tuple[tuple[int, Automation], ...] = ()
    snapshots: Values = ()
    states: States = ()

    @property
    def name(self) -> str:
        return f"Add {self.id}"

    def apply(self, patch: Patch) -> Edit:
        spoken_of = _references(patch, self.id)
        if spoken_of and (self.automation or self.snapshots or self.states):
            raise _taken(self.id)
        patch.put(self.id, self.entry.copy())
        try:
            for order, cable in self.cables:
                patch.plug(cable, order)
        except PatchError:
            patch.graph.remove_node(self.id)
            raise
        for index, line in self.automation:
            patch.automation.insert(index, line)
        for snapshot, node, values in self.snapshots:
            patch.snapshots.setdefault(snapshot, {})[node] = dict(values)
        for snapshot, node, state in self.states:
            patch.snapshot_states.setdefault(snapshot, {})[node] = state
        return RemoveNode(self.id, references=not spoken_of)


@dataclass(frozen=True, slots=True)
class RemoveNode(Edit):
    """Remove a node with its cables and, unless ``references`` says no, automation and snapshot values."""

    id: str
    references: bool = True

    @property
    def name(self) -> str:
        return f"Remove {self.id}"

    def apply(self, patch: Patch) -> Edit:
        entry, cables = patch.node(self.id), tuple(patch.cables_of(self.id))
        if not self.references:
            patch.graph.remove_node(self.id)
            return AddNode(self.id, entry, cables)
        automation = tuple((i, line) for i, line in enumerate(patch.automation) if belongs(line.node, self.id))
        snapshots = tuple(
            (name, node, values)
            for name, snapshot in patch.snapshots.items()
            for node, values in snapshot.items()
            if belongs(node, self.id)
        )
        states = tuple(
            (name, node, state)
            for name, kept in patch.snapshot_states.items()
            for node, state in kept.items()
            if belongs(node, self.id)
        )
        patch.remove(self.id)
        return AddNode(self.id, entry, cables, automation, snapshots, states)


@dataclass(frozen=True, slots=True)
class RenameNode(Edit):
    """Give a node another id; its cables, its automation and what snapshots hold of it follow."""

    old: str
    new: str

    @property
    def name(self) -> str:
        return f"Rename {self.old} to {self.new}"

    def apply(self, patch: Patch) -> Edit:
        patch.node(self.old)
        checked_id(self.new, "nodes")
        if self.new in patch.graph or _references(patch, self.new):
            raise _taken(self.new)
        removed = cast(AddNode, RemoveNode(self.old).apply(patch))
        AddNode(
            self.new,
            removed.entry,
            tuple(
                (order, replace(c, source=self._new(c.source), target=self._new(c.target)))
                for order, c in removed.cables
            ),
            tuple((i, replace(line, node=self._new(line.node))) for i, line in removed.automation),
            tuple((snapshot, self._new(node), values) for snapshot, node, values in removed.snapshots),
            tuple((snapshot, self._new(node), state) for snapshot, node, state in removed.states),
        ).apply(patch)
        return RenameNode(self.new, self.old)

    def _new(self, address: str) -> str:
        return self.new + address[len(self.old) :] if belongs(address, self.old) else address


def _references(patch: Patch, id: str) -> bool:
    """Whether automation or a snapshot speaks of a node."""
    return any(belongs(line.node, id) for line in patch.automation) or any(
        belongs(node, id)
        for kept in (patch.snapshots, patch.snapshot_states)
        for each in kept.values()
        for node in each
    )


def _taken(id: str) -> PatchError:
    return PatchError("a node, automation or a snapshot of this id is there already", place=f"nodes.{id}", node=id)


class Unset:
    """Stands for no value at all, where None is one."""


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class SetParam(Edit):
    """Store a value for a param; None: store none, so that the default holds."""

    node: str
    param: str
    value: float | None

    @property
    def name(self) -> str:
        return f"Set {self.node}.{self.param}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(SetParam, self.node, self.param)})

    def apply(self, patch: Patch) -> Edit:
        params, place = patch.node(self.node).params, f"nodes.{self.node}.params"
        before = SetParam(self.node, checked_name(self.param, place), params.get(self.param))
        if self.value is None:
            params.pop(self.param, None)
        else:
            params[self.param] = checked_number(self.value, within(place, self.param))
        return before


@dataclass(frozen=True, slots=True)
class SetSetting(Edit):
    """Store plain data for a setting; ``UNSET``: store none, so that the default holds."""

    node: str
    setting: str
    value: Any

    @property
    def name(self) -> str:
        return f"Set {self.node}.{self.setting}"

    def apply(self, patch: Patch) -> Edit:
        settings, place = patch.node(self.node).settings, f"nodes.{self.node}.settings"
        before = SetSetting(self.node, checked_text(self.setting, place), settings.get(self.setting, UNSET))
        if isinstance(self.value, Unset):
            settings.pop(self.setting, None)
        else:
            settings[self.setting] = plain(self.value, within(place, self.setting))
        return before


@dataclass(frozen=True, slots=True)
class _SetEntry(Edit):
    """Set one field of a node."""

    node: str
    value: Any

    field: ClassVar[str]
    words: ClassVar[str]

    @property
    def name(self) -> str:
        return f"{self.words} {self.node}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(type(self), self.node)})

    def apply(self, patch: Patch) -> Edit:
        entry = patch.node(self.node)
        value = self.checked(f"nodes.{self.node}.{self.field}")
        before = type(self)(self.node, getattr(entry, self.field))
        setattr(entry, self.field, value)
        return before

    def checked(self, place: str) -> object:
        """The value as the field holds it. Raises PatchError."""
        if not isinstance(self.value, bool):
            raise mismatch("true or false", self.value, place)
        return self.value


@dataclass(frozen=True, slots=True)
class SetBypass(_SetEntry):
    """Bypass a node, or stop bypassing it."""

    value: bool
    field = "bypass"
    words = "Bypass"


@dataclass(frozen=True, slots=True)
class SetMute(_SetEntry):
    """Mute a node, or stop muting it."""

    value: bool
    field = "mute"
    words = "Mute"


@dataclass(frozen=True, slots=True)
class Retitle(_SetEntry):
    """Give a node a title; an empty one is none."""

    value: str
    field = "title"
    words = "Retitle"

    def checked(self, place: str) -> object:
        return checked_text(self.value, place)


@dataclass(frozen=True, slots=True)
class SetTint(_SetEntry):
    """Give a node a colour of its own, by its name; an empty one is none."""

    value: str
    field = "tint"
    words = "Colour"

    def checked(self, place: str) -> object:
        return checked_text(self.value, place)


@dataclass(frozen=True, slots=True)
class Move(_SetEntry):
    """Put a node somewhere in the editor; None: nowhere in particular."""

    value: tuple[float, float] | None
    field = "position"
    words = "Move"

    def checked(self, place: str) -> object:
        if self.value is None:
            return None
        return checked_number(self.value[0], f"{place}[0]"), checked_number(self.value[1], f"{place}[1]")


@dataclass(frozen=True, slots=True)
class SetState(_SetEntry):
    """Store what a plugin says its state is."""

    value: bytes | None
    field = "state"
    words = "Store the state of"

    def checked(self, place: str) -> object:
        if self.value is not None and not isinstance(self.value, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise mismatch("bytes", self.value, place)
        return self.value


@dataclass(frozen=True, slots=True)
class Inside(Edit):
    """Do something to the patch inside a group."""

    group: str
    edit: Edit

    @property
    def name(self) -> str:
        return f"{self.edit.name} in {self.group}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(Inside, self.group)})  # whatever it does, the group's whole inside is put back

    def apply(self, patch: Patch) -> Edit:
        settings, place = patch.node(self.group).settings, f"nodes.{self.group}.settings.patch"
        raw: object = settings.get("patch")
        if not isinstance(raw, Mapping):
            raise mismatch("the inner patch, a map with nodes and cables", raw, place)
        outer = cast(Mapping[str, Any], raw)
        try:
            inner = from_document({**outer, "format": FORMAT, "version": VERSION})
            self.edit.apply(inner)
        except PatchError as error:
            where = f"{place}.{error.place}" if error.place else place
            raise PatchError(error.message, place=where, node=self.group) from None
        added = [key for key in ("format", "version") if key not in outer]
        settings["patch"] = {key: value for key, value in to_document(inner).items() if key not in added}
        return SetSetting(self.group, "patch", raw)


def inside(groups: Sequence[str], edit: Edit) -> Edit:
    """An edit of the patch that groups, from the outermost on, lead to, as one of the outermost patch."""
    for group in reversed(groups):
        edit = Inside(group, edit)
    return edit

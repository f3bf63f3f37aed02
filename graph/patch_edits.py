"""Edits of cables, and of what a patch has beside its graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from graph.document import Automation, Cable, CableKey, Patch, Transport
from graph.edit import Edit
from graph.errors import PatchError
from graph.fields import address, checked_points, checked_rate, checked_snapshot, checked_states
from graph.plain import checked_number, checked_text, mismatch, plain, within

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connect(Edit):
    """Plug a cable; ``order`` says where it goes in the file's list, if not at the end."""

    cable: Cable
    order: int | None = None

    @staticmethod
    def between(source: str, target: str, feedback: bool = False, amount: float | None = None) -> Connect:
        """From ``node.port`` to ``node.port`` or ``node.param``. Raises PatchError."""
        return Connect(Cable(*address(source, "cables"), *address(target, "cables"), feedback, amount))

    @property
    def name(self) -> str:
        return f"Connect {self.cable.source} to {self.cable.target}"

    def apply(self, patch: Patch) -> Edit:
        patch.plug(_checked(self.cable), self.order)
        return Disconnect(*self.cable.key)


@dataclass(frozen=True, slots=True)
class Disconnect(Edit):
    """Pull a cable."""

    source: str
    source_port: str
    target: str
    target_port: str

    @staticmethod
    def between(source: str, target: str) -> Disconnect:
        """The one from ``node.port`` to ``node.port``. Raises PatchError."""
        return Disconnect(*address(source, "cables"), *address(target, "cables"))

    @property
    def key(self) -> CableKey:
        """What tells the cable from every other."""
        return self.source, self.source_port, self.target, self.target_port

    @property
    def name(self) -> str:
        return f"Disconnect {self.source} from {self.target}"

    def apply(self, patch: Patch) -> Edit:
        cable, order = patch.cable(self.key)
        patch.unplug(self.key)
        return Connect(cable, order)


@dataclass(frozen=True, slots=True)
class SetCable(Edit):
    """Change what a cable is beside its ends: whether it is a feedback cable, and its amount."""

    cable: Cable

    @property
    def name(self) -> str:
        return f"Change the cable from {self.cable.source} to {self.cable.target}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(SetCable, self.cable.key)})

    def apply(self, patch: Patch) -> Edit:
        cable = _checked(self.cable)
        before, order = patch.cable(cable.key)
        patch.unplug(self.cable.key)
        patch.plug(cable, order)
        return SetCable(before)


def _checked(cable: Cable) -> Cable:
    if cable.amount is None:
        return cable
    return replace(cable, amount=checked_number(cable.amount, f"{cable.place}.amount"))


@dataclass(frozen=True, slots=True)
class SetAutomation(Edit):
    """Put automation in place of what a param has; None: it has none."""

    node: str
    param: str
    line: Automation | None

    @property
    def name(self) -> str:
        return f"Automate {self.node}.{self.param}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(SetAutomation, self.node, self.param)})

    def apply(self, patch: Patch) -> Edit:
        before = tuple(patch.automation)
        if self.line is not None and (self.line.node, self.line.param) != (self.node, self.param):
            message = f"this automation is of {self.line.node}.{self.line.param}"
            raise PatchError(message, place=f"automation.{self.node}.{self.param}")
        if self.line is not None:
            checked_points(self.line.points, self.line.place)
        own = [i for i, line in enumerate(before) if (line.node, line.param) == (self.node, self.param)]
        after = [line for i, line in enumerate(before) if i not in own]
        if self.line is not None:
            after.insert(own[0] if own else len(after), self.line)
        patch.automation = after
        return ReplaceAutomation(before)


@dataclass(frozen=True, slots=True)
class ReplaceAutomation(Edit):
    """Put other automation in place of all there is."""

    lines: tuple[Automation, ...]

    @property
    def name(self) -> str:
        return "Change automation"

    def apply(self, patch: Patch) -> Edit:
        before = ReplaceAutomation(tuple(patch.automation))
        patch.automation = list(self.lines)
        return before


@dataclass(frozen=True, slots=True)
class SetSnapshot(Edit):
    """Keep values of params, by node and param, under a name, and states of plugins, by node; None: keep none."""

    snapshot: str
    values: Mapping[str, Mapping[str, float]] | None
    states: Mapping[str, bytes] | None = None

    @property
    def name(self) -> str:
        return f"{'Remove' if self.values is None else 'Take'} snapshot {self.snapshot}"

    def apply(self, patch: Patch) -> Edit:
        name = checked_text(self.snapshot, "snapshots")
        before = SetSnapshot(name, patch.snapshots.get(name), patch.snapshot_states.get(name))
        values = None if self.values is None else checked_snapshot(self.values, within("snapshots", name))
        states = None if self.states is None else checked_states(self.states, within("snapshot_states", name))
        _keep(patch.snapshots, name, values)
        _keep(patch.snapshot_states, name, states)
        return before


def _keep(kept: dict[str, T], name: str, value: T | None) -> None:
    if value is None:
        kept.pop(name, None)
    else:
        kept[name] = value


@dataclass(frozen=True, slots=True)
class SetPatchField(Edit):
    """Set the name, description, author, license, tags, sample_rate, transport or metadata of a patch."""

    field: str
    value: Any

    @property
    def name(self) -> str:
        return f"Change the {self.field.replace('_', ' ')}"

    @property
    def subjects(self) -> frozenset[object]:
        return frozenset({(SetPatchField, self.field)})

    def apply(self, patch: Patch) -> Edit:
        value = self._checked()
        before = SetPatchField(self.field, getattr(patch, self.field))
        setattr(patch, self.field, value)
        return before

    def _checked(self) -> object:
        value = cast(object, self.value)
        match self.field:
            case "name" | "description" | "author" | "license":
                if isinstance(value, str):
                    return checked_text(value, self.field)
                raise mismatch("text", value, self.field)
            case "tags":
                tags = cast(list[object], value) if isinstance(value, (list, tuple)) else [None]
                if all(isinstance(tag, str) for tag in tags):
                    return plain(tags, "tags")
                raise mismatch("a list of texts", cast(object, value), self.field)
            case "sample_rate":
                return checked_rate(value)
            case "transport":
                if isinstance(value, Transport):
                    return value
                raise mismatch("a transport", value, self.field)
            case "metadata":
                if isinstance(value, Mapping):
                    return plain(cast(object, value), "metadata")
                raise mismatch("a map", value, self.field)
            case _:
                raise PatchError("a patch has no such field to set", place=self.field)


@dataclass(frozen=True, slots=True)
class ReplacePatch(Edit):
    """Put another patch in place of all there is."""

    patch: Patch

    @property
    def name(self) -> str:
        return "Replace the patch"

    def apply(self, patch: Patch) -> Edit:
        before = ReplacePatch(patch.copy())
        patch.take(self.patch.copy())
        return before

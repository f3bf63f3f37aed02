"""Which nodes have a strip, in which order, what follows what, and what solo silences. Knows no window, no kind.

What a strip needs beside its node (its place, solo, whether it is safe from solo) is in the patch's metadata, under
``mixer``, by the ids of nodes; whatever there is not as it must be counts as not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from editor.faces import Face
from editor.survey import Survey
from graph.document import Cable, Patch
from graph.edits import Edit, SetMute, SetParam, SetPatchField

LEVEL, PAN, MUTE = "level_db", "pan", "mute"
FAMILIES = ("input", "output", "mix")
"""The families of nodes whose level is a mixer's business."""
Rank = Literal["input", "send", "bus", "output"]
RANKS: tuple[Rank, ...] = ("input", "send", "bus", "output")
KEPT_AS = "mixer"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a strip's sound goes next: another strip. ``send``: it goes there beside its main way."""

    to: str
    port: str
    send: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """A node in the mixer. ``chain``: the node and what only it feeds, in turn: where its level may be read."""

    face: Face
    rank: Rank
    ways: tuple[Way, ...]
    chain: tuple[str, ...]
    solo: bool = False
    safe: bool = False
    automated: bool = False
    """Whether something moves its level along the timeline."""

    @property
    def id(self) -> str:
        """The node's."""
        return self.face.id


@dataclass(frozen=True, slots=True)
class Kept:
    """What the metadata say: ids of nodes. ``silenced``: those that are mute only because of a solo."""

    order: tuple[str, ...] = ()
    solo: frozenset[str] = frozenset()
    safe: frozenset[str] = frozenset()
    silenced: frozenset[str] = frozenset()

    @staticmethod
    def of(metadata: Mapping[str, Any]) -> Kept:
        """As it was kept."""
        raw: object = metadata.get(KEPT_AS)
        found = cast(Mapping[str, object], raw) if isinstance(raw, Mapping) else {}

        def ids(name: str) -> list[str]:
            listed = found.get(name)
            return [id for id in cast(list[object], listed) if isinstance(id, str)] if isinstance(listed, list) else []

        order = tuple(dict.fromkeys(ids("order")))
        return Kept(order, frozenset(ids("solo")), frozenset(ids("safe")), frozenset(ids("silenced")))

    def edit(self, patch: Patch) -> Edit:
        """Keep it in a patch."""
        plain = {
            "order": list(self.order),
            "solo": sorted(self.solo),
            "safe": sorted(self.safe),
            "silenced": sorted(self.silenced),
        }
        rest = {key: value for key, value in patch.metadata.items() if key != KEPT_AS}
        kept = {key: value for key, value in plain.items() if value}
        return SetPatchField("metadata", {**rest, KEPT_AS: kept} if kept else rest)


class Wiring:
    """The audio cables of a patch, without feedback; sidechains feed no sound and do not count."""

    def __init__(self, cables: Iterable[Cable], faces: Mapping[str, Face]) -> None:
        self.after: dict[str, list[tuple[str, str]]] = {id: [] for id in faces}
        """By node: out port and target of each cable."""
        self.before: dict[str, list[str]] = {id: [] for id in faces}
        for cable in cables:
            port = faces[cable.target].port(cable.target_port)
            if port is not None and port.flow == "in" and port.type == "audio" and not cable.feedback:
                self.after[cable.source].append((cable.source_port, cable.target))
                self.before[cable.target].append(cable.source)

    def beyond(self, id: str) -> frozenset[str]:
        """All that its sound reaches."""
        return self._reached(id, {node: [t for _, t in after] for node, after in self.after.items()})

    def behind(self, id: str) -> frozenset[str]:
        """All that its sound comes from."""
        return self._reached(id, self.before)

    @staticmethod
    def _reached(id: str, steps: Mapping[str, Iterable[str]]) -> frozenset[str]:
        found, left = set[str](), [id]
        while left:
            for other in steps[left.pop()]:
                if other not in found:
                    found.add(other)
                    left.append(other)
        return frozenset(found - {id})

    def chain(self, id: str) -> tuple[str, ...]:
        """A node and what follows it, as long as each hears nothing else."""
        found = [id]
        while True:
            targets = {target for _, target in self.after[found[-1]]}
            alone = [t for t in sorted(targets) if set(self.before[t]) == {found[-1]} and t not in found]
            if not alone or len(targets) > 1:
                return tuple(found)
            found.append(alone[0])


def is_strip(face: Face) -> bool:
    """Whether a node has a strip: a level in decibels, with audio through it, in a family that mixes."""
    level = face.param(LEVEL)
    audio = any(port.type == "audio" for port in (*face.inputs, *face.outputs))
    return level is not None and level.as_gain and audio and face.family in FAMILIES


def strips_of(patch: Patch, survey: Survey) -> tuple[list[Strip], Wiring]:
    """The strips of a patch in their order, and how its nodes hang together. ``survey`` is of that patch."""
    nodes = patch.nodes()
    faces = {id: survey.face(id) for id in nodes}
    wiring = Wiring(survey.cables, faces)
    kept = Kept.of(patch.metadata)
    own = [id for id, f in faces.items() if is_strip(f)]
    ranks = {id: _rank(faces[id], id, wiring) for id in own}
    automated = {line.node for line in patch.automation if line.param == LEVEL and line.enabled and line.points}
    found = {
        id: Strip(
            faces[id],
            ranks[id],
            _ways(id, ranks, wiring),
            wiring.chain(id),
            id in kept.solo,
            id in kept.safe,
            id in automated,
        )
        for id in own
    }
    by_place = sorted(own, key=lambda own_id: (RANKS.index(ranks[own_id]), *_place(nodes[own_id].position), own_id))
    return [found[id] for id in _ordered(by_place, ranks, kept.order)], wiring


def _place(position: tuple[float, float] | None) -> tuple[float, float]:
    return (position[1], position[0]) if position else (0.0, 0.0)


def _rank(f: Face, id: str, wiring: Wiring) -> Rank:
    """Inputs hear nothing, outputs are not heard by nodes; a send is the only reader of one of several ways."""
    if not any(port.type == "audio" for port in f.inputs):
        return "input"
    if not any(port.type == "audio" for port in f.outputs):
        return "output"
    sources = set(wiring.before[id])
    if len(sources) == 1 and len({target for _, target in wiring.after[sources.pop()]}) > 1:
        return "send"
    return "bus"


def _ways(id: str, ranks: Mapping[str, Rank], wiring: Wiring) -> tuple[Way, ...]:
    """The next strips, through whatever is between."""
    found: dict[str, Way] = {}
    for port, target in wiring.after[id]:
        seen, left = {id}, [target]
        while left:
            node = left.pop(0)
            if node in seen:
                continue
            seen.add(node)
            if node in ranks:
                found.setdefault(node, Way(node, port, ranks[node] == "send" and node == target))
            else:
                left += [t for _, t in wiring.after[node]]
    return tuple(sorted(found.values(), key=lambda way: way.send))


def _ordered(by_place: Sequence[str], ranks: Mapping[str, Rank], order: Sequence[str]) -> list[str]:
    """Those that were put somewhere stay there; each other one comes after the last that is not of a later rank."""
    found = [id for id in order if id in ranks]
    for id in by_place:
        if id not in found:
            rank = RANKS.index(ranks[id])
            at = max((i + 1 for i, o in enumerate(found) if RANKS.index(ranks[o]) <= rank), default=0)
            found.insert(at, id)
    return found


# -- what is done to strips --------------------------------------------------------------------------------------------


def is_mute(face: Face) -> bool:
    """Whether a node is silent: by its own switch where it has one, else by what every node has."""
    return face.values[MUTE] >= 0.5 or face.mute if MUTE in face.values else face.mute


def mute_edits(face: Face, on: bool) -> list[Edit]:
    """Silence a node or let it be heard. A switch of its own is quicker, and does not click."""
    edits: list[Edit] = []
    if MUTE in face.values:
        if (face.values[MUTE] >= 0.5) != on:
            edits.append(SetParam(face.id, MUTE, float(on)))
        if not on and face.mute:
            edits.append(SetMute(face.id, False))
    elif face.mute != on:
        edits.append(SetMute(face.id, on))
    return edits


def muting(patch: Patch, strip: Strip) -> list[Edit]:
    """Mute a strip, or let it be heard; whatever solo did to it is forgotten."""
    kept = Kept.of(patch.metadata)
    edits = mute_edits(strip.face, not is_mute(strip.face))
    if strip.id in kept.silenced:
        edits.append(replace(kept, silenced=kept.silenced - {strip.id}).edit(patch))
    return edits


def soloing(patch: Patch, strips: Sequence[Strip], wiring: Wiring, id: str, only: bool = False) -> list[Edit]:
    """Solo a strip or end that; ``only``: and no other.

    While strips are solo, those of their ranks are silent that are neither solo nor safe, and through which no sound
    comes from them or to them.
    """
    kept = Kept.of(patch.metadata)
    present = frozenset(strip.id for strip in strips)
    solo = (kept.solo & present) ^ {id}
    return _with_solo(patch, strips, wiring, replace(kept, solo=frozenset({id}) if only and id in solo else solo))


def keeping_safe(patch: Patch, strips: Sequence[Strip], wiring: Wiring, id: str) -> list[Edit]:
    """Let solo of others not silence a strip, or let it again."""
    kept = Kept.of(patch.metadata)
    return _with_solo(patch, strips, wiring, replace(kept, safe=kept.safe ^ {id}))


def _with_solo(patch: Patch, strips: Sequence[Strip], wiring: Wiring, kept: Kept) -> list[Edit]:
    heard = kept.solo | kept.safe
    for id in kept.solo:
        heard |= wiring.beyond(id) | wiring.behind(id)
    ranks = {strip.rank for strip in strips if strip.id in kept.solo}
    silent = {strip.id for strip in strips if strip.rank in ranks and strip.id not in heard}
    edits: list[Edit] = []
    silenced = set[str]()
    for strip in strips:
        mute, ours = is_mute(strip.face), strip.id in kept.silenced
        if strip.id in silent:
            silenced |= {strip.id} if ours or not mute else set()
            edits += mute_edits(strip.face, True) if not mute else []
        elif ours and mute:
            edits += mute_edits(strip.face, False)
    return [*edits, replace(kept, silenced=frozenset(silenced)).edit(patch)]


def moving(patch: Patch, strips: Sequence[Strip], id: str, to: int) -> list[Edit]:
    """Put a strip before the one that is at a place now (past the last: at the end)."""
    ids = [strip.id for strip in strips]
    before = [other for other in ids[:to] if other != id]
    after = [other for other in ids[to:] if other != id]
    order = (*before, id, *after)
    if order == tuple(ids):
        return []
    return [replace(Kept.of(patch.metadata), order=order).edit(patch)]

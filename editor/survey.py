"""What there is at the level that is looked at, for whoever asks: cables and faces, found once and kept until an edit.

Many panels want the face of every node after every change, and a face takes long to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from editor.faces import Face, face
from graph.document import Cable, NodeEntry, Patch
from graph.spec import Kinds


@dataclass(slots=True)
class _Kept:
    """A face, the entry it was found for, and when that was seen to be as it was."""

    entry: NodeEntry
    face: Face
    cables: tuple[Cable, ...] | None
    """The cables that it depends on; None where it depends on none."""
    edits: int


class Survey:
    """Keeps what was found for one patch. ``follow`` says when it may have become another one."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._patch = Patch()
        self._key: object = None
        self._edits = self._wires = -1
        self._cables: tuple[Cable, ...] | None = None
        self._of: Mapping[str, tuple[Cable, ...]] | None = None
        self._faces: dict[str, _Kept] = {}

    def follow(self, patch: Patch, key: object, edits: int, wires: int) -> None:
        """The patch from now on, after so many edits, of which so many may have been of cables; ``key`` is another one
        where nothing that was known holds.
        """
        if edits == self._edits and key == self._key:
            return
        if key != self._key:
            self._faces.clear()
        if key != self._key or wires != self._wires:
            self._cables = self._of = None
        self._patch, self._key, self._edits, self._wires = patch, key, edits, wires

    @property
    def cables(self) -> tuple[Cable, ...]:
        """All cables, in the order of the file."""
        if self._cables is None:
            self._cables = tuple(self._patch.cables())
        return self._cables

    def cables_of(self, node: str) -> tuple[Cable, ...]:
        """The cables into and out of a node, in the order of the file."""
        if self._of is None:
            found: dict[str, list[Cable]] = {}
            for cable in self.cables:
                for end in {cable.source, cable.target}:
                    found.setdefault(end, []).append(cable)
            self._of = {id: tuple(own) for id, own in found.items()}
        return self._of.get(node, ())

    def face(self, node: str) -> Face:
        """The face of a node; the same object as long as it is the same face. Raises PatchError where there is none."""
        kept = self._faces.get(node)
        if kept is not None and kept.edits == self._edits:
            return kept.face
        entry = self._patch.node(node)
        if kept is not None and kept.entry == entry and kept.cables in (None, self.cables_of(node)):
            kept.edits = self._edits
            return kept.face
        cables = self.cables_of(node)
        entry = entry.copy()
        found = face(node, entry, self._kinds, list(cables))
        depends = not found.known or bool(found.missing)
        self._faces[node] = _Kept(entry, found, cables if depends else None, self._edits)
        return found

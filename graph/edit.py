"""What an edit is: something that can be done to a patch, as a value that knows how it is undone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from graph.document import Patch
from graph.errors import PatchError


class Edit(ABC):
    """Something that can be done to a patch."""

    __slots__ = ()

    @abstractmethod
    def apply(self, patch: Patch) -> Edit:
        """Do it; the answer undoes it. Raises PatchError, with the patch as it was, where it cannot be done."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it does, for a menu: ``Move eq``."""

    @property
    def subjects(self) -> frozenset[object] | None:
        """What it sets, where a later edit of the same gesture that sets no more may replace it; else None."""
        return None


@dataclass(frozen=True, slots=True)
class Batch(Edit):
    """Several edits as one: all of them, or none."""

    words: str
    edits: tuple[Edit, ...]

    @property
    def name(self) -> str:
        return self.words

    @property
    def subjects(self) -> frozenset[object] | None:
        found: set[object] = set()
        for edit in self.edits:
            subjects = edit.subjects
            if subjects is None:
                return None
            found |= subjects
        return frozenset(found)

    def apply(self, patch: Patch) -> Edit:
        undone: list[Edit] = []
        try:
            for edit in self.edits:
                undone.append(edit.apply(patch))
        except PatchError:
            for edit in reversed(undone):
                edit.apply(patch)
            raise
        return Batch(self.words, tuple(reversed(undone)))

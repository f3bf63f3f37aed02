"""What was done to a patch, and the way back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from graph.document import Patch
from graph.edit import Batch, Edit
from graph.weight import weight

LONGEST = 500
"""How many entries a history keeps, unless told otherwise,"""
HEAVIEST = 128 * 1024 * 1024
"""and about how many bytes: states of plugins are large."""


@dataclass(slots=True)
class _Entry:
    name: str
    gesture: object
    serial: int
    steps: list[Edit]
    """What takes the patch to the other side of this entry, the last first."""
    subjects: set[object] = field(default_factory=set[object])
    """What the gesture has set, and the step back is known of."""
    weight: int = 0
    """About how many bytes its steps take."""


class History:
    """The edits done to one patch, to be undone and done again.

    Edits of one ``gesture`` (the drag of a knob, of some nodes) become one entry, in which what is set again and again
    is kept once. ``dirty`` says whether the patch differs from when ``mark_saved`` was called last.
    """

    def __init__(self, patch: Patch, limit: int = LONGEST, heaviest: int = HEAVIEST) -> None:
        if limit < 1:
            raise ValueError(f"a history keeps at least one entry, not {limit}")
        self.patch = patch
        self._limit, self._heaviest = limit, heaviest
        self._done: deque[_Entry] = deque()
        self._undone: list[_Entry] = []
        self._serial = 0
        self._bottom = 0
        self._saved = 0

    def do(self, edit: Edit, *, name: str = "", gesture: object = None) -> None:
        """Apply an edit and remember it. Raises PatchError, with nothing changed, where it cannot be applied."""
        back = edit.apply(self.patch)
        self._undone.clear()
        self._serial += 1
        subjects = edit.subjects
        top = self._done[-1] if self._done else None
        if top is None or gesture is None or top.gesture != gesture:
            top = _Entry(name or edit.name, gesture, self._serial, [])
            self._done.append(top)
        top.serial = self._serial
        if subjects is None:
            top.subjects.clear()
        elif subjects <= top.subjects:
            return
        else:
            top.subjects |= subjects
        top.steps.append(back)
        top.weight += weight(back)
        self._forget()

    def _forget(self) -> None:
        """Let go of the oldest entries beyond what is kept; the newest stays, whatever it takes."""
        total = sum(entry.weight for entry in self._done)
        while len(self._done) > 1 and (len(self._done) > self._limit or total > self._heaviest):
            gone = self._done.popleft()
            self._bottom = gone.serial
            total -= gone.weight

    def end_gesture(self) -> None:
        """What comes next is another gesture, even if it is called the same."""
        if self._done:
            self._done[-1].gesture = None

    def undo(self, gesture: object = None) -> str | None:
        """Take the last entry back, with ``gesture`` only one of that gesture; the answer is its name, or None where
        there is nothing to undo.
        """
        if not self._done or (gesture is not None and self._done[-1].gesture != gesture):
            return None
        entry = self._done[-1]
        again = Batch(entry.name, tuple(reversed(entry.steps))).apply(self.patch)
        self._done.pop()
        self._undone.append(_Entry(entry.name, None, entry.serial, [again]))
        self.end_gesture()
        return entry.name

    def redo(self) -> str | None:
        """Do again what was undone last; the answer is its name, or None where there is nothing to do again."""
        if not self._undone:
            return None
        entry = self._undone[-1]
        back = Batch(entry.name, tuple(reversed(entry.steps))).apply(self.patch)
        self._undone.pop()
        self._done.append(_Entry(entry.name, None, entry.serial, [back], weight=weight(back)))
        self._forget()
        return entry.name

    @property
    def done(self) -> list[str]:
        """The names of what can be undone, the oldest first."""
        return [entry.name for entry in self._done]

    @property
    def undone(self) -> list[str]:
        """The names of what can be done again, the next one first."""
        return [entry.name for entry in reversed(self._undone)]

    def mark_saved(self) -> None:
        """The patch as it is now is what is in the file."""
        self._saved = self._state

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return self._state != self._saved

    @property
    def _state(self) -> int:
        return self._done[-1].serial if self._done else self._bottom

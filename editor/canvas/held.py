"""What a gesture on the canvas holds while it lasts, and what it has to show."""

from __future__ import annotations

from dataclasses import dataclass, field

from editor.canvas.scene import Frame, Hit, PinAt
from editor.canvas.shape import Knob
from editor.canvas.view import Box, Point
from editor.macros.assigning import Assigning
from editor.model import Level
from graph.document import Cable, CableKey


@dataclass(slots=True)
class Shown:
    """What a gesture has to show."""

    band: Box | None = None
    loose: tuple[Point, Point, str] | None = None
    """A cable in the hand, from an output to an input, and its type."""
    target: PinAt | None = None
    """The pin it would go to."""
    refused: str = ""
    insert: CableKey | None = None
    """The cable that would take in what is dragged."""
    knob: tuple[str, str] | None = None
    """Node and param being turned."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What is held with the mouse."""

    shift: bool = False
    ctrl: bool = False
    alt: bool = False


@dataclass(slots=True)
class Held:
    """A gesture that is going on."""

    what: str
    at: Point
    pixel: Point
    keys: Keys
    moved: bool = False
    hit: Hit = field(default_factory=Hit)
    nodes: dict[str, Point] = field(default_factory=dict[str, Point])
    pulled: Cable | None = None
    fixed: PinAt | None = None
    """The end of a loose cable that stays."""
    knob: Knob | None = None
    place: float = 0.0
    macro: Assigning | None = None
    frame: Frame | None = None
    before: frozenset[str] = frozenset()
    waits: Point | None = None
    """Where the copies are to come that it will move, while these are not made yet."""
    serial: int = 0
    level: Level | None = None
    """Where it began."""

    @property
    def gesture(self) -> tuple[str, int]:
        """What its edits are known by in the history."""
        return ("frame" if self.what == "resize" else self.what, self.serial)

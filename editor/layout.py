"""Where the parts of the window are: rectangles from the window's size and from where the splitters stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Slot = Literal["none", "menu", "top", "left", "centre", "right", "bottom", "status"]
Splitter = Literal["left", "right", "bottom"]


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels of the window."""

    x: float
    y: float
    width: float
    height: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


GAP = 6
LEAST_CENTRE = (360.0, 230.0)
"""Of the canvas, at scale 1."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How large the parts beside the canvas are, at scale 1, and which of them are seen."""

    left: float = 232
    right: float = 316
    bottom: float = 236
    shows_left: bool = True
    shows_right: bool = True
    shows_bottom: bool = True

    def dragged(self, splitter: Splitter, by: float) -> Arrangement:
        """The arrangement after a splitter was moved to the right, or down."""
        match splitter:
            case "left":
                return replace(self, left=self.left + by).within()
            case "right":
                return replace(self, right=self.right - by).within()
            case "bottom":
                return replace(self, bottom=self.bottom - by).within()

    def within(self) -> Arrangement:
        """The same, with no part too small to be used or too large to leave room."""
        left, right = min(max(self.left, 150), 600), min(max(self.right, 220), 800)
        return replace(self, left=left, right=right, bottom=min(max(self.bottom, 110), 900))

    def toggled(self, splitter: Splitter) -> Arrangement:
        """With one part hidden, or seen again."""
        match splitter:
            case "left":
                return replace(self, shows_left=not self.shows_left)
            case "right":
                return replace(self, shows_right=not self.shows_right)
            case "bottom":
                return replace(self, shows_bottom=not self.shows_bottom)


def arranged(
    width: float, height: float, wanted: Arrangement, scale: float = 1.0
) -> tuple[dict[Slot, Rect], dict[Splitter, Rect]]:
    """The rectangles of the parts that are seen, and of the splitters between them.

    What does not fit takes from the sides, never from the canvas below its least size.
    """
    menu, top, status, gap = 24 * scale, 54 * scale, 26 * scale, GAP * scale
    left = (wanted.left * scale + gap) if wanted.shows_left else 0.0
    right = (wanted.right * scale + gap) if wanted.shows_right else 0.0
    bottom = (wanted.bottom * scale + gap) if wanted.shows_bottom else 0.0
    sides = max(width - LEAST_CENTRE[0] * scale, 0.0)
    if left + right > sides:
        left, right = left * sides / (left + right), right * sides / (left + right)
    y, middle = menu + top, height - menu - top - status
    bottom = min(bottom, max(middle - LEAST_CENTRE[1] * scale, 0.0))
    above = max(middle - bottom, 1.0)
    slots: dict[Slot, Rect] = {
        "menu": Rect(0, 0, width, menu),
        "top": Rect(0, menu, width, top),
        "centre": Rect(left, y, max(width - left - right, 1.0), above),
        "status": Rect(0, height - status, width, status),
    }
    splitters: dict[Splitter, Rect] = {}
    if left > gap:
        slots["left"] = Rect(0, y, left - gap, above)
        splitters["left"] = Rect(left - gap, y, gap, above)
    if right > gap:
        slots["right"] = Rect(width - right + gap, y, right - gap, above)
        splitters["right"] = Rect(width - right, y, gap, above)
    if bottom > gap:
        slots["bottom"] = Rect(0, y + above + gap, width, bottom - gap)
        splitters["bottom"] = Rect(0, y + above, width, gap)
    return slots, splitters

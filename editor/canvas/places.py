"""Rectangles of many things in one array: which of them are at a point, and which are in view."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from editor.canvas.view import Box

Key = TypeVar("Key")


class Places(Generic[Key]):
    """Things with their rectangles: rows of left, top, right and bottom, in units of the plane."""

    __slots__ = ("_corners", "corners", "keys")

    def __init__(self, keys: list[Key], corners: npt.NDArray[np.float64]) -> None:
        self.keys = keys
        self.corners = corners
        self._corners = corners.T

    def around(self) -> Box | None:
        """The smallest rectangle with all of them in it; None where there are none."""
        if not self.keys:
            return None
        left, top, right, bottom = self._corners
        x, y = float(left.min()), float(top.min())
        return Box(x, y, float(right.max()) - x, float(bottom.max()) - y)

    def near(self, x: float, y: float, reach: float = 0.0) -> list[Key]:
        """What a point is in, or at most so far from, along each axis; in the order of the keys."""
        return self.meeting(Box(x - reach, y - reach, 2 * reach, 2 * reach))

    def meeting(self, box: Box) -> list[Key]:
        """What has anything in common with a rectangle, in the order of the keys."""
        left, top, right, bottom = self._corners
        found = (left <= box.right) & (right >= box.x) & (top <= box.bottom) & (bottom >= box.y)
        return [self.keys[k] for k in np.flatnonzero(found).tolist()]

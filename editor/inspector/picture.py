"""Pictures that change all the time, pixel by pixel: spectra, waves, clouds of points. Drawn as numbers, shown as one
texture.
"""

from __future__ import annotations

from collections.abc import Sequence

import dearpygui.dearpygui as dpg
import numpy as np
import numpy.typing as npt

from editor.theme import Colour

Pixels = npt.NDArray[np.float32]


def rgb_of(colour: Colour) -> Pixels:
    """A colour as three numbers, 0 to 1."""
    return np.array(colour[:3], np.float32) / np.float32(255)


def cover(height: int, top: npt.NDArray[np.floating], bottom: npt.NDArray[np.floating]) -> Pixels:
    """How much of each pixel lies between two edges, by columns: ``[height, width]``, 0 to 1. Edges in pixels."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    low, high = np.minimum(top, bottom), np.maximum(top, bottom)
    low, high = low.astype(np.float32), high.astype(np.float32)
    inside = np.minimum(rows + 1, high[None, :]) - np.maximum(rows, low[None, :])
    return np.clip(inside, 0.0, 1.0, out=inside)


class Picture:
    """An opaque picture ``[height, width]`` over a background; ``begin`` clears it, ``blend`` adds to it.

    It is kept colour by colour, which is quick to mix, and put together by ``pixels``.
    """

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        self.shown = np.ones((self.height, self.width, 4), np.float32)
        self._planes = np.empty((3, self.height, self.width), np.float32)
        self._ground = rgb_of(ground)
        self.begin()

    def begin(self) -> None:
        """Nothing but the background."""
        self._planes[:] = self._ground[:, None, None]

    def pixels(self) -> Pixels:
        """The picture as ``[height, width, 4]``, always in the same memory."""
        for plane in range(3):
            self.shown[:, :, plane] = self._planes[plane]
        return self.shown

    def blend(self, share: Pixels, colour: Colour, first: int = 0) -> None:
        """Mix a colour in, by a share for each pixel, 0 to 1, of the rows from ``first`` on."""
        for plane, value in zip(self._planes, rgb_of(colour), strict=True):
            rows = plane[first : first + len(share)]
            rows += share * (value - rows)

    def area(
        self,
        top: npt.NDArray[np.floating],
        bottom: npt.NDArray[np.floating] | float,
        colour: Colour,
        opacity: tuple[float, float],
    ) -> None:
        """Fill between two edges, by columns; opacity at the top of the picture and at its foot."""
        self._fill(top, np.broadcast_to(bottom, np.shape(top)), colour, opacity)

    def _fill(
        self,
        one: npt.NDArray[np.floating],
        other: npt.NDArray[np.floating],
        colour: Colour,
        opacity: tuple[float, float],
    ) -> None:
        first = int(np.clip(min(one.min(), other.min()), 0, self.height))
        last = int(np.clip(np.ceil(max(one.max(), other.max())), first, self.height))
        if last > first:
            fade = np.linspace(*opacity, self.height, dtype=np.float32)[first:last, None]
            self.blend(cover(last - first, one - first, other - first) * fade, colour, first)

    def line(self, centre: npt.NDArray[np.floating], colour: Colour, width: float, opacity: float = 1.0) -> None:
        """A line through a height for each column; where it is steep it is as thick as it is where it is flat."""
        beyond = np.concatenate([centre[:1], centre, centre[-1:]])
        around = np.stack([(beyond[:-2] + centre) / 2, centre, (beyond[2:] + centre) / 2])
        low, high = around.min(axis=0) - width / 2, around.max(axis=0) + width / 2
        self._fill(low, high, colour, (opacity, opacity))

    def dots(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], glow: Pixels, gain: float) -> None:
        """Add light to ``glow`` (``[height, width]``) where points are, shared among the four pixels around each."""
        left, top = np.floor(x - 0.5).astype(int), np.floor(y - 0.5).astype(int)
        right_share, low_share = x - 0.5 - left, y - 0.5 - top
        for dx, across in ((0, 1 - right_share), (1, right_share)):
            for dy, down in ((0, 1 - low_share), (1, low_share)):
                column, row = left + dx, top + dy
                seen = (column >= 0) & (column < self.width) & (row >= 0) & (row < self.height)
                np.add.at(glow, (row[seen], column[seen]), (gain * across * down)[seen])


class Shown:
    """A picture on a drawlist: its texture, and where it is drawn.

    Each state of the picture is a texture of its own. One that can be written to again would be sent to the graphics
    card for every frame, changed or not, and Dear PyGui (2.3.1) never gives back the buffer through which it is sent.
    """

    def __init__(self, picture: Picture, parent: int | str, at: tuple[float, float]) -> None:
        self.picture = picture
        if not dpg.does_item_exist("textures"):
            dpg.add_texture_registry(tag="textures")
        self._texture = self._made()
        (x, y), w, h = at, picture.width, picture.height
        self.item = dpg.draw_image(self._texture, (x, y), (x + w, y + h), parent=parent)

    def _made(self) -> int | str:
        picture = self.picture
        return dpg.add_static_texture(picture.width, picture.height, picture.pixels(), parent="textures")  # pyright: ignore[reportArgumentType]

    def update(self) -> None:
        """Show the picture as it is now."""
        before, self._texture = self._texture, self._made()
        dpg.configure_item(self.item, texture_tag=self._texture)
        dpg.delete_item(before)

    def free(self) -> None:
        """It is shown no more."""
        for item in (self.item, self._texture):
            if dpg.does_item_exist(item):
                dpg.delete_item(item)


def bright(glow: Pixels) -> Pixels:
    """Light as the eye takes it: much is not much brighter than some."""
    return (1.0 - np.exp(-glow)).astype(np.float32)


def polyline(xs: Sequence[float], ys: Sequence[float]) -> list[list[float]]:
    """Points of a line, as drawlists take them."""
    return [[float(x), float(y)] for x, y in zip(xs, ys, strict=True)]

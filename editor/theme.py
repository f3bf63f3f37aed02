"""Colours, sizes and the shapes of pins as data: the themes to choose from, and what is derived from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha, 0 to 255."""

PinShape = Literal["circle", "triangle", "square", "diamond"]
PIN_SHAPES: Mapping[str, PinShape] = {
    "audio": "circle",
    "sidechain": "triangle",
    "control": "square",
    "events": "diamond",
}
"""Shape tells pins apart where colour does not."""


def rgb(value: int, alpha: int = 255) -> Colour:
    """A colour from 0xRRGGBB."""
    return value >> 16 & 255, value >> 8 & 255, value & 255, alpha


WHITE: Colour = (255, 255, 255, 255)


def alpha(colour: Colour, opacity: float) -> Colour:
    """The colour at another opacity, 0 to 1."""
    return (*colour[:3], round(255 * opacity))


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """A colour between two: ``share`` of the second."""
    red, green, blue, opaque = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue, opaque


FAMILIES: Mapping[str, Colour] = {
    "input": rgb(0x3F8FD2),
    "output": rgb(0xC4566B),
    "mix": rgb(0x35A480),
    "space": rgb(0x8A74D6),
    "dynamics": rgb(0xD08A3C),
    "tone": rgb(0x5B7FD9),
    "time": rgb(0xB8724A),
    "control": rgb(0xA765C6),
    "analysis": rgb(0x3E9DA8),
    "utility": rgb(0x6E7C91),
    "plugin": rgb(0xB0627F),
    "group": rgb(0x7F8FA8),
}
"""What families are coloured; one that is not here takes the colour of ``utility``."""

TINTS: Mapping[str, Colour] = {
    "red": rgb(0xD2575A),
    "orange": rgb(0xD58542),
    "yellow": rgb(0xB59A34),
    "green": rgb(0x5BA84F),
    "teal": rgb(0x35A698),
    "blue": rgb(0x3F8FD2),
    "violet": rgb(0x8A74D6),
    "pink": rgb(0xC563A8),
    "grey": rgb(0x7F8A9A),
}
"""The colours that people give to nodes and frames: as light as those of families, so that they go together."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of everything."""

    name: str
    desk: Colour
    """Behind the nodes."""
    grid: Colour
    panel: Colour
    raised: Colour
    """Controls, strips, cards."""
    lifted: Colour
    """A control under the mouse."""
    body: Colour
    """Nodes."""
    well: Colour
    """Behind meters, curves and waves."""
    line: Colour
    text: Colour
    dim: Colour
    faint: Colour
    accent: Colour
    good: Colour
    warn: Colour
    bad: Colour
    shadow: Colour
    pins: Mapping[str, Colour]
    families: Mapping[str, Colour] = field(default_factory=lambda: FAMILIES)

    def hue(self, name: str) -> Colour:
        """The colour of what has a family's name, or a tint's."""
        return self.families.get(name) or TINTS.get(name, self.families["utility"])

    def head(self, hue: Colour) -> Colour:
        """The surface of a header of this colour: quiet enough to be read on."""
        return mix(hue, self.body, 0.74 if self.name == "light" else 0.55)

    @property
    def title(self) -> Colour:
        """The ink of titles on headers."""
        return self.text if self.name == "light" else mix(self.text, WHITE, 0.5)

    def pin(self, type: str) -> Colour:
        """The colour of pins and cables of a type."""
        return self.pins.get(type, self.dim)


_PINS = {"audio": rgb(0x57B6F2), "sidechain": rgb(0xF2A84B), "control": rgb(0xB78AF5), "events": rgb(0x6FD08C)}
_PINS_LIGHT = {"audio": rgb(0x1F7FC4), "sidechain": rgb(0xC0741A), "control": rgb(0x7D4FC9), "events": rgb(0x2C8F50)}
SAFE_PINS: Mapping[str, Colour] = {
    "audio": rgb(0x56B4E9),
    "sidechain": rgb(0xE69F00),
    "control": rgb(0xCC79A7),
    "events": rgb(0x009E73),
}
"""Told apart by people with any of the common colour blindnesses (the palette of Okabe and Ito, 2008)."""

THEMES: Mapping[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme(
            name="dark",
            desk=rgb(0x14161B),
            grid=rgb(0xFFFFFF, 16),
            panel=rgb(0x191C22),
            raised=rgb(0x232831),
            lifted=rgb(0x2E3540),
            body=rgb(0x20242C),
            well=rgb(0x12141A),
            line=rgb(0x2B313C),
            text=rgb(0xDEE3EC),
            dim=rgb(0x8E97A6),
            faint=rgb(0x6C7687),
            accent=rgb(0x57B6F2),
            good=rgb(0x4FCB8D),
            warn=rgb(0xF0B64D),
            bad=rgb(0xF0616D),
            shadow=rgb(0x000000, 70),
            pins=_PINS,
        ),
        Theme(
            name="light",
            desk=rgb(0xE9ECF1),
            grid=rgb(0x1B2430, 24),
            panel=rgb(0xF7F8FA),
            raised=rgb(0xE4E8EE),
            lifted=rgb(0xD6DCE5),
            body=rgb(0xFFFFFF),
            well=rgb(0xEDF0F4),
            line=rgb(0xCBD2DC),
            text=rgb(0x1D2530),
            dim=rgb(0x5C6877),
            faint=rgb(0x768393),
            accent=rgb(0x1F7FC4),
            good=rgb(0x1E9A5D),
            warn=rgb(0xB67A10),
            bad=rgb(0xCC3443),
            shadow=rgb(0x24303F, 28),
            pins=_PINS_LIGHT,
        ),
        Theme(
            name="contrast",
            desk=rgb(0x000000),
            grid=rgb(0xFFFFFF, 30),
            panel=rgb(0x0A0A0A),
            raised=rgb(0x1E1E1E),
            lifted=rgb(0x3A3A3A),
            body=rgb(0x121212),
            well=rgb(0x000000),
            line=rgb(0x8A8A8A),
            text=rgb(0xFFFFFF),
            dim=rgb(0xD8D8D8),
            faint=rgb(0xA8A8A8),
            accent=rgb(0xFFD84A),
            good=rgb(0x5CFF9D),
            warn=rgb(0xFFC233),
            bad=rgb(0xFF6B6B),
            shadow=rgb(0x000000, 0),
            pins=_PINS,
        ),
    )
}
SCALES = (0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What everything is drawn with: a theme, and how large."""

    theme: Theme = field(default_factory=lambda: THEMES["dark"])
    scale: float = 1.0

    def px(self, size: float) -> int:
        """A length in pixels of the screen, for one at scale 1."""
        return round(size * self.scale)


def look(theme: str = "dark", scale: float = 1.0, safe_pins: bool = False) -> Look:
    """A look by the names that settings hold; what is unknown is as by default."""
    found = THEMES.get(theme, THEMES["dark"])
    if safe_pins:
        found = replace(found, pins=SAFE_PINS)
    return Look(found, min(max(scale, SCALES[0]), SCALES[-1]))

"""Colours: text can be read on what it stands on, and pins are told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from editor.canvas.nodes import CAPTION
from editor.theme import FAMILIES, PIN_SHAPES, SAFE_PINS, THEMES, TINTS, Colour, look, mix

LEAST = {"text": 7.0, "dim": 4.5, "faint": 3.0}
"""WCAG 2.2: 7 is enhanced, 4.5 is for text, 3 for what is large or beside the point."""

BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What people without one kind of cone see, in linear light (Machado, Oliveira and Fernandes, 2009, severity 1)."""


def linear(colour: Colour) -> np.ndarray:
    """IEC 61966-2-1: sRGB to linear light."""
    c = np.array(colour[:3]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: Colour, b: Colour) -> float:
    """WCAG 2.2: the contrast ratio of two colours."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB with D65 white, from linear sRGB."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    t = np.array(to_xyz) @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_formulas_are_those_of_the_standards():
    assert contrast((255, 255, 255, 255), (0, 0, 0, 255)) == pytest.approx(21.0)
    assert contrast((119, 119, 119, 255), (255, 255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert lab(linear((255, 0, 0, 255))) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("behind", ["panel", "body", "desk"])
@pytest.mark.parametrize("ink", LEAST)
def test_text_can_be_read(theme, behind, ink):
    found = THEMES[theme]
    assert contrast(getattr(found, ink), getattr(found, behind)) >= LEAST[ink]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("hue", [*FAMILIES, *TINTS])
def test_headers_of_every_colour_can_be_read(theme, hue):
    found = THEMES[theme]
    head = found.head(found.hue(hue))
    assert contrast(found.title, head) >= 4.5
    assert contrast(mix(head, found.title, CAPTION), head) >= 4.5


def test_tints_are_told_apart_and_are_no_families():
    seen = {name: lab(linear(colour)) for name, colour in TINTS.items()}
    assert min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)) > 25
    assert not TINTS.keys() & FAMILIES.keys()


@pytest.mark.parametrize("theme", THEMES)
def test_pins_stand_out_and_have_a_shape_each(theme):
    found = THEMES[theme]
    assert all(contrast(found.pin(type), found.body) >= 3.0 for type in PIN_SHAPES)
    assert len(set(PIN_SHAPES.values())) == len(PIN_SHAPES)


@pytest.mark.parametrize("sight", BLIND)
def test_safe_pins_are_told_apart_whatever_one_sees(sight):
    seen = {type: lab(np.array(BLIND[sight]) @ linear(colour)) for type, colour in SAFE_PINS.items()}
    for a, b in combinations(seen, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 15, (sight, a, b)
    assert look("dark", safe_pins=True).theme.pins == SAFE_PINS

"""What a node offers to be shown, from its declaration alone: which pictures, which of its readings go into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from editor.faces import Face
from editor.inspector.bands import bands_of
from editor.inspector.transfer import has_transfer
from graph.spec import LANES, Node, Reading

LOUDNESS_UNITS = ("LUFS", "LU", "dBTP")
LOUDNESS_NAMES = ("momentary", "short_term", "integrated", "loudness_range", "true_peak")


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The names of two readings: levels in dB, band by band, and the bands' frequencies in Hz."""

    level: str
    frequency: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is to show of a node; names of readings, None or empty where there is nothing of the sort."""

    response: bool = False
    bands: bool = False
    transfer: bool = False
    reduction: str | None = None
    loudness: bool = False
    spectrum: Spectrum | None = None
    wave: str | None = None
    """Lowest and highest sample of each point, channel by channel."""
    points: str | None = None
    """Pairs of across and up."""
    balances: tuple[str, ...] = ()
    """From −1 to 1."""
    levels: tuple[str, ...] = ()
    """Sample values, channel by channel, 1 being full scale."""
    numbers: tuple[str, ...] = ()
    """All the rest."""

    @property
    def pictures(self) -> bool:
        """Whether there is something that is better seen large."""
        return self.response or self.transfer or self.loudness or any((self.spectrum, self.wave, self.points))


def spectrum_of(readings: Mapping[str, Reading]) -> Spectrum | None:
    """The spectrum among readings: one in dB that is no gain reduction, and one in Hz."""
    frequency = next((name for name, r in readings.items() if r.unit == "Hz"), None)
    level = next((name for name, r in readings.items() if r.unit == "dB" and "reduction" not in name), None)
    return Spectrum(level, frequency) if level and frequency else None


def offers_of(face: Face) -> Offers:
    """What a node offers."""
    kind, readings = face.real, face.readings
    spectrum = spectrum_of(readings)
    taken = {spectrum.level, spectrum.frequency} if spectrum else set[str]()
    reduction = next((n for n, r in readings.items() if r.unit == "dB" and "reduction" in n), None)
    loudness = all(n in readings for n in LOUDNESS_NAMES)
    taken |= {reduction} if reduction else set()
    taken |= {n for n, r in readings.items() if loudness and r.unit in LOUDNESS_UNITS}
    wave, points = None, None
    for name, reading in readings.items():
        match reading.shape:
            case (int(), 2, last) if last == LANES:
                wave = name
            case (int(), 2):
                points = name
    taken |= {n for n in (wave, points) if n}
    plain = {n: r for n, r in readings.items() if n not in taken and not r.unit}
    balances = tuple(n for n, r in plain.items() if points and r.shape == (1,))
    counts = {n for n, r in plain.items() if wave and r.shape == (1,)}
    levels = tuple(n for n, r in plain.items() if r.shape == (LANES,))
    numbers = tuple(n for n in readings if n not in {*taken, *balances, *counts, *levels})
    params = {p.name for p in face.params}
    return Offers(
        response=kind is not None and kind.response.__func__ is not Node.response.__func__,
        bands=bool(bands_of(face, kind)),
        transfer=has_transfer(params) and reduction is not None,
        reduction=reduction,
        loudness=loudness,
        spectrum=spectrum,
        wave=wave,
        points=points,
        balances=balances,
        levels=levels,
        numbers=numbers,
    )

"""Long-term spectra: how loud a sound is at each frequency, on average; learned from a file, or kept in a patch.

A profile is the power of a sound in each line of a transform, one-sided, a sine of full scale being −3 dB in all (P. D.
Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. AU-15, 1967). In a patch it
is the state of a node: the words below, all little-endian, and a float32 in decibels for each line.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.spec import Config, PatchError, Services
from nodes.dsp.windows import hann

Curve = npt.NDArray[np.float64]

MARK = b"PWSP"
VERSION = 1
HEADER = struct.Struct("<4sIdI")
"""Mark, version, sample rate, lines."""
MOST_LINES = 1 << 16
FLOOR_DB = -300.0


@dataclass(frozen=True)
class Profile:
    """The power of each line, from 0 to half the sample rate."""

    power: Curve
    rate: float

    @property
    def freqs(self) -> Curve:
        """The frequency of each line in Hz."""
        return np.linspace(0.0, 0.5 * self.rate, len(self.power))

    def density_at(self, freqs: Curve) -> Curve:
        """Power per Hz at other frequencies: straight lines between those that are known, nothing above them."""
        width = 0.5 * self.rate / (len(self.power) - 1)
        return np.interp(freqs, self.freqs, self.power / width, right=0.0)


def known_files(config: Config, services: Services, learned_from: str, *others: str) -> dict[str, object]:
    """What is known of the files that settings name. One that is learned from may be missing where something is kept
    that was learned. Raises PatchError naming the setting.
    """
    found: dict[str, object] = {}
    for name in (learned_from, *others):
        if config.settings[name]:
            try:
                about = services.audio_info(config.settings[name])
            except PatchError as error:
                if name == learned_from and config.state is not None:
                    continue
                raise PatchError(error.message, place=f"settings.{name}") from error
            found[name] = (about.rate, about.frames, about.labels)
    return found


def learned(samples: npt.NDArray[np.float32], rate: float, size: int) -> Profile:
    """The profile of ``[frame, channel]``, the mean of its channels, by windows of ``size`` frames half of it apart."""
    x = np.nan_to_num(samples.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    x = np.pad(x, ((0, max(0, size - len(x))), (0, 0)))
    window = hann(size)
    total = np.zeros(size // 2 + 1)
    starts = range(0, len(x) - size + 1, size // 2)
    for start in starts:
        spectrum = np.fft.rfft(x[start : start + size] * window[:, None], axis=0)
        total += np.mean(np.abs(spectrum) ** 2, axis=1)
    total[1:-1] *= 2.0
    return Profile(total / (len(starts) * size * np.sum(window**2)), rate)


def encoded(profile: Profile) -> bytes:
    """A profile as a node's state."""
    db = 10.0 * np.log10(np.maximum(profile.power, 10.0 ** (FLOOR_DB / 10.0)))
    return HEADER.pack(MARK, VERSION, profile.rate, len(db)) + db.astype("<f4").tobytes()


def decoded(state: bytes) -> Profile:
    """The profile in a node's state. Raises PatchError where there is none."""
    wrong = PatchError("expected a spectrum that was learned", place="state")
    if len(state) < HEADER.size:
        raise wrong
    mark, version, rate, lines = HEADER.unpack_from(state)
    if mark != MARK or not 3 <= lines <= MOST_LINES or len(state) != HEADER.size + 4 * lines:
        raise wrong
    if version != VERSION:
        raise PatchError(f"the spectrum is of version {version}; expected {VERSION}", place="state")
    db = np.frombuffer(state, "<f4", offset=HEADER.size).astype(np.float64)
    if not 1000.0 <= rate <= 1e6 or not (np.abs(db) <= 1000.0).all():
        raise wrong
    return Profile(10.0 ** (db / 10.0), rate)


def smoothed(profile: Profile, freqs: Curve, octaves: float) -> Curve:
    """The mean density over so many octaves around each frequency, but over no less than a line."""
    lines = profile.freqs
    width = lines[1]
    running = np.concatenate([[0.0], np.cumsum(profile.power)])
    # A line stands for the frequencies half a line around it.
    edges = np.concatenate([[0.0], lines[:-1] + 0.5 * width, [lines[-1]]])
    low, high = freqs * 2.0 ** (-0.5 * octaves), freqs * 2.0 ** (0.5 * octaves)
    short = np.maximum(width - (high - low), 0.0)
    low, high = np.maximum(low - 0.5 * short, 0.0), np.minimum(high + 0.5 * short, lines[-1])
    total = np.interp(high, edges, running) - np.interp(low, edges, running)
    return np.maximum(total, 0.0) / np.maximum(high - low, 0.5 * width)

"""EQ match."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Memory,
    Param,
    Scratch,
    Services,
    Setting,
    kernel,
)
from nodes.dsp import partitions, profiles
from nodes.dsp.convolving import Convolving
from nodes.dsp.dynamics import delay_tick
from nodes.dsp.lines import clean
from nodes.dsp.machine import f32
from nodes.dsp.partitions import convolve
from nodes.dsp.profiles import Profile, smoothed
from nodes.dsp.windows import nearest_size

LENGTH_S = 0.0853
"""Of the windows that are learned from, and of the filter."""
QUIET = 1e-9
"""What is below this part of a spectrum's loudest is taken as that: there is nothing to be matched."""
FADE = 1.0
"""Octaves over which the correction fades outside its limits."""

Curve = npt.NDArray[np.float64]


def _size(config: Config) -> int:
    return nearest_size(LENGTH_S, config.rate)


def correction(reference: Profile, source: Profile, freqs: Curve, settings: Mapping[str, Any]) -> Curve:
    """What makes the source sound like the reference, in dB at ``freqs`` (Hz)."""
    octaves, low, high = (settings[name] for name in ("smoothing_octaves", "low_hz", "high_hz"))
    top = min(high, 0.5 * reference.rate, 0.5 * source.rate)
    even = np.geomspace(low, max(top, 1.01 * low), 400)

    def db(at: Curve) -> Curve:
        both = []
        for profile in (reference, source):
            found, known = smoothed(profile, at, octaves), smoothed(profile, even, octaves)
            both.append(10.0 * np.log10(np.maximum(found, max(QUIET * known.max(), 1e-30))))
        return both[0] - both[1]

    found = db(np.clip(freqs, low, top)) - np.mean(db(even))
    outside = np.maximum(np.log2(low / np.maximum(freqs, 1e-3)), np.log2(np.maximum(freqs, 1e-3) / top))
    kept = np.clip(1.0 - outside / FADE, 0.0, 1.0)
    return kept * np.clip(found, -settings["range_db"], settings["range_db"])


def linear_phase(gains: Curve) -> Curve:
    """``size + 1`` taps, the same from both ends, of gains from 0 to half the rate in size/2 + 1 steps."""
    size = 2 * (len(gains) - 1)
    taps = np.roll(np.fft.irfft(gains), size // 2)
    return np.append(taps, taps[0]) * np.hanning(size + 1)


def minimum_phase(gains: Curve) -> Curve:
    """``size`` taps with the same gains and the least delay: the cepstrum folded over to one side (A. V. Oppenheim and
    R. W. Schafer, "Discrete-Time Signal Processing").
    """
    size = 2 * (len(gains) - 1)
    fine = np.interp(np.linspace(0.0, 1.0, 4 * len(gains) - 3), np.linspace(0.0, 1.0, len(gains)), np.log(gains))
    cepstrum = np.fft.irfft(fine)
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2.0
    cepstrum[half + 1 :] = 0.0
    taps = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:size]
    taps[size // 2 :] *= np.hanning(size)[size // 2 :]
    return taps


class EqMatch(Convolving):
    """Give a sound the spectrum of another one.

    The long-term spectra of the files ``path`` (what it shall sound like) and ``source`` (what it sounds like now)
    are smoothed over parts of octaves, and the difference becomes a filter, that leaves the level as it is: the
    mean of its curve over the octaves between the limits is 0 dB. Where there is no source file, the spectrum is
    taken that ``patchwright learn`` has kept in the patch; where one of the two is missing nothing changes.
    ``linear`` phase takes half the filter's length; ``minimum`` takes no time. ``amount`` goes from the signal as
    it was to the one that is matched.
    """

    kind = "eq_match"
    family = "tone"
    bypassable = True
    accumulates = True

    signal = AudioIn("in")
    out = AudioOut("out")
    path = Setting("path", "", "path", doc="Audio file that it shall sound like.")
    source = Setting("source", "", "path", doc="Audio file of what it sounds like now.")
    phase = ChoiceSetting("phase", ("minimum", "linear"), doc="Whether frequencies stay together, which takes time.")
    smoothing = Setting("smoothing_octaves", 0.5, "number", "Width that spectra are smoothed over.", low=0.05, high=3.0)
    deepest = Setting("range_db", 12.0, "number", "The most that a frequency is raised or lowered.", low=0.0, high=30.0)
    low = Setting("low_hz", 40.0, "number", "Below this it fades out.", low=10.0, high=1000.0)
    high = Setting("high_hz", 16000.0, "number", "Above this it fades out.", low=1000.0, high=24000.0)
    amount = Param("amount", 1.0, doc="From the signal as it is (0) to the matched one (1).")

    line = Memory(2)
    where = Memory(1, "i8")
    dry = Scratch((TICK, LANES), "f4")

    @classmethod
    def check(cls, config: Config) -> None:
        """What is kept must be a spectrum."""
        if config.state is not None:
            profiles.decoded(config.state)

    @classmethod
    def info(cls, config: Config, services: Services) -> Mapping[str, object]:
        return profiles.known_files(config, services, "source", "path")

    @classmethod
    def latency(cls, config: Config) -> int:
        return _size(config) // 2 if config.settings["phase"] == "linear" else 0

    @classmethod
    def tail(cls, config: Config) -> float:
        return (_size(config) + TICK) / config.rate

    @classmethod
    def shape_key(cls, config: Config) -> object:
        return sorted(config.info.items()), config.state

    @classmethod
    def learned(cls, config: Config, services: Services) -> bytes | None:
        if "source" not in config.info:
            return None
        data, _ = services.read_audio(config.settings["source"], config.rate)
        return profiles.encoded(profiles.learned(data, config.rate, _size(config)))

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[Any]]:
        """The filter, and what is needed to apply it."""
        lanes = config.channels("in")
        prepared = partitions.prepared([cls._taps(config, services)], lanes)
        late = np.zeros((cls.latency(config), lanes), np.float32)
        return prepared | {"line": late, "where": np.zeros(1, np.int64)}

    @classmethod
    def _taps(cls, config: Config, services: Services) -> Curve:
        size = _size(config)
        state = cls.learned(config, services) or config.state
        gains = np.ones(size // 2 + 1)
        if state is not None and "path" in config.info:
            data, _ = services.read_audio(config.settings["path"], config.rate)
            reference = profiles.learned(data, config.rate, size)
            freqs = np.linspace(0.0, 0.5 * config.rate, len(gains))
            gains = 10.0 ** (correction(reference, profiles.decoded(state), freqs, config.settings) / 20.0)
        return linear_phase(gains) if config.settings["phase"] == "linear" else minimum_phase(gains)

    @kernel
    def process(
        signal,
        out,
        amount,
        plan,
        places,
        tables,
        filters,
        history,
        spectra,
        work,
        sums,
        done,
        line,
        where,
        scratch,
        wet,
        dry,
        n,
    ):
        for at in range(0, n, TICK):
            convolve(
                signal,
                at,
                out.lanes,
                wet,
                plan,
                places,
                tables,
                filters,
                history,
                spectra,
                work,
                sums,
                done,
                scratch,
            )
            for i in range(TICK):
                for lane in range(out.lanes):
                    dry[i, lane] = clean(signal[at + i, lane])
            if line.shape[0] > 0:
                delay_tick(dry, out.lanes, line, where, 0)
            for i in range(TICK):
                for lane in range(out.lanes):
                    m = amount[at + i, lane]
                    out[at + i, lane] = dry[i, lane] * (f32(1.0) - m) + wet[i, lane] * m

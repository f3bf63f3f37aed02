"""Pitch shift."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from graph.spec import (
    TICK,
    AudioIn,
    AudioOut,
    ChoiceSetting,
    Config,
    Memory,
    Node,
    Param,
    Services,
    State,
    Switch,
    helper,
    kernel,
)
from nodes.dsp.exponentials import exp2
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma
from nodes.dsp.windows import first_of, hann, nearest_size, put_back, second_of, tables, transform

WINDOWS_S = {"short": 0.0213, "medium": 0.0427, "long": 0.0853}
REACH = 16
"""Frames on either side that a value between frames is interpolated from."""
PHASES = 512
SPARE = 4 * REACH
ONSET = 8.0
"""How much more power there must be at a peak than a hop before, for it to begin anew."""
ENVELOPE_HZ = 200.0
"""How far to either side the envelope of a spectrum is smoothed."""
MOST = 100.0
"""The largest power by which a formant is raised."""
EDGE = 0.97
"""The part of the band below half the rate that is kept when the pitch goes up."""

# Places in the counters: frames that came in; where the stretched sound is read; the middle of its next window.
FRAMES, READ, NEXT = 0, 1, 2


def _size(config: Config) -> int:
    return nearest_size(WINDOWS_S[config.settings["window"]], config.rate)


def sinc() -> npt.NDArray[np.float64]:
    """``[phase, tap]``: a sinc under a Kaiser window, for values between frames."""
    t = np.arange(PHASES + 1)[:, None] / PHASES - np.arange(1 - REACH, REACH + 1)
    return np.sinc(t) * np.i0(9.0 * np.sqrt(np.maximum(1.0 - (t / REACH) ** 2, 0.0))) / np.i0(9.0)


@helper
def between(line, whole, part, lane, between_taps):
    """The value ``part`` of a frame after the frame ``whole``."""
    mask = line.shape[0] - 1
    phase = part * PHASES
    row = min(int(phase), PHASES - 1)
    u = phase - row
    total = 0.0
    for t in range(2 * REACH):
        h = between_taps[row, t]
        total = fma(fma(u, between_taps[row + 1, t] - h, h), line[(whole + t + 1 - REACH) & mask, lane], total)
    return total


@helper
def take(line, middle, speed, lane, window, swapped, grain, work, between_taps):
    """Take two windows from the line: around ``middle``, and a hop before; each frame ``speed`` of a frame apart."""
    size, mask = window.shape[0], line.shape[0] - 1
    hop = size >> 2
    for j in range(size + hop):
        ahead = speed * (j - hop - (size >> 1))
        whole = math.floor(ahead)
        if speed == 1.0:
            grain[j] = line[(middle + whole) & mask, lane]
        else:
            grain[j] = between(line, middle + whole, ahead - whole, lane, between_taps)
    for j in range(size):
        work[0, swapped[j]] = window[j] * grain[j + hop]
        work[1, swapped[j]] = window[j] * grain[j]


@helper
def keep_spectra(work, now, before, power, lane):
    """Keep the spectra of the two windows, and add up the power of the later one over the channels."""
    for k in range(power.shape[0]):
        re, im = first_of(work, k)
        now[2 * lane, k], now[2 * lane + 1, k] = re, im
        power[k] = fma(re, re, fma(im, im, power[k]))
        before[2 * lane, k], before[2 * lane + 1, k] = second_of(work, k)


@helper
def next_peak(power, k):
    """The first place from k on that is above its neighbours; the number of places if there is none."""
    count = power.shape[0]
    while k < count:
        here = power[k]
        higher = k > 0 and power[max(k - 1, 0)] > here
        higher = higher or (k + 1 < count and power[min(k + 1, count - 1)] >= here)
        if not higher and here > 0.0:
            return k
        k += 1
    return count


@helper
def valley(power, first, end):
    """The lowest place between two peaks."""
    lowest = first
    for k in range(first, end):
        if power[k] < power[lowest]:
            lowest = k
    return lowest


@helper
def turn_regions(now, before, last, power, lanes):
    """Turn the region of each peak, in all channels alike, so that it goes on from where the last window left it a hop
    ago; a peak that has just begun stays as it is.
    """
    count = power.shape[0]
    start, peak = 0, next_peak(power, 0)
    while start < count:
        after = next_peak(power, peak + 1)
        end = count if after >= count else valley(power, peak + 1, after)
        re, im, past = 0.0, 0.0, 0.0
        if peak < count:
            for lane in range(lanes):
                a, b = before[2 * lane, peak], before[2 * lane + 1, peak]
                c, d = last[2 * lane, peak], last[2 * lane + 1, peak]
                re += fma(c, a, d * b)
                im += fma(d, a, -(c * b))
                past += fma(a, a, b * b)
            if power[peak] > ONSET * past:
                re, im = 0.0, 0.0
        size = math.sqrt(fma(re, re, im * im))
        re, im = (re / size, im / size) if size > 1e-30 else (1.0, 0.0)
        for lane in range(lanes):
            for k in range(start, end):
                x, y = now[2 * lane, k], now[2 * lane + 1, k]
                last[2 * lane, k] = fma(re, x, -(im * y))
                last[2 * lane + 1, k] = fma(re, y, im * x)
        start, peak = end, after


@helper
def smooth_power(power, running, reach, k):
    """The mean power ``reach`` places around a place."""
    count = power.shape[0]
    low, high = max(k - reach, 0), min(k + reach + 1, count)
    return (running[high] - running[low]) / (high - low)


@helper
def shape(power, running, gains, ratio, speed, formants, edge, rate):
    """What each place of the spectrum is to be multiplied by: so that formants stay, and nothing folds back."""
    count = power.shape[0]
    total = 0.0
    for k in range(count):
        running[k] = total
        total += power[k]
    running[count] = total
    reach = max(1, int(ENVELOPE_HZ * speed * 2.0 * (count - 1) / rate))
    for k in range(count):
        gain = 1.0
        if formants > 0.0:
            at = min(ratio * k, count - 1.0)
            below = min(int(at), count - 2)
            here = smooth_power(power, running, reach, k)
            low, high = smooth_power(power, running, reach, below), smooth_power(power, running, reach, below + 1)
            there = low + (at - below) * (high - low)
            raised = math.sqrt(min(there / here, MOST)) if here > 1e-30 else 1.0
            gain += formants * (raised - 1.0)
        gains[k] = gain if k < edge else 0.0


@helper
def lay(last, gains, lane, window, roots, swapped, work, stretched, middle):
    """Add a window to the stretched sound."""
    size, mask = window.shape[0], stretched.shape[0] - 1
    hop = size >> 2
    for k in range(gains.shape[0]):
        put_back(work, swapped, k, gains[k] * last[2 * lane, k], gains[k] * last[2 * lane + 1, k])
    transform(work, roots)
    # Squared Hann windows a quarter apart add up to 3/2.
    scale = 1.0 / (1.5 * size)
    first = middle - (size >> 1)
    for j in range(size):
        at = (first + j) & mask
        y = scale * window[j] * work[0, j]
        stretched[at, lane] = y if j >= size - hop else stretched[at, lane] + y


class PitchShift(Node):
    """Shift the pitch of a signal, and keep its tempo.

    A phase vocoder stretches the sound, and it is read as much faster; to go down, it is read slower first and then
    pressed together, so that neither takes longer than a window. Phases go on from window to window as they do in the
    signal a hop before each (M. Puckette, "Phase-locked vocoder", WASPAA 1995); the places around each peak of the
    spectrum turn together (J. Laroche and M. Dolson, "Improved phase vocoder time-scale modification of audio", IEEE
    Trans. Speech and Audio 7(3), 1999), and so do all channels; a peak that has just begun keeps the phase that it has
    (after A. Röbel, DAFx 2003). A longer window tells lower and nearer tones apart, a shorter one keeps attacks
    sharper. Its latency is the window and a little more.
    """

    kind = "pitch_shift"
    family = "tone"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    window_length = ChoiceSetting("window", tuple(WINDOWS_S), "long", "Length of the windows: about 21, 43 or 85 ms.")
    semitones = Param("semitones", 0.0, -24.0, 24.0, "semitones", doc="How far the pitch is shifted.")
    cents = Param("cents", 0.0, -100.0, 100.0, "cents", doc="And by how many hundredths of a semitone more.")
    formants = Switch("keep_formants", doc="Leave the colour of a voice where it is.")
    mix = Param("mix", 1.0, doc="Share of the shifted signal; the rest is the input, in time with it.")

    line = Memory(2)
    stretched = Memory(2, "f8")
    window = Memory(1, "f8")
    roots = Memory(2, "f8")
    swapped = Memory(1, "i8")
    between_taps = Memory(2, "f8")
    work = Memory(2, "f8")
    grain = Memory(1, "f8")
    now = Memory(2, "f8")
    before = Memory(2, "f8")
    last = Memory(2, "f8")
    power = Memory(1, "f8")
    running = Memory(1, "f8")
    gains = Memory(1, "f8")
    counters = State((3,), "i8")
    part = State((1,))

    @classmethod
    def latency(cls, config: Config) -> int:
        return _size(config) + SPARE

    @classmethod
    def tail(cls, config: Config) -> float:
        return (2 * _size(config) + SPARE) / config.rate

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[np.generic]]:
        """Windows, tables, and room for the signal and its spectra."""
        size, lanes = _size(config), config.channels("in")
        spectra = {name: np.zeros((2 * lanes, size // 2 + 1)) for name in ("now", "before", "last")}
        return spectra | {
            "line": np.zeros((4 * size, lanes), np.float32),
            "stretched": np.zeros((2 * size, lanes)),
            "window": hann(size),
            **tables(size),
            "between_taps": sinc(),
            "work": np.zeros((2, size)),
            "grain": np.zeros(size + size // 4),
            "power": np.zeros(size // 2 + 1),
            "running": np.zeros(size // 2 + 2),
            "gains": np.zeros(size // 2 + 1),
        }

    @kernel
    def process(
        signal,
        out,
        semitones,
        cents,
        formants,
        mix,
        line,
        stretched,
        window,
        roots,
        swapped,
        between_taps,
        work,
        grain,
        now,
        before,
        last,
        power,
        running,
        gains,
        counters,
        part,
        rate,
        n,
    ):
        size, mask, lanes = window.shape[0], line.shape[0] - 1, out.lanes
        half = size >> 1
        late = size + SPARE
        for start in range(0, n, TICK):
            frames = counters[FRAMES]
            for i in range(TICK):
                for lane in range(lanes):
                    line[(frames + i) & mask, lane] = clean(signal[start + i, lane])
            for i in range(TICK):
                ratio = exp2((semitones[start + i, 0] + 0.01 * cents[start + i, 0]) / 12.0)
                slow, fast = min(ratio, 1.0), max(ratio, 1.0)
                # The next window is due when the stretched sound is only complete up to what is read now.
                while counters[READ] + REACH + 1 >= counters[NEXT] - half:
                    ahead = (counters[NEXT] - counters[READ] - part[0]) / fast
                    middle = frames + i - late + math.floor(ahead + 0.5)
                    for k in range(power.shape[0]):
                        power[k] = 0.0
                    for lane in range(lanes):
                        take(line, middle, slow, lane, window, swapped, grain, work, between_taps)
                        transform(work, roots)
                        keep_spectra(work, now, before, power, lane)
                    turn_regions(now, before, last, power, lanes)
                    edge = half + 1.0 if fast == 1.0 else EDGE * half / fast
                    shape(power, running, gains, ratio, slow, float(formants[start + i, 0]), edge, rate)
                    for lane in range(lanes):
                        lay(last, gains, lane, window, roots, swapped, work, stretched, counters[NEXT])
                    counters[NEXT] += size >> 2
                share = 1.0 * mix[start + i, 0]
                for lane in range(lanes):
                    dry = line[(frames + i - late) & mask, lane]
                    wet = between(stretched, counters[READ], part[0], lane, between_taps)
                    out[start + i, lane] = dry + share * (wet - dry)
                position = part[0] + fast
                whole = int(position)
                counters[READ] += whole
                part[0] = position - whole
            counters[FRAMES] = frames + TICK

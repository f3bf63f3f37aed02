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
from nodes.dsp.between import REACH, between, sinc
from nodes.dsp.exponentials import exp2
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma
from nodes.dsp.windows import first_of, hann, nearest_size, put_back, second_of, tables, transform

WINDOWS_S = {"short": 0.0213, "medium": 0.0427, "long": 0.0853}
SPARE = 4 * REACH
SPREAD = 256
"""Frames over which the work on a window is spread, at most: a quarter of a hop."""
ONSET = 8.0
"""How much more power there must be at a peak than a hop before, for it to begin anew."""
ENVELOPE_HZ = 200.0
"""How far to either side the envelope of a spectrum is smoothed."""
MOST = 100.0
"""The largest power by which a formant is raised."""
EDGE = 0.97
"""The part of the band below half the rate that is kept when the pitch goes up."""

# Places in the counters: frames that came in; where the stretched sound is read; the middle of its next window there,
# and in the signal; 0 before the work on it has begun, then one more than the items that are
# done; how far behind the window before is.
FRAMES, READ, NEXT, MIDDLE, ITEM, PAST = 0, 1, 2, 3, 4, 5
# Places in what is known of the window that is worked on: the ratio of pitches, and how far formants are kept; and the
# part of a frame beyond the one that is read.
RATIO, FORMANTS, PART = 0, 1, 2


def _size(config: Config) -> int:
    return nearest_size(WINDOWS_S[config.settings["window"]], config.rate)


def _spread(config: Config) -> int:
    """Frames over which the work on a window is spread: whole ticks."""
    return max(TICK, min(SPREAD, _size(config) // 16))


@helper
def take(line, middle, speed, hop, lane, window, swapped, grain, work, between_taps):
    """Take two windows from the line: around ``middle``, and a hop before; each frame ``speed`` of a frame apart."""
    size, mask = window.shape[0], line.shape[0] - 1
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
def begin(counters, about, frame, ratio, formants, late):
    """Begin with a window: its middle is where the signal is, late as declared, when its middle will be read."""
    ahead = (counters[NEXT] - counters[READ] - about[PART]) / max(ratio, 1.0)
    counters[MIDDLE] = frame - late + math.floor(ahead + 0.5)
    counters[ITEM] = 1
    about[RATIO], about[FORMANTS] = ratio, formants


@helper
def step_of(size, ratio):
    """From a window to the next in the stretched sound: down, where these are further apart in the signal than there,
    half as far as up, so that nothing falls between them.
    """
    return size >> 3 if ratio < 1.0 else size >> 2


@helper
def lay(last, gains, lane, window, roots, swapped, work, stretched, middle, hop, after):
    """Add a window to the stretched sound, ``hop`` after the one before and ``after`` before the next."""
    size, mask = window.shape[0], stretched.shape[0] - 1
    for k in range(gains.shape[0]):
        put_back(work, swapped, k, gains[k] * last[2 * lane, k], gains[k] * last[2 * lane + 1, k])
    transform(work, roots)
    # A squared Hann window is 3/8 on average, and stands for half the way to each of its neighbours.
    scale = 0.5 * (hop + after) / (0.375 * size * size)
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
    sharper. Its latency is the window and a little more, over which the work is spread.
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
    spread = Memory(1, "i8")
    counters = State((6,), "i8")
    about = State((3,))

    @classmethod
    def latency(cls, config: Config) -> int:
        return _size(config) + SPARE + _spread(config)

    @classmethod
    def tail(cls, config: Config) -> float:
        return (2 * _size(config) + SPARE + SPREAD) / config.rate

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, npt.NDArray[np.generic]]:
        """Windows, tables, and room for the signal and its spectra."""
        size, lanes = _size(config), config.channels("in")
        spectra = {name: np.zeros((2 * lanes, size // 2 + 1)) for name in ("now", "before", "last")}
        return spectra | {
            "line": np.zeros((4 * size, lanes), np.float32),
            "stretched": np.zeros((max(4 * size, 2048), lanes)),
            "spread": np.array([_spread(config)]),
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
        spread,
        counters,
        about,
        rate,
        n,
    ):
        size, mask, lanes = window.shape[0], line.shape[0] - 1, out.lanes
        half = size >> 1
        if counters[PAST] == 0:
            counters[PAST] = size >> 2
        late = size + SPARE + spread[0]
        items = 2 * lanes + 1
        each = (items * TICK + spread[0] - 1) // spread[0]
        for start in range(0, n, TICK):
            frames = counters[FRAMES]
            for i in range(TICK):
                for lane in range(lanes):
                    line[(frames + i) & mask, lane] = clean(signal[start + i, lane])
            for i in range(TICK):
                ratio = exp2((semitones[start + i, 0] + 0.01 * cents[start + i, 0]) / 12.0)
                fast = max(ratio, 1.0)
                # A window is due when the stretched sound is only complete up to what is read now.
                left = counters[NEXT] - half - counters[READ] - REACH - 1
                while left <= 0 or (i == 0 and left <= fast * spread[0]):
                    if counters[ITEM] == 0:
                        begin(counters, about, frames + i, ratio, float(formants[start + i, 0]), late)
                    first = counters[ITEM] - 1
                    end = items if left <= 0 else min(items, first + each)
                    slow, hop = min(about[RATIO], 1.0), step_of(size, about[RATIO])
                    for item in range(first, end):
                        if item == 0:
                            for k in range(power.shape[0]):
                                power[k] = 0.0
                        if item < lanes:
                            take(
                                line,
                                counters[MIDDLE],
                                slow,
                                counters[PAST],
                                item,
                                window,
                                swapped,
                                grain,
                                work,
                                between_taps,
                            )
                            transform(work, roots)
                            keep_spectra(work, now, before, power, item)
                        elif item == lanes:
                            turn_regions(now, before, last, power, lanes)
                            edge = half + 1.0 if about[RATIO] <= 1.0 else EDGE * half / about[RATIO]
                            shape(power, running, gains, about[RATIO], slow, about[FORMANTS], edge, rate)
                        else:
                            lane = item - lanes - 1
                            lay(
                                last,
                                gains,
                                lane,
                                window,
                                roots,
                                swapped,
                                work,
                                stretched,
                                counters[NEXT],
                                counters[PAST],
                                hop,
                            )
                    counters[ITEM] = end + 1
                    if end == items:
                        counters[ITEM] = 0
                        counters[NEXT] += hop
                        counters[PAST] = hop
                    if left > 0:
                        break
                    left += hop
                share = 1.0 * mix[start + i, 0]
                for lane in range(lanes):
                    dry = line[(frames + i - late) & mask, lane]
                    wet = between(stretched, counters[READ], about[PART], lane, between_taps)
                    out[start + i, lane] = dry + share * (wet - dry)
                position = about[PART] + fast
                whole = int(position)
                counters[READ] += whole
                about[PART] = position - whole
            counters[FRAMES] = frames + TICK

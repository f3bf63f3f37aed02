"""Loudness."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from graph.layouts import labels_of
from graph.spec import (
    LANES,
    TICK,
    AudioIn,
    AudioOut,
    Config,
    Memory,
    Node,
    PatchError,
    Reading,
    Scratch,
    Services,
    State,
    Switch,
    helper,
    kernel,
)
from nodes.dsp.exponentials import db_of, exp2
from nodes.dsp.lines import clean
from nodes.dsp.loudness import (
    ABSOLUTE_GATE_LUFS,
    BLOCK_STEPS,
    INTEGRATED_GATE_LU,
    LOWEST_RATE,
    MOMENTARY_STEPS,
    OFFSET,
    RANGE_GATE_LU,
    RANGE_PERCENTILES,
    SHORT_TERM_STEPS,
    STEPS_PER_SECOND,
    TAPS,
    between_samples,
    channel_weight,
    crests_between,
    factor_for,
    k_weigh,
    k_weighting_sections,
)
from nodes.dsp.machine import finite

FLOOR = -120.0
"""What silence reads, and what is not known yet."""
LOG2_PER_LU = 0.33219280948873623
FINENESS = 0.02
"""LU from one class of the histograms to the next."""
CLASSES = 5000
"""From the absolute gate up to 30 LUFS; what is louder counts with the last, by its own energy."""
LOW_SHARE, HIGH_SHARE = RANGE_PERCENTILES[0] / 100.0, RANGE_PERCENTILES[1] / 100.0

# Rows of a histogram: how many windows fell into each class, and the sum of their energies.
COUNT, ENERGY = 0, 1
# Places in the counters, and in what is shown.
FRAME, STEPS, WAS_ON = 0, 1, 2
MOMENTARY, SHORT_TERM, MOMENTARY_MAX, SHORT_TERM_MAX, INTEGRATED, RANGE = 0, 1, 2, 3, 4, 5


@helper
def lufs(energy):
    """The loudness of a weighted mean square."""
    return max(OFFSET + 0.5 * db_of(max(energy, 1e-300)), FLOOR)


@helper
def step_start(step, rate):
    """The frame, counted from where measuring began, at which a step of 10 ms starts."""
    return step * int(rate) // STEPS_PER_SECOND


@helper
def window(energies, steps, count, rate):
    """The mean square of the last ``count`` of so many steps."""
    total = 0.0
    for k in range(count):
        total += energies[(steps - count + k) % SHORT_TERM_STEPS]
    return total / (step_start(steps, rate) - step_start(steps - count, rate))


@helper
def enter(histogram, totals, which, energy):
    """Count a window, if it passes the absolute gate."""
    over = OFFSET + 0.5 * db_of(max(energy, 1e-300)) - ABSOLUTE_GATE_LUFS
    if over > 0.0:
        k = int(min(over * (1.0 / FINENESS), CLASSES - 1.0))
        histogram[which, COUNT, k] += 1.0
        histogram[which, ENERGY, k] += energy
        totals[which, COUNT] += 1.0
        totals[which, ENERGY] += energy


@helper
def first_passing(histogram, totals, which, gate):
    """The lowest class that passes a gate so many LU from the mean of what passes the absolute gate.

    A class passes whole or not at all, by the mean of what is in it.
    """
    if totals[which, COUNT] == 0.0:
        return CLASSES
    energy = totals[which, ENERGY] / totals[which, COUNT] * exp2(LOG2_PER_LU * gate)
    over = OFFSET + 0.5 * db_of(max(energy, 1e-300)) - ABSOLUTE_GATE_LUFS
    k = int(min(max(over * (1.0 / FINENESS), 0.0), CLASSES - 1.0))
    return k if histogram[which, ENERGY, k] > energy * histogram[which, COUNT, k] else k + 1


@helper
def gated_loudness(histogram, totals):
    """Integrated loudness (BS.1770-5 Annex 1)."""
    count, energy = 0.0, 0.0
    for k in range(first_passing(histogram, totals, 0, INTEGRATED_GATE_LU), CLASSES):
        count += histogram[0, COUNT, k]
        energy += histogram[0, ENERGY, k]
    return lufs(energy / count) if count > 0.0 else FLOOR


@helper
def loudness_range_of(histogram, totals):
    """Loudness range in LU (EBU Tech 3342)."""
    first = first_passing(histogram, totals, 1, RANGE_GATE_LU)
    count = 0.0
    for k in range(first, CLASSES):
        count += histogram[1, COUNT, k]
    if count == 0.0:
        return 0.0
    # Places of the percentiles among the windows in order, from zero.
    low, high = int((count - 1.0) * LOW_SHARE + 0.5), int((count - 1.0) * HIGH_SHARE + 0.5)
    quiet, loud, seen = 1.0, 1.0, 0.0
    for k in range(first, CLASSES):
        own = histogram[1, COUNT, k]
        if own > 0.0:
            if seen <= low:
                quiet = histogram[1, ENERGY, k] / own
            if seen <= high:
                loud = histogram[1, ENERGY, k] / own
            seen += own
    return 0.5 * db_of(loud / quiet)


@helper
def clear(array):
    """Make a table of numbers by two zero."""
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            array[i, j] = 0.0


class Loudness(Node):
    """Show how loud a signal is by EBU R 128 and ITU-R BS.1770; it passes through unchanged.

    Momentary loudness is that of the last 400 ms, short-term loudness that of the last 3 s, both 100 times in a second,
    with the highest of each since the start. Integrated loudness and loudness range are gated, ten times in a second,
    from histograms in steps of 0.02 LU: so a programme may be as long as it likes. Switching ``reset`` on starts it all
    anew. Silence, and what is not known yet, reads −120.
    """

    kind = "loudness"
    family = "analysis"
    bypassable = True

    signal = AudioIn("in")
    out = AudioOut("out")
    reset = Switch("reset", doc="Starts to measure anew when it is switched on.", rate="tick")
    momentary = Reading("LUFS", "Loudness of the last 400 ms.", (1,))
    short_term = Reading("LUFS", "Loudness of the last 3 s.", (1,))
    momentary_max = Reading("LUFS", "Highest momentary loudness.", (1,))
    short_term_max = Reading("LUFS", "Highest short-term loudness.", (1,))
    integrated = Reading("LUFS", "Loudness of the programme, gated.", (1,))
    loudness_range = Reading("LU", "How far its short-term loudness spreads.", (1,))
    true_peak = Reading("dBTP", "Highest peak of each channel, between its samples too.")

    sections = Memory(2, "f8")
    weights = Memory(1, "f8")
    phases = Memory(2, "f4")
    histogram = Memory(3, "f8")
    totals = State((2, 2))
    counters = State((3,), "i8")
    shown = State((6,))
    energies = State((SHORT_TERM_STEPS,))
    open_step = State((LANES,))
    filters = State((4, LANES))
    highest = State((LANES,), "f4")
    past = State(lambda config: ((TAPS - 1 + TICK) * config.channels("in"),), "f4")
    points = Scratch(lambda config: (TICK * config.channels("in"),), "f4")
    top = Scratch(lambda config: (TICK * config.channels("in"),), "f4")

    @classmethod
    def check(cls, config: Config) -> None:
        if config.rate < LOWEST_RATE:
            raise PatchError(f"loudness is measured from {LOWEST_RATE} Hz on, not at {config.rate:g} Hz")

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The filters, the weights of the channels, and two empty histograms: of momentary and short-term windows."""
        return {
            "sections": k_weighting_sections(round(config.rate)),
            "weights": np.array([channel_weight(label) for label in labels_of(config.layouts["in"])]),
            "phases": between_samples(factor_for(config.rate)).astype(np.float32),
            "histogram": np.zeros((2, 2, CLASSES)),
        }

    @kernel
    def process(
        signal,
        out,
        reset,
        momentary,
        short_term,
        momentary_max,
        short_term_max,
        integrated,
        loudness_range,
        true_peak,
        sections,
        weights,
        phases,
        histogram,
        totals,
        counters,
        shown,
        energies,
        open_step,
        filters,
        highest,
        past,
        points,
        top,
        rate,
        n,
    ):
        lanes = out.lanes
        for start in range(0, n, TICK):
            on = 2 if reset[start, 0] > 0.5 else 1
            if (counters[STEPS] == 0 and counters[FRAME] == 0) or on > counters[WAS_ON]:
                for which in range(2):
                    for k in range(CLASSES):
                        histogram[which, COUNT, k] = histogram[which, ENERGY, k] = 0.0
                clear(totals)
                clear(filters)
                for lane in range(lanes):
                    open_step[lane] = 0.0
                    highest[lane] = 0.0
                for j in range((TAPS - 1) * lanes):
                    past[j] = 0.0
                for k in range(RANGE):
                    shown[k] = FLOOR
                shown[RANGE] = 0.0
                counters[FRAME] = counters[STEPS] = 0
            counters[WAS_ON] = on

            for i in range(TICK):
                for lane in range(lanes):
                    x = signal[start + i, lane]
                    out[start + i, lane] = x
                    past[(TAPS - 1 + i) * lanes + lane] = clean(x)
                    highest[lane] = max(highest[lane], abs(finite(x)))
            crests_between(past, lanes, phases, points, top, highest)
            for j in range((TAPS - 1) * lanes):
                past[j] = past[TICK * lanes + j]

            i = start
            while i < start + TICK:
                steps = counters[STEPS]
                end = min(start + TICK, i + step_start(steps + 1, rate) - counters[FRAME])
                for j in range(i, end):
                    for lane in range(lanes):
                        y = k_weigh(float(finite(signal[j, lane])), sections, filters, lane)
                        open_step[lane] += y * y
                counters[FRAME] += end - i
                i = end
                if counters[FRAME] < step_start(steps + 1, rate):
                    continue
                energy = 0.0
                for lane in range(lanes):
                    energy += weights[lane] * open_step[lane]
                    open_step[lane] = 0.0
                energies[steps % SHORT_TERM_STEPS] = energy
                steps += 1
                counters[STEPS] = steps
                if steps >= MOMENTARY_STEPS:
                    energy = window(energies, steps, MOMENTARY_STEPS, rate)
                    shown[MOMENTARY] = lufs(energy)
                    shown[MOMENTARY_MAX] = max(shown[MOMENTARY_MAX], shown[MOMENTARY])
                    if (steps - MOMENTARY_STEPS) % BLOCK_STEPS == 0:
                        enter(histogram, totals, 0, energy)
                        shown[INTEGRATED] = gated_loudness(histogram, totals)
                if steps >= SHORT_TERM_STEPS:
                    energy = window(energies, steps, SHORT_TERM_STEPS, rate)
                    shown[SHORT_TERM] = lufs(energy)
                    shown[SHORT_TERM_MAX] = max(shown[SHORT_TERM_MAX], shown[SHORT_TERM])
                    if (steps - SHORT_TERM_STEPS) % BLOCK_STEPS == 0:
                        enter(histogram, totals, 1, energy)
                        shown[RANGE] = loudness_range_of(histogram, totals)
        momentary[0], momentary_max[0] = shown[MOMENTARY], shown[MOMENTARY_MAX]
        short_term[0], short_term_max[0] = shown[SHORT_TERM], shown[SHORT_TERM_MAX]
        integrated[0], loudness_range[0] = shown[INTEGRATED], shown[RANGE]
        for lane in range(lanes):
            true_peak[lane] = max(db_of(max(float(highest[lane]), 1e-30)), FLOOR)

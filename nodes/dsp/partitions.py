"""Convolution with a long impulse response, without latency and without peaks of load.

The taps are cut into partitions that grow by eights from the head on (W. G. Gardner, "Efficient convolution without
input-output delay", 1995), each level a frequency-domain delay line: every new block of input is transformed once, and
multiplied with the spectra of all the level's partitions. Blocks are aligned to the ticks a kernel runs on, so results
do not depend on how many ticks come at once.

- blocks of 64, from tap 0 on: every tick;
- blocks of 512, from tap 448 on: on the last tick of a block, for output from the first frame of that tick on;
- blocks of 4096, from tap 8128 on: spread evenly over the ticks of the next block, for output from its last tick on;
- blocks of 32768, from tap 65472 on: likewise.

The work of a block is a list of items of about a microsecond: gather the input, stages of the transform, products,
stages back, deliver. What is due at a tick follows from its number alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from graph.spec import TICK, helper
from nodes.dsp import fft
from nodes.dsp.fft import (
    COLUMNS,
    SCALARS,
    SLAB,
    SLAB_TABLE,
    backward_64,
    backward_slab,
    forward_64,
    forward_slab,
    join_rows,
    plain,
    split_rows,
)
from nodes.dsp.lines import clean
from nodes.dsp.machine import fma32

FIRST_TAPS = (0, 448, 8128, 65472)
"""The first tap of each level: P − 64 where the work is done at once, 2P − 64 where it is spread."""

WORTH = 4
"""The largest blocks are only used where at least so many partitions of them are filled."""

# Columns of the plan, a row per level: block size P, stages along rows, partitions; then where things of the level
# start: twiddles, spectra of the filters, spectra of the input, buffers.
SIZE, ROWS, COUNT, TABLE, FILTERS, SPECTRA, WORK, SUMS, DONE = range(9)
# Its last row: frames in a history, inputs to each output, what input and output lanes add to the number of a filter.
HISTORY, SOURCES, BY_INPUT, BY_OUTPUT = range(4)
GENERAL = len(FIRST_TAPS)
# Columns of the places: per level the newest spectrum, and which half of the delivered output is heard; ticks so far in
# the last row.
NEWEST, HEARD = range(2)
TICKS = 0


def partitions(taps: int) -> list[int]:
    """How many partitions each level has for so many taps."""
    firsts = [*FIRST_TAPS, taps]
    if taps - FIRST_TAPS[-1] < WORTH * fft.SIZES[-1]:
        firsts[-2] = taps
    bounds = zip(fft.SIZES, firsts, firsts[1:], strict=False)
    return [max(0, -((first - min(taps, last)) // size)) for size, first, last in bounds]


def prepared(
    filters: Sequence[npt.NDArray[np.float64]], lanes: int, sources: int = 1, by_input: int = 0, by_output: int = 0
) -> Mapping[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]:
    """The arrays that ``convolve`` works on, by the names of its arguments.

    ``filters``: taps, all of one length. Output lane o hears input lane o, or, with ``sources`` above 1, input lanes
    0 … sources − 1; input lane i reaches it through filter ``i·by_input + o·by_output``.
    """
    counts = partitions(len(filters[0]))
    plan = np.zeros((GENERAL + 1, 9), np.int64)
    tables: list[npt.NDArray[np.float32]] = []
    spectra: list[npt.NDArray[np.float32]] = []
    sizes = dict.fromkeys((TABLE, FILTERS, SPECTRA, WORK, SUMS, DONE), 0)
    for level, (size, first, count) in enumerate(zip(fft.SIZES, FIRST_TAPS, counts, strict=True)):
        plan[level, [SIZE, ROWS, COUNT]] = size, max(0, level - 1), count
        for column, at in sizes.items():
            plan[level, column] = at
        if not count:
            continue
        tables.append(fft.table(size))
        for taps in filters:
            padded = np.zeros((count, size))
            part = taps[first : first + count * size]
            padded.reshape(-1)[: len(part)] = part
            spectra += [fft.spectrum(p + 0j) for p in padded]
        grown = (len(tables[-1]), len(filters) * count * 2 * size, lanes * count * 2 * size)
        grown += (2 * size, lanes * 2 * size, 2 * lanes * size)
        for column, amount in zip(sizes, grown, strict=True):
            sizes[column] += amount
    largest = max(size for size, count in zip(fft.SIZES, counts, strict=True) if count or size == fft.SIZES[0])
    plan[GENERAL, :4] = 4 * largest, sources, by_input, by_output

    def space(column: int) -> npt.NDArray[np.float32]:
        return np.zeros(max(1, sizes[column]), np.float32)

    return {
        "plan": plan,
        "places": np.zeros((GENERAL + 1, 2), np.int64),
        "tables": np.concatenate(tables),
        "filters": np.concatenate(spectra),
        "history": np.zeros(lanes * 4 * largest, np.float32),
        "spectra": space(SPECTRA),
        "work": space(WORK),
        "sums": space(SUMS),
        "done": space(DONE),
    }


@helper
def add_one(x, i, h, f, sums, to, width):
    """Add the product of two slabs to a third."""
    for j in range(width):
        re, im = sums[to + j], sums[to + width + j]
        xr, xi, hr, hi = x[i + j], x[i + width + j], h[f + j], h[f + width + j]
        sums[to + j] = fma32(-xi, hi, fma32(xr, hr, re))
        sums[to + width + j] = fma32(xi, hr, fma32(xr, hi, im))


@helper
def add_four(x, i0, i1, i2, i3, h, f, step, sums, to, width):
    """Add four products, of slabs anywhere with slabs ``step`` apart."""
    for j in range(width):
        re, im = sums[to + j], sums[to + width + j]
        xr, xi, hr, hi = x[i0 + j], x[i0 + width + j], h[f + j], h[f + width + j]
        re, im = fma32(-xi, hi, fma32(xr, hr, re)), fma32(xi, hr, fma32(xr, hi, im))
        xr, xi, hr, hi = x[i1 + j], x[i1 + width + j], h[f + step + j], h[f + step + width + j]
        re, im = fma32(-xi, hi, fma32(xr, hr, re)), fma32(xi, hr, fma32(xr, hi, im))
        xr, xi, hr, hi = x[i2 + j], x[i2 + width + j], h[f + 2 * step + j], h[f + 2 * step + width + j]
        re, im = fma32(-xi, hi, fma32(xr, hr, re)), fma32(xi, hr, fma32(xr, hi, im))
        xr, xi, hr, hi = x[i3 + j], x[i3 + width + j], h[f + 3 * step + j], h[f + 3 * step + width + j]
        re, im = fma32(-xi, hi, fma32(xr, hr, re)), fma32(xi, hr, fma32(xr, hi, im))
        sums[to + j] = re
        sums[to + width + j] = im


@helper
def before(newest, k, count):
    """Where in a ring of ``count`` lies what came k before the newest."""
    return newest - k if newest >= k else newest - k + count


@helper
def multiply(plan, places, level, filters, spectra, sums, lane, slab, width):
    """The sum of the products of spectra over a lane's inputs and the level's partitions, for one slab."""
    count, newest = plan[level, COUNT], places[level, NEWEST]
    step = 2 * plan[level, SIZE]
    to = plan[level, SUMS] + lane * step + slab * 2 * width
    for j in range(2 * width):
        sums[to + j] = 0.0
    sources = plan[GENERAL, SOURCES]
    for r in range(sources):
        source = r if sources > 1 else lane
        x = plan[level, SPECTRA] + source * count * step + slab * 2 * width
        filter = source * plan[GENERAL, BY_INPUT] + lane * plan[GENERAL, BY_OUTPUT]
        h = plan[level, FILTERS] + filter * count * step + slab * 2 * width
        k = 0
        while k + 4 <= count:
            i0 = x + before(newest, k, count) * step
            i1 = x + before(newest, k + 1, count) * step
            i2 = x + before(newest, k + 2, count) * step
            i3 = x + before(newest, k + 3, count) * step
            add_four(spectra, i0, i1, i2, i3, filters, h + k * step, step, sums, to, width)
            k += 4
        while k < count:
            add_one(spectra, x + before(newest, k, count) * step, filters, h + k * step, sums, to, width)
            k += 1


@helper
def rows_of(plan, level, stage, unit):
    """Where a piece of a stage along rows, counted from 1, finds its first row and its powers; and the rows' width."""
    width = plan[level, SIZE] >> (3 * stage)
    pieces = width // COLUMNS
    block, column = unit // pieces, unit % pieces * COLUMNS
    at = plan[level, WORK] + block * 16 * width + column // SLAB * 2 * SLAB + column % SLAB
    return at, plan[level, TABLE] + (stage - 1 + block) * SCALARS, width


@helper
def do_item(plan, places, level, item, end, lanes, tables, filters, history, spectra, work, sums, done, scratch):
    """One item of the work on the block that ends before frame ``end``: for each lane the way to the spectrum, then for
    each the products, then for each the way back.
    """
    size, rows = plan[level, SIZE], plan[level, ROWS]
    slabs = size // SLAB
    there = (rows + 2) * slabs
    mask = plan[GENERAL, HISTORY] - 1
    base = plan[level, WORK]
    twiddles = plan[level, TABLE] + SCALARS * (((1 << 3 * rows) - 1) // 7)
    if item < lanes * there:
        lane, stage, unit = item // there, item % there // slabs, item % slabs
        if stage == 0:
            past = lane * (mask + 1) + ((end - 2 * size) & mask) + unit * SLAB
            new = lane * (mask + 1) + ((end - size) & mask) + unit * SLAB
            to = base + unit * 2 * SLAB
            for j in range(SLAB):
                work[to + j] = history[past + j]
                work[to + SLAB + j] = history[new + j]
        elif stage <= rows:
            at, t, width = rows_of(plan, level, stage, unit)
            if width == SLAB:
                split_rows(work, at, tables, t, plain(2 * SLAB))
            else:
                split_rows(work, at, tables, t, plain(16 * SLAB))
        else:
            slot = lane * plan[level, COUNT] + places[level, NEWEST]
            to = plan[level, SPECTRA] + slot * 2 * size + unit * 2 * SLAB
            forward_slab(work, base + unit * 2 * SLAB, scratch, spectra, to, tables, twiddles + unit * SLAB_TABLE)
        return
    item -= lanes * there
    if item < lanes * slabs:
        multiply(plan, places, level, filters, spectra, sums, item // slabs, item % slabs, plain(SLAB))
        return
    item -= lanes * slabs
    lane, stage, unit = item // there, item % there // slabs, item % slabs
    if stage == 0:
        at = plan[level, SUMS] + lane * 2 * size + unit * 2 * SLAB
        backward_slab(sums, at, scratch, work, base + unit * 2 * SLAB, tables, twiddles + unit * SLAB_TABLE)
    elif stage <= rows:
        at, t, width = rows_of(plan, level, rows + 1 - stage, unit)
        if width == SLAB:
            join_rows(work, at, tables, t, plain(2 * SLAB))
        else:
            join_rows(work, at, tables, t, plain(16 * SLAB))
    else:
        to = plan[level, DONE] + (2 * lane + 1 - places[level, HEARD]) * size + unit * SLAB
        for j in range(SLAB):
            done[to + j] = work[base + unit * 2 * SLAB + SLAB + j]


@helper
def head(plan, places, now, lanes, tables, filters, history, spectra, work, sums, done, scratch):
    """The first level: a tick in, a tick out."""
    mask = plan[GENERAL, HISTORY] - 1
    count = plan[0, COUNT]
    base = plan[0, WORK]
    places[0, NEWEST] = before(places[0, NEWEST], count - 1, count)
    for lane in range(lanes):
        past = lane * (mask + 1) + ((now - TICK) & mask)
        new = lane * (mask + 1) + (now & mask)
        for j in range(TICK):
            work[base + j] = history[past + j]
            work[base + TICK + j] = history[new + j]
        to = plan[0, SPECTRA] + (lane * count + places[0, NEWEST]) * 2 * TICK
        forward_64(work, base, scratch, spectra, to, tables)
    for lane in range(lanes):
        multiply(plan, places, plain(0), filters, spectra, sums, lane, plain(0), plain(TICK))
    for lane in range(lanes):
        backward_64(sums, plan[0, SUMS] + lane * 2 * TICK, scratch, work, base, tables)
        for j in range(TICK):
            done[plan[0, DONE] + lane * TICK + j] = work[base + TICK + j]


@helper
def convolve(signal, at, lanes, wet, plan, places, tables, filters, history, spectra, work, sums, done, scratch):
    """One tick: ``signal[at … at + 63, lane]`` in, ``wet[0 … 63, lane]`` out. ``scratch`` holds 1024 floats."""
    mask = plan[GENERAL, HISTORY] - 1
    now = places[GENERAL, TICKS] * TICK
    for i in range(TICK):
        for lane in range(lanes):
            new = lane * (mask + 1) + (now & mask)
            history[new + i] = clean(signal[at + i, lane])
    head(plan, places, now, lanes, tables, filters, history, spectra, work, sums, done, scratch)
    for i in range(TICK):
        for lane in range(lanes):
            wet[i, lane] = done[plan[0, DONE] + lane * TICK + i]
    tick = places[GENERAL, TICKS] + 1
    for level in range(1, GENERAL):
        size, count = plan[level, SIZE], plan[level, COUNT]
        if count == 0:
            continue
        ticks = size // TICK
        phase = tick % ticks
        items = lanes * size // SLAB * (2 * plan[level, ROWS] + 5)
        first, last = phase * items // ticks, (phase + 1) * items // ticks
        if level == 1:
            first, last = 0, items if phase == 0 else 0
        if phase == 0:
            places[level, NEWEST] = before(places[level, NEWEST], count - 1, count)
            if level > 1:
                places[level, HEARD] = 1 - places[level, HEARD]
        end = (tick - phase) * TICK
        for item in range(first, last):
            do_item(plan, places, level, item, end, lanes, tables, filters, history, spectra, work, sums, done, scratch)
        if phase == 0 and level == 1:
            places[level, HEARD] = 1 - places[level, HEARD]
        for i in range(TICK):
            for lane in range(lanes):
                heard = plan[level, DONE] + (2 * lane + places[level, HEARD]) * size + phase * TICK
                wet[i, lane] += done[heard + i]
    places[GENERAL, TICKS] = tick

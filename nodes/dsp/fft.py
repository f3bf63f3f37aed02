"""A fast transform for convolution: blocks of real samples to spectra that multiply, and back.

A block of 2P real samples is taken as P complex ones, c[m] = x[m] + i·x[m + P], and evaluated at the P roots of
z^P = i. Real polynomials modulo z^2P + 1 are the same as complex ones modulo z^P − i (the other factor, z^P + i, gives
conjugates), so a product of spectra is a convolution whose wrapped end comes back negated. Nothing needs to be
untangled, and a spectrum is P complex numbers. Overlap-save uses only the second half of a block, where nothing wraps
as long as the filter has at most P taps: that half is the imaginary part.

P is a power of eight. A stage splits every polynomial modulo z^8M − w^8 into eight modulo z^M − w·e^(2πik/8), in place,
chunk by chunk: each coefficient is multiplied by its power of w, then comes a transform of eight points (decimation in
frequency, J. W. Cooley and J. W. Tukey 1965, seen as polynomials: D. J. Bernstein, "Multidigit multiplication for
mathematicians", 2001). So all twiddles are constant along a chunk, and first stages run along rows of neighbouring
columns. One stage lays the eight chunks that it makes side by side, [column][8]; the rest run over vectors of those
eight. Spectra stay in the order in which they come out: products do not care.

Everything is float32, with tables from float64. Complex arrays are flat, in slabs of 512 numbers: 512 real parts,
then their imaginary parts (P = 64: one slab of 64). Larger transforms are stages along rows, and then a transform of
each slab, so that most of the work happens in the first-level cache, in pieces of half a microsecond.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from graph.spec import helper
from nodes.dsp.machine import f32, fma32

SIZES = (64, 512, 4096, 32768)
"""The numbers P of complex points there are transforms for."""

SLAB = 512
"""Complex numbers in a slab."""

COLUMNS = 64
"""Columns that one call of a stage along rows does: so it does as many numbers as there are in a slab."""

HALF_ROOT = 0.7071067811865476
SCALARS = 16  # w … w^7 as pairs, and two to keep what follows aligned
VECTORS = 112  # the same for eight chunks side by side: of each power, eight real parts and eight imaginary ones
SLAB_TABLE = SCALARS + 9 * VECTORS


def _angles(size: int) -> list[npt.NDArray[np.float64]]:
    """For every depth of splitting, the angles (in turns) of the u of each chunk's z^M − u."""
    found = [np.array([0.25])]
    while len(found[-1]) < size:
        found.append((found[-1][:, None] / 8 + np.arange(8) / 8).reshape(-1))
    return found


def table(size: int) -> npt.NDArray[np.float32]:
    """The powers of w for one size: for each chunk of each stage along rows, then for each slab."""
    powers = [np.exp(2j * np.pi * np.outer(a / 8, np.arange(1, 8))) for a in _angles(size)[:-1]]
    pairs = [np.stack([p.real, p.imag], axis=2) for p in powers]
    scalars = [np.pad(p.reshape(-1, 14), ((0, 0), (0, 2))) for p in pairs]
    rows = 0
    while size > SLAB * 8**rows:
        rows += 1
    slabs = 8**rows
    parts = [scalars[rows]]
    for vectors in pairs[rows + 1 :]:
        # [slab][side by side][chunk][power][part] -> [slab][chunk][power][part][side by side]
        parts.append(vectors.reshape(slabs, 8, -1, 7, 2).transpose(0, 2, 3, 4, 1).reshape(slabs, -1))
    return np.concatenate([p.reshape(-1) for p in (*scalars[:rows], np.hstack(parts))]).astype(np.float32)


def order(size: int) -> npt.NDArray[np.int64]:
    """The m of the root e^(2πi (m + ¼) / size) whose value is at each place of a spectrum, slabs joined."""
    leaves = np.rint(_angles(size)[-1] * size - 0.25).astype(np.int64)
    slab = min(size, SLAB)
    return leaves.reshape(size // slab, 8, slab // 8).transpose(0, 2, 1).reshape(-1)


def spectrum(samples: npt.NDArray[np.complex128]) -> npt.NDArray[np.float32]:
    """The spectrum of complex samples, computed in float64; divided by their number, as nothing later is."""
    size = len(samples)
    values = np.fft.ifft(samples * np.exp(0.5j * np.pi * np.arange(size) / size))[order(size)]
    slab = min(size, SLAB)
    return (
        np.stack([values.real.reshape(-1, slab), values.imag.reshape(-1, slab)], axis=1).reshape(-1).astype(np.float32)
    )


@helper
def plain(constant):
    """A constant as an ordinary integer: else every function it is handed to is compiled once for each constant."""
    return constant | 0


@helper
def fetch(source, re, im, step):
    """Eight complex numbers, ``step`` apart: real and imaginary parts in turn."""
    return (
        source[re],
        source[im],
        source[re + step],
        source[im + step],
        source[re + 2 * step],
        source[im + 2 * step],
        source[re + 3 * step],
        source[im + 3 * step],
        source[re + 4 * step],
        source[im + 4 * step],
        source[re + 5 * step],
        source[im + 5 * step],
        source[re + 6 * step],
        source[im + 6 * step],
        source[re + 7 * step],
        source[im + 7 * step],
    )


@helper
def place(target, re, im, step, v):
    """Put eight complex numbers where ``fetch`` would find them."""
    target[re] = v[0]
    target[im] = v[1]
    target[re + step] = v[2]
    target[im + step] = v[3]
    target[re + 2 * step] = v[4]
    target[im + 2 * step] = v[5]
    target[re + 3 * step] = v[6]
    target[im + 3 * step] = v[7]
    target[re + 4 * step] = v[8]
    target[im + 4 * step] = v[9]
    target[re + 5 * step] = v[10]
    target[im + 5 * step] = v[11]
    target[re + 6 * step] = v[12]
    target[im + 6 * step] = v[13]
    target[re + 7 * step] = v[14]
    target[im + 7 * step] = v[15]


@helper
def eight(v):
    """The transform of eight points with positive exponent."""
    r0, i0, r1, i1, r2, i2, r3, i3, r4, i4, r5, i5, r6, i6, r7, i7 = v
    h = f32(HALF_ROOT)
    ar, ai, br, bi = r0 + r4, i0 + i4, r0 - r4, i0 - i4
    cr, ci, dr, di = r2 + r6, i2 + i6, r2 - r6, i2 - i6
    er, ei, fr, fi = r1 + r5, i1 + i5, r1 - r5, i1 - i5
    gr, gi, kr, ki = r3 + r7, i3 + i7, r3 - r7, i3 - i7
    # Even points: sums and differences of a, c; odd ones of e, g.
    pr, pi, qr, qi = ar + cr, ai + ci, ar - cr, ai - ci
    sr, si, tr, ti = er + gr, ei + gi, er - gr, ei - gi
    # b ± i·d, f ± i·k
    ur, ui, vr, vi = br - di, bi + dr, br + di, bi - dr
    wr, wi, xr, xi = fr - ki, fi + kr, fr + ki, fi - kr
    # times e^(πi/4) and e^(3πi/4), up to the factor of h that the sums below apply
    yr, yi = wr - wi, wr + wi
    zr, zi = -xr - xi, xr - xi
    return (
        pr + sr,
        pi + si,
        fma32(yr, h, ur),
        fma32(yi, h, ui),
        qr - ti,
        qi + tr,
        fma32(zr, h, vr),
        fma32(zi, h, vi),
        pr - sr,
        pi - si,
        fma32(yr, -h, ur),
        fma32(yi, -h, ui),
        qr + ti,
        qi - tr,
        fma32(zr, -h, vr),
        fma32(zi, -h, vi),
    )


@helper
def times(ar, ai, br, bi):
    """A complex product."""
    return fma32(ar, br, -(ai * bi)), fma32(ar, bi, ai * br)


@helper
def under(ar, ai, br, bi):
    """The product of a and the conjugate of b."""
    return fma32(ar, br, ai * bi), fma32(ai, br, -(ar * bi))


@helper
def split(table, t, step, v):
    """Eight coefficients to eight values."""
    r0, i0, r1, i1, r2, i2, r3, i3, r4, i4, r5, i5, r6, i6, r7, i7 = v
    r1, i1 = times(r1, i1, table[t], table[t + step])
    r2, i2 = times(r2, i2, table[t + 2 * step], table[t + 3 * step])
    r3, i3 = times(r3, i3, table[t + 4 * step], table[t + 5 * step])
    r4, i4 = times(r4, i4, table[t + 6 * step], table[t + 7 * step])
    r5, i5 = times(r5, i5, table[t + 8 * step], table[t + 9 * step])
    r6, i6 = times(r6, i6, table[t + 10 * step], table[t + 11 * step])
    r7, i7 = times(r7, i7, table[t + 12 * step], table[t + 13 * step])
    return eight((r0, i0, r1, i1, r2, i2, r3, i3, r4, i4, r5, i5, r6, i6, r7, i7))


@helper
def join(table, t, step, v):
    """Eight values to eight times the coefficients: with its parts swapped, the transform runs backwards."""
    r0, i0, r1, i1, r2, i2, r3, i3, r4, i4, r5, i5, r6, i6, r7, i7 = v
    i0, r0, i1, r1, i2, r2, i3, r3, i4, r4, i5, r5, i6, r6, i7, r7 = eight(
        (i0, r0, i1, r1, i2, r2, i3, r3, i4, r4, i5, r5, i6, r6, i7, r7)
    )
    r1, i1 = under(r1, i1, table[t], table[t + step])
    r2, i2 = under(r2, i2, table[t + 2 * step], table[t + 3 * step])
    r3, i3 = under(r3, i3, table[t + 4 * step], table[t + 5 * step])
    r4, i4 = under(r4, i4, table[t + 6 * step], table[t + 7 * step])
    r5, i5 = under(r5, i5, table[t + 8 * step], table[t + 9 * step])
    r6, i6 = under(r6, i6, table[t + 10 * step], table[t + 11 * step])
    r7, i7 = under(r7, i7, table[t + 12 * step], table[t + 13 * step])
    return r0, i0, r1, i1, r2, i2, r3, i3, r4, i4, r5, i5, r6, i6, r7, i7


@helper
def split_rows(data, at, table, t, step):
    """Forward, in place: the next ``COLUMNS`` columns of eight rows that start ``step`` floats apart."""
    for j in range(COLUMNS):
        s = at + j
        place(data, s, s + SLAB, step, split(table, t, plain(1), fetch(data, s, s + SLAB, step)))


@helper
def join_rows(data, at, table, t, step):
    """What undoes ``split_rows``."""
    for j in range(COLUMNS):
        s = at + j
        place(data, s, s + SLAB, step, join(table, t, plain(1), fetch(data, s, s + SLAB, step)))


@helper
def split_turning(source, at, target, to, table, t, width):
    """Forward from eight rows of ``width`` columns to vectors of eight."""
    for j in range(width):
        d = to + 8 * j
        s = at + j
        place(target, d, d + 8 * width, plain(1), split(table, t, plain(1), fetch(source, s, s + 8 * width, width)))


@helper
def join_turning(source, at, target, to, table, t, width):
    """What undoes ``split_turning``."""
    for j in range(width):
        s = at + 8 * j
        place(
            target,
            to + j,
            to + 8 * width + j,
            width,
            join(table, t, plain(1), fetch(source, s, s + 8 * width, plain(1))),
        )


@helper
def split_vectors(source, at, target, to, table, t, blocks, span):
    """Forward over vectors of eight: ``blocks`` times eight chunks of ``span`` vectors, in place or not."""
    for b in range(blocks):
        for c in range(span):
            for k in range(8):
                i = (8 * b * span + c) * 8 + k
                s, d, size = at + i, to + i, 64 * blocks * span
                v = split(table, t + b * VECTORS + k, plain(8), fetch(source, s, s + size, 8 * span))
                place(target, d, d + size, 8 * span, v)


@helper
def join_vectors(source, at, target, to, table, t, blocks, span):
    """What undoes ``split_vectors``."""
    for b in range(blocks):
        for c in range(span):
            for k in range(8):
                i = (8 * b * span + c) * 8 + k
                s, d, size = at + i, to + i, 64 * blocks * span
                v = join(table, t + b * VECTORS + k, plain(8), fetch(source, s, s + size, 8 * span))
                place(target, d, d + size, 8 * span, v)


@helper
def forward_64(source, at, scratch, target, to, table):
    """The spectrum of 64 complex samples; ``scratch`` holds 128 floats."""
    split_turning(source, at, scratch, 0, table, plain(0), plain(8))
    split_vectors(scratch, 0, target, to, table, plain(SCALARS), plain(1), plain(1))


@helper
def backward_64(source, at, scratch, target, to, table):
    """64 times the samples of a spectrum."""
    join_vectors(source, at, scratch, 0, table, plain(SCALARS), plain(1), plain(1))
    join_turning(scratch, 0, target, to, table, plain(0), plain(8))


@helper
def forward_slab(source, at, scratch, target, to, table, t):
    """Transform a slab; ``scratch`` holds 1024 floats, and the table of this slab starts at ``t``."""
    split_turning(source, at, scratch, 0, table, t, plain(64))
    split_vectors(scratch, 0, scratch, 0, table, t + SCALARS, plain(1), plain(8))
    split_vectors(scratch, 0, target, to, table, t + SCALARS + VECTORS, plain(8), plain(1))


@helper
def backward_slab(source, at, scratch, target, to, table, t):
    """What undoes ``forward_slab``, times 512."""
    join_vectors(source, at, scratch, 0, table, t + SCALARS + VECTORS, plain(8), plain(1))
    join_vectors(scratch, 0, scratch, 0, table, t + SCALARS, plain(1), plain(8))
    join_turning(scratch, 0, target, to, table, t, plain(64))

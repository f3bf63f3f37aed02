"""Floats to integers: scaling, dither, rounding, clipping, bytes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]


def dither_source(seed: int) -> np.random.Generator:
    """The generator `quantise` dithers with; the same seed gives the same file, however it is cut into blocks."""
    return np.random.Generator(np.random.PCG64(seed))


def quantise(block: npt.NDArray[np.float32], bits: int, dither: np.random.Generator | None = None) -> tuple[Ints, int]:
    """Round samples to `bits`-bit integers, full scale ±1.0 being ±2^(bits−1).

    With `dither`, triangular noise of ±1 LSB (the difference of two uniform numbers; Lipshitz, Wannamaker and
    Vanderkooy, "Quantization and dither: a theoretical survey", JAES 40, 1992) is added before rounding to the
    nearest, ties to even.

    Returns:
        int32 of the shape of `block`, and how many samples did not fit (NaN included, which becomes 0).
    """
    top = 2.0 ** (bits - 1)
    scaled = block.astype(np.float64) * top
    if dither is not None:
        noise = dither.random((*block.shape, 2))
        scaled += noise[..., 0] - noise[..., 1]
    np.rint(scaled, out=scaled)
    fits = (scaled >= -top) & (scaled <= top - 1.0)
    clipped = scaled.size - int(np.count_nonzero(fits))
    if clipped:
        np.nan_to_num(scaled, copy=False, nan=0.0)
        np.clip(scaled, -top, top - 1.0, out=scaled)
    return scaled.astype(np.int32), clipped


def clip_floats(block: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], int]:
    """Samples limited to ±1.0 (NaN becomes 0), for an encoder that knows no more than full scale, and how many were."""
    fits = (block >= -1.0) & (block <= 1.0)
    clipped = block.size - int(np.count_nonzero(fits))
    if clipped:
        block = np.clip(np.nan_to_num(block, nan=0.0), -1.0, 1.0)
    return block, clipped


def packed(ints: Ints, bits: int, byteorder: Literal["little", "big"]) -> bytes:
    """16- or 24-bit samples as bytes."""
    order = "<" if byteorder == "little" else ">"
    if bits == 16:
        return ints.astype(f"{order}i2").tobytes()
    wide = np.ascontiguousarray(ints, dtype=f"{order}i4").view(np.uint8).reshape(-1, 4)
    return (wide[:, :3] if byteorder == "little" else wide[:, 1:]).tobytes()

"""The transform that convolution is made of, run as plain Python, against numpy's float64 one."""

from __future__ import annotations

import numpy as np
import pytest

from nodes.dsp import fft

NAN = np.float32("nan")


def parts(values: np.ndarray) -> np.ndarray:
    """Complex numbers as the passes keep them: slabs of real parts, then of imaginary ones."""
    slab = min(len(values), fft.SLAB)
    shaped = values.reshape(-1, slab)
    return np.stack([shaped.real, shaped.imag], axis=1).reshape(-1).astype(np.float32)


def whole(data: np.ndarray) -> np.ndarray:
    """What ``parts`` took apart."""
    slab = min(len(data) // 2, fft.SLAB)
    shaped = data.reshape(-1, 2, slab).astype(np.float64)
    return (shaped[:, 0] + 1j * shaped[:, 1]).reshape(-1)


def forward(values: np.ndarray) -> np.ndarray:
    """All the passes of a transform; rows first where there are any."""
    size = len(values)
    data, table = parts(values), fft.table(size)
    scratch, out = np.full(2 * fft.SLAB, NAN), np.full(2 * size, NAN)
    if size == 64:
        fft.forward_64(data, 0, scratch, out, 0, table)
        return out
    slabs, start = size // fft.SLAB, 0
    if slabs > 1:
        assert slabs == 8, "one stage along rows"
        start = fft.SCALARS
        for column in range(0, fft.SLAB, fft.COLUMNS):
            fft.split_rows(data, column, table, 0, 2 * fft.SLAB)
    for k in range(slabs):
        at = 2 * fft.SLAB * k
        fft.forward_slab(data, at, scratch, out, at, table, start + k * fft.SLAB_TABLE)
    return out


def backward(data: np.ndarray) -> np.ndarray:
    """All the passes of an inverse transform."""
    size = len(data) // 2
    table = fft.table(size)
    scratch, out = np.full(2 * fft.SLAB, NAN), np.full(2 * size, NAN)
    if size == 64:
        fft.backward_64(data, 0, scratch, out, 0, table)
        return whole(out)
    slabs = size // fft.SLAB
    for k in range(slabs):
        at = 2 * fft.SLAB * k
        fft.backward_slab(data, at, scratch, out, at, table, (slabs > 1) * fft.SCALARS + k * fft.SLAB_TABLE)
    if slabs > 1:
        for column in range(0, fft.SLAB, fft.COLUMNS):
            fft.join_rows(out, column, table, 0, 2 * fft.SLAB)
    return whole(out)


def noise(size: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(size) + 1j * rng.standard_normal(size)


def error_db(found: np.ndarray, wanted: np.ndarray) -> float:
    return 20 * np.log10(np.max(np.abs(found - wanted)) / np.sqrt(np.mean(np.abs(wanted) ** 2)))


def values_at_roots(samples: np.ndarray) -> np.ndarray:
    """The polynomial at every e^(2πi (m + ¼) / P), by numpy's transform."""
    size = len(samples)
    return np.fft.ifft(samples * np.exp(0.5j * np.pi * np.arange(size) / size)) * size


@pytest.mark.parametrize("size", fft.SIZES)
def test_order_names_every_root_once(size: int) -> None:
    assert sorted(fft.order(size).tolist()) == list(range(size))


@pytest.mark.parametrize("size", [64, 512, 4096])
def test_passes_agree_with_numpy(size: int) -> None:
    samples = whole(parts(noise(size)))
    assert error_db(whole(forward(samples)), values_at_roots(samples)[fft.order(size)]) < -120


@pytest.mark.parametrize("size", [64, 512, 4096])
def test_spectrum_is_what_the_passes_give(size: int) -> None:
    samples = whole(parts(noise(size, 1)))
    assert error_db(whole(fft.spectrum(samples)) * size, whole(forward(samples))) < -120


@pytest.mark.parametrize("size", [64, 512, 4096])
def test_backward_undoes_forward(size: int) -> None:
    samples = whole(parts(noise(size, 2)))
    assert error_db(backward(forward(samples)) / size, samples) < -120


@pytest.mark.parametrize("size", fft.SIZES)
def test_product_of_spectra_is_overlap_save(size: int) -> None:
    """The imaginary part of a product is the second half of a linear convolution."""
    rng = np.random.default_rng(3)
    x, h = rng.standard_normal(2 * size), rng.standard_normal(size)
    wanted = np.fft.irfft(np.fft.rfft(x, 4 * size) * np.fft.rfft(h, 4 * size))[size : 2 * size]
    product = np.empty(size, complex)
    product[fft.order(size)] = whole(fft.spectrum(x[:size] + 1j * x[size:])) * whole(fft.spectrum(h + 0j)) * size**2
    found = np.fft.fft(product) / size * np.exp(-0.5j * np.pi * np.arange(size) / size)
    assert error_db(found.imag, wanted) < -110


def test_an_impulse_has_a_spectrum_of_ones() -> None:
    impulse = np.zeros(64, complex)
    impulse[0] = 1
    assert np.array_equal(whole(forward(impulse)), np.ones(64))

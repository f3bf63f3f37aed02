"""What moves and what breaks in filter and eq alike: steps, sweeps, wild modulation, and input that is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import signal

from graph.compiler import compile
from graph.document import Patch
from host.contract.bench import RawIn
from host.offline import Offline, feed_array, run_arrays
from nodes import kinds
from nodes.dsp.biquad import TYPES

RATE = 48000
KINDS = ("filter", "eq")
Given = Mapping[str, float]


REGISTRY = {**kinds(), "raw": RawIn}
"""With numbers brought in as they are, even those that are none: ``audio_in`` would clean them."""


def noise(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return (0.25 * np.random.default_rng(seed).standard_normal((frames, channels))).astype(np.float32)


def decibels(difference: np.ndarray, reference: np.ndarray) -> float:
    return 20 * math.log10(max(np.max(np.abs(difference)), 1e-30) / np.max(np.abs(reference)))


def asked(kind: str, type: str, given: Given) -> tuple[dict[str, float], dict[str, Any]]:
    """Params and settings of a node that is this one filter."""
    if kind == "filter":
        return {**given}, {"type": type}
    return {"b1_on": 1, "b1_type": TYPES.index(type), **named(kind, given)}, {}


def named(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name if kind == "filter" else f"b1_{name}": value for name, value in values.items()}


def filtered(
    play: Any, kind: str, type: str, x: np.ndarray, given: Given, automation: Any = None, modulation: Any = None
) -> np.ndarray:
    params, settings = asked(kind, type, given)
    automation, modulation = named(kind, automation or {}), named(kind, modulation or {})
    return play(kind, {"in": x}, params, settings, automation=automation, modulation=modulation)["out"]


def reference(x: np.ndarray, type: str, parts: list[tuple[int, Given]]) -> np.ndarray:
    """A circuit of two integrators, by the trapezoidal rule, in which parts are exchanged while charge stays where it
    is: from each frame of ``parts`` on, the params beside it. What is summed into the output is the numerator of the
    cookbook's H(s), where s² stands for ``high``, s for ``band`` and 1 for ``low``.
    """
    y, charges = np.zeros(len(x)), np.zeros(2)
    for (start, given), end in zip(parts, [start for start, _ in parts[1:]] + [len(x)], strict=True):
        f, q, gain_db = (float(np.float32(given[name])) for name in ("freq_hz", "q", "gain_db"))
        A, tuning = 10 ** (gain_db / 40), math.tan(math.pi * f / RATE)
        tuning *= {"lowshelf": A**-0.5, "highshelf": A**0.5}.get(type, 1.0)
        damping = 1 / (q * A) if type == "peak" else 1 / q
        high, band, low = {
            "lowpass": (0, 0, 1),
            "highpass": (1, 0, 0),
            "bandpass": (0, 1 / q, 0),
            "notch": (1, 0, 1),
            "allpass": (1, -1 / q, 1),
            "peak": (1, A / q, 1),
            "lowshelf": (1, A / q, A**2),
            "highshelf": (A**2, A / q, 1),
        }[type]
        # band = charge 1 + tuning·high; low = charge 2 + tuning·band; high + damping·band + low = x
        solved = np.linalg.inv([[-tuning, 1, 0], [0, -tuning, 1], [1, damping, 1]])
        for i in range(start, end):
            now = solved @ (charges[0], charges[1], x[i])
            charges = 2 * now[1:] - charges
            y[i] = high * now[0] + band * now[1] + low * now[2]
    return y


STEPS = [
    ({"gain_db": 0.0}, {"gain_db": 12.0}),
    ({"gain_db": 3.0}, {"gain_db": 3.1}),
    ({"freq_hz": 300.0}, {"freq_hz": 9000.0}),
    ({"freq_hz": 2000.0}, {"freq_hz": 2010.0}),
    ({"q": 20.0}, {"q": 0.3}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("type", TYPES)
def test_a_step_inside_a_tick_lands_on_its_frame(play, kind, type):
    x, frame = noise(6400), 4321
    for before, after in STEPS:
        given = {"freq_hz": 2000.0, "q": 1.0, "gain_db": 6.0, **before}
        still = filtered(play, kind, type, x, given)
        steps = {name: [(0.0, before[name], "hold"), (frame / RATE, after[name], "hold")] for name in after}
        found = filtered(play, kind, type, x, given, steps)
        wanted = reference(x[:, 0], type, [(0, given), (frame, {**given, **after})])
        assert np.array_equal(found[:frame], still[:frame]), after
        assert decibels(found[:, 0] - wanted, wanted) < -120, after


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_step_lands_on_the_first_frame_of_a_tick_too(play, kind):
    x, frame = noise(6400), 4352
    before = {"freq_hz": 2000.0, "q": 1.0, "gain_db": 0.0}
    steps = {"gain_db": [(0.0, 0.0, "hold"), (frame / RATE, 12.0, "hold")]}
    found = filtered(play, kind, "peak", x, before, steps)
    wanted = reference(x[:, 0], "peak", [(0, before), (frame, {**before, "gain_db": 12.0})])
    assert decibels(found[:, 0] - wanted, wanted) < -120


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("type", TYPES)
def test_params_set_between_blocks_find_what_the_filter_holds(kind, type):
    """Set at once, where nothing is automated."""
    x, frame = np.repeat(noise(6400), 2, axis=1), 3200
    for before, after in STEPS:
        given = {"freq_hz": 2000.0, "q": 1.0, "gain_db": 6.0, **before}
        found = np.zeros_like(x)
        with Offline(compile(_between(kind, type, given), REGISTRY, None), None) as offline:
            offline.feeds["in"] = feed_array(x)
            offline.drains["out"] = lambda at, y, found=found: found.__setitem__(slice(at, at + len(y)), y)
            assert list(offline.run(frame))[-1] == frame
            for name, value in named(kind, after).items():
                (knob,) = offline.program.knobs["node", name]
                knob.cell[...] = value
            assert list(offline.run(len(x) - frame))
        wanted = reference(x[:, 0], type, [(0, given), (frame, {**given, **after})])
        assert decibels(found - wanted[:, None], wanted) < -120, after


SWEEPS = [
    ("peak", 1000, {"gain_db": [(0.0, 0.0, "linear"), (1.0, 12.0, "hold")]}),
    ("highshelf", 1000, {"gain_db": [(0.0, 24.0, "linear"), (1.0, -24.0, "hold")]}),
    ("lowpass", 1000, {"freq_hz": [(0.0, 200.0, "exponential"), (1.0, 8000.0, "hold")]}),
    ("highpass", 1000, {"freq_hz": [(0.0, 8000.0, "exponential"), (1.0, 200.0, "hold")]}),
    ("notch", 1000, {"q": [(0.0, 0.3, "exponential"), (1.0, 20.0, "hold")]}),
    ("notch", 1200, {"q": [(0.0, 0.3, "exponential"), (1.0, 20.0, "hold")]}),
    ("peak", 1000, {"gain_db": [(0.0, 0.0, "linear"), (0.3, 12.0, "linear"), (0.6, -9.0, "linear"), (1.0, 2, "hold")]}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("type", "freq", "automation"), SWEEPS)
def test_sweeps_neither_click_nor_zip(play, kind, type, freq, automation):
    """All that a slow change may do to a sine stays near its frequency: what is elsewhere is 90 dB below the sine that
    went in (what came out may be less: a notch takes the sine away).
    """
    x = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    found = filtered(play, kind, type, x, {"freq_hz": freq, "q": 1.0}, automation)[:, 0]
    window = signal.windows.blackmanharris(RATE - 480)
    far = np.abs(np.fft.rfftfreq(RATE - 480, 1 / RATE) - 1000) > 300
    spectrum, own = (np.abs(np.fft.rfft(s[480:] * window)) for s in (found, x))
    assert decibels(spectrum[far], own) < -90


@pytest.mark.parametrize("kind", KINDS)
def test_what_moved_ends_as_what_never_moved(play, kind):
    x = noise(RATE, 2)
    moved = {
        "freq_hz": [(0.0, 9000.0, "exponential"), (0.2, 500.0, "hold")],
        "q": [(0.1, 9.0, "linear"), (0.3, 3, "hold")],
    }
    for type in TYPES:
        ends = {"freq_hz": 500.0, "q": 3.0, "gain_db": 9.0}
        found, still = (filtered(play, kind, type, x, ends, a)[RATE // 2 :] for a in (moved, None))
        assert decibels(found - still, still) < -120, type


@pytest.mark.parametrize("kind", KINDS)
def test_wild_modulation_stays_bounded(play, kind):
    wild = np.random.default_rng(3).uniform(-1, 1, 30000).astype(np.float32)
    modulation = {"freq_hz": (wild, 1.0), "q": (wild[::-1].copy(), 1.0), "gain_db": (np.roll(wild, 999), 1.0)}
    for type in TYPES:
        found = filtered(play, kind, type, noise(30000), {"freq_hz": 1000, "q": 2}, None, modulation)
        assert np.max(np.abs(found)) < 1e5, type
        assert np.max(np.abs(found)) > 1e-3, type


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moving", [False, True])
def test_what_is_not_a_number_ends_with_its_tick(kind, moving, bad):
    """And the filter is as new."""
    x = noise(2048, 2)
    x[100, 0] = x[127, 1] = bad
    given = {"freq_hz": 50.0, "q": 20.0}
    found, clean = (_raw(kind, given, y, "hold" if moving else "") for y in (x, x[128:]))
    assert not np.isfinite(found[100, 0])
    assert not np.isfinite(found[127, 1])
    assert np.array_equal(found[128:], clean)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_a_number_ends_with_its_tick_while_the_filter_glides(kind):
    x = noise(2048, 2)
    x[100, 0] = x[127, 1] = math.nan
    assert np.isfinite(_raw(kind, {"freq_hz": 50.0, "q": 20.0}, x, "linear")[128:]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_loudest_of_numbers_rings_out(kind):
    x = np.zeros((RATE, 2), np.float32)
    x[100] = 3e38
    found = _raw(kind, {"freq_hz": 1000.0, "q": 2.0}, x, "")
    assert np.isfinite(found).all()
    assert found[100:200].any()
    assert np.max(np.abs(found[-64:])) < 1e-6


def _raw(kind: str, given: Given, x: np.ndarray, curve: str) -> np.ndarray:
    """What a highpass makes of numbers; with a curve, while its Q moves (or, held, may)."""
    patch = _between(kind, "highpass", given)
    for name, value in named(kind, {"q": given["q"]}).items() if curve else ():
        patch.automate("node", name, [[0.0, value, curve], [1.0, 1.0, "hold"]])
    found, _ = run_arrays(compile(patch, REGISTRY, None), None, len(x), {"in": x})
    return found["out"]


def _between(kind: str, type: str, given: Given) -> Patch:
    params, settings = asked(kind, type, given)
    patch = Patch(sample_rate=RATE)
    patch.add("in", "raw")
    patch.add("node", kind, settings=settings, **params)
    patch.add("out", "audio_out")
    patch.connect("in.out", "node.in")
    patch.connect("node.out", "out.in")
    return patch

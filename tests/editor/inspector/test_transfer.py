"""The transfer curve that is drawn is what the nodes do: steady tones through the real nodes, measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor.inspector.transfer import has_transfer, level_at, output, reduction
from graph.document import Patch
from host import render
from nodes import kinds


def measured(tmp_path: Path, kind: str, level_db: float, settings: dict, **params: float) -> float:
    """The level in dB of what comes out for a sine whose peak is ``level_db``, once everything has settled."""
    patch = Patch("Steady", sample_rate=48000)
    patch.add("tone", "oscillator", freq_hz=1000, level_db=level_db)
    patch.add("node", kind, settings=settings, **params)
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("tone.out", "node.in")
    patch.connect("node.out", "out.in")
    path = tmp_path / "out.wav"
    render(patch, {"out": path}, seconds=1.5)
    samples = soundfile.read(path)[0]
    return 20 * float(np.log10(np.max(np.abs(samples[-9600:]))))


def values_of(kind: str, **params: float) -> dict[str, float]:
    return {p.name: params.get(p.name, p.default) for p in kinds()[kind].params({})}


COMPRESSOR = {"threshold_db": -30.0, "ratio": 4.0, "makeup_db": 3.0, "attack_ms": 1.0, "release_ms": 10.0}
CASES = [
    *(("compressor", level, {}, {**COMPRESSOR, "knee_db": 12.0}) for level in (-40.0, -33.0, -30.0, -26.0, -12.0)),
    ("compressor", -10.0, {}, {**COMPRESSOR, "mix": 0.5}),
    *(("gate", level, {}, {"threshold_db": -30.0, "ratio": 3.0, "range_db": -24.0, "release_ms": 10.0})
      for level in (-20.0, -36.0, -50.0)),
    *(("limiter", level, {"true_peak": False}, {"ceiling_db": -6.0, "input_db": 4.0}) for level in (-20.0, -3.0)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "level", "settings", "params"), CASES)
def test_the_curve_is_what_the_node_does(
    tmp_path: Path, kind: str, level: float, settings: dict, params: dict[str, float]
) -> None:
    values = values_of(kind, **params)
    assert has_transfer(values.keys())
    drawn = float(output(values, np.array([level]))[0])
    assert measured(tmp_path, kind, level, settings, **params) == pytest.approx(drawn, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "params", "levels"),
    [
        ("compressor", {"threshold_db": -30.0, "ratio": 4.0, "knee_db": 6.0}, (-31.5, -29.0, -20.0, -3.0)),
        ("gate", {"threshold_db": -30.0, "ratio": 2.0, "range_db": -40.0}, (-35.0, -50.0, -60.0)),
        ("limiter", {"ceiling_db": -6.0, "input_db": 4.0}, (-9.0, 0.0)),
    ],
)
def test_the_point_stands_where_the_curve_has_that_reduction(
    kind: str, params: dict[str, float], levels: tuple[float, ...]
) -> None:
    values = values_of(kind, **params)
    for level in levels:
        fall = float(reduction(values, np.array([level]))[0])
        assert level_at(values, fall) == pytest.approx(level, abs=0.1)


def test_there_is_no_point_where_the_reduction_says_nothing() -> None:
    values = values_of("compressor", threshold_db=-30.0, ratio=4.0)
    assert level_at(values, 0.0) is None, "any level below the threshold"
    assert level_at(values, 80.0) is None, "no level is turned down so far"
    assert level_at(values_of("compressor", ratio=1.0), 3.0) is None


def test_only_params_that_bend_levels_have_a_curve() -> None:
    for kind, there in (("gain", False), ("reverb", False), ("ducker", False), ("expander", True)):
        assert has_transfer({p.name for p in kinds()[kind].params({})}) is there, kind

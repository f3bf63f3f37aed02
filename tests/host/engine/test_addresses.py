"""Params are set where their addresses lead in the patch that was asked for, in groups and in groups in groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graph.errors import PatchError

from .stage import RATE, Stage, patch, sine

IN, OUT = {"kind": "audio_in"}, {"kind": "audio_out"}
QUIETER = 10 ** (-12 / 20)
SIGNAL = sine(RATE)


def gain(**rest: Any) -> dict[str, Any]:
    return {"kind": "gain", **rest}


def group(inner: dict[str, Any], params: dict[str, str] | None = None, first: str = "g", **rest: Any) -> dict[str, Any]:
    """A group that leads through its node ``first``, the others beside it."""
    ports = {"in": f"{first}.in", "out": f"{first}.out"}
    return {
        "kind": "group",
        "settings": {"patch": {"nodes": inner, "cables": []}, "ports": ports, "params": params or {}},
        **rest,
    }


def through(node: dict[str, Any]) -> Any:
    return patch({"i": IN, "x": node, "o": OUT}, "i.out>x.in x.out>o.in")


def ends_at(stage: Stage, factor: float) -> None:
    """What is heard in the end is the signal by a factor."""
    stage.settle(SIGNAL)
    stage.play(SIGNAL, 4096)
    end = slice(stage.at - 1024, stage.at)
    np.testing.assert_allclose(stage.heard[end], SIGNAL[end] * factor, atol=1e-6)


NESTED = group({"y": group({"g": gain()}, {"inner": "g.level_db"})}, {"outer": "y.inner"}, "y")


@pytest.mark.parametrize("address", [("x/y/g", "level_db"), ("x/y", "inner"), ("x", "outer")])
@pytest.mark.parametrize("settled", [True, False])
def test_a_value_reaches_the_inner_node_by_every_address(address, settled):
    stage = Stage()
    if settled:
        stage.start(through(NESTED))
    else:
        stage.start(through(gain()))
        stage.change(through(NESTED))
    stage.conductor.set_param(*address, -12.0)
    ends_at(stage, QUIETER)
    stage.conductor.compile_again()
    ends_at(stage, QUIETER)  # the patch holds it too
    assert len(stage.conductor.applied) == 2 + (not settled)


def test_what_is_in_play_is_turned_without_compiling():
    stage = Stage()
    stage.start(through(NESTED))
    playing = stage.conductor.playing
    stage.conductor.set_param("x/y/g", "level_db", -12.0)
    ends_at(stage, QUIETER)
    assert stage.conductor.playing is playing


def test_a_node_in_a_group_that_is_about_to_be_of_another_kind():
    stage = Stage()
    stage.start(through(group({"g": {"kind": "filter"}})))
    stage.change(through(group({"g": gain()})))
    stage.conductor.set_param("x/g", "level_db", -12.0)
    with pytest.raises(PatchError, match="no param 'freq_hz'"):
        stage.conductor.set_param("x/g", "freq_hz", 100.0)
    ends_at(stage, QUIETER)


def test_a_param_of_a_group_that_is_about_to_lead_elsewhere():
    stage = Stage()
    both = {"g": gain(), "h": gain()}
    stage.start(through(group(both, {"level": "h.level_db"})))
    stage.change(through(group(both, {"level": "g.level_db"})))
    stage.conductor.set_param("x", "level", -12.0)
    ends_at(stage, QUIETER)


@pytest.mark.parametrize(("param", "factor"), [("bypass", 1.0), ("mute", 0.0)])
@pytest.mark.parametrize("address", ["x", "x/y", "x/y/g"])
def test_groups_are_bypassed_and_muted_at_every_depth(address, param, factor):
    stage = Stage()
    stage.start(through(group({"y": group({"g": {"kind": "filter", "params": {"freq_hz": 20}}})}, first="y")))
    stage.conductor.set_param(address, param, 1.0)
    ends_at(stage, factor)


def test_what_cannot_be_set_is_refused_before_anything_changes():
    stage = Stage()
    stage.start(through(gain()))
    stage.change(through(NESTED))
    for address, value, words in [
        (("x/z", "level_db"), 0.0, "there is no node 'x/z'"),
        (("x/y/g", "freq_hz"), 0.0, "there is no param 'freq_hz'"),
        (("x/y", "level_db"), 0.0, "there is no param 'level_db'"),
        (("x/y/g", "level_db"), 25.0, "from -96 to 24"),
        (("x/y/g", "invert"), 0.5, "0 or 1"),
        (("x", "outer"), -97.0, "from -96 to 24"),
    ]:
        with pytest.raises(PatchError, match=words):
            stage.conductor.set_param(*address, value)
    ends_at(stage, 1.0)
    assert all(applied.played for applied in stage.conductor.applied)


def test_a_patch_that_waits_keeps_its_serial_when_its_params_are_set():
    stage = Stage()
    stage.start(through(gain()))
    stage.conductor.set_patch(through(NESTED), stage.conductor._services, 7)
    stage.conductor.set_param("x", "bypass", 1.0)
    ends_at(stage, 1.0)
    assert stage.conductor.applied[-1].serial == 7


def test_params_of_a_plugin_that_is_not_in_play_yet_are_kept():
    stage = Stage()
    stage.start(through(gain()))
    stage.change(through({"kind": "plugin", "settings": {"format": "vst3", "uid": "0" * 32, "name": "Not here"}}))
    stage.conductor.set_param("x", "threshold", 0.5)
    assert stage.conductor.patch.node("x").params == {"threshold": 0.5}
    with pytest.raises(PatchError, match="there is no param 'threshold'"):
        stage.conductor.set_param("i", "threshold", 0.5)

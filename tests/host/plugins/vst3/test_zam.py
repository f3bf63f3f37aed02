"""Seventeen real plugins: those of Debian's package zam-plugins."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from graph.layouts import channels_of
from host.plugins.description import PluginParam, description_from, plain
from host.plugins.errors import PluginError
from host.plugins.instance import Change
from host.plugins.presets import Preset, pack, unpack
from host.plugins.vst3.plugin import Vst3Plugin

FOLDER = Path("/usr/lib/vst3")
PLUGINS = sorted([*FOLDER.glob("Zam*.vst3"), *FOLDER.glob("ZaM*.vst3")])
pytestmark = pytest.mark.skipif(not PLUGINS, reason="zam-plugins is not installed")
every = pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.stem)
RATE, N = 48000, 256


def opened(path: Path) -> Vst3Plugin:
    plugin = Vst3Plugin(path)
    plugin.prepare(RATE, N)
    return plugin


def movable(plugin: Vst3Plugin) -> list[PluginParam]:
    return [param for param in plugin.description.params if not param.read_only]


def played(plugin: Vst3Plugin, blocks: int, changes: list[Change] | None = None) -> np.ndarray:
    """Noise through the plugin; its first block has the changes."""
    inputs, outputs = (
        [np.zeros((channels_of(layout), N), np.float32) for layout in layouts]
        for layouts in (plugin.arrangement.inputs, plugin.arrangement.outputs)
    )
    source = np.random.default_rng(1)
    found = []
    for k in range(blocks):
        for block in inputs:
            block[:] = 0.2 * source.standard_normal(block.shape)
        plugin.process(inputs, outputs, changes=changes or () if k == 0 else ())
        found.append(np.concatenate(outputs))
    return np.concatenate(found, axis=1)


def test_all_seventeen_are_there() -> None:
    assert len(PLUGINS) == 17


@every
def test_it_says_what_it_is(path) -> None:
    plugin = opened(path)
    found = plugin.description
    assert found.name == path.stem
    assert (found.vendor, found.category.split("|")[0]) == ("Damien Zammit", "Fx")
    assert [bus.kind for bus in found.outputs] == ["main"]
    assert found.inputs[0].kind == "main"
    assert found.inputs[0].channels == found.outputs[0].channels == (1 if "Mono" in found.category else 2)
    assert len({param.id for param in found.params}) == len(found.params)
    assert all(param.name and param.low and param.high for param in found.params)
    assert description_from(plain(found)) == found
    assert plugin.latency() == (480 if path.stem == "ZaMaximX2" else 0)
    plugin.close()


@every
def test_every_param_at_its_corners_with_sound(path) -> None:
    plugin = opened(path)
    params = movable(plugin)
    defaults = {param.id: plugin.get(param.id) for param in params}
    assert np.isfinite(played(plugin, 4)).all()
    for param in params:
        for value in (0.0, 1.0, defaults[param.id]):
            out = played(plugin, 2, [Change(param.id, 0, value)])
            assert np.isfinite(out).all(), param.name
            if param.low != param.high:  # a choice of one program stays where it is
                near = 0.5 / param.steps if param.steps else 1e-5
                assert plugin.get(param.id) == pytest.approx(value, abs=near), param.name
    assert [notice for notice in plugin.notices() if notice.kind == "trouble"] == []
    plugin.close()


@every
def test_a_state_brings_everything_back(path) -> None:
    one, other, third = opened(path), opened(path), opened(path)
    random = np.random.default_rng(sum(path.stem.encode()))
    for param in movable(one):
        if not param.hidden:
            one.set(param.id, float(random.random()))
    data = one.state()
    other.set_state(data)
    for param in movable(one):
        assert other.get(param.id) == pytest.approx(one.get(param.id), abs=1e-4), param.name
    third.set_state(other.state())
    assert third.state() == other.state()
    a, b = played(other, 20), played(third, 20)
    assert np.isfinite(a).all()
    assert (a == b).all()
    for plugin in (one, other, third):
        plugin.close()


@every
def test_hostile_states_do_no_harm(path) -> None:
    plugin = opened(path)
    before = played(plugin, 1)
    good = unpack(plugin.state())
    random = np.random.default_rng(1)
    for size in (0, 1, 100, 5000):
        with suppress(PluginError):
            plugin.set_state(pack(Preset(good.uid, random.bytes(size), random.bytes(size))))
    plugin.set_state(pack(good))
    assert np.isfinite(played(plugin, 4)).all()
    assert before.shape[1] == N
    plugin.close()

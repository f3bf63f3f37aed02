"""The backend over pedalboard: the same as pedalboard itself, and as our own host, and no way to spoil a plugin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host.plugins import board_loading
from host.plugins.board import BoardPlugin
from host.plugins.choose import backends, choose, classes, open_plugin
from host.plugins.description import Arrangement
from host.plugins.errors import PluginError
from host.plugins.instance import Change, Event
from host.plugins.vst3.module import machine_folder
from host.plugins.vst3.plugin import Vst3Plugin

from .c.build import USABLE, WHY_NOT, build, uid

pedalboard = pytest.importorskip("pedalboard")
ZAM = Path("/usr/lib/vst3")
RATE, N = 48000, 256
zam = pytest.mark.skipif(not (ZAM / "ZamComp.vst3").exists(), reason="zam-plugins is not installed")
own = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
GAIN, MODE = 0, 1
"""Places of the params of the test plugin."""


def noise(channels: int, frames: int = N, seed: int = 1) -> np.ndarray:
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def run(plugin, source: np.ndarray, block: int = N, **more) -> np.ndarray:
    out = np.zeros_like(source)
    for k in range(0, source.shape[1], block):
        piece = np.zeros_like(source[:, k : k + block])
        plugin.process([np.ascontiguousarray(source[:, k : k + block])], [piece], **more)
        out[:, k : k + block] = piece
    return out


@zam
@pytest.mark.parametrize("name", ["ZamComp", "ZamEQ2", "ZamTube", "ZamDelay", "ZaMaximX2", "ZamGateX2"])
def test_it_sounds_as_pedalboard_and_as_our_own_host(name) -> None:
    path = ZAM / f"{name}.vst3"
    ours = BoardPlugin(path)
    ours.prepare(RATE, N)
    theirs = pedalboard.load_plugin(str(path))
    native = Vst3Plugin(path)
    shapes = native.description
    native.prepare(
        RATE,
        N,
        Arrangement(tuple(b.layout if not k else "" for k, b in enumerate(shapes.inputs)), (shapes.outputs[0].layout,)),
    )
    values = np.random.default_rng(2).random(len(shapes.params)).astype(np.float32)  # as pedalboard takes them
    for place, (param, value) in enumerate(zip(shapes.params, values, strict=True)):
        if not param.read_only and not param.hidden:
            ours.set(place, float(value))
            theirs._parameters[place].raw_value = float(value)
            native.set(param.id, float(value))
    channels = shapes.outputs[0].channels
    silence = np.zeros((channels, N), np.float32)
    theirs.process(silence, RATE, N, False)
    for plugin in (ours, native):
        run(plugin, silence)
    source = noise(channels, 20 * N)
    expected = [theirs.process(source[:, k : k + N], RATE, N, False) for k in range(0, 20 * N, N)]
    assert (run(ours, source) == np.concatenate(expected, axis=1)).all()
    assert (run(native, source) == np.concatenate(expected, axis=1)).all()


@zam
def test_states_pass_between_the_backends() -> None:
    path = ZAM / "ZamComp.vst3"
    native, ours = Vst3Plugin(path), BoardPlugin(path)
    ids = {param.name: param.id for param in native.description.params}
    places = {param.name: param.id for param in ours.description.params}
    native.set(ids["Ratio"], 0.75)
    ours.set_state(native.state())
    assert ours.get(places["Ratio"]) == pytest.approx(0.75, abs=1e-5)
    ours.set(places["Threshold"], 0.25)
    native.set_state(ours.state())
    assert native.get(ids["Threshold"]) == pytest.approx(0.25, abs=1e-5)
    assert native.get(ids["Ratio"]) == pytest.approx(0.75, abs=1e-5)


@zam
def test_it_goes_by_the_description_of_another_backend() -> None:
    path = ZAM / "ZamComp.vst3"
    found = Vst3Plugin(path).description
    plugin = BoardPlugin(path, found.uid, found)
    plugin.prepare(RATE, N)
    assert plugin.arrangement == Arrangement(("mono", ""), ("mono",))
    assert np.isfinite(run(plugin, noise(1))).all()
    with pytest.raises(PluginError, match="only the first input bus"):
        plugin.prepare(RATE, N, Arrangement(("mono", "mono"), ("mono",)))


@own
def test_a_wrong_channel_count_is_refused_before_it_does_harm() -> None:
    plugin = BoardPlugin(build())
    plugin.prepare(RATE, N)
    with pytest.raises(PluginError, match="not mono"):
        plugin.prepare(RATE, N, Arrangement(("mono",), ("mono",)))
    for inputs, outputs in (([noise(1)], [noise(2)]), ([noise(2)], [noise(1)]), ([noise(2, N + 1)], [noise(2, N + 1)])):
        with pytest.raises(PluginError, match=r"channels of|one length"):
            plugin.process(inputs, outputs)
    plugin.set(GAIN, 0.5)
    source = noise(2)
    assert (run(plugin, source) == np.float32(0.5) * source).all()


@own
def test_a_step_is_on_its_frame_for_the_block_is_cut_there() -> None:
    plugin = BoardPlugin(build())
    plugin.prepare(RATE, N)
    source = noise(2)
    out = run(plugin, source, changes=[Change(GAIN, 100, 0.5), Change(GAIN, 101, 0.25)])
    gain = np.ones(N, np.float32)
    gain[100], gain[101:] = 0.5, 0.25
    assert (out == gain * source).all()
    assert plugin.get(GAIN) == 0.25


@own
def test_latency_stays_in_the_audio() -> None:
    plugin = BoardPlugin(build(DELAY=100))
    plugin.prepare(RATE, N)
    assert plugin.latency() == plugin.description.latency_frames == 100
    source = noise(2, 4 * N)
    out = run(plugin, source)
    assert (out[:, 100:] == source[:, :-100]).all()
    plugin.reset()
    assert not run(plugin, np.zeros((2, N), np.float32)).any()


@own
def test_notes_of_an_instrument_are_on_their_frame() -> None:
    plugin = BoardPlugin(build("Instrument", INSTRUMENT=True))
    assert plugin.description.instrument
    assert plugin.description.events_in
    plugin.prepare(44100, N)
    out = np.zeros((2, N), np.float32)
    plugin.process([], [out], events=[Event(10, bytes([0x90, 64, 127])), Event(200, bytes([0x80, 64, 0]))])
    expected = np.zeros(N, np.float32)
    expected[10:200] = 0.5
    assert (out == expected).all()


@own
def test_what_is_no_number_becomes_silence() -> None:
    plugin = BoardPlugin(build(NO_NUMBERS=True, AT=1))
    plugin.prepare(RATE, N)
    assert not run(plugin, noise(2)).any()
    (notice,) = plugin.notices()
    assert notice.kind == "trouble"


@own
def test_state_texts_and_values() -> None:
    plugin, other = BoardPlugin(build()), BoardPlugin(build())
    plugin.set(GAIN, 0.375)
    other.set_state(plugin.state())
    other.prepare(RATE, N)
    source = noise(2)
    assert (run(other, source) == np.float32(0.375) * source).all()
    assert plugin.text(MODE, 1.0) == "Clock"
    assert plugin.value_of(MODE, "Key") == 0.5
    assert plugin.description.params[MODE].values == ("Plain", "Key", "Clock")
    with pytest.raises(PluginError, match="another plugin"):
        plugin.set_state(Vst3Plugin(build("Other", 2)).state())
    with pytest.raises(PluginError, match="no param 99"):
        plugin.get(99)


@own
def test_a_plugin_without_a_state_still_plays() -> None:
    plugin = BoardPlugin(build(NO_STATE=2), uid())
    assert plugin.description.uid == uid()
    plugin.prepare(RATE, N)
    source = noise(2)
    assert (run(plugin, source) == source).all()
    with pytest.raises(PluginError, match="gave no state"):
        plugin.state()
    plugin.set_state(Vst3Plugin(build()).state())


@own
def test_a_state_that_is_not_taken_is_said() -> None:
    plugin = BoardPlugin(build(NO_STATE=1))
    with pytest.raises(PluginError, match="did not take the state over"):
        plugin.set_state(Vst3Plugin(build()).state())


@own
def test_files_that_are_no_plugins(tmp_path) -> None:
    (tmp_path / "empty.vst3").mkdir()
    with pytest.raises(PluginError):
        BoardPlugin(tmp_path / "empty.vst3")
    with pytest.raises(PluginError, match="no plugin 00"):
        BoardPlugin(build(), "00")
    with pytest.raises(PluginError, match="on this system"):
        board_loading.classes(build(), "ax")  # type: ignore[arg-type]


@own
def test_our_own_host_is_chosen_where_it_runs_the_plugin() -> None:
    assert backends("vst3", "linux") == ("native", "board")
    assert backends("vst3", "darwin") == ("board", "native")
    assert backends("au", "darwin") == ("board",)
    assert classes(build()) == classes(build(), order=["board"]) == [uid()]
    found = choose(build(), uid())
    assert (found.backend, found.reasons) == ("native", ())
    plugin = open_plugin(build(), uid(), found.backend, description=found.description)
    assert plugin.description == found.description
    with pytest.raises(PluginError, match="VST3 only"):
        open_plugin(build(), uid(), "native", "au")


@own
def test_the_next_backend_runs_it_where_one_does_not_and_it_is_said_why() -> None:
    path = build(UNWILLING=True)
    with pytest.raises(PluginError, match="native: Foretold: setActive gave 1"):
        choose(path, uid(), order=["native"])
    found = choose(path, uid())
    assert (found.backend, found.reasons) == ("board", ("native: Foretold: setActive gave 1",))
    plugin = open_plugin(path, uid(), found.backend, description=found.description)
    plugin.prepare(RATE, N)
    source = noise(2)
    assert (run(plugin, source) == source).all()


@own
def test_what_is_to_be_said_of_a_plugin_that_runs_is_said() -> None:
    for macros, words in (
        ({"FAILS": True}, "native: it said of 4 blocks that it failed"),
        ({"NO_STATE": 2}, "native: Foretold gave no state, so only its params can be kept"),
    ):
        found = choose(build(**macros), uid())
        assert (found.backend, found.reasons) == ("native", (words,))


def test_where_no_backend_runs_it_each_says_why(tmp_path) -> None:
    (tmp_path / "empty.vst3").mkdir()
    for call in (lambda: choose(tmp_path / "empty.vst3", uid()), lambda: classes(tmp_path / "empty.vst3")):
        with pytest.raises(PluginError, match=r"native: .*no library at all; board: .*empty\.vst3"):
            call()
    (tmp_path / "empty.vst3" / "Contents" / "sparc-linux").mkdir(parents=True)
    with pytest.raises(PluginError, match=r"it is built for sparc-linux;"):
        choose(tmp_path / "empty.vst3", uid())
    (tmp_path / "empty.vst3" / "Contents" / machine_folder()).mkdir()
    with pytest.raises(PluginError, match=r"there is a folder for it, without empty\S*;"):
        choose(tmp_path / "empty.vst3", uid())
    with pytest.raises(PluginError, match="no backend is left"):
        choose(tmp_path / "empty.vst3", uid(), order=[])

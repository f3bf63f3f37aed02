"""Our VST3 host with a plugin that can be foretold to the sample: see ``plugin.c`` for what it computes."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from graph.layouts import LAYOUTS
from host.plugins import presets
from host.plugins.description import Arrangement, description_from, plain
from host.plugins.errors import PluginError
from host.plugins.instance import (
    CHANGES,
    DROPPED,
    EVENTS,
    INPUTS,
    MOST_CHANGES,
    OUTPUTS,
    SCRUBBED,
    TRANSPORT,
    Change,
    Event,
    Transport,
    transport_words,
)
from host.plugins.vst3.plugin import Vst3Plugin, classes

from ..c.build import USABLE, WHY_NOT, build, uid

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
GAIN, MODE, METER, EVIL = 100, 7, 300, 666
KEY, CLOCK = 0.5, 1.0
N = 512
ALL_ON = Arrangement(("stereo", "mono"), ("stereo", "stereo"))
MAIN = Arrangement(("stereo", ""), ("stereo", ""))


def noise(channels: int, frames: int = N, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


def opened(arrangement: Arrangement | None = MAIN, frames: int = N, **macros: object) -> Vst3Plugin:
    plugin = Vst3Plugin(build(**macros))
    if arrangement is not None:
        plugin.prepare(48000, frames, arrangement)
    return plugin


@pytest.fixture
def plugin() -> Iterator[Vst3Plugin]:
    found = opened()
    yield found
    found.close()


def run(plugin: Vst3Plugin, *inputs: np.ndarray, **more) -> list[np.ndarray]:
    on = [layout for layout in plugin.arrangement.outputs if layout]
    frames = inputs[0].shape[1] if inputs else N
    outputs = [np.full((len(LAYOUTS[layout]), frames), 99, np.float32) for layout in on]
    plugin.process(inputs, outputs, **more)
    return outputs


@pytest.mark.parametrize("split", [False, True])
def test_it_says_of_itself_what_it_is(split) -> None:
    found = opened(None, **({"SPLIT": True} if split else {})).description
    assert (found.uid, found.name, found.vendor) == (uid(), "Foretold", "Patchwright tests")
    assert (found.version, found.category, found.instrument, found.events_in) == ("1.2.3", "Fx|Tools", False, True)
    assert [(b.name, b.kind, b.channels, b.layout, b.on) for b in (*found.inputs, *found.outputs)] == [
        ("In", "main", 2, "stereo", True),
        ("Key", "aux", 1, "mono", False),
        ("Out", "main", 2, "stereo", True),
        ("Second", "aux", 2, "stereo", False),
    ]
    assert set(found.inputs[0].layouts) == set(LAYOUTS)
    assert found.inputs[1].layouts == ("mono",)
    assert found.arrangements[0] == ALL_ON
    gain, mode, meter, evil = found.params
    assert (gain.id, gain.name, gain.unit, gain.steps, gain.default) == (GAIN, "Gain", "x", 0, 1.0)
    assert (gain.low, gain.high, gain.automatable) == ("0.00", "1.00", True)
    assert (mode.id, mode.steps, mode.values) == (MODE, 2, ("Plain", "Key", "Clock"))
    assert meter.read_only
    assert evil.hidden
    assert description_from(plain(found)) == found
    assert classes(build()) == [uid()]


def test_audio_goes_through_bit_for_bit(plugin) -> None:
    source = noise(2)
    before = source.copy()
    assert (run(plugin, source)[0] == source).all()
    assert (source == before).all()


@pytest.mark.parametrize("frames", [1, 63, 64, N])
def test_blocks_may_have_any_length_up_to_the_largest(plugin, frames) -> None:
    source = noise(2, frames)
    assert (run(plugin, source)[0] == source).all()


def test_wrong_blocks_are_refused(plugin) -> None:
    for inputs, outputs in (
        ([noise(1)], [noise(2)]),
        ([noise(2)], [noise(3)]),
        ([noise(2), noise(1)], [noise(2)]),
        ([noise(2)], []),
        ([noise(2, N + 1)], [noise(2, N + 1)]),
        ([noise(2, 100)], [noise(2, 101)]),
    ):
        with pytest.raises(PluginError, match=r"channels of|one length"):
            plugin.process(inputs, outputs)
    with pytest.raises(PluginError, match="no param 5"):
        run(plugin, noise(2), changes=[Change(5, 0, 0)])
    with pytest.raises(PluginError, match="no MIDI channel message"):
        run(plugin, noise(2), events=[Event(0, b"\xf0\x01\x02")])


def test_the_key_is_heard_to_the_sample() -> None:
    plugin = opened(ALL_ON)
    plugin.set(MODE, KEY)
    source, key = noise(2), noise(1, seed=2)
    out, second = run(plugin, source, key)
    assert (out == source + key).all()
    assert (second == np.repeat(key, 2, 0)).all()


def test_a_bus_that_is_off_is_silence() -> None:
    plugin = opened()
    plugin.set(MODE, KEY)
    source = noise(2)
    assert (run(plugin, source)[0] == source).all()


def test_a_param_steps_on_its_frame(plugin) -> None:
    source = noise(2)
    out = run(plugin, source, changes=[Change(GAIN, 300, 0.5)])[0]
    assert (out[:, :300] == source[:, :300]).all()
    assert (out[:, 300:] == np.float32(0.5) * source[:, 300:]).all()
    assert plugin.get(GAIN) == 0.5


def test_many_changes_of_several_params_arrive_in_order(plugin) -> None:
    values = np.random.default_rng(3).random(N)
    changes = [Change(GAIN, k, float(v)) for k, v in enumerate(values)]
    changes += [Change(MODE, 5, CLOCK), Change(MODE, 7, 0.0)]
    source = noise(2)
    out = run(plugin, source, changes=changes[::-1])[0]
    expected = values.astype(np.float32) * source
    inside = np.ones(N, bool)
    inside[5:7] = False
    assert (out[:, inside] == expected[:, inside]).all()
    assert (out[0, 5:7] == np.float32(0.12)).all()


def test_too_many_changes_are_refused(plugin) -> None:
    with pytest.raises(PluginError, match="at most"):
        run(plugin, noise(2), changes=[Change(GAIN, 0, 0.5)] * (MOST_CHANGES + 1))


def test_what_is_set_is_heard_from_the_next_block_on(plugin) -> None:
    source = noise(2)
    plugin.set(GAIN, 0.25)
    assert (run(plugin, source)[0] == np.float32(0.25) * source).all()
    assert (run(plugin, source)[0] == np.float32(0.25) * source).all()


@pytest.mark.parametrize("frames", [7, 1000])
@pytest.mark.parametrize("block", [64, 100])
def test_latency_is_what_is_declared(frames, block) -> None:
    plugin = opened(frames=block, DELAY=frames)
    assert plugin.latency() == plugin.description.latency_frames == frames
    source = noise(2, 3000)
    pieces = [run(plugin, np.ascontiguousarray(source[:, k : k + block]))[0] for k in range(0, 3000 - block, block)]
    out = np.concatenate(pieces, axis=1)
    assert (out[:, frames:] == source[:, : out.shape[1] - frames]).all()
    assert not out[:, :frames].any()
    assert plugin.tail() == 77


def test_reset_forgets_the_sound_and_keeps_params() -> None:
    plugin = opened(DELAY=100)
    plugin.set(GAIN, 0.5)
    run(plugin, noise(2))
    plugin.reset()
    assert not run(plugin, np.zeros((2, N), np.float32))[0].any()
    assert plugin.get(GAIN) == 0.5


def test_notes_sound_on_their_frame() -> None:
    plugin = Vst3Plugin(build("Instrument", INSTRUMENT=True))
    assert plugin.description.instrument
    plugin.prepare(44100, N, Arrangement((), ("stereo", "")))
    events = [
        Event(10, bytes([0x91, 64, 127])),
        Event(200, bytes([0x90, 32, 64])),
        Event(300, bytes([0x81, 64, 0])),
        Event(400, bytes([0x90, 32, 0])),
        Event(450, bytes([0xA0, 3, 127])),
    ]
    out = run(plugin, events=events[::-1])[0]
    high, low = np.float32(64 / 128), np.float32(np.float32(64 / 127) * np.float32(32 / 128))
    expected = np.zeros(N, np.float32)
    expected[10:300] += high
    expected[200:400] += low
    expected[450:] += 1
    assert (out == expected).all()


@pytest.mark.parametrize("channel", [0, 15])
def test_controllers_move_the_param_that_the_plugin_names(plugin, channel) -> None:
    source = noise(2)
    events = [
        Event(100, bytes([0xB0 | channel, 1, 64])),
        Event(120, bytes([0xB0, 2, 0])),
        Event(130, bytes([0xE0, 0, 0])),
    ]
    out = run(plugin, source, events=events, changes=[Change(GAIN, 200, 1.0)])[0]
    gain = np.ones(N)
    gain[100:200] = 64 / 127
    assert (out == gain.astype(np.float32) * source).all()
    assert not plugin.notices()


def test_it_knows_the_time() -> None:
    plugin = opened(Arrangement(("lcr", ""), ("lcr", "")))
    plugin.set(MODE, CLOCK)
    time = Transport(playing=True, position_frames=48000, tempo=98.5, quarters=1.5, loop=(0.0, 4.0))
    out = run(plugin, noise(3), transport=time)[0]
    assert (out[0] == np.float32(0.0985)).all()
    assert (out[1] == ((48000 + np.arange(N)) / 65536).astype(np.float32)).all()
    assert (out[2] == 1).all()
    stopped = run(plugin, noise(3))[0]
    assert (stopped[0] == np.float32(0.12)).all()
    assert not stopped[2].any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_channels_keep_their_labels_in_every_layout(layout) -> None:
    plugin = opened(Arrangement((layout, ""), (layout, "")))
    source = noise(len(LAYOUTS[layout]))
    assert (run(plugin, source)[0] == source).all()


def test_the_sides_of_a_7_1_come_after_its_rear_for_the_plugin() -> None:
    from host.plugins.vst3.layouts import SPEAKERS, order

    assert [LAYOUTS["7.1"][k] for k in order("7.1")] == ["L", "R", "C", "LFE", "Lrs", "Rrs", "Lss", "Rss"]
    assert [LAYOUTS["7.1.4"][k] for k in order("7.1.4")][8:] == ["Ltf", "Rtf", "Ltr", "Rtr"]
    # kMono, kStereo, k51, k71Music and k50 of the published list
    assert [SPEAKERS[name] for name in ("mono", "stereo", "5.1", "7.1", "5.0")] == [0x80000, 3, 0x3F, 0x63F, 0x37]


def test_layouts_that_it_does_not_take_are_refused(plugin) -> None:
    for arrangement in (
        Arrangement(("stereo", ""), ("mono", "")),
        Arrangement(("stereo", "stereo"), ("stereo", "")),
        Arrangement(("stereo",), ("stereo", "")),
    ):
        with pytest.raises(PluginError, match=r"does not take|buses"):
            plugin.prepare(48000, N, arrangement)
        with pytest.raises(PluginError, match="not prepared"):
            run(plugin, noise(2))
    plugin.prepare(96000, 64, MAIN)
    source = noise(2, 64)
    assert (run(plugin, source)[0] == source).all()


def test_the_meter_speaks(plugin) -> None:
    source = 0.5 * noise(2).clip(-1, 1)
    run(plugin, source)
    assert plugin.get(METER) == np.abs(source).max()


def test_texts_and_their_values(plugin) -> None:
    assert plugin.text(GAIN, 0.5) == "0.50"
    assert plugin.text(MODE, 1.0) == "Clock"
    assert plugin.value_of(MODE, "Key") == 0.5
    assert plugin.value_of(GAIN, "0.5") is None
    for call in (lambda: plugin.get(1), lambda: plugin.set(1, 0), lambda: plugin.text(1, 0)):
        with pytest.raises(PluginError, match="no param 1"):
            call()


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("macros", [{}, {"SPLIT": True}], ids=["one", "two halves"])
def test_state_holds_what_was_set_before_any_block(macros, prepared) -> None:
    one, other = opened(MAIN if prepared else None, **macros), opened(**macros)
    one.set(GAIN, 0.375)
    one.set(MODE, KEY)
    data = one.state()
    other.set_state(data)
    assert (other.get(GAIN), other.get(MODE)) == (0.375, KEY)
    source = noise(2)
    assert (run(other, source)[0] == np.float32(0.375) * source).all()
    assert other.state() == data
    assert presets.unpack(data).uid == uid()


def test_a_state_outranks_what_was_set_before_it(plugin) -> None:
    data = plugin.state()
    plugin.set(GAIN, 0.1)
    plugin.set_state(data)
    source = noise(2)
    assert (run(plugin, source)[0] == source).all()


def test_states_of_other_plugins_and_broken_ones_are_refused(plugin) -> None:
    plugin.set(GAIN, 0.5)
    other = Vst3Plugin(build("Other", 2)).state()
    broken = presets.pack(presets.Preset(uid(), b"short"))
    for data in (other, broken, b"", b"VST3" + bytes(100)):
        with pytest.raises(PluginError):
            plugin.set_state(data)
    assert plugin.get(GAIN) == 0.5


def test_the_halves_talk_to_each_other() -> None:
    """The component sends a message with every kind of attribute, and only where all came back right."""
    plugin = opened(None, SPLIT=True)
    assert plugin.get(EVIL) == 0.75
    plugin.close()


def test_a_move_in_its_window_is_heard_and_told() -> None:
    plugin = opened(EDITS=True)
    source = noise(2)
    run(plugin, source, changes=[Change(EVIL, N - 1, 1.0)])
    found = plugin.notices()
    assert [(n.kind, n.id, n.value) for n in found] == [
        ("touch", GAIN, 0.0),
        ("edit", GAIN, 0.25),
        ("release", GAIN, 0.0),
    ]
    assert (run(plugin, source, changes=[Change(EVIL, 0, 0.0)])[0] == np.float32(0.25) * source).all()
    assert plugin.notices() == []


def test_a_knob_that_was_just_turned_in_its_window_is_left_alone_by_what_the_patch_says() -> None:
    plugin = opened(EDITS=True)
    source = noise(2)
    plugin._window = SimpleNamespace(open=True, close=lambda: None)  # pyright: ignore[reportAttributeAccessIssue]
    run(plugin, source, changes=[Change(EVIL, N - 1, 1.0)])
    echo = [Change(EVIL, 0, 0.0), Change(GAIN, 0, 0.75), Change(MODE, 0, CLOCK)]
    assert (run(plugin, source, changes=echo[:2])[0] == np.float32(0.25) * source).all(), "what comes back too late"
    assert (run(plugin, source, changes=echo[2:])[0] != np.float32(0.25) * source).any(), "other params move"
    plugin.memory.grip(0, time.monotonic())
    run(plugin, source, changes=[Change(MODE, 0, 0.0), Change(GAIN, 0, 0.75)])
    assert plugin.get(GAIN) == 0.75, "and this one too, after a while"
    plugin.close()


def test_its_latency_may_change(plugin) -> None:
    plugin = opened(MOVES=100)
    run(plugin, noise(2), changes=[Change(EVIL, 0, 1.0), Change(EVIL, 1, 0.0)])
    assert [notice.kind for notice in plugin.notices()] == ["latency"]
    plugin.reset()
    assert plugin.latency() == 100
    assert plugin.notices() == []


def test_the_same_without_the_interpreter() -> None:
    plugin = opened(ALL_ON)
    call = plugin.native()
    words = plugin.memory.words
    assert words.ctypes.data == call.words
    source, key, out, second = noise(2), noise(1, seed=2), noise(2, seed=3), noise(2, seed=4)
    into = np.array([*(row.ctypes.data for row in source), key[0].ctypes.data])
    onto = np.array([row.ctypes.data for row in (*out, *second)])
    half = np.float64(0.5).view(np.int64)
    changes = np.array([4, 1, 0, half, 9, 0, half, -1, 0, half, 0, 300, half])
    events = np.array([1, 100 << 32 | 0x90 | 64 << 8 | 127 << 16])
    time = transport_words(Transport())
    for word, array in ((INPUTS, into), (OUTPUTS, onto), (CHANGES, changes), (EVENTS, events), (TRANSPORT, time)):
        words[word] = array.ctypes.data
    block = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(call.function)
    assert block(call.words, N) == 0
    expected = source.copy()
    expected[:, 300:] *= np.float32(0.5)
    expected += key
    expected[:, 100:] += np.float32(0.5)
    assert np.abs(out - expected).max() < 1e-6
    assert (second == key).all()
    assert (words[DROPPED], words[SCRUBBED]) == (2, 0)
    assert block(call.words, N + 1) == 1
    assert block(call.words, -1) == 1
    words[[CHANGES, EVENTS, TRANSPORT]] = 0
    assert block(call.words, 64) == 0


def test_two_instances_do_not_hear_each_other() -> None:
    one, other = opened(), opened()
    one.set(GAIN, 0.5)
    source = noise(2)
    assert (run(one, source)[0] == np.float32(0.5) * source).all()
    assert (run(other, source)[0] == source).all()


def test_a_closed_plugin_says_so(plugin) -> None:
    plugin.close()
    plugin.close()
    calls = [lambda: run(plugin, noise(2)), lambda: plugin.get(GAIN), plugin.state, plugin.notices, plugin.tail]
    for call in (*calls, lambda: plugin.text(GAIN, 0.5), lambda: plugin.prepare(48000, N)):
        with pytest.raises(PluginError):
            call()


def test_files_that_are_no_plugins_are_refused(tmp_path) -> None:
    empty = tmp_path / "empty.vst3"
    (empty / "Contents" / "sparc-linux").mkdir(parents=True)
    with pytest.raises(PluginError, match="built for sparc-linux"):
        Vst3Plugin(empty)
    with pytest.raises(PluginError, match="no VST3 bundle"):
        Vst3Plugin(tmp_path / "none.vst3")
    text = tmp_path / "text.vst3"
    library = text / "Contents" / next(build().joinpath("Contents").iterdir()).name / "text.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"not a library")
    with pytest.raises(PluginError, match="does not load"):
        Vst3Plugin(text)
    stranger = tmp_path / "stranger.vst3"
    library = stranger / "Contents" / library.parent.name / "stranger.so"
    library.parent.mkdir(parents=True)
    import _ctypes

    library.write_bytes(Path(_ctypes.__file__).read_bytes())
    with pytest.raises(PluginError, match="no ModuleEntry"):
        Vst3Plugin(stranger)
    with pytest.raises(PluginError, match="no plugin 00"):
        Vst3Plugin(build(), "00")


@pytest.mark.parametrize("split", [{}, {"SPLIT": True}])
def test_params_are_in_the_units_that_the_plugin_says_and_programs_have_their_names(split):
    plugin = opened(UNITS=True, **split)
    params = {param.name: param for param in plugin.description.params}
    groups = {"Gain": "Filter", "Mode": "Filter / Envelope", "Meter": "", "Evil": "", "Program": "Filter"}
    assert {name: param.group for name, param in params.items()} == groups
    assert [name for name, param in params.items() if param.program] == ["Program"]
    assert params["Program"].values == ("Open", "Soft", "Half")
    assert description_from(plain(plugin.description)) == plugin.description
    older = plain(plugin.description)
    for param in older["params"]:
        del param["group"], param["program"]
    assert [param.group for param in description_from(older).params] == [""] * 5, "as an older scan kept it"
    plugin.close()


def test_units_that_go_round_in_a_circle_are_named_all_the_same():
    plugin = opened(UNITS=2)
    gain = plugin.description.params[0]
    assert gain.group.split(" / ")[-2:] == ["Envelope", "Filter"]
    assert len(gain.group.split(" / ")) == 8
    plugin.close()


def test_what_a_program_turns_in_the_controller_alone_is_heard_but_not_over_what_is_set_with_it():
    """With its halves apart only the controller knows of programs, as with some plugins that people use."""
    plugin = opened(UNITS=True, SPLIT=True)
    source = noise(2)
    run(plugin, source, changes=[Change(900, 0, 0.5)])
    assert plugin.get(GAIN) == 0.25
    assert (run(plugin, source)[0] == source).all(), "a render does as the plugin does"
    plugin.heed_programs()
    assert (run(plugin, source)[0] == np.float32(0.25) * source).all()
    run(plugin, source, changes=[Change(900, 0, 1.0), Change(GAIN, 0, 0.75)])
    assert plugin.get(GAIN) == 0.75
    plugin.heed_programs()
    assert (run(plugin, source)[0] == np.float32(0.75) * source).all()
    plugin.close()


def test_a_program_that_is_chosen_turns_what_it_turns_and_says_so():
    plugin = opened(UNITS=True)
    plugin.set(900, 0.5)
    kinds = [notice.kind for notice in plugin.notices()]
    assert kinds == ["params"]
    assert plugin.get(GAIN) == 0.25
    into = noise(2)
    out = [np.zeros((2, N), np.float32)]
    plugin.process([into], out)
    np.testing.assert_array_equal(out[0], np.float32(0.25) * into)
    plugin.close()

"""Renders to files: the length, the bits, and what happens when something is missing or stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.document import Patch
from graph.errors import PatchError
from host import render
from host.audiofile import AudioFileError
from host.rendering import RenderError

RATE = 48000


def write(path: Path, data: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, data, rate, subtype="FLOAT")
    return path


def noise(frames: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((frames, channels)) * 0.1).astype(np.float32)


def simple(layout: str = "stereo", **params: float) -> Patch:
    patch = Patch("simple", sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": layout})
    patch.add("g", "gain", **params)
    patch.add("out", "audio_out", settings={"layout": layout})
    patch.connect("in.out", "g.in")
    patch.connect("g.out", "out.in")
    return patch


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def busy() -> Patch:
    """A bit of everything that could go wrong between block sizes."""
    patch = Patch("busy", sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("eq", "eq", b1_on=1, b1_freq_hz=300, b1_gain_db=4, b2_on=1, b2_freq_hz=3000, b2_gain_db=-5)
    patch.add("comp", "compressor", lookahead_ms=3, threshold_db=-30)
    patch.add("send", "send", level_db=-6)
    patch.add("room", "reverb", mix=1)
    patch.add("echo", "delay", time_ms=33.3, feedback=0.4)
    patch.add("sum", "bus")
    patch.add("back", "gain", level_db=-12)
    patch.add("wobble", "lfo", rate_hz=3)
    patch.add("tone", "filter")
    patch.add("lim", "limiter")
    patch.add("out", "audio_out")
    for cable in (
        ("in.out", "eq.in"),
        ("eq.out", "comp.in"),
        ("comp.out", "sum.in"),
        ("comp.out", "send.in"),
        ("send.out", "room.in"),
        ("room.out", "sum.in"),
        ("in.out", "echo.in"),
        ("echo.out", "sum.in"),
        ("sum.out", "tone.in"),
        ("tone.out", "lim.in"),
        ("tone.out", "back.in"),
        ("lim.out", "out.in"),
    ):
        patch.connect(*cable)
    patch.connect("back.out", "sum.in", feedback=True)
    patch.connect("wobble.out", "tone.freq_hz", amount=0.1)
    patch.automate("sum", "level_db", [(0.0, -30.0, "linear"), (0.1001, -3.0, "exponential"), (0.15, -6.0, "hold")])
    return patch


def test_same_bits_whatever_the_block_the_threads_the_run_and_the_file_form(tmp_path):
    source = write(tmp_path / "in.wav", noise(12_000))
    patch = busy()
    patch.save(tmp_path / "busy.pwp")
    patch.save(tmp_path / "busy.json")
    shuffled = Patch("busy", sample_rate=RATE)
    for id in reversed(list(patch.nodes())):
        shuffled.put(id, patch.node(id).copy())
    for cable in reversed(patch.cables()):
        shuffled.plug(cable)
    shuffled.automation = list(patch.automation)
    cases = [
        (patch, {"block": 64}),
        (patch, {"block": 64}),
        (patch, {"block": 128}),
        (patch, {"block": 448}),
        (patch, {"block": 1024}),
        (patch, {"threads": 2}),
        (patch, {"threads": 2, "block": 64}),
        (shuffled, {}),
        (Patch.load(tmp_path / "busy.pwp"), {}),
        (Patch.load(tmp_path / "busy.json"), {}),
    ]
    sounds = []
    for k, (case, options) in enumerate(cases):
        out = tmp_path / f"{k}.wav"
        render(case, {"out": out}, {"in": source}, seconds=0.3, **options)
        sounds.append(out.read_bytes())
    assert all(sound == sounds[0] for sound in sounds)
    assert np.abs(read(tmp_path / "0.wav")).max() > 0.01


def test_the_length_is_seconds_or_the_longest_input_and_its_tail(tmp_path):
    source = write(tmp_path / "in.wav", noise(10_000))
    patch, out = simple(), tmp_path / "out.wav"
    assert render(patch, {"out": out}, {"in": source}, seconds=0.1).frames == 4800
    assert render(patch, {"out": out}, {"in": source}).frames == 10_000
    assert render(patch, {"out": out}, {"in": source}, tail=0.5).frames == 10_000 + 24_000
    assert len(read(out)) == 34_000
    assert render(patch, {"out": out}, seconds=1 / 3).frames == 16_000
    with pytest.raises(RenderError, match="how long"):
        render(patch, {"out": out})


def test_an_open_tail_ends_with_the_last_sample_that_is_heard(tmp_path):
    data = noise(1000)
    data[-1] = 0.5
    source = write(tmp_path / "in.wav", data)
    patch = simple()
    patch.add("echo", "delay", time_ms=1000, feedback=0, mix=0.5)
    patch.disconnect("g.out", "out.in")
    patch.connect("g.out", "echo.in")
    patch.connect("echo.out", "out.in")
    report = render(patch, {"out": tmp_path / "out.wav"}, {"in": source})
    assert report.frames == 1000 + 48_000, "the echo is a second of silence later"
    assert len(read(tmp_path / "out.wav")) == report.frames


@pytest.mark.parametrize("start", [0.0, 1 / 3, 0.7501])
def test_a_part_is_what_the_whole_has_there(tmp_path, start):
    """With delay lines, rooms and latency that are in the middle of something where it begins."""
    source = write(tmp_path / "in.wav", noise(40_000))
    whole, part, first = tmp_path / "whole.wav", tmp_path / "part.wav", round(start * RATE)
    render(busy(), {"out": whole}, {"in": source}, seconds=1.5)
    report = render(busy(), {"out": part}, {"in": source}, start=start, seconds=0.6)
    assert report.frames == 28_800
    assert np.array_equal(read(part), read(whole)[first : first + 28_800])
    tailed, after = tmp_path / "tailed.wav", tmp_path / "after.wav"
    render(simple(), {"out": tailed}, {"in": source})
    report = render(simple(), {"out": after}, {"in": source}, start=start)
    assert report.frames == len(read(after)) == 40_000 - first
    assert np.array_equal(read(after), read(tailed)[first:])


def test_a_part_after_the_end_is_the_tail_or_nothing(tmp_path):
    source = write(tmp_path / "in.wav", noise(1000))
    assert render(simple(), {"out": tmp_path / "out.wav"}, {"in": source}, start=0.5).frames == 0
    assert render(simple(), {"out": tmp_path / "out.wav"}, {"in": source}, start=0.5, tail=0.25).frames == 12_000
    with pytest.raises(RenderError, match="start"):
        render(simple(), {"out": tmp_path / "out.wav"}, {"in": source}, start=-1)


def test_an_endless_tail_stops_after_thirty_seconds(tmp_path):
    source = write(tmp_path / "in.wav", noise(100), 8000)
    patch = simple()
    patch.sample_rate = 8000
    patch.add("osc", "oscillator")
    patch.connect("osc.out", "out.in")
    report = render(patch, {"out": tmp_path / "out.wav"}, {"in": source})
    assert report.frames == 100 + 30 * 8000


def test_latency_is_taken_away(tmp_path):
    data = noise(5000)
    source = write(tmp_path / "in.wav", data)
    patch = simple()
    patch.add("late", "latency", settings={"frames": 777})
    patch.disconnect("g.out", "out.in")
    patch.connect("g.out", "late.in")
    patch.connect("late.out", "out.in")
    assert render(patch, {"out": tmp_path / "out.wav"}, {"in": source}).frames == 5000
    assert np.array_equal(read(tmp_path / "out.wav"), data)


def test_stems_sum_to_the_mix(tmp_path):
    patch = Patch(sample_rate=RATE)
    patch.add("mix", "audio_out")
    sources, outputs = {}, {"mix": tmp_path / "mix.wav"}
    for k, id in enumerate(("dx", "mx", "fx")):
        sources[id] = write(tmp_path / f"{id}-in.wav", noise(3000, seed=k))
        outputs[f"{id}-stem"] = tmp_path / f"{id}.wav"
        patch.add(id, "audio_in")
        patch.add(f"{id}-late", "latency", settings={"frames": 100 * k})
        patch.add(f"{id}-stem", "audio_out")
        patch.connect(f"{id}.out", f"{id}-late.in")
        patch.connect(f"{id}-late.out", f"{id}-stem.in")
        patch.connect(f"{id}-late.out", "mix.in")
    render(patch, outputs, sources)
    total = sum(read(tmp_path / f"{id}.wav") for id in ("dx", "mx", "fx"))
    assert np.abs(total - read(tmp_path / "mix.wav")).max() < 1e-7


def test_the_rate_is_the_patchs_else_the_first_inputs(tmp_path):
    source = write(tmp_path / "in.wav", noise(4410), 44100)
    patch = simple()
    report = render(patch, {"out": tmp_path / "out.wav"}, {"in": source})
    assert (report.rate, report.frames) == (RATE, 4800)
    patch.sample_rate = None
    assert render(patch, {"out": tmp_path / "out.wav"}, {"in": source}).rate == 44100
    assert np.array_equal(read(tmp_path / "out.wav"), read(source))
    assert render(patch, {"out": tmp_path / "out.wav"}, seconds=0.01).rate == 48000
    assert render(patch, {"out": tmp_path / "out.wav"}, seconds=0.01, rate=96000).rate == 96000


def test_a_mono_file_feeds_a_stereo_input_and_other_misfits_are_refused(tmp_path):
    data = noise(500, 1)
    source = write(tmp_path / "mono.wav", data)
    render(simple(), {"out": tmp_path / "out.wav"}, {"in": source})
    assert np.array_equal(read(tmp_path / "out.wav"), np.repeat(data, 2, axis=1))
    wide = write(tmp_path / "wide.wav", noise(500, 6))
    with pytest.raises(RenderError, match=r"5\.1.*stereo"):
        render(simple(), {"out": tmp_path / "out.wav"}, {"in": wide})


def test_channels_are_labels_all_the_way(tmp_path):
    data = noise(800, 8)
    from graph.layouts import LAYOUTS
    from host.audiofile import create_audio, open_audio

    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    with create_audio(source, RATE, LAYOUTS["7.1"]) as writer:
        writer.write(data)
    render(simple("7.1"), {"out": out}, {"in": source})
    with open_audio(out) as reader:
        assert reader.labels == LAYOUTS["7.1"]
        assert np.array_equal(reader.read(800), data)


def test_what_is_missing_is_named_and_allowed_when_asked(tmp_path):
    patch = simple()
    patch.add("player", "file_player", settings={"path": "nowhere.wav"})
    patch.add("odd", "no_such_kind")
    patch.connect("player.out", "odd.in")
    patch.connect("odd.out", "out.in")
    patch.folder = tmp_path
    out = tmp_path / "out.wav"
    with pytest.raises(PatchError) as caught:
        render(patch, {"out": out}, seconds=0.1)
    assert "odd" in str(caught.value) or "nowhere.wav" in str(caught.value)
    assert not out.exists()
    report = render(patch, {"out": out}, seconds=0.1, allow_missing=True)
    assert any("nowhere.wav" in note for note in report.notes)
    assert any("no_such_kind" in note for note in report.notes)
    assert not read(out).any()


def test_an_unknown_kind_passes_audio_through(tmp_path):
    data = noise(500)
    source = write(tmp_path / "in.wav", data)
    patch = simple()
    patch.add("odd", "no_such_kind", settings={"anything": [1, 2]}, strange=99)
    patch.disconnect("g.out", "out.in")
    patch.connect("g.out", "odd.in")
    patch.connect("odd.out", "out.in")
    render(patch, {"out": tmp_path / "out.wav"}, {"in": source}, allow_missing=True)
    assert np.array_equal(read(tmp_path / "out.wav"), data)


@pytest.mark.parametrize(
    ("outputs", "inputs", "error"),
    [
        ({"nope": "x.wav"}, {}, "no audio_out node 'nope'"),
        ({"out": "x.wav"}, {"g": "in.wav"}, "no audio_in or midi_in node 'g'"),
        ({}, {}, "no output"),
        ({"out": "x.mp4"}, {}, "mp4"),
        ({"out": "missing/x.wav"}, {}, "missing"),
        ({"out": "x.wav"}, {"in": "absent.wav"}, "absent.wav"),
    ],
)
def test_mistakes_are_one_clear_error_and_leave_nothing(tmp_path, monkeypatch, outputs, inputs, error):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in.wav", noise(10))
    with pytest.raises((RenderError, AudioFileError), match=error):
        render(simple(), outputs, inputs, seconds=0.01)
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


@pytest.mark.parametrize(
    ("name", "subtype", "found"), [("x.wav", None, "FLOAT"), ("x.aiff", "FLOAT", "FLOAT"), ("x.ogg", None, "VORBIS")]
)
def test_dither_where_nothing_is_rounded_is_an_error(tmp_path, name, subtype, found):
    with pytest.raises(RenderError, match=f"nothing to dither, since out is {found}"):
        render(simple(), {"out": tmp_path / name}, seconds=0.01, dither=True, subtype=subtype)
    assert not list(tmp_path.iterdir())


def test_one_file_that_is_rounded_is_enough_for_dither(tmp_path):
    patch = simple()
    patch.add("exact", "audio_out")
    patch.connect("g.out", "exact.in")
    files = {"out": tmp_path / "rounded.flac", "exact": tmp_path / "exact.wav"}
    render(patch, files, seconds=0.1, dither=True)
    assert set(np.unique(read(files["out"]) * 2**23)) == {-1.0, 0.0, 1.0}
    assert not read(files["exact"]).any()


def test_values_from_outside_go_before_the_patchs_but_not_before_automation(tmp_path):
    source = write(tmp_path / "in.wav", np.ones((1000, 2), np.float32))
    patch, out = simple(level_db=-6), tmp_path / "out.wav"
    patch.snapshot("quiet", {"g": {"level_db": -20}})
    render(patch, {"out": out}, {"in": source}, snapshot="quiet")
    assert read(out)[0, 0] == pytest.approx(0.1)
    render(patch, {"out": out}, {"in": source}, snapshot="quiet", settings={("g", "level_db"): 0})
    assert read(out)[0, 0] == 1.0
    patch.automate("g", "level_db", [(0.0, -40.0, "hold")])
    report = render(patch, {"out": out}, {"in": source}, settings={("g", "level_db"): 0})
    assert read(out)[0, 0] == pytest.approx(0.01)
    assert any("automation outranks" in note for note in report.notes)
    with pytest.raises(PatchError, match="level_db"):
        render(patch, {"out": out}, {"in": source}, settings={("g", "level_db"): 99})
    with pytest.raises(PatchError, match="no snapshot 'loud'"):
        render(patch, {"out": out}, {"in": source}, snapshot="loud")


def test_clipping_is_counted(tmp_path):
    source = write(tmp_path / "in.wav", np.full((100, 2), 2.0, np.float32))
    report = render(simple(), {"out": tmp_path / "out.flac"}, {"in": source}, subtype="PCM_16")
    assert report.clipped == {"out": 200}
    assert soundfile.info(tmp_path / "out.flac").subtype == "PCM_16"


@pytest.mark.parametrize("rate", [48000, 44100])
def test_what_is_no_number_where_it_comes_in_is_silence_and_is_counted(tmp_path, rate):
    """At the patch's own rate and at another, through an input and through a player."""
    clean, dirty = noise(20000), noise(20000)
    dirty[7000:7003], dirty[9000, 1] = (np.nan, np.inf), -np.inf
    clean[~np.isfinite(dirty)] = 0.0
    patch = simple()
    patch.folder = tmp_path
    patch.add("tape", "file_player", settings={"path": "tape.wav"})
    patch.connect("tape.out", "out.in")
    found, outputs = [], []
    for sound in (clean, dirty):
        write(tmp_path / "in.wav", sound, rate)
        write(tmp_path / "tape.wav", sound, rate)
        report = render(patch, {"out": tmp_path / "out.wav"}, {"in": tmp_path / "in.wav"}, seconds=0.5)
        found.append((report.scrubbed, [note for note in report.notes if "NaN" in note]))
        outputs.append(read(tmp_path / "out.wav"))
    assert np.array_equal(*outputs)
    said = [f"{id}: 7 samples were NaN or infinite, and became silence" for id in ("in", "tape")]
    assert found == [(0, []), (14, said)]


def test_what_goes_round_a_loop_and_is_no_number_is_counted(tmp_path):
    patch = simple()
    patch.add("up", "gain", level_db=24)
    patch.add("more", "gain", level_db=24)
    for cable in (("g.out", "up.in"), ("up.out", "more.in")):
        patch.connect(*cable)
    patch.connect("more.out", "g.in", feedback=True)
    write(tmp_path / "in.wav", np.full((20000, 2), 0.1))
    report = render(patch, {"out": tmp_path / "out.wav"}, {"in": tmp_path / "in.wav"}, seconds=0.4)
    assert report.scrubbed > 0
    assert f"feedback loops: {report.scrubbed} samples were NaN or infinite, and became silence" in report.notes


def test_a_recorder_writes_inside_the_patchs_folder_and_never_over_a_file(tmp_path):
    source = write(tmp_path / "in.wav", noise(640))
    patch = simple()
    patch.add("rec", "file_recorder", settings={"path": "take.wav"})
    patch.connect("g.out", "rec.in")
    patch.folder = tmp_path
    render(patch, {}, {"in": source})
    assert np.array_equal(read(tmp_path / "take.wav"), read(source))
    with pytest.raises(AudioFileError, match=r"take\.wav"):
        render(patch, {}, {"in": source})
    patch.node("rec").settings["path"] = "../elsewhere.wav"
    with pytest.raises(PatchError, match="own folder"):
        render(patch, {}, {"in": source})
    assert not (tmp_path.parent / "elsewhere.wav").exists()


CHILD = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {root!r})
    from graph.document import Patch
    from host import render

    patch = Patch(sample_rate=48000)
    patch.add("osc", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("osc.out", "out.in")
    said = False

    def progress(done, total):
        global said
        if done and not said:
            said = True
            print("running", flush=True)

    {body}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_render_leaves_no_file_under_the_final_name(tmp_path, how):
    root = str(Path(__file__).parents[2])
    body = "render(patch, {'out': 'out.wav'}, seconds=36000, progress=progress)"
    code = textwrap.dedent(CHILD).format(root=root, body=body)
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout.readline().strip() == b"running"
    child.send_signal(how)
    child.wait(timeout=30)
    assert not (tmp_path / "out.wav").exists()
    if how == signal.SIGINT:
        assert not list(tmp_path.iterdir()), "and nothing else either"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the resource module")
def test_memory_does_not_grow_with_length(tmp_path):
    root = str(Path(__file__).parents[2])
    body = textwrap.dedent(
        """
        import resource
        peaks = []
        for seconds in (20, 400):
            render(patch, {'out': 'out.wav'}, seconds=seconds)
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        print(peaks[1] - peaks[0])
        """
    )
    code = textwrap.dedent(CHILD).format(root=root, body=body)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000, "kilobytes"


def test_values_reach_into_groups(tmp_path):
    source = write(tmp_path / "in.wav", np.ones((640, 2), np.float32))
    inner = {"nodes": {"g": {"kind": "gain"}}, "cables": []}
    settings = {"patch": inner, "ports": {"in": "g.in", "out": "g.out"}, "params": {"lvl": "g.level_db"}}
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("box", "group", settings=settings)
    patch.add("out", "audio_out")
    patch.connect("in.out", "box.in")
    patch.connect("box.out", "out.in")
    patch.snapshot("quiet", {"box/g": {"level_db": -20}})

    def heard(**options) -> float:
        render(patch, {"out": tmp_path / "out.wav"}, {"in": source}, **options)
        return float(read(tmp_path / "out.wav")[0, 0])

    assert heard(snapshot="quiet") == pytest.approx(0.1)
    assert heard(settings={("box/g", "level_db"): -40.0}) == pytest.approx(0.01)
    assert heard(settings={("box", "lvl"): -60.0}) == pytest.approx(0.001)
    assert heard(settings={("box", "mute"): 1}) == 0.0
    assert heard(settings={("box", "lvl"): -60.0, ("box/g", "bypass"): 1}) == 1.0
    with pytest.raises(PatchError, match="no node 'box/x'"):
        heard(settings={("box/x", "level_db"): 0.0})
    with pytest.raises(PatchError, match=r"box/g.*-96 to 24"):
        heard(settings={("box/g", "level_db"): 300.0})

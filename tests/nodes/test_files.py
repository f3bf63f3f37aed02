"""File player and recorder: where a file lies on the timeline, its fades, and what goes to disk."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from host.offline import run_arrays
from host.rendering import render
from nodes import kinds

RATE = 48000
RNG = np.random.default_rng(11)


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return RNG.uniform(-1, 1, (frames, channels)).astype(np.float32)


def heard(play, data: np.ndarray, frames: int, params: dict | None = None, automation=None, **settings) -> np.ndarray:
    return play(
        "file_player",
        params=params,
        settings={"path": "a.wav", **settings},
        frames=frames,
        files={"a.wav": (data, RATE)},
        automation=automation,
    )["out"]


@pytest.mark.parametrize("channels", [1, 2, 6, 12])
def test_a_file_is_heard_bit_by_bit_in_its_own_layout(play, channels):
    data = noise(20_000, channels)
    got = heard(play, data, 25_000)
    assert np.array_equal(got[:20_000], data)
    assert not got[20_000:].any()


@pytest.mark.parametrize(("start", "offset"), [(0.0, 0.01), (0.1, 0.0), (0.0123, 0.2), (0.05, 1.0)])
def test_it_starts_where_the_timeline_says_at_the_place_in_the_file(play, start, offset):
    data = noise(12_000)
    got = heard(play, data, 30_000, start_s=start, offset_s=offset)
    wanted = np.zeros((30_000, 2), np.float32)
    rest = data[round(offset * RATE) :]
    first = round(start * RATE)
    wanted[first : first + len(rest)] = rest
    assert np.array_equal(got, wanted)


def test_a_loop_has_no_seam_and_does_not_fade_out(play):
    data = noise(777)
    got = heard(play, data, 10_000, loop=True, start_s=0.01, fade_out_s=1.0)
    at = np.arange(10_000) - 480
    wanted = np.where(at[:, None] >= 0, data[at % 777], 0)
    assert np.array_equal(got, wanted)


@pytest.mark.parametrize(("fade_in", "fade_out"), [(0.1, 0.0), (0.0, 0.05), (0.02, 0.03), (0.2, 0.2)])
def test_fades_are_raised_cosines_to_the_frame(play, fade_in, fade_out):
    data = np.ones((12_000, 2), np.float32)
    got = heard(play, data, 15_000, fade_in_s=fade_in, fade_out_s=fade_out, start_s=0.02, offset_s=0.01)
    first, end = 960, 960 + 12_000 - 480
    n = np.arange(15_000)

    def rise(u):
        return np.sin(np.clip(u, 0, 1) * np.pi / 2) ** 2

    wanted = np.where((n >= first) & (n < end), 1.0, 0.0)
    if fade_in:
        wanted *= rise((n - first) / (fade_in * RATE))
    if fade_out:
        wanted *= rise((end - n) / (fade_out * RATE))
    assert np.max(np.abs(got - wanted[:, None])) < 1.2e-7


def test_a_fade_out_and_a_fade_in_add_up_to_one(play):
    data = np.ones((4800, 1), np.float32)
    out = heard(play, data, 9600, fade_out_s=0.05)
    into = heard(play, data, 9600, fade_in_s=0.05, start_s=0.05)
    assert (out + into)[:7200, 0] == pytest.approx(np.ones(7200), abs=2e-7)


def test_the_level(play):
    data = noise(5000)
    assert np.max(np.abs(heard(play, data, 5000, {"level_db": -7}) - data * 10 ** (-7 / 20))) < 1.2e-7
    assert not heard(play, data, 5000, {"level_db": -96}).any()
    line = {"level_db": [(0, -50, "linear"), (0.05, 0, "hold")]}
    level = np.interp(np.arange(5000), [0, 2400], [-50, 0])
    assert np.max(np.abs(heard(play, data, 5000, automation=line) - data * 10 ** (level / 20)[:, None])) < 4e-7


def test_play_gates_at_once_where_it_stands_and_over_five_milliseconds_where_it_moves(play):
    data = np.ones((20_000, 1), np.float32)
    assert not heard(play, data, 20_000, {"play": 0}).any()
    line = {"play": [(0, 1, "hold"), (5000 / RATE, 0, "hold"), (10_001 / RATE, 1, "hold"), (10_100 / RATE, 0, "hold")]}
    got = heard(play, data, 20_000, automation=line)[:, 0]
    gate, open_ = np.ones(20_000), 1.0
    for n in range(20_000):
        target = 1.0 if n < 5000 or 10_001 <= n < 10_100 else 0.0
        open_ = min(max(target, open_ - 1 / 240), open_ + 1 / 240)
        gate[n] = open_
    assert np.max(np.abs(got - gate)) < 1e-6
    assert (got[5000 + 240 : 10_001] == 0).all()


def test_the_file_goes_on_while_it_is_not_heard(play):
    data = noise(20_000)
    got = heard(play, data, 20_000, automation={"play": [(0, 0, "hold"), (0.1, 1, "hold")]})
    assert not got[:4800].any()
    assert np.array_equal(got[4800 + 240 :], data[4800 + 240 :])


@pytest.mark.parametrize("block", [64, 448, 16384])
def test_the_block_does_not_matter(play, block):
    options = {
        "settings": {"path": "a.wav", "fade_in_s": 0.03, "fade_out_s": 0.1, "start_s": 0.013},
        "files": {"a.wav": (np.cos(np.arange(18_000))[:, None], RATE)},
        "automation": {"play": [(0, 1, "hold"), (0.1, 0, "hold"), (0.15, 1, "hold")]},
        "frames": 20_000,
    }
    assert np.array_equal(play("file_player", block=block, **options)["out"], play("file_player", **options)["out"])


def test_without_a_path_there_is_silence_in_stereo(play):
    got = play("file_player", frames=500)["out"]
    assert got.shape == (500, 2)
    assert not got.any()


def test_a_missing_file_and_one_with_strange_channels_are_refused(play):
    with pytest.raises(PatchError, match=r"nodes\.node\.settings\.path: there is no file 'b\.wav'"):
        play("file_player", settings={"path": "b.wav"}, frames=64)

    class Strange:
        def audio_info(self, path):
            return type("Info", (), {"rate": RATE, "frames": 10, "labels": ("L", "R", "Cs")})()

    patch = Patch()
    patch.add("p", "file_player", settings={"path": "x.wav"})
    with pytest.raises(PatchError, match=r"nodes\.p\.settings\.path: x\.wav: .*L R Cs"):
        compile(patch, kinds(), Strange())


@pytest.mark.parametrize(
    ("setting", "value"), [("start_s", -1), ("offset_s", "soon"), ("fade_in_s", float("nan")), ("path", 3), ("loop", 2)]
)
def test_settings_are_checked(setting, value):
    declared = next(s for s in kinds()["file_player"].settings_declared() if s.name == setting)
    with pytest.raises(PatchError, match="expected"):
        declared.check(value)


def test_what_is_no_number_ends_at_the_player(play):
    data = noise(1000)
    data[10, 0], data[20, 1] = np.nan, np.inf
    got = heard(play, data, 1000)
    assert np.array_equal(got, np.nan_to_num(data, nan=0.0, posinf=0.0))


# -- with real files ---------------------------------------------------------------------------------------------------


def test_a_real_file_at_another_rate_fades_out_at_its_end(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full((22_050, 2), 0.5), 44_100, subtype="FLOAT")
    patch = Patch(sample_rate=RATE)
    patch.folder = tmp_path
    patch.add("p", "file_player", settings={"path": "a.wav", "start_s": 0.25, "fade_out_s": 0.1})
    patch.add("out", "audio_out")
    patch.connect("p.out", "out.in")
    render(patch, {"out": tmp_path / "out.wav"}, seconds=1.0)
    got, _ = soundfile.read(tmp_path / "out.wav")
    n = np.arange(RATE)
    end = 12_000 + 24_000
    fade = np.sin(np.clip((end - n) / 4800, 0, 1) * np.pi / 2) ** 2
    inside = (n > 12_000 + 500) & (n < end - 500)
    assert np.max(np.abs(got[:, 0] - 0.5 * fade)[inside]) < 1e-4
    assert not got[end:].any()
    assert not got[:11_000].any()


@pytest.mark.parametrize(
    ("name", "subtype", "kept", "within"),
    [
        ("a.wav", "auto", "FLOAT", 0.0),
        ("sub/b.flac", "auto", "PCM_24", 2.0**-23),
        ("c.wav", "PCM_16", "PCM_16", 2.0**-15),
        ("d.aiff", "PCM_24", "PCM_24", 2.0**-23),
    ],
)
def test_a_recorder_writes_what_it_hears(tmp_path, name, subtype, kept, within):
    (tmp_path / "sub").mkdir()
    data = 0.9 * noise(10_000, 6)
    soundfile.write(tmp_path / "in.wav", data, RATE, subtype="FLOAT")
    patch = Patch(sample_rate=RATE)
    patch.folder = tmp_path
    patch.add("in", "audio_in", settings={"layout": "5.1"})
    patch.add("late", "latency", settings={"frames": 100})
    patch.add("rec", "file_recorder", settings={"path": name, "subtype": subtype})
    patch.connect("in.out", "late.in")
    patch.connect("late.out", "rec.in")
    render(patch, {}, {"in": tmp_path / "in.wav"}, tail=0.0)
    got, rate = soundfile.read(tmp_path / name, dtype="float32")
    assert rate == RATE
    assert soundfile.info(tmp_path / name).subtype.replace("PCM_S", "PCM_") == kept
    assert got.shape == data.shape
    assert np.max(np.abs(got - data)) <= within


def test_a_recorder_without_a_path_writes_nothing_and_hears_all():
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in")
    patch.add("rec", "file_recorder")
    patch.connect("in.out", "rec.in")
    schedule = compile(patch, kinds(), None)
    node = schedule.node("rec")
    assert node.kind.file(node.config) is None
    data = noise(40_000)
    found, _ = run_arrays(schedule, None, len(data), {"in": data}, block=448)
    assert np.array_equal(found["rec"], data)

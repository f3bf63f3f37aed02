"""What nodes of one's own sound like: as the same file among the built-in kinds would, and as others compute it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile

from graph import Patch
from graph.errors import PatchError
from host import render
from host.contract import CHECKS, Subject, found_by
from host.rendering import RenderError
from host.usernodes.loading import loaded
from host.usernodes.source import read
from host.usernodes.template import template
from nodes.user import own

from .conftest import GAIN

BIQUAD = '''
import math

from graph.spec import LANES, AudioIn, AudioOut, Node, Param, State, kernel


class Low(Node):
    """A low-pass of the second order."""

    kind = "low"

    signal = AudioIn("in")
    out = AudioOut("out")
    freq = Param("freq_hz", 1000.0, low=10.0, high=20000.0, unit="Hz", curve="log", rate="tick")
    past = State((4, LANES))

    @kernel
    def process(signal, out, freq, past, rate, n):
        w = 2.0 * math.pi * freq[0, 0] / rate
        alpha = math.sin(w) / (2.0 * 0.7071)
        c, a0 = math.cos(w), 1.0 + alpha
        for i in range(n):
            for lane in range(out.lanes):
                x = signal[i, lane] * 1.0
                y = (1.0 - c) / 2.0 * (x + 2.0 * past[0, lane] + past[1, lane])
                y = (y + 2.0 * c * past[2, lane] - (1.0 - alpha) * past[3, lane]) / a0
                past[1, lane], past[0, lane] = past[0, lane], x
                past[3, lane], past[2, lane] = past[2, lane], y
                out[i, lane] = y
'''

LATE = '''
import numpy as np

from graph.spec import AudioIn, AudioOut, Memory, Node, Setting, kernel


class Late(Node):
    """Give everything later, and say so."""

    kind = "late"
    signal = AudioIn("in")
    out = AudioOut("out")
    frames = Setting("frames", 100, "integer", low=1, high=1000)
    line = Memory(2)

    @classmethod
    def latency(cls, config):
        return config.settings["frames"]

    @classmethod
    def prepare(cls, config, services):
        return {"line": np.zeros((config.settings["frames"], config.channels("in")), np.float32)}

    @kernel
    def process(signal, out, line, time, n):
        for i in range(n):
            at = (time + i) % line.shape[0]
            for lane in range(out.lanes):
                out[i, lane] = line[at, lane]
                line[at, lane] = signal[i, lane]
'''


def heard(patch: Patch, folder: Path, seconds: float = 0.5, out: str = "out", **rest) -> np.ndarray:
    render(patch, {out: folder / "heard.wav"}, seconds=seconds, **rest)
    return soundfile.read(folder / "heard.wav", dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_a_gain_of_ones_own_has_the_bits_of_the_built_in_one(written, tmp_path, layout):
    written(GAIN)
    rng = np.random.default_rng(1)
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    soundfile.write(tmp_path / "in.wav", rng.uniform(-1, 1, (20000, channels)), 48000, subtype="FLOAT")
    results = []
    for kind, settings in (("user", {"path": "mine.py"}), ("gain", {})):
        patch = Patch("One", sample_rate=48000)
        patch.folder = tmp_path
        patch.add("in", "audio_in", settings={"layout": layout})
        patch.add("own", kind, settings=settings, level_db=-7.3)
        patch.add("out", "audio_out", settings={"layout": layout})
        patch.connect("in.out", "own.in")
        patch.connect("own.out", "out.in")
        patch.automate("own", "level_db", [(0.0, -7.3, "hold"), (0.1, -7.3, "linear"), (0.3, 3.0, "hold")])
        inputs = {"in": tmp_path / "in.wav"}
        results.append(heard(patch, tmp_path, 0.4, inputs=inputs))
        assert np.array_equal(results[-1], heard(patch, tmp_path, 0.4, inputs=inputs, block=64, threads=2))
    assert np.abs(results[0]).max() > 0.5
    assert np.array_equal(*results)


def test_a_filter_of_ones_own_is_what_scipy_computes(written, patch, tmp_path):
    written(BIQUAD)
    patch.set("own", freq_hz=700)
    found = heard(patch, tmp_path)[:, 0]
    patch.remove("own")
    patch.connect("noise.out", "out.in")
    signal = heard(patch, tmp_path)[:, 0].astype(float)
    w = 2 * np.pi * 700 / 48000
    alpha, c = np.sin(w) / (2 * 0.7071), np.cos(w)
    expected = scipy.signal.lfilter([(1 - c) / 2, 1 - c, (1 - c) / 2], [1 + alpha, -2 * c, 1 - alpha], signal)
    assert np.abs(found).max() > 0.01
    assert np.abs(found - expected).max() < 1e-7


def test_its_latency_is_compensated_and_its_settings_are_its_own(written, patch, tmp_path):
    written(LATE)
    patch.node("own").settings["frames"] = 333
    patch.add("minus", "gain", invert=1)
    patch.connect("noise.out", "minus.in")
    patch.connect("minus.out", "out.in")
    assert not heard(patch, tmp_path).any()
    patch.node("own").settings["frames"] = 5000
    with pytest.raises(PatchError, match="from 1 to 1000, found 5000"):
        heard(patch, tmp_path)


def test_what_is_no_number_becomes_silence_and_is_counted(written, patch, tmp_path):
    written(GAIN.replace("signal[i, lane] * level[i, lane]", "level[i, lane] / (i % 64 - 3)"))
    report = render(patch, {"out": tmp_path / "heard.wav"}, seconds=0.5)
    found = soundfile.read(tmp_path / "heard.wav", dtype="float32")[0]
    expected = np.array([1.0 / k if k else 0.0 for k in range(-3, 61)], np.float32)
    assert np.array_equal(found, np.tile(expected, len(found) // 64 + 1)[: len(found)])
    assert report.scrubbed == pytest.approx(24000 / 64, abs=40)  # the end of the last block is not written
    assert any(note.startswith("own: ") and "NaN or infinite" in note for note in report.notes)


def test_it_is_bypassed_and_muted_as_any_node(written, patch, tmp_path):
    written(GAIN)
    patch.set("own", level_db=-20)
    loud = np.abs(heard(patch, tmp_path)).max()
    patch.node("own").bypass = True
    assert np.abs(heard(patch, tmp_path)).max() == pytest.approx(10 * loud, rel=1e-6)
    patch.node("own").mute = True
    assert not heard(patch, tmp_path).any()


def test_inside_a_group_and_a_feedback_loop_it_plays_too(written, patch, tmp_path):
    written(GAIN)
    patch.add("sum", "bus")
    patch.set("own", level_db=-6.0206)
    patch.disconnect("noise.out", "own.in")
    patch.connect("noise.out", "sum.in")
    patch.connect("sum.out", "own.in")
    patch.connect("own.out", "sum.in", feedback=True)
    found = heard(patch, tmp_path)[:, 0]
    patch.remove("own")
    patch.connect("noise.out", "out.in")
    noise = heard(patch, tmp_path)[:, 0]
    expected = 0.5 * noise[64:128] + 0.25 * noise[:64]
    assert np.abs(found[64:128] - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("was", "put", "said"),
    [
        ("signal[i, lane] * level[i, lane]", "signal[i, lane] * levle[i, lane]", r"mine\.py:20: .*levle"),
        ("signal[i, lane] * level[i, lane]", "out[i, lane]", r"mine\.py:20: out cannot be read"),
        ("signal[i, lane] * level[i, lane]", "signal[i]", r"mine\.py:20: expected signal\[frame, lane\]"),
        ("out[i, lane] = ", "signal[i, lane] = ", r"mine\.py:20: signal cannot be written"),
        ("signal[i, lane] * level[i, lane]", "[signal[i, lane]][n]", "can raise an exception.*Memory"),
        ("level, n):", "level, wet, n):", r"mine\.py:16: process asks for wet"),
        ("    @kernel\n", "", "has no kernel"),
        ("    @kernel\n", "    file = None\n\n    @kernel\n", "has a hook `file`"),
        ("    @kernel\n", "    out2 = Stream('in')\n\n    @kernel\n", "Stream, which is for built-in kinds only"),
        ("    @kernel\n", "    tail = 0.5\n\n    @kernel\n", "tail is no class method"),
        ("    @kernel\n", "    path = Setting('path', '', 'text')\n\n    @kernel\n", "a setting 'path'"),
        ("    @kernel\n", "    in2 = AudioIn('level_db')\n\n    @kernel\n", "two of the name 'level_db'"),
        ("    @kernel\n", "    in2 = AudioIn('a.b')\n\n    @kernel\n", "found 'a.b'"),
    ],
)
def test_a_kernel_that_does_not_compile_is_one_sentence(written, patch, tmp_path, was, put, said):
    assert was in GAIN
    written(GAIN.replace(was, put).replace("import ", "import Setting, Stream, "))
    with pytest.raises((PatchError, RenderError), match=said) as caught:
        heard(patch, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("def latency(cls, config):\n        return 1 // 0", r"nodes\.own: latency: .*mine\.py:10: ZeroDivisionError"),
        ("def latency(cls, config):\n        return -5", "latency: expected whole frames"),
        ("def shape_key(cls, config):\n        return config.nothing", r"nodes\.own: shape_key: .*AttributeError"),
        ("def prepare(cls, config, services):\n        return {}", "prepare: expected an array of 2 dimensions"),
        (
            "def prepare(cls, config, services):\n        return {'line': np.zeros((1 << 16, 1 << 16), np.float32)}",
            "prepare: expected at most 1024 MiB",
        ),
        ("def check(cls, config):\n        raise KeyError('x')", r"check: .*mine\.py:10: KeyError"),
        ("def output_layouts(cls, config):\n        return config.nothing", r"output_layouts: .*AttributeError"),
    ],
)
def test_a_hook_that_goes_wrong_is_one_sentence(written, patch, tmp_path, hook, said):
    text = GAIN.replace('    kind = "my_gain"', f"    @classmethod\n    {hook}\n\n    kind = 'my_gain'")
    if "prepare" in hook or "shape_key" in hook:
        text = text.replace("    signal = ", "    line = Memory(2)\n    signal = ").replace(
            " level, n)", " level, line, n)"
        )
    text = text.replace("from graph.spec import", "import numpy as np\nfrom graph.spec import Memory,").lstrip("\n")
    written(text)
    with pytest.raises(PatchError, match=said):
        heard(patch, tmp_path)


@pytest.mark.parametrize("text", [GAIN, template("soften")], ids=["gain", "template"])
def test_what_is_made_of_a_file_keeps_the_contract_as_the_file_does(written, text):
    subject = Subject(own(loaded(read(written(text)))))
    assert [line for check in CHECKS for line in found_by(subject, check)] == []

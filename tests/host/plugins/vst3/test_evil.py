"""The evil siblings of the test plugin: what our host makes of them, and that they do what workers are tested with.

Those that would take their process with them run in a child.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from host.plugins.choose import choose
from host.plugins.description import Arrangement, description_from, plain
from host.plugins.errors import PluginError
from host.plugins.instance import Change
from host.plugins.vst3.objects import Local
from host.plugins.vst3.plugin import Vst3Plugin

from ..c.build import USABLE, WHY_NOT, build, uid

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
ROOT = Path(__file__).resolve().parents[4]
GAIN, EVIL = 100, 666
N = 256
MAIN = Arrangement(("stereo", ""), ("stereo", ""))


def noise() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((2, N)).astype(np.float32)


def opened(**macros: object) -> Vst3Plugin:
    plugin = Vst3Plugin(build(**macros))
    plugin.prepare(48000, N, MAIN)
    return plugin


def run(plugin: Vst3Plugin, source: np.ndarray, evil: bool = False) -> np.ndarray:
    out = np.full((2, N), 99, np.float32)
    plugin.process([source], [out], changes=[Change(EVIL, 0, float(evil))])
    return out


def test_what_is_no_number_becomes_silence_and_is_counted() -> None:
    plugin = opened(NO_NUMBERS=True)
    source = noise()
    assert (run(plugin, source) == source).all()
    assert plugin.notices() == []
    assert not run(plugin, source, evil=True).any()
    (notice,) = plugin.notices()
    assert notice.kind == "trouble"
    assert notice.text.startswith(f"{2 * N * 3 // 4} samples")
    assert (run(plugin, source) == source).all()


@pytest.mark.parametrize("channels", [-3, 65, 1 << 30])
def test_channel_counts_that_cannot_be_are_refused(channels) -> None:
    with pytest.raises(PluginError, match=f"{channels} channels"):
        Vst3Plugin(build(MANY_CHANNELS=channels))


def test_channels_that_do_not_fit_the_speakers_have_no_layout() -> None:
    plugin = Vst3Plugin(build(MANY_CHANNELS=7))
    assert [bus.layout for bus in (*plugin.description.inputs, *plugin.description.outputs)] == [""] * 4
    with pytest.raises(PluginError, match="does not take the layouts stereo, off to stereo, off"):
        plugin.prepare(48000, N, MAIN)
    with pytest.raises(PluginError, match="none of its outputs has a layout"):
        choose(build(MANY_CHANNELS=7), uid(), order=["native"])


def test_writes_to_channels_that_it_does_not_have_hurt_nobody() -> None:
    """It writes to eight more pointers than its bus has channels."""
    plugin = opened(MANY_CHANNELS=2)
    source = noise()
    assert (run(plugin, source) == source).all()


def test_a_layout_that_it_only_says_it_takes_is_refused() -> None:
    plugin = Vst3Plugin(build(MONO_AFTER_ALL=True))
    with pytest.raises(PluginError, match="does not take the layouts"):
        plugin.prepare(48000, N, MAIN)


@pytest.mark.parametrize("count", [-1, 1 << 30])
def test_absurd_counts_are_refused(count) -> None:
    with pytest.raises(PluginError, match=f"it speaks of {count} audio buses"):
        Vst3Plugin(build(LIES=count))


@pytest.mark.parametrize(
    ("macros", "says"),
    [
        ({"MANY_CLASSES": -1}, "speaks of -1 classes"),
        ({"MANY_CLASSES": 1 << 30}, "speaks of 1073741824 classes"),
        ({"MANY_CLASSES": 0}, "no audio plugin in it"),
        ({"NO_ENTRY": True}, "ModuleEntry said no"),
        ({"NO_FACTORY": True}, "GetPluginFactory gave nothing"),
        ({"UNWILLING": True}, "setActive gave 1"),
        ({"ABSURD_LATENCY": 1 << 30}, "reports 1073741824 frames of latency"),
    ],
)
def test_answers_that_make_no_sense_are_refused(macros, says) -> None:
    with pytest.raises(PluginError, match=says):
        opened(**macros)


def test_texts_without_an_end_and_numbers_that_are_none_are_put_right() -> None:
    plugin = Vst3Plugin(build(RAGGED=True))
    found = plugin.description
    assert found.name == "n" * 64
    assert [param.id for param in found.params] == [100, 7, 300, 666]
    assert {(param.steps, param.default, param.low) for param in found.params} == {(0, 0.0, "y" * 128)}
    assert all(0 < len(param.name) <= 128 for param in found.params)
    assert description_from(plain(found)) == found
    for text in (found.inputs[0].name, found.params[0].name):
        assert text.encode().decode() == text
    assert plugin.get(GAIN) == 0.0


def test_a_block_that_failed_is_told_and_what_was_written_kept() -> None:
    plugin = opened(FAILS=True)
    source = noise()
    assert (run(plugin, source) == source).all()
    assert [n.text for n in plugin.notices()] == ["it said of 1 blocks that it failed"]


def test_a_state_that_is_not_taken_is_said() -> None:
    plugin, good = opened(NO_STATE=1), opened()
    with pytest.raises(PluginError, match="did not take the state over; and what it has now is unknown"):
        plugin.set_state(good.state())
    assert plugin.state()


def test_a_state_that_is_not_given_is_said() -> None:
    with pytest.raises(PluginError, match="gave no state"):
        opened(NO_STATE=2).state()
    opened(NO_STATE=2).set_state(opened().state())


def test_a_state_without_end_is_stopped() -> None:
    with pytest.raises(PluginError, match="gave no state"):
        opened(NO_STATE=3).state()


def test_what_fails_to_load_leaves_nothing_behind() -> None:
    before = len(Local.alive)
    for _ in range(10):
        with pytest.raises(PluginError):
            Vst3Plugin(build(LIES=-1))
    assert len(Local.alive) <= before + 1  # the host itself


BEGIN = """
import sys, threading
from pathlib import Path
import numpy as np
from host.plugins.description import Arrangement
from host.plugins.instance import Change
from host.plugins.vst3.plugin import Vst3Plugin

def play(evil):
    plugin = Vst3Plugin(Path(sys.argv[1]))
    plugin.prepare(48000, 64, Arrangement(("stereo", ""), ("stereo", "")))
    block, out = np.ones((2, 64), np.float32), np.zeros((2, 64), np.float32)
    plugin.process([block], [out])
    print("played", out.sum(), flush=True)
    plugin.process([block], [out], changes=[Change(666, 0, evil)])
    print("survived", flush=True)
"""


def child(program: str, bundle: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}", str(bundle)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )


def test_a_crash_in_a_block_comes_when_it_is_asked_for() -> None:
    with child(BEGIN + "play(1.0)", build(CRASHES=True)) as process:
        said, _ = process.communicate(timeout=120)
    assert said.split() == ["played", "128.0"]
    assert process.returncode == -signal.SIGSEGV


def test_a_crash_in_the_factory() -> None:
    with child(BEGIN + "play(0.0)", build(FACTORY_CRASHES=True)) as process:
        said, _ = process.communicate(timeout=120)
    assert said == ""
    assert process.returncode == -signal.SIGSEGV


ANSWERING = """
threading.Thread(target=play, args=(1.0,), daemon=True).start()
for line in sys.stdin:
    print(line.strip(), flush=True)
"""


@pytest.mark.parametrize(("macros", "first"), [({"HANGS": True}, "played 128.0"), ({"SLEEPS": 3600}, "")])
def test_a_hang_does_not_hold_the_interpreter(macros, first) -> None:
    """While the plugin is in its call, which never ends, the child's main thread goes on answering."""
    with child(BEGIN + ANSWERING, build(**macros)) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        if first:
            assert process.stdout.readline().strip() == first
        for k in range(200):
            process.stdin.write(f"{k}\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == str(k)
        process.kill()
        assert "survived" not in process.stdout.read()


def test_a_memory_hog_takes_what_it_is_told_to() -> None:
    sized = "(int(Path('/proc/self/statm').read_text().split()[1]) * 4096 >> 20)"
    program = f"{BEGIN}play(0.0)\nbefore = {sized}\nplay(1.0)\nprint({sized} - before)\n"
    with child(program, build(HOG=300)) as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert 280 <= int(said.split()[-1]) <= 400

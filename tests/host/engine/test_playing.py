"""The engine with its real player, on the null device: what is heard, killed, edited, recorded."""

from __future__ import annotations

import math
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph import Patch
from graph.errors import PatchError
from host import Engine, render
from host.devices.stored import ChannelMap, Stored, keep
from host.devices.system import try_memory, try_thread
from host.engine.parts import RealParts
from host.engine.player import LivePlayer
from host.messages import OpenDevice

from .conftest import running, until


@pytest.fixture
def metered(patch):
    """The patch with a meter behind the level."""
    patch.add("meter", "meter")
    patch.disconnect("level.out", "out.in")
    patch.connect("level.out", "meter.in")
    patch.connect("meter.out", "out.in")
    return patch


def peak(engine: Engine, node: str = "meter") -> float:
    """The level of a node in dBFS, −∞ until there is one."""
    found = engine.readings().get(node, {}).get("peak", [0.0])[0]
    return 20 * math.log10(found) if found > 0 else -math.inf


def test_what_is_heard_is_what_the_patch_says(metered):
    with Engine(metered, device="null") as engine:
        until(lambda: peak(engine) == pytest.approx(-18.0, abs=0.1))  # −12 of the oscillator, −6 of the level
        until(lambda: peak(engine, "out") == pytest.approx(-18.0, abs=0.1))
        engine.set("level", "level_db", -20)
        until(lambda: peak(engine, "out") == pytest.approx(-32.0, abs=0.1))
        metered.add("more", "gain", level_db=-10)
        metered.set("level", level_db=-20)
        metered.disconnect("meter.out", "out.in")
        metered.connect("meter.out", "more.in")
        metered.connect("more.out", "out.in")
        engine.load(metered)
        until(lambda: peak(engine, "out") == pytest.approx(-42.0, abs=0.1))
        assert engine.status.device is not None
        until(lambda: engine.costs().get("tone", (0, 0))[0] > 0)


def test_killed_while_it_plays_it_is_heard_again(metered):
    with Engine(metered, device="null") as engine:
        engine.set("level", "level_db", -20)
        engine.locate(100.0)
        engine.play()
        until(lambda: engine.status.place_s > 100.0)
        until(lambda: peak(engine, "out") == pytest.approx(-32.0, abs=0.1))
        first = engine.status.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: engine.status.alive and engine.status.pid != first)
        until(lambda: peak(engine, "out") == pytest.approx(-32.0, abs=0.1))
        until(lambda: 100.0 < engine.status.place_s < 200.0)
        assert engine.status.rolling
        assert not running(first)


def test_the_transport_rolls_jumps_and_goes_round(metered):
    with Engine(metered, device="null") as engine:
        assert engine.status.place_s == 0.0
        engine.locate(30.0)
        until(lambda: engine.status.place_s == pytest.approx(30.0, abs=0.01))
        engine.play()
        until(lambda: engine.status.place_s > 30.1)
        engine.loop(10.0, 10.25)
        engine.locate(10.0)
        until(lambda: 10.0 <= engine.status.place_s < 10.3)
        clock = engine.status.numbers["clock"]
        until(lambda: engine.status.numbers["clock"] > clock + 48000)
        assert 10.0 <= engine.status.place_s < 10.3
        engine.stop()
        engine.sync()
        until(lambda: engine.status.numbers["rolling"] == 0)


def test_a_take_and_the_replay_hold_what_a_render_gives(metered, tmp_path):
    metered.remove("tone")
    metered.add("tone", "noise", level_db=-20)
    metered.connect("tone.out", "level.in")
    metered.add("take", "file_recorder", {"path": "take.wav"})
    metered.connect("meter.out", "take.in")
    metered.folder = tmp_path
    with Engine(metered, device="null") as engine:
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        engine.record()
        until(lambda: engine.status.device and engine.status.device.recording)
        clock = engine.status.numbers["clock"]
        until(lambda: engine.status.numbers["clock"] > clock + 24000)
        engine.record(False)
        engine.sync()
        until(lambda: engine.status.device and not engine.status.device.recording)
        engine.save_replay(tmp_path / "replay.wav", 0.25)
        until(lambda: any("replay.wav" in notice.text for notice in engine.notices))
        end = engine.status.numbers["clock"] / 48000
    metered.remove("take")
    render(metered, {"out": tmp_path / "offline.wav"}, seconds=end + 1)
    offline = samples(tmp_path / "offline.wav")
    take, replay = samples(tmp_path / "take.wav"), samples(tmp_path / "replay.wav")
    assert len(take) > 20000
    assert len(replay) == 12000
    for heard in (take, replay):
        starts = np.flatnonzero(offline[: len(offline) - len(heard)] == heard[0])
        assert any(np.array_equal(offline[at : at + len(heard)], heard) for at in starts)


def test_recording_goes_on_with_another_rate_and_with_another_engine(metered, tmp_path):
    metered.add("take", "file_recorder", {"path": "take.wav"})
    metered.connect("meter.out", "take.in")
    metered.folder = tmp_path
    with Engine(metered, device="null") as engine:

        def recording(name: str) -> bool:
            status = engine.status.device
            return status is not None and status.recording == (str(tmp_path / name),)

        engine.record()
        until(lambda: recording("take.wav"))
        metered.sample_rate = 44100
        engine.load(metered)
        until(lambda: recording("take-2.wav"))
        until(lambda: engine.status.numbers["clock"] > 44100)  # a take is readable from its first second on
        os.kill(engine.status.pid, signal.SIGKILL)
        until(lambda: recording("take-3.wav"))
        engine.record(False)
        engine.sync()
        until(lambda: engine.status.device and not engine.status.device.recording)
    assert [soundfile.info(tmp_path / name).samplerate for name in ("take.wav", "take-2.wav", "take-3.wav")] == [
        48000,
        44100,
        44100,
    ]


def samples(path: Path) -> np.ndarray:
    """The first channel of a file."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0]


def test_a_patch_that_cannot_be_played_leaves_the_one_before(metered):
    with Engine(metered, device="null") as engine:
        until(lambda: peak(engine, "out") > -20)
        wrong = metered.copy()
        wrong.connect("level.out", "level.in")
        with pytest.raises(PatchError, match="level"):
            engine.load(wrong)
        clock = engine.status.numbers["clock"]
        until(lambda: engine.status.numbers["clock"] > clock + 4800)
        assert peak(engine, "out") > -20
        engine.set("level", "level_db", 99)
        engine.sync()
        assert "24" in engine.notices[-1].text


def test_a_device_that_is_not_there_is_said_and_the_null_device_stands_in(metered):
    with Engine(metered, device="no such device") as engine:
        until(lambda: engine.status.device and engine.status.device.device)
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        if engine.status.device.device == "null":
            assert any("null device" in notice.text for notice in engine.notices)
        engine.open_device("null", rate=44100, block=100)
        until(lambda: engine.status.device.rate == 44100)
        until(lambda: peak(engine, "out") == pytest.approx(-18.0, abs=0.1))


def test_device_channels_are_as_this_machine_has_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    keep(Stored().with_map("null", ChannelMap((), (3, 2))))
    said: list[str] = []
    parts = RealParts()
    player = parts.player(OpenDevice("", "", 0, 0), 48000, said.append)
    try:
        patch = Patch()
        patch.add("tone", "impulse", period_s=0.001)
        patch.add("pan", "pan", pan=-1)
        patch.add("out", "audio_out")
        patch.connect("tone.out", "pan.in")
        patch.connect("pan.out", "out.in")
        player.set_patch(1, patch, tmp_path)
        assert heard_on(player) == {0}
        assert parts.route("null")
        assert not parts.route("null")
        player.reroute()
        assert heard_on(player) == {3}
        assert parts.route("other")
        player.reroute()
        assert heard_on(player) == {0}
        assert said == []
    finally:
        player.close()


def heard_on(player: LivePlayer) -> set[int]:
    """The device channels, of four, that are not silent."""
    for _ in range(4):
        player.step()
    player.renderer.prepare(0, 4, 512)
    block = np.zeros((512, 4), np.float32)
    player.renderer.process(None, block)
    return set(np.flatnonzero(np.abs(block).max(axis=0)).tolist())


def test_an_engine_imports_only_what_it_needs(tmp_path):
    """What it takes to start: none of the command line's packages, no compiler's front end."""
    import subprocess
    import sys

    heavy = ["typer", "rich", "scipy", "pedalboard", "dearpygui", "asyncio", "multiprocessing", "unittest"]
    program = f"import sys; import host.engine.__main__, host.engine.parts; print(*(set({heavy}) & set(sys.modules)))"
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the system's audio service does this")
def test_the_engine_takes_what_the_system_grants(metered):
    with Engine(metered, device="null") as engine:
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        process = Path(f"/proc/{engine.status.pid}")
        locked = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmLck"))
        assert (int(locked.split()[1]) > 0) == try_memory().granted
        policies = {os.sched_getscheduler(int(task.name)) for task in (process / "task").iterdir()}
        assert (os.SCHED_FIFO in policies) == try_thread().granted


def test_trying_to_lock_memory_leaves_it_as_it_was():
    before = Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0]
    outcome = try_memory()
    assert outcome.words
    assert Path("/proc/self/status").read_text().split("VmLck:")[1].split()[0] == before == "0"

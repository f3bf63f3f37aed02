"""The client and an engine process: start, play, death of either, and back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from graph import Patch
from graph.errors import PatchError
from host import Engine
from host.engine.process import EngineError

from .conftest import FAKE, running, until


def test_it_starts_and_plays_and_is_gone_afterwards(patch, runtime):
    with Engine(patch, command=FAKE) as engine:
        pid = engine.status.pid
        assert running(pid)
        engine.play()
        until(lambda: engine.status.numbers.get("place", 0) > 1000)
        until(lambda: engine.status.device and engine.status.device.device == "first")
        assert engine.status.numbers["rate"] == 48000
        engine.stop()
        engine.locate(7.0)
        engine.sync()
        until(lambda: engine.status.place_s == 7.0)
    assert not running(pid)
    assert list(runtime.iterdir()) == []


def test_readings_arrive_and_follow(patch):
    with Engine(patch, command=FAKE) as engine:
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -6)
        engine.set("level", "level_db", -12)
        until(lambda: engine.readings()["level"]["level_db"][0] == -12)
        patch.remove("level")
        engine.load(patch)
        until(lambda: "level" not in engine.readings())
        assert engine.readings()["tone"]["freq_hz"][0] == 100


def test_what_the_engine_refuses_is_said(patch):
    with Engine(patch, command=FAKE) as engine:
        engine.set("nobody", "level_db", 1)
        engine.sync()
        assert "nodes.nobody.params.level_db" in engine.notices[-1].text
        engine.save_replay("x.wav")
        engine.sync()
        assert "already" in engine.notices[-1].text
        with pytest.raises(PatchError, match="no such kind"):
            engine.load(with_node(patch, "wrong"))
        assert engine.load(patch)[0][2] == os.getcwd()


def test_what_was_refused_is_not_saved_and_keeps_nothing_else_from_it(patch, tmp_path):
    with Engine(patch, device="null") as engine:
        engine.set("level", "level_db", 1000)
        engine.set("nowhere", "level_db", 0)
        engine.set("tone", "freq_hz", 200)
        engine.set_points("level", "level_db", [(0, -6)])
        engine.sync()
        assert [n.text for n in engine.notices if n.level == "error"][1].endswith("(and 1 more like it)")
        for points in ([(0, 1000)], [(0, 0, "no such curve")]):
            with pytest.raises(PatchError):
                engine.automate("level", "level_db", points)
        with pytest.raises(PatchError):
            engine.automate("nowhere", "level_db", [(0, 0)])
        engine.automate("level", "level_db", [(0, -6)])
        engine.save(tmp_path / "saved.pwp")
    found = Patch.load(tmp_path / "saved.pwp")
    assert found.node("tone").params["freq_hz"] == 200
    assert found.node("level").params == {"level_db": -6}
    assert [(line.node, line.points) for line in found.automation] == [("level", ((0, -6, "linear"),))]


@pytest.mark.parametrize("leave", [Engine.close, Engine.detach])
def test_an_engine_that_was_left_says_so(patch, leave):
    with Engine(patch, command=FAKE, patience_s=0.1) as engine:
        leave(engine)
        for wrong in (lambda: engine.set("level", "level_db", 0), lambda: engine.load(patch), engine.sync):
            with pytest.raises(EngineError, match="closed"):
                wrong()
        assert not engine.status.alive


def with_node(patch: Patch, kind: str) -> Patch:
    other = patch.copy()
    other.add("x", kind)
    return other


def test_a_fault_of_the_control_thread_is_said_and_is_not_the_end(patch):
    with Engine(patch, command=FAKE) as engine:
        pid = engine.status.pid
        with pytest.raises(PatchError, match="ZeroDivisionError"):
            engine.load(with_node(patch, "fault"))
        assert any("ZeroDivisionError" in notice.text for notice in engine.notices)
        engine.load(patch)
        assert engine.status.pid == pid


def test_killed_while_it_plays_it_is_back_with_everything(patch):
    with Engine(patch, command=FAKE, device="mine", block=128) as engine:
        engine.set("level", "level_db", -20)
        engine.loop(1.0, 9000.0)
        engine.locate(3600.0)
        engine.play()
        engine.record()
        until(lambda: engine.status.place_s > 3600.0)
        until(lambda: engine.status.device and engine.status.device.recording)
        first = engine.status.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: any("has died" in notice.text for notice in engine.notices))
        until(lambda: engine.status.alive and engine.status.pid != first)
        engine.sync()
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -20)
        until(lambda: 3600.0 < engine.status.place_s < 3700.0)
        place = engine.status.place_s
        until(lambda: engine.status.place_s > place)
        until(lambda: engine.status.device and engine.status.device.recording)
        assert engine.status.device.device == "mine"
        assert engine.status.device.block == 128
        assert [n.text for n in engine.notices if n.text.startswith("loop")][-1] == f"loop ({48000}, {9000 * 48000})"
        assert engine.patch.node("level").params["level_db"] == -20
        assert not running(first)


def test_killed_while_the_newest_patch_is_none_it_plays_the_one_before(patch):
    with Engine(patch, command=FAKE) as engine:
        with pytest.raises(PatchError):
            engine.load(with_node(patch, "wrong"))
        first = engine.status.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: engine.status.alive and engine.status.pid != first)
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -6)
        assert "x" in engine.patch.nodes()


def test_it_comes_back_again_and_again_but_not_for_ever(patch):
    with Engine(patch, command=FAKE) as engine:
        with pytest.raises(EngineError, match=r"again and again.*exit status 3"):
            engine.load(with_node(patch, "crash"))
        assert "not started any more" in engine.notices[-1].text
        assert not engine.status.alive
        with pytest.raises(EngineError):
            engine.play()


def test_a_device_that_kills_the_engine_is_left_alone(patch):
    with Engine(patch, command=FAKE, device="deadly") as engine:
        engine.play()
        until(lambda: engine.status.device and engine.status.device.device == "null")
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -6)
        assert any("null device" in notice.text for notice in engine.notices)
        assert engine.status.rolling


def test_an_engine_that_cannot_start_says_why():
    with pytest.raises(EngineError, match="this is why"):
        Engine(command=[sys.executable, "-P", "-c", "raise SystemExit('this is why')"])
    with pytest.raises(EngineError, match="cannot be started"):
        Engine(command=["/nonexistent/engine"])


CLIENT = """
import sys
from graph import Patch
from host import Engine

patch = Patch.load(sys.argv[1])
engine = Engine(patch, command=sys.argv[2:], device="mine")
engine.set("level", "level_db", -30)
engine.locate(100.0)
engine.play()
engine.sync()
print(engine.status.pid, flush=True)
sys.stdin.read()
"""


def started_client(patch, tmp_path, root) -> tuple[subprocess.Popen[str], int]:
    """Another process with an engine of its own, and that engine's process."""
    patch.save(tmp_path / "patch.pwp")
    client = subprocess.Popen(
        [sys.executable, "-P", "-c", CLIENT, str(tmp_path / "patch.pwp"), *FAKE],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    return client, int(client.stdout.readline())


def test_it_plays_on_when_its_client_dies_and_another_finds_it(patch, tmp_path, root):
    client, pid = started_client(patch, tmp_path, root)
    client.kill()
    client.communicate()
    assert running(pid)
    with Engine(attach=True, command=FAKE) as engine:
        assert engine.status.pid == pid
        assert engine.patch.node("level").params["level_db"] == -30
        assert engine.patch.node("tone").params["freq_hz"] == 100
        assert engine.status.rolling
        until(lambda: engine.status.device and engine.status.device.device == "mine")
        until(lambda: 100.0 < engine.status.place_s < 200.0)
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -30)
        engine.load(engine.patch)
    until(lambda: not running(pid))


def test_an_engine_with_a_client_is_nobody_elses(patch, tmp_path, root):
    client, pid = started_client(patch, tmp_path, root)
    with Engine(attach=True, command=FAKE) as engine:
        assert engine.status.pid != pid
    assert running(pid)
    client.kill()
    client.communicate()
    with Engine(attach=True, command=FAKE) as engine:
        assert engine.status.pid == pid


def test_left_alone_it_ends_when_its_patience_does(patch):
    engine = Engine(patch, command=FAKE, patience_s=0.3)
    pid = engine.status.pid
    engine.detach()
    until(lambda: not running(pid))


def test_a_detached_engine_is_taken_over(patch):
    first = Engine(patch, command=FAKE)
    pid = first.status.pid
    first.detach()
    with Engine(attach=True, command=FAKE) as engine:
        assert engine.status.pid == pid
        os.kill(pid, signal.SIGKILL)
        until(lambda: engine.status.alive and engine.status.pid != pid)
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -6)


def test_who_takes_an_engine_over_may_name_another_device(patch):
    first = Engine(patch, device="mine", command=FAKE)
    pid = first.status.pid
    until(lambda: first.status.device and first.status.device.device == "mine")
    first.detach()
    with Engine(attach=True, device="yours", command=FAKE) as engine:
        assert engine.status.pid == pid
        until(lambda: engine.status.device and engine.status.device.device == "yours")
        os.kill(pid, signal.SIGKILL)
        until(lambda: engine.status.alive and engine.status.pid != pid)
        until(lambda: engine.status.device and engine.status.device.device == "yours")


def test_snapshots_morphs_and_automation(patch):
    patch.snapshot("low", {"level": {"level_db": -40}, "tone": {"freq_hz": 100}})
    patch.snapshot("high", {"level": {"level_db": 0}, "tone": {"freq_hz": 400}})
    with Engine(patch, command=FAKE) as engine:
        engine.snapshot("low")
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -40)
        engine.morph("low", "high", 0.5)
        until(lambda: engine.readings()["level"]["level_db"][0] == -20)
        until(lambda: engine.readings()["tone"]["freq_hz"][0] == 200)
        engine.automate("level", "level_db", [(0, 0), (1, -6)])
        assert engine.patch.automation[0].param == "level_db"
        assert engine.patch.node("tone").params["freq_hz"] == 200
        with pytest.raises(PatchError, match="low"):
            engine.snapshot("none such")

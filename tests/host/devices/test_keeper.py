"""A device that goes away is noticed, said, let go of and had back; nothing hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from host.devices import Choice, portaudio
from host.devices.keeper import Keeper

from .conftest import Counting, tool, until


class Watched:
    """A keeper with what it said and when."""

    def __init__(self, choice: Choice, **options) -> None:
        self.renderer = Counting()
        self.said: list[str] = []
        self.longest = 0.0
        self.seen = 0
        wanted = {"inputs": 2, "outputs": 2, "rate": 48000, **options}
        self.keeper = Keeper(choice, self.renderer, notice=self.said.append, **wanted)

    def step(self) -> bool:
        begin = time.monotonic()
        alive = self.keeper.step()
        self.longest = max(self.longest, time.monotonic() - begin)
        return alive

    def plays(self) -> bool:
        """Steps, and tells whether frames go by."""
        before, self.seen = self.seen, self.renderer.frames
        return self.step() and self.renderer.frames > before


@pytest.fixture
def watched(jack):
    made: list[Watched] = []

    def make(choice: Choice, **options) -> Watched:
        made.append(Watched(choice, **options))
        return made[-1]

    yield make
    for one in made:
        one.keeper.close()
        still = one.renderer.frames
        assert one.keeper.device is None
        assert one.renderer.frames == still


def steps_for(one: Watched, seconds: float) -> None:
    end = time.monotonic() + seconds
    until(lambda: one.step() is None or time.monotonic() > end)


def goes_and_comes(jack, one: Watched) -> None:
    one.said.clear()
    jack.kill()
    assert until(lambda: not one.step(), 5.0) < 0.5
    assert one.keeper.lost
    still = one.renderer.frames
    steps_for(one, 1.2)  # it tries, in vain, and says nothing
    assert one.said == ["system (JACK Audio Connection Kit): it is gone; the sound waits until it is back"]
    assert one.renderer.frames == still
    jack.start()
    until(one.step)
    assert one.said[1:] == ["system (JACK Audio Connection Kit) is back"]
    until(lambda: one.step() and one.renderer.frames > still + 4800)
    assert not one.keeper.lost


@pytest.mark.parametrize("native", [True, False])
def test_a_server_that_dies_is_noticed_and_had_back(jack, watched, native):
    one = watched(Choice("system"), native=native)
    until(one.plays)
    for times in (2, 3):
        goes_and_comes(jack, one)
        assert one.keeper.device.native == native
        assert one.renderer.prepared == [(2, 2, 64)] * times
    assert one.longest < 0.4


def test_a_server_that_stands_still_is_noticed_and_goes_on(jack, watched):
    one = watched(Choice("system"))
    until(one.plays)
    device = one.keeper.device
    jack.signal(signal.SIGSTOP)
    assert until(lambda: not one.step(), 5.0) < 0.5
    assert "asks for nothing" in one.said[0]
    jack.signal(signal.SIGCONT)
    until(one.step)
    assert one.keeper.device is device
    assert one.said[1].endswith("is back")


def test_a_server_that_stands_still_for_long_is_given_up_and_had_back(jack, watched):
    one = watched(Choice("system"))
    until(one.plays)
    first = one.keeper.device
    jack.signal(signal.SIGSTOP)
    until(lambda: not one.step(), 5.0)
    until(lambda: one.step() or portaudio.load() is not first.instance)
    still = one.renderer.frames
    jack.signal(signal.SIGCONT)
    until(one.step)
    assert one.keeper.device is not first
    until(lambda: one.renderer.frames > still + 4800 and one.step())
    until(lambda: one.step() and not first.instance.streams)  # what was given up is closed when it answers
    assert len([port for port in jack.ports() if port.startswith("Patchwright")]) == 4
    assert one.longest < 0.4


def test_nothing_piles_up_while_a_server_stands_still(jack, watched, monkeypatch):
    monkeypatch.setattr("host.devices.keeper.PATIENCE_S", 1.0)
    one = watched(Choice("system"))
    until(one.plays)
    jack.signal(signal.SIGSTOP)
    until(lambda: not one.step() and len(one.said) == 2)
    threads, instance = threading.active_count(), portaudio.load()
    steps_for(one, 3.0)
    assert len(one.said) == 2
    assert "does not answer" in one.said[1]
    assert threading.active_count() == threads
    assert portaudio.load() is instance
    assert one.longest < 0.4
    jack.signal(signal.SIGCONT)
    until(one.step)
    assert one.said[2].endswith("is back")


def test_what_nobody_expected_is_said_once_and_tried_again(jack, watched, monkeypatch):
    one = watched(Choice("system"))
    until(one.plays)
    jack.kill()
    until(lambda: not one.step())

    def broken(*arguments, **options):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patched:
        patched.setattr("host.devices.keeper.opened", broken)
        until(lambda: not one.step() and len(one.said) == 2)
        assert one.said[1] == "opening a device failed: RuntimeError: out of luck"
        steps_for(one, 1.2)
        assert len(one.said) == 2
    jack.start()
    until(one.step)
    assert one.said[2].endswith("is back")


def test_a_server_that_changes_its_block_is_followed(jack, watched):
    one = watched(Choice("system"))
    until(one.plays)
    assert tool("jack_bufsize", "128").returncode == 0
    until(lambda: not one.step(), 5.0)
    assert "128 frames at once now, not 64" in one.said[0]
    until(one.step)
    assert one.keeper.device.block == 128
    assert one.renderer.prepared[-1] == (2, 2, 128)


def test_what_was_not_there_at_the_start_is_found_later(jack, watched, monkeypatch):
    monkeypatch.setattr("host.devices.keeper.LOOK_S", 0.3)
    jack.stop()
    portaudio.restart()
    one = watched(Choice("system"))
    until(one.plays)
    assert one.keeper.standing_in
    assert one.keeper.device.name == "null"
    jack.start()
    until(lambda: one.step() and not one.keeper.standing_in)
    assert one.keeper.device.name == "system"
    assert one.said[-1] == "system (JACK Audio Connection Kit) is back"
    until(one.plays)


def test_a_process_whose_server_died_ends_in_order(jack, root):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from host.devices import Choice\n"
        "from host.devices.keeper import Keeper\n"
        "import importlib.util as u\n"
        "spec = u.spec_from_file_location('rig', sys.argv[1] + '/tests/host/devices/conftest.py')\n"
        "rig = u.module_from_spec(spec); spec.loader.exec_module(rig)\n"
        "keeper = Keeper(Choice('system'), rig.Counting(), inputs=0, outputs=2, rate=48000, notice=print)\n"
        "rig.until(keeper.step); print('plays', flush=True)\n"
        "rig.until(lambda: not keeper.step()); keeper.close()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout.readline() == "plays\n"
    jack.kill()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "is gone" in out


def test_a_server_that_is_back_at_another_rate_asks_for_it(jack, watched):
    one = watched(Choice("system"))
    until(one.plays)
    jack.stop()
    until(lambda: not one.step() and one.keeper.lost)
    assert one.keeper.asks == 0
    jack.start(rate=44100)
    until(lambda: one.step() is None or one.keeper.asks == 44100)
    assert one.keeper.lost

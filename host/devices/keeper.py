"""Keeping a device open: noticing that it is gone, letting go of it without waiting, having it back.

While a device is gone the sound waits: nothing calls the renderer. While the null device stands in for one that was
not there at the start, time goes on, and now and then somebody looks whether it has come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from host.devices import portaudio
from host.devices.fallback import PythonStream
from host.devices.kinds import NULL, Choice, Device, DeviceError, Notice, Renderer
from host.devices.opening import best_rate, open_device, opened
from host.devices.stream import Stream

RETRY_S = 0.5
LOOK_S = 5.0
RESUME_S = 2.0
"""A device that stands still may go on by itself; after so long it is given up."""
RELEASE_S = 2.0
PATIENCE_S = 4.0


class _Job(threading.Thread):
    """One call that may take long, on a thread of its own."""

    def __init__(self, work: Callable[[], Device | None]) -> None:
        super().__init__(name="audio device", daemon=True)
        self._work = work
        self.found: Device | None = None
        self.since = time.monotonic()
        self.given_up = self.said = False
        self.problem = ""
        self.start()

    def run(self) -> None:
        try:
            self.found = self._work()
        except DeviceError:
            self.found = None  # nothing there yet: it is tried again
        except Exception as error:  # the next try may go better, and somebody has to hear of it
            self.problem = f"{type(error).__name__}: {error}"
        if self.given_up and self.found is not None:
            self.found.close()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.since


def released(device: Device, seconds: float = RELEASE_S) -> bool:
    """Close a device, but wait only so long; a PortAudio that hangs, or whose JACK is dead, is left behind: False.

    Raises DeviceError where the renderer is still at work.
    """
    device.shut()
    if isinstance(device, Stream | PythonStream):
        if device.api == portaudio.JACK and not (device.active and device.instance.sound()):
            portaudio.abandon(device.instance)
            return False
        job = threading.Thread(target=device.close, daemon=True)
        job.start()
        job.join(seconds)
        if job.is_alive():
            portaudio.abandon(device.instance)
            return False
    else:
        device.close()
    return True


class Keeper:
    """Keeps a device open for a renderer. ``step`` is meant to be called every few milliseconds; it never waits long.

    ``device`` is the one in use, also while it is gone (``lost``); None after ``close``.
    """

    def __init__(
        self,
        choice: Choice,
        renderer: Renderer,
        *,
        inputs: int,
        outputs: int,
        rate: int,
        notice: Notice,
        native: bool = True,
    ) -> None:
        self.choice = choice
        self._renderer, self._notice = renderer, notice
        self._playing = outputs > 0 or inputs == 0
        self._channels = {"inputs": inputs, "outputs": outputs, "rate": rate, "native": native}
        self.device: Device | None = open_device(choice, renderer, notice=notice, **self._channels)
        self.device.start()
        self.lost = False
        self.asks = 0
        """The rate that a device which is there again asks for, where it cannot be opened at the old one; else 0."""
        self._let_go = False
        self._problem = ""
        self._xruns = self._calls = 0
        self._lost_at = self._next = time.monotonic()
        self._job: _Job | None = None
        self._ghosts: list[tuple[Stream | PythonStream, int]] = []

    @property
    def standing_in(self) -> bool:
        """Whether this is the null device because there was nothing else."""
        return self.device is not None and self.device.name == NULL and self.choice.output != NULL

    @property
    def xruns(self) -> int:
        """Dropouts so far, of all the devices it had."""
        return self._xruns + (self.device.xruns if self.device else 0)

    def step(self) -> bool:
        """Do what is due; whether the renderer is being called."""
        self._lay_ghosts()
        device = self.device
        if device is None:
            return False
        if self._job is not None:
            self._follow(self._job)
        elif self.lost:
            self._wait_or_try(device)
        elif not device.alive():
            self._lose(device)
        elif self.standing_in and time.monotonic() >= self._next:
            self._next = time.monotonic() + LOOK_S
            self._job = _Job(self._look)
        return not self.lost and self.device is not None and self.device.alive()

    def _lose(self, device: Device) -> None:
        self._notice(f"{device.name} ({device.api}): {device.trouble}; the sound waits until it is back")
        self.lost, self._lost_at = True, time.monotonic()
        self._next = self._lost_at + RETRY_S
        device.shut()
        self._calls = getattr(device, "calls", 0)
        self._let_go = False

    def _wait_or_try(self, device: Device) -> None:
        now = time.monotonic()
        if isinstance(device, Stream | PythonStream) and device.active and not self._let_go:
            if device.calls > self._calls and not self._refused(device):
                self._back(device)
                return
            if device.calls == self._calls and now < self._lost_at + RESUME_S:
                return
        if now >= self._next:
            self._next = now + RETRY_S
            self._job = _Job(lambda: self._try_again(device))

    def _refused(self, device: Stream | PythonStream) -> bool:
        """Whether it calls, but not as was agreed."""
        return bool(isinstance(device, Stream) and device.block and device.relay.last != device.block)

    def _back(self, device: Device) -> None:
        try:
            device.start()
        except DeviceError as error:
            self._notice(str(error))
            return
        self.device, self.lost, self._let_go = device, False, False
        self._notice(f"{device.name} ({device.api}) is back")

    def _wishes(self) -> Iterator[Choice]:
        """What would do in place of a lost device: itself; after a while, whatever the choice leaves open."""
        label = getattr(self.device, "label", "")
        if label:
            yield replace(self.choice, output=label)
        if self.choice.output or time.monotonic() > self._lost_at + LOOK_S:
            yield self.choice

    def _try_again(self, device: Device) -> Device | None:
        """Let go of a device, and open it anew where that can be done."""
        if isinstance(device, Stream | PythonStream) and not self._let_go:
            self._let_go = True
            if device.api == portaudio.JACK and device.active and device.calls == self._calls:
                self._ghosts.append((device, device.calls))
                portaudio.abandon(device.instance)
                return self._first(self._wishes())
            released(device)
        portaudio.restart()
        return self._first(self._wishes())

    def _look(self) -> Device | None:
        portaudio.restart()
        return self._first(iter((self.choice,)))

    def _first(self, wishes: Iterator[Choice]) -> Device | None:
        for wish in wishes:
            said: list[str] = []
            found = opened(wish, self._renderer, notice=said.append, strict=True, **self._channels)
            if found is not None:
                return found
            rate = self._channels["rate"]
            best = best_rate(wish, rate, playing=self._playing, strict=True)
            self.asks = best if best != rate else 0
        return None

    def _follow(self, job: _Job) -> None:
        """Take what a job has found."""
        if job.is_alive():
            if not job.said and job.age > PATIENCE_S:
                job.said = True
                self._notice("a sound server or driver does not answer; the sound waits for it")
            return
        self._job = None
        device = self.device
        if job.problem and job.problem != self._problem:
            self._problem = job.problem
            self._notice(f"opening a device failed: {job.problem}")
        if job.found is None or device is None:
            return
        if not self.lost:  # the null device has played until now
            device.stop()
        self._xruns += device.xruns
        self._back(job.found)

    def _lay_ghosts(self) -> None:
        """Close what was given up while it stood still, when it calls again: then its server answers."""
        for ghost in list(self._ghosts):
            stream, calls = ghost
            if stream.calls > calls + 100 and stream.active:
                self._ghosts.remove(ghost)
                threading.Thread(target=_bury, args=(stream,), daemon=True).start()

    def close(self) -> None:
        """Call the renderer no more, and give the device back, if it can be had without waiting."""
        job, self._job = self._job, None
        if job is not None:
            job.given_up = True
            job.join(RELEASE_S)
        device, self.device = self.device, None
        if device is not None:
            self._xruns += device.xruns
            if not (self.lost and self._let_go):
                released(device)


def _bury(stream: Stream | PythonStream) -> None:
    stream.close()
    stream.instance.terminate()

"""What a session is really made of: the player and the devices of this machine."""

from __future__ import annotations

from host.devices import Choice, Device, DeviceError, devices, open_device
from host.engine.player import LivePlayer
from host.engine.session import Opened, Say
from host.messages import OpenDevice
from host.native.live import Live


class OpenSound:
    """An open device, running."""

    def __init__(self, wish: OpenDevice, renderer: Live, inputs: int, outputs: int, rate: int, notice: Say) -> None:
        self._notice = notice
        choice = Choice(wish.output, wish.input, wish.rate, wish.block)
        self._device: Device = open_device(choice, renderer, inputs=inputs, outputs=outputs, rate=rate, notice=notice)
        self._device.start()

    def step(self) -> bool:
        """Do what is due; whether it calls the renderer."""
        return self._device.alive()

    def opened(self) -> Opened:
        """What is open."""
        d = self._device
        return Opened(d.name, d.api, d.native, d.rate, d.block, d.inputs, d.outputs, d.latency_frames + d.fifo_frames)

    def xruns(self) -> int:
        """Blocks that came too late so far."""
        return self._device.xruns

    def close(self) -> None:
        """Call the renderer no more."""
        try:
            self._device.stop()
        except DeviceError as error:
            self._notice(str(error))
        self._device.close()


class RealParts:
    """Makes players and opens devices."""

    def rate(self, wish: OpenDevice) -> int:
        """The rate of the device that is meant; 0 where it is not known."""
        found = [d for d in devices() if d.name == wish.output] or [d for d in devices() if d.default_output]
        return found[0].rate if found else 0

    def player(self, rate: int, block: int, notice: Say) -> LivePlayer:
        """A player at a rate."""
        return LivePlayer(rate, _straight, notice)

    def sound(self, wish: OpenDevice, renderer: Live, inputs: int, outputs: int, rate: int, notice: Say) -> OpenSound:
        """The device that is meant, or the nearest there is, running."""
        return OpenSound(wish, renderer, inputs, outputs, rate, notice)


def _straight(flow: str, first: int, count: int) -> list[int]:
    """Each channel of the patch on the device's of the same number."""
    return list(range(first, first + count))

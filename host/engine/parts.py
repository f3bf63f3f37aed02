"""What a session is really made of: the player and the devices of this machine."""

from __future__ import annotations

from dataclasses import replace

from graph.compiler import DEFAULT_RATE
from host.devices import Choice, DeviceError
from host.devices.keeper import Keeper
from host.devices.kinds import NULL
from host.devices.opening import best_rate, likely
from host.devices.stored import ChannelMap, stored
from host.engine.compiling import Compiler, foundation
from host.engine.player import LivePlayer
from host.engine.roles import Opened, Say
from host.messages import OpenDevice
from host.native.live import Live


def sides(device: str) -> tuple[str, str]:
    """The names of the output and of the input of what is open, which may be two devices."""
    output, _, input = device.partition(" + ")
    return output, input or output


class KeptSound:
    """A device that is open, and comes back when it goes away."""

    def __init__(self, keeper: Keeper, notice: Say) -> None:
        self._keeper = keeper
        self._notice = notice

    def step(self) -> bool:
        """Do what is due; whether it calls the renderer."""
        return self._keeper.step()

    def opened(self) -> Opened:
        """What is open."""
        d = self._keeper.device
        if d is None:
            return Opened()
        return Opened(d.name, d.api, d.native, d.rate, d.block, d.inputs, d.outputs, d.latency_frames + d.fifo_frames)

    def xruns(self) -> int:
        """Blocks that came too late so far."""
        return self._keeper.xruns

    def asks(self) -> int:
        """The rate it has to be opened at, where it is there again and runs at another one; else 0."""
        return self._keeper.asks

    def round_trip(self) -> int:
        """Frames from its outputs through a cable to its inputs, as measured; 0 where nobody has."""
        d = self._keeper.device
        if d is None:
            return 0
        output, input = sides(d.name)
        trip = stored(self._notice).round_trip(output, input, d.rate, d.block)
        return trip.frames + d.fifo_frames if trip is not None else 0

    def close(self) -> None:
        """Call the renderer no more."""
        try:
            self._keeper.close()
        except DeviceError as error:
            self._notice(str(error))


class Routes:
    """Which device channels those of a patch are, on the device that is in use."""

    def __init__(self, notice: Say) -> None:
        self._notice = notice
        self._device = ""
        self._map = ChannelMap()

    def __call__(self, flow: str, first: int, count: int) -> list[int]:
        """The device channel of each of ``count`` channels from ``first`` on; -1: none."""
        return (self._map.inputs if flow == "in" else self._map.outputs)(first, count)

    def reach(self, inputs: int, outputs: int) -> tuple[int, int]:
        """How many channels of the device so many of a patch reach."""
        return self._map.reach(inputs, outputs)

    def use(self, device: str) -> bool:
        """Go by the map of another device; whether that is another map."""
        if device == self._device:
            return False
        output, input = sides(device)
        kept = stored(self._notice)
        made = replace(kept.map_of(output), to_inputs=kept.map_of(input).to_inputs)
        before, self._device, self._map = self._map, device, made
        return self._map != before


class RealParts:
    """Makes players and opens devices."""

    def __init__(self) -> None:
        self._routes: Routes | None = None
        self._compiler = Compiler()
        self._ready = False

    def ready(self) -> bool:
        """Whether a player can be made, and a device opened, without waiting for a compiler."""
        if not self._ready:
            self._compiler.want(foundation())
            done = self._compiler.progress is None
            self._ready = done and self._compiler.attempt(lambda: Live(DEFAULT_RATE).adopt(), foundation)
        return self._ready

    def progress(self) -> tuple[int, int] | None:
        """How many kernels are compiled, of how many; None while none is being compiled."""
        return self._compiler.progress

    def close(self) -> None:
        """Compile no more."""
        self._compiler.close()

    def rate(self, wish: OpenDevice, rate: int) -> int:
        """The rate that the device that is meant would run at: this one if it can, else its own."""
        return best_rate(Choice(wish.output, wish.input), rate)

    def player(self, wish: OpenDevice, rate: int, notice: Say) -> LivePlayer:
        """A player at a rate, for the device that is meant."""
        self._routes = Routes(notice)
        self._routes.use(likely(Choice(wish.output, wish.input)))
        return LivePlayer(rate, self._routes, notice, self._compiler)

    def route(self, device: str) -> bool:
        """Use the channels of this device from now on; whether that changes any."""
        return self._routes is not None and self._routes.use(device)

    def reach(self, inputs: int, outputs: int) -> tuple[int, int]:
        """How many channels of the device in use so many of a patch reach."""
        return self._routes.reach(inputs, outputs) if self._routes is not None else (inputs, outputs)

    def sound(self, wish: OpenDevice, renderer: Live, inputs: int, outputs: int, rate: int, notice: Say) -> KeptSound:
        """The device that is meant, or the nearest there is, running."""
        choice = Choice(wish.output, wish.input, 0, wish.block)
        try:
            keeper = Keeper(choice, renderer, inputs=inputs, outputs=outputs, rate=rate, notice=notice)
        except DeviceError as error:
            notice(f"{error}; playing to the null device: nothing is heard")
            null = replace(choice, output=NULL)
            keeper = Keeper(null, renderer, inputs=inputs, outputs=outputs, rate=rate, notice=notice)
        return KeptSound(keeper, notice)

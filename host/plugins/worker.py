"""A worker: a process with one plugin, or several. A crew of native threads plays them; each plugin that needs the
interpreter has a thread of its own.

Started as ``python -P -m host.plugins.worker``. Control messages come and go over one socket, the descriptors of shared
memory over another; the main thread does all that plugins want done on one thread. It ends with its engine: by the
kernel's word where there is one, and when the socket ends.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from host.devices.system import PRIORITY, prepare_thread
from host.engine.wire import Wire
from host.plugins.description import Arrangement, description_from
from host.plugins.errors import PluginError
from host.plugins.instance import Change, Event, Notice, PluginInstance, Transport
from host.plugins.serving import Crew
from host.plugins.shared import CALLS_NUMBER, Calls, Seat, post, wait
from host.plugins.windows import BEAT_S as WINDOW_BEAT_S
from host.plugins.windows import Windows
from nodes.dsp import handover

MOST_MESSAGE = 256 << 20
BEAT_S = 0.03
"""How often plugins are asked what is new."""
SWITCH_S = 0.0002
"""A thread that wants the interpreter has it after so long."""
END_S = 2.0
DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG``."""
MOST_TROUBLES = 8
TAKEN_S, BREATH_S = 0.05, 0.002

Opener = Callable[[Mapping[str, Any]], PluginInstance]


def open_source(source: Mapping[str, Any]) -> PluginInstance:
    """The plugin that a scan found. Raises PluginError."""
    from host.plugins.choose import open_plugin

    told = source.get("description")
    description = description_from(told) if told is not None else None
    return open_plugin(Path(source["path"]), source["uid"], source["backend"], source["format"], description)


class Player:
    """One plugin, played by the crew or by a thread of its own."""

    def __init__(self, number: int, plugin: PluginInstance, seat: Seat, crew: Crew, say: Callable[..., None]) -> None:
        self.number, self.plugin, self.seat, self.say = number, plugin, seat, say
        self.lock = threading.Lock()
        """Held while a block is played, and while anything is done that must not happen then."""
        self.troubles = 0
        self.head = seat.head
        self.inputs = [seat.buses(k, 0) for k in (0, 1)]
        self.outputs = [seat.buses(k, 1) for k in (0, 1)]
        self.slots = [seat.slot(k) for k in (0, 1)]
        self.ids = [param.id for param in plugin.description.params]
        self.head[handover.QUIT] = 0
        self.head[handover.BY_CREW] = 0
        self.head[handover.DONE] = self.head[handover.SUBMITTED]
        call = plugin.native()
        self.crew = crew
        self.part = crew.add(seat, call) if call is not None else None
        self.thread = threading.Thread(target=self._play, name=f"plugin {number}", daemon=True)
        if self.part is None:
            self.thread.start()

    def held(self) -> AbstractContextManager[object]:
        """While no block is played."""
        return self.lock if self.part is None else self.part.held()

    def end(self) -> None:
        """Play no more blocks, and let go of the plugin."""
        if self.part is not None:
            ended = self.crew.drop(self.part)
        else:
            self.head[handover.QUIT] = 1
            post(self.seat.call)
            self.thread.join(END_S)
            ended = not self.thread.is_alive()
        if ended:
            self.plugin.close()

    def _play(self) -> None:
        _go_first()
        head, call, back = self.head, self.seat.call, self.seat.back
        while not head[handover.QUIT]:
            wait(call)
            number = int(head[handover.SUBMITTED])
            if number == head[handover.DONE]:
                continue
            with self.lock:
                head[handover.BEGUN] = number
                self._block(number & 1)
            head[handover.DONE] = number
            post(back)

    def _block(self, k: int) -> None:
        slot = self.slots[k]
        frames = min(max(int(slot[handover.FRAMES]), 0), self.seat.capacity)
        inputs = [bus[:, :frames] for bus in self.inputs[k]]
        outputs = [bus[:, :frames] for bus in self.outputs[k]]
        try:
            self.plugin.process(inputs, outputs, _events(slot), self._changes(slot), _transport(slot))
        except Exception as error:  # whatever a backend raises is this plugin's trouble alone
            for bus in outputs:
                bus[:] = 0.0
            self.troubles += 1
            if self.troubles <= MOST_TROUBLES:
                self.say(seat=self.number, notice="trouble", text=str(error)[:500])

    def _changes(self, slot: Any) -> list[Change]:
        count = min(max(int(slot[handover.CHANGES]), 0), handover.MOST_CHANGES)
        if not count:
            return []
        start = handover.CHANGES + 1
        rows = slot[start : start + 3 * count].reshape(count, 3)
        values = rows[:, 2].copy().view(np.float64)
        return [
            Change(self.ids[place], int(frame), float(value))
            for (place, frame, _), value in zip(rows.tolist(), values, strict=True)
            if 0 <= place < len(self.ids)
        ]


def _go_first() -> None:
    """Ask for the audio thread's way of being scheduled, one step below it: a plugin that never stops shall not keep it
    from its processor.
    """
    if prepare_thread().granted and sys.platform.startswith("linux"):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY - 1))


def _events(slot: Any) -> list[Event]:
    count = min(max(int(slot[handover.EVENTS]), 0), handover.MOST_EVENTS)
    packed = slot[handover.EVENTS + 1 : handover.EVENTS + 1 + count].tolist()
    return [Event(w >> 32, bytes((w & 255, w >> 8 & 255, w >> 16 & 255)[: _length(w & 255)])) for w in packed]


def _length(status: int) -> int:
    """Bytes of a channel message."""
    return 2 if status & 0xF0 in (0xC0, 0xD0) else 3


def _transport(slot: Any) -> Transport:
    words = slot[handover.TRANSPORT : handover.TRANSPORT + handover.TRANSPORT_WORDS]
    tempo, quarters, bar = words[5:8].copy().view(np.float64)
    return Transport(
        playing=bool(words[0] & 1),
        position_frames=int(words[1]),
        tempo=float(tempo),
        numerator=int(words[3]),
        denominator=int(words[4]),
        quarters=float(quarters),
        bar_quarters=float(bar),
        elapsed_frames=int(words[2]),
    )


class Worker:
    """The main thread: what is asked for over the wire, and what plugins have to tell."""

    def __init__(self, control: socket.socket, descriptors: socket.socket, opener: Opener) -> None:
        self.wire = Wire(control, MOST_MESSAGE, MOST_MESSAGE)
        self.descriptors, self.opener = descriptors, opener
        self.players: dict[int, Player] = {}
        self.windows = Windows()
        self._memory: dict[int, int] = {}
        self._crew: Crew | None = None
        self._lock = threading.Lock()

    def run(self) -> None:
        """Work until the engine is gone or says so."""
        while not self.wire.closed:
            beat = WINDOW_BEAT_S if self.windows else BEAT_S
            select.select([self.wire.socket], [self.wire.socket] if self.wire.unsent else [], [], beat)
            with self._lock:
                self.wire.flush()
                came = self.wire.receive()
            for message in came:
                if not self.obey(msgpack.unpackb(message)):
                    return
            closed = self.windows.turn()
            for number, player in list(self.players.items()):
                self._tell(number, player)
            for number in closed:
                self.say(seat=number, notice="window", value=False)

    def say(self, **message: Any) -> None:
        """Tell the engine something."""
        with self._lock:
            self.wire.send(msgpack.packb(message) or b"")

    def obey(self, message: Mapping[str, Any]) -> bool:
        """Do what was asked for; whether to go on."""
        match message["do"]:
            case "load":
                try:
                    self.say(seat=message["seat"], loaded=self.load(message))
                except Exception as error:  # whatever a backend raises, the engine shall hear of it
                    self.say(seat=message["seat"], failed=str(error)[:2000] or type(error).__name__)
            case "ask":
                try:
                    player = self.players[message["seat"]]
                    self.say(id=message["id"], value=self.answer(player, message["what"], message["values"]))
                except Exception as error:  # as above
                    self.say(id=message["id"], error=str(error)[:2000] or type(error).__name__)
            case "close":
                if message["seat"] in self.players:
                    self.windows.close(message["seat"])
                    self.players.pop(message["seat"]).end()
            case _:
                return False
        return True

    def load(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Load a plugin, take its place, and say what it is like."""
        number = message["seat"]
        inputs, outputs = tuple(message["inputs"]), tuple(message["outputs"])
        seat = Seat(inputs, outputs, message["block"], self._descriptor(number))
        plugin = self.opener(message["source"])
        refused = ""
        if message["state"] is not None:
            try:
                plugin.set_state(message["state"])
            except PluginError as error:
                refused = str(error)
        plugin.prepare(message["rate"], message["block"], Arrangement(inputs, outputs))
        for id, value in message["programs"]:
            plugin.set(id, value)
        if self._crew is None:
            self._crew = Crew(Calls(fd=self._descriptor(CALLS_NUMBER)), _go_first)
        self.players[number] = player = Player(number, plugin, seat, self._crew, self.say)
        values = [plugin.get(id) for id in player.ids]
        return {"latency": plugin.latency(), "tail": plugin.tail(), "values": values, "refused": refused}

    def _descriptor(self, number: int) -> int:
        while number not in self._memory:
            data, found, _, _ = socket.recv_fds(self.descriptors, 8, 1)
            self._memory[int.from_bytes(data, "big")] = found[0]
        return self._memory.pop(number)

    def answer(self, player: Player, what: str, values: list[Any]) -> Any:
        """Something that is known of a plugin, or done to it."""
        plugin = player.plugin
        match what, values:
            case "state", []:
                return self._state(player)
            case "open_window", [title]:
                self.windows.open(player.number, plugin, title)
                self.say(seat=player.number, notice="window", value=True)
                return None
            case "close_window", []:
                self.windows.close(player.number)
                self.say(seat=player.number, notice="window", value=False)
                return None
            case "set_state", [data]:
                with player.held():  # so that no block brings what the patch says before the values are read
                    plugin.set_state(data)
                    return [plugin.get(id) for id in player.ids]
            case "values", []:
                return [plugin.get(id) for id in player.ids]
            case "heed_programs", []:
                return plugin.heed_programs()
            case "titles", []:
                return [(id, *words) for id, words in plugin.titles().items()]
            case "text", [id, value]:
                return plugin.text(id, value)
            case "value_of", [id, text]:
                return plugin.value_of(id, text)
            case "latency", []:
                return plugin.latency()
            case "reset", []:
                with player.held():
                    plugin.reset()
                return None
            case _:
                raise PluginError(f"a worker cannot be asked for {what!r}")

    def _state(self, player: Player) -> bytes:
        """A plugin's state, without a break in its sound where that can be had."""
        until = time.monotonic() + TAKEN_S
        while player.part is not None and time.monotonic() < until:
            found = player.plugin.state_in_play()
            if found is not None:
                return found
            time.sleep(BREATH_S)  # what was set is taken over by the next block, if there is one
        with player.held():
            return player.plugin.state()

    def _tell(self, number: int, player: Player) -> None:
        for notice in _merged(player.plugin.notices()):
            if notice.kind == "latency":
                self.say(seat=number, notice="latency", value=player.plugin.latency())
            else:
                self.say(seat=number, notice=notice.kind, param=notice.id, value=notice.value, text=notice.text)


def _merged(notices: list[Notice]) -> list[Notice]:
    """The same, of several turns of one knob on end only the last."""
    found: list[Notice] = []
    for notice in notices:
        if notice.kind == "edit" and found and found[-1].kind == "edit" and found[-1].id == notice.id:
            found.pop()
        found.append(notice)
    return found


def bind_to(parent: int) -> None:
    """End with the process that started this one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def main(values: list[str] | None = None) -> None:
    """The whole life of a worker."""
    parser = argparse.ArgumentParser(prog="host.plugins.worker")
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--descriptors", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--opener", default="host.plugins.worker:open_source")
    chosen = parser.parse_args(values)
    bind_to(chosen.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_S)
    gc.disable()
    module, _, name = chosen.opener.partition(":")
    opener = getattr(importlib.import_module(module), name)
    worker = Worker(socket.socket(fileno=chosen.control), socket.socket(fileno=chosen.descriptors), opener)
    worker.run()
    # Plugins that were left in place may hang or crash while they are taken down; the process goes as a whole.
    os._exit(0)


if __name__ == "__main__":
    main()

"""Remote control as a whole: OSC and MIDI on one target, stepped by whoever has a loop, or by a thread of its own."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from host.remote.buttons import buttons_in
from host.remote.changes import EVERY_S, Changes
from host.remote.mappings import Control, controls_in
from host.remote.ports import Port
from host.remote.surface import Surface
from host.remote.target import Target
from host.remote.transport import Deck, Transport
from host.remote.udp import OscServer

WAIT_S = 0.005
"""Seconds that a thread waits for the network before it looks at everything else."""
SEND_S = 0.001
"""The same while answers wait to be sent."""


class Remote:
    """Everything that moves params from outside.

    ``osc`` is where to listen, as host and port (port 0: any), or None for not at all; ``midi`` names the controller,
    or is empty for none; ``transport`` is what play, stop and the like are for, where there is one. ``notice`` is told
    in one sentence what a person should know. Raises OSError where the network address cannot be had. Everything
    happens in the thread that calls ``step``, or, after ``start``, in one of its own, which is then the one that calls
    target and transport; ``use``, ``stop`` and the surface's ``learn`` and ``forget`` may be called from any.
    """

    def __init__(
        self,
        target: Target,
        *,
        osc: tuple[str, int] | None = None,
        midi: str = "",
        midi_api: str = "",
        notice: Callable[[str], None] = lambda text: None,
        port: Port | None = None,
        transport: Transport | None = None,
    ) -> None:
        deck = Deck(transport) if transport is not None else None
        self.target = target
        self.changes = Changes()
        self.osc = OscServer(target, self.changes, *osc, deck, notice) if osc is not None else None
        self.surface = Surface(target, self.changes, deck)
        self._notice = notice
        self.port = port if port is not None else Port(midi, notice, midi_api) if midi else None
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    def use(self, metadata: Mapping[str, Any]) -> list[Control]:
        """Use the controls that a patch's metadata hold, and say what in them is not understood."""
        controls, problems = controls_in(metadata)
        if self.surface.buttons is not None:
            buttons, more = buttons_in(metadata)
            problems += more
            self.surface.buttons.use(buttons)
        for problem in problems[:3]:
            self._notice(problem)
        if len(problems) > 3:
            self._notice(f"metadata.controls: {len(problems) - 3} more are not understood.")
        self.surface.use(controls)
        return controls

    def step(self, now: float | None = None) -> bool:
        """Do what is due, without waiting; whether more has come already. ``now`` is in seconds."""
        now = time.monotonic() if now is None else now
        more = False
        if self.port is not None:
            if self.port.step(now):
                self.surface.show_again()
            more = self.surface.take(self.port)
        if self.osc is not None:
            more = self.osc.step(now) or more
        self.changes.hand_over(self.target, now)
        if self.port is not None and self.port.is_open:
            self.surface.feedback(self.port, now)
        return more

    # -- a thread of its own -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let a thread do the stepping."""
        self._thread = threading.Thread(target=self._run, name="remote control", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                more = self.step()
            except Exception as error:
                self._notice(f"Remote control has stopped, by an error of ours: {error!r}.")
                raise
            if self.osc is None:
                self._ending.wait(0 if more else WAIT_S)
            elif not more:
                # What waits to be sent goes out by and by, so that receivers can take it.
                wait = SEND_S if self.osc.session.outgoing else WAIT_S
                select.select([self.osc.socket], [], [], wait)

    def stop(self) -> None:
        """End the thread, hand over what is left, and let ports go."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.changes.hand_over(self.target, time.monotonic() + EVERY_S)
        if self.osc is not None:
            self.osc.close()
        if self.port is not None:
            self.port.close()

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

"""A patch that is played: for how long, how it is going, and what keys do to it."""

from __future__ import annotations

import math
from pathlib import Path
from time import monotonic

from graph.document import Patch
from host.engine.client import Engine
from host.engine.display import EngineStatus
from host.messages import Notice
from host.terminal.news import News
from host.transport.tempo import Meter, place_at
from host.transport.timecode import RATES, timecode_at

STEP_S = 5.0
"""How far the arrow keys go."""
LATE_S = 10.0
"""A device may take so much longer than the seconds that were asked for."""
REPLAY_S = 60.0
LONGEST_FILE_NAME = 150
"""Bytes of a title; more is added to it, and most systems take 255."""
KEYS = "space play/stop  0 start  ←/→ 5 s  l loop  r record  s save 60 s  t rate  q quit"
"""In 80 columns."""


def file_name(title: str) -> str:
    """What a file of a patch of this title is called, wherever files are kept."""
    words = "".join(c if c.isalnum() or c in "-_.,()'&+" else " " for c in title).strip(" .")
    return words.encode()[:LONGEST_FILE_NAME].decode(errors="ignore").strip() or "patch"


class Playing:
    """A patch that is played until its time is over, or until somebody says so."""

    def __init__(self, engine: Engine, patch: Patch, seconds: float | None, notices: News) -> None:
        self.engine = engine
        self._patch = patch
        self._span = patch.transport.loop
        self.notices = notices
        self.played_s = 0.0
        self.xruns = 0
        wished = patch.metadata.get("timecode")
        self.timecode = wished if isinstance(wished, str) and wished in RATES else "25"
        transport = patch.transport
        self._meter = Meter(float(transport.tempo), *transport.time_signature)
        self._seconds = seconds
        self._clock = 0.0
        self._xruns = 0
        self._until = monotonic() + seconds + LATE_S if seconds is not None else math.inf

    def look(self) -> EngineStatus:
        """How the engine is; time and dropouts are added up, an engine that started anew counting from nought."""
        status = self.engine.status
        clock, xruns = status.numbers.get("clock", 0.0), int(status.numbers.get("xruns", 0.0))
        rate = status.numbers.get("rate") or 1.0
        self.played_s += (clock - self._clock if clock >= self._clock else clock) / rate
        self.xruns += xruns - self._xruns if xruns >= self._xruns else xruns
        self._clock, self._xruns = clock, xruns
        return status

    @property
    def over(self) -> bool:
        """Whether the time that was asked for has been played, or will not be."""
        return self._seconds is not None and (self.played_s >= self._seconds or monotonic() > self._until)

    @property
    def short(self) -> bool:
        """Whether less was played than asked for."""
        return self._seconds is not None and self.over and self.played_s < self._seconds

    def place(self, status: EngineStatus) -> str:
        """Where the transport is: timecode, and bar and beat."""
        rate = int(status.numbers.get("rate", 0)) or 48000
        frame = max(0, round(status.place_s * rate))
        code = timecode_at(frame, rate, RATES[self.timecode])
        return f"{code} ({self.timecode})  {place_at(frame, rate, self._meter)}"

    def _turn_round(self, status: EngineStatus) -> None:
        """Go round in the loop there was last, or no longer."""
        if status.loop is not None:
            self._span = status.loop
            self.engine.loop(None)
        elif self._span is not None:
            self.engine.loop(*self._span)
        else:
            self.notices.put(Notice("info", "This patch has no loop."))

    def press(self, key: str) -> bool:
        """Act upon a key; False where it ends the playing."""
        status = self.engine.status
        match key:
            case "q" | "Q" | "\x03" | "\x04":
                return False
            case " " | "p":
                self.engine.stop() if status.rolling else self.engine.play()
            case "0":
                self.engine.locate(0.0)
            case "left":
                self.engine.locate(max(0.0, status.place_s - STEP_S))
            case "right":
                self.engine.locate(status.place_s + STEP_S)
            case "l":
                self._turn_round(status)
            case "r":
                self.engine.record(not (status.device is not None and status.device.recording))
            case "s":
                folder = self._patch.folder or Path.cwd()
                self.engine.save_replay(folder / f"{file_name(self._patch.name)} last minute.wav", REPLAY_S)
            case "t":
                names = list(RATES)
                self.timecode = names[(names.index(self.timecode) + 1) % len(names)]
            case _:
                pass
        return True

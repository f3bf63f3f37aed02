"""The thread that keeps tapes filled: ahead of the transport's place, and ready for where it may jump."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread
from time import monotonic, sleep
from typing import NamedTuple, Protocol

from graph.spec import TICK, FileRequest
from host.disk.cache import DiskCache
from host.disk.loops import Loop, loop_of
from host.disk.tapes import AHEAD, LAG, OVER, PIECE, PREFILL_S, WRAP_S, Bank, Tape, spare

WAKE_S = 0.01
STEP = 8192
"""Frames that the place moves before it is worth reading more."""
BREATH_S = 0.0001
"""How long nothing is read after each piece. A sound server without realtime scheduling that wakes up beside a busy
thread waits until that one pauses, or for the system's next tick: up to 4 ms.
"""
GUARD = 4096
"""Frames from the place on that are left as they are when what follows changes: they may be playing already."""


class Playhead(Protocol):
    """Where the transport is. Words that the engine writes; each may be read at any time."""

    @property
    def bank(self) -> int:
        """Which bank of every tape is in play: 0 to 3, in two pairs."""
        ...

    @property
    def place(self) -> int:
        """The timeline frame that is rendered next."""
        ...

    @property
    def rolling(self) -> bool:
        """Whether the place moves."""
        ...

    @property
    def wraps(self) -> int:
        """How often a loop went back to its start."""
        ...

    @property
    def loop(self) -> tuple[int, int] | None:
        """First frame of the loop and the one after its last."""
        ...


class Folder(Protocol):
    """Where paths of a patch really are."""

    def locate(self, path: str) -> Path:
        """Raises PatchError for what can be no path."""
        ...


class _Moment(NamedTuple):
    bank: int
    place: int
    rolling: bool
    loop: Loop | None


@dataclass(frozen=True)
class _Cue:
    ticket: int
    bank: int
    """The bank that is made ready for it; once that, or the one that a loop goes to from it, plays, it was made."""
    place: int
    loop: Loop | None


class Reader:
    """Reads files for live players, in a thread of its own, until `close`.

    The bank in play is filled ahead of the place; while there is a loop, the other one of its pair gets the loop's
    start, so that the engine can go there by changing the number of the bank. The other pair gets what a `cue` asks
    for. A place that no bank holds is read as soon as it is seen. A file that is missing or breaks is silent, said
    once, and tried again every second. ``cache`` copies the files into memory when the disk has nothing else to do,
    and they are read from there.

    All calls are for one thread, the control thread; none of them reads a file itself.
    """

    def __init__(self, rate: int, folder: Folder, playhead: Playhead, notice: Callable[[str], None]) -> None:
        self.folder = folder
        self._rate = rate
        self._playhead = playhead
        self._notice = notice
        self._prefill = round(PREFILL_S * rate)
        self._wrap_fill = round(WRAP_S * rate)
        self._woken = Condition()
        self._tapes: list[_Player] = []
        self._cue: _Cue | None = None
        self._cued = 0
        self._tickets = 0
        self._changed = self._closing = False
        self._seen: _Moment | None = None
        self._busy = False
        self.cache = DiskCache(busy=lambda: self._busy)
        self._thread = Thread(target=self._run, name="disk reader", daemon=True)
        self._thread.start()

    def tape(self, key: str, request: FileRequest, channels: int, start: int, *, limit_s: float = 1.0) -> Tape:
        """The tape of a node: the same one again for the same request, else a new one, filled for a quarter of a second
        from the place ``start`` on, unless that takes longer than ``limit_s``; then it is filled as soon as can be.

        A mono file may feed two channels. Raises PatchError for what can be no path.
        """
        path = self.folder.locate(request.path)
        wanted = key, request, channels, path
        tapes = (player.tape for player in self._tapes)
        tape = next((t for t in tapes if (t.key, t.request, t.channels, t.path) == wanted), None)
        if tape is None:
            tape = Tape(key, request, path, channels, self._rate, self._notice, self.cache)
            with self._woken:
                self._tapes = [*self._tapes, _Player(tape, start)]
        self._changed_tapes()
        tape.ready.wait(limit_s)
        return tape

    def keep_only(self, keys: Iterable[str]) -> None:
        """Close all tapes but the newest of each key."""
        wanted = set(keys)
        newest = {player.tape.key: player for player in self._tapes if player.tape.key in wanted}
        with self._woken:
            self._tapes = list(newest.values())
        self._changed_tapes()

    def _changed_tapes(self) -> None:
        self.cache.want(player.tape.path for player in self._tapes)
        self._wake()

    def cue(self, place: int, loop: tuple[int, int] | None) -> int:
        """Begin to fill the spare pair of banks of every tape for a jump to a place, or for another loop; a ticket for
        `cued`. It holds until the jump is made, or until the next cue.
        """
        self._tickets += 1
        with self._woken:
            law = loop_of(loop, self._rate)
            law = law if law is not None and place < law.end else None
            self._cue = _Cue(self._tickets, spare(self._playhead.bank), place, law)
        self._wake()
        return self._tickets

    def cued(self, ticket: int) -> bool:
        """Whether every tape holds a quarter of a second for that cue, the newest one, and the start of its loop."""
        return self._cued == ticket

    def close(self, limit_s: float = 5.0) -> None:
        """End the thread and close all files. A thread that hangs in a dead disk is left behind."""
        self._closing = True
        self._wake()
        late = monotonic() + limit_s
        self._thread.join(limit_s)
        self.cache.close(max(0.0, late - monotonic()))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wake(self) -> None:
        with self._woken:
            self._changed = True
            self._woken.notify()

    def _run(self) -> None:
        open_players: list[_Player] = []
        while not self._closing:
            with self._woken:
                changed, self._changed = self._changed, False
                players = self._tapes
            if players is not open_players:
                for player in set(open_players) - set(players):
                    player.tape.close()
                open_players = players
            self._busy = self._round(players, changed)
            if not self._busy:
                with self._woken:
                    if not self._changed:
                        self._woken.wait(WAKE_S if players else None)
        for player in open_players:
            player.tape.close()

    def _look(self) -> _Moment:
        head = self._playhead
        while True:
            bank, wraps = head.bank, head.wraps
            place = head.place
            moment = _Moment(bank, place, head.rolling, _law(loop_of(head.loop, self._rate), place))
            if (bank, wraps) == (head.bank, head.wraps):
                return moment

    def _round(self, players: list[_Player], changed: bool) -> bool:
        """Read a piece for every tape that needs one; whether there may be more to do."""
        with self._woken:
            cue = self._cue
        moment = self._look()  # after the cue was taken, or a new one might be held for one that was made
        if cue is not None and cue.bank == moment.bank & 2:
            with self._woken:
                self._cue = None if self._cue is cue else self._cue
            cue = None
        now = monotonic()
        for player in players:
            changed |= player.look_after(now, moment)
        seen = self._seen
        same = seen is not None and seen._replace(place=0) == moment._replace(place=0)
        if same and not changed and seen is not None and 0 <= moment.place - seen.place < STEP:
            return False
        self._busy = True
        short = [p for p in players if p.step(moment, self._prefill)]
        if not short:
            short = [p for p in players if p.prepare(moment, cue, self._prefill, self._wrap_fill)]
            if cue is not None and not short:
                self._cued = cue.ticket
            for player in players:
                if player.step(moment, AHEAD):
                    short.append(player)
                    sleep(BREATH_S)
        self._seen = None if short else moment
        return bool(short)


class _Player:
    """A tape and what is known of who plays it."""

    def __init__(self, tape: Tape, start: int) -> None:
        self.tape = tape
        self._start: int | None = start
        """Where it will begin to play, until it does."""
        self._begun = False
        self._late_at: int | None = None
        """The place when it was found to be late, until it has caught up."""

    def look_after(self, now: float, moment: _Moment) -> bool:
        if not self.tape.look_after(now):
            return False
        for bank in self.tape.banks:
            bank.cut(moment.place + GUARD if bank is self.tape.banks[moment.bank] else bank.start)
        return True

    def step(self, moment: _Moment, ahead: int) -> bool:
        """Read a piece for the bank in play unless it holds ``ahead`` frames from the place on."""
        tape, bank = self.tape, self.tape.banks[moment.bank]
        place = moment.place
        if not self._begun:
            self._begun = True
            bank.restart(place if self._start is None else self._start, moment.loop, lag=LAG)
        if self._start is not None:
            if bank.due <= place or place < self._start - AHEAD:
                self._start = None
            else:
                place = max(place, self._start)
        if bank.loop != moment.loop:
            blends = [law.blend for law in (bank.loop, moment.loop) if law is not None]
            bank.cut(max(min(blends), place + GUARD))
            bank.loop, bank.wrapped = moment.loop, False
        self._settle(bank, moment, place)
        goal = place + ahead
        if moment.loop is not None:
            goal = min(goal, max(moment.loop.end, place) + OVER)
        if bank.end >= goal:
            tape.ready.set()
            if bank.due <= place:
                self._late_at = None
            return False
        # A whole piece, though the goal may be near: it moves on, and would otherwise be followed frame by frame.
        tape.fill(bank, PIECE)
        return True

    def _settle(self, bank: Bank, moment: _Moment, place: int) -> None:
        """Go to the place where the bank does not hold it."""
        filling = bank.end <= bank.due and place <= bank.due + AHEAD
        coming = self._late_at is not None and moment.rolling and place < bank.due <= place + AHEAD
        if coming or (bank.start <= place and (place <= bank.end or filling)):
            return
        skip = 0
        if place > bank.end and moment.rolling:
            self.tape.late += place - bank.end
            self.tape.say_late()
            if self._late_at is not None:
                # A disk that is slower than the sound would for ever read what is over already.
                skip = min(max(0, place - self._late_at), AHEAD // 2)
            self._late_at = place
        bank.restart(place + skip, moment.loop)

    def prepare(self, moment: _Moment, cue: _Cue | None, prefill: int, wrap_fill: int) -> bool:
        """Read a piece for what may come next, unless all is ready for it: the loop's next turn, a jump or another loop
        that is cued.
        """
        near = moment.loop is not None and moment.loop.end - GUARD < moment.place
        if self._prepare_turn(moment.bank ^ 1, moment.loop, wrap_fill, near=near):
            return True
        if cue is None:
            return False
        bank = self.tape.banks[cue.bank]
        if bank.ticket != cue.ticket:
            bank.restart(cue.place, cue.loop, lag=LAG, ticket=cue.ticket)
        if bank.end < cue.place + prefill:
            self.tape.fill(bank, min(PIECE, cue.place + prefill - bank.end))
            return True
        return self._prepare_turn(cue.bank ^ 1, cue.loop, wrap_fill)

    def _prepare_turn(self, number: int, loop: Loop | None, wrap_fill: int, *, near: bool = False) -> bool:
        """Read a piece of a loop's start for the bank that it goes to, unless that holds it. ``near``: it may be gone
        to any moment; then a bank that holds all but what lies before the start will do.
        """
        if loop is None:
            return False
        bank = self.tape.banks[number]
        goal = min(loop.start + wrap_fill, loop.end + OVER)
        if near and bank.loop == loop and bank.start <= loop.start and bank.end >= goal:
            return False
        if bank.loop != loop or not bank.wrapped or not bank.start <= loop.start - LAG <= bank.end:
            bank.restart(loop.start, loop, lag=LAG, wrapped=True)
        if bank.end >= goal:
            return False
        self.tape.fill(bank, min(PIECE, goal - bank.end))
        return True


def _law(loop: Loop | None, place: int) -> Loop | None:
    """The loop that counts at a place: one that lies behind is not gone round. It may be a tick beyond on the way."""
    return loop if loop is not None and place < loop.end + TICK else None

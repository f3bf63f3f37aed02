"""What an engine plays: one conductor, and the device that calls it.

The conductor is made when there are a patch and a wish for a device, since it needs the rate; the device starts when
the patch is in place, so that its first frame is the patch's first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

from graph.compiler import DEFAULT_RATE
from graph.document import Point
from graph.errors import PatchError
from host.engine.asked import Asked
from host.engine.readings import Source
from host.engine.roles import Opened, Parts, Player, Sound
from host.fields import FromEngine, ToEngine
from host.messages import (
    Applied,
    AskPatch,
    ChangePatch,
    KeepFiles,
    Locate,
    Notice,
    OpenDevice,
    Play,
    Record,
    SaveReplay,
    SetLoop,
    SetParams,
    SetPatch,
    SetPoints,
    Status,
    Stop,
)
from host.plugins.messages import (
    AskPlugin,
    AskPlugins,
    AskPluginStates,
    ClosePluginWindow,
    GivePluginState,
    OpenPluginWindow,
    PluginAnswer,
    PluginsIn,
    PluginStatesTold,
    RestartPlugin,
)
from host.values import set_points

LONGEST_WAIT_S = 0.02
MOST_NEWS = 1000
FEWEST_CHANNELS = 2
XRUNS_SAID_S = 2.0
"""Dropouts are said at most so often; all are counted."""

_OfWindows = OpenPluginWindow | ClosePluginWindow | RestartPlugin
_OfStates = AskPlugin | AskPlugins | AskPluginStates | GivePluginState


class Session:
    """Acts upon messages, one thread only; ``say`` may be called from any."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._player: Player | None = None
        self._sound: Sound | None = None
        self._device: OpenDevice | None = None
        self._rate = 0
        self._instead: dict[int, int] = {}
        """The rate that the device runs at instead of one that was wished for."""
        self._asked: Asked | None = None
        self._channels = (0, 0)
        self._loop: tuple[float, float] | None = None
        self._place_s = 0.0
        self._rolling = self._recording = False
        self._xruns = self._sound_xruns = 0
        self._due = self._late = False
        self._early: dict[tuple[str, str], float] = {}
        self._xruns_said_at = 0.0
        self._told: object = None
        self._news: deque[FromEngine] = deque(maxlen=MOST_NEWS)
        self._wishes: dict[type, PluginsIn | KeepFiles] = {}

    def say(self, text: str, level: str = "warning") -> None:
        """Tell whoever listens."""
        self._news.append(Notice(level, text.replace("\0", "")[:2000]))

    def handle(self, message: ToEngine, more: bool = False) -> None:
        """Act upon a message. ``more``: another change of the patch follows at once, and this one need not be played.
        Raises PatchError or ValueError where it cannot be.
        """
        match message:
            case SetPatch(serial, data, folder):
                self._set_patch(serial, data, Path(folder))
            case ChangePatch(serial, base, data):
                self._change_patch(serial, base, data, more)
            case SetParams(values):
                self._set_params(values)
            case SetPoints(node, param, points):
                self._set_points(node, param, points)
            case OpenDevice():
                self._device, self._instead = message, {}
                self._close_sound()
                self._start()
            case Play():
                self._rolling = True
                if self._player:
                    self._player.play()
            case Stop():
                self._rolling = False
                if self._player:
                    self._player.stop()
            case Locate(seconds):
                self._place_s = seconds
                if self._player:
                    self._player.locate(round(seconds * self._rate))
            case SetLoop(start, end):
                self._loop = None if start is None or end is None else (start, end)
                if self._player:
                    self._player.set_loop(self._loop_frames())
            case Record(on):
                self._record(on)
            case SaveReplay(path, seconds):
                self._playing().save_replay(Path(path), seconds)
            case PluginsIn() | KeepFiles():
                self._wishes[type(message)] = message
                if self._player:
                    self._player.prefer(message)
            case OpenPluginWindow() | ClosePluginWindow() | RestartPlugin() | GivePluginState():
                self._ask_plugins(message)
            case AskPlugin() | AskPlugins() | AskPluginStates():
                self._ask_plugins(message)
            case _:
                raise ValueError(f"{type(message).__name__} is nothing to act upon here")

    def step(self) -> float:
        """Do what is due; the answer is in how many seconds to come again."""
        if self._late:
            self._start()
        if self._player is None:
            return LONGEST_WAIT_S
        wait = self._player.step()
        outcome = self._player.outcome()
        if outcome is not None and outcome != self._told:
            serial, playing, problems = outcome
            self._told = outcome
            self._news.append(Applied(serial, playing, tuple(problems)))
        if self._sound is None and outcome is not None:
            if not self._due:
                self._due = True  # opening may take long, or be the end of us: what is known is told first
                return 0.0
            self._open()
        if self._sound is not None:
            self._player.running(self._sound.step())
            if self._sound.asks():
                self._instead = {self._wished_rate(): self._sound.asks()}
                self._start()
                return 0.0
            name = self._sound.opened().name
            if name and self._parts.route(name):
                self._player.reroute()
                self._open_for_more()
            self._look_for_xruns()
        return min(wait, LONGEST_WAIT_S)

    def place_s(self) -> float:
        """Where the transport is."""
        return self._player.place() / self._rate if self._player else self._place_s

    def progress(self) -> tuple[int, int]:
        """How many kernels are compiled, of how many; of none where none is being compiled."""
        return self._parts.progress() or (0, 0)

    def news(self) -> list[FromEngine]:
        """What has happened since the last call."""
        found: list[FromEngine] = []
        if self._player is not None:
            self._news.extend(self._player.told())
        while self._news:
            found.append(self._news.popleft())
        return found

    def status(self) -> Status:
        """What seldom changes."""
        opened = self._sound.opened() if self._sound else Opened(rate=self._rate)
        return Status(
            opened.name[:1000],
            opened.api[:1000],
            opened.native,
            opened.rate or self._rate,
            opened.block,
            opened.inputs,
            opened.outputs,
            opened.latency,
            tuple(self._player.latencies().items()) if self._player else (),
            self._player.recording() if self._player else (),
        )

    def numbers(self) -> dict[str, float]:
        """Numbers to publish."""
        found = dict(self._player.numbers()) if self._player else {}
        found["rate"] = self._rate
        found["rolling"] = float(self._rolling)
        found["xruns"] = self._xruns
        return found

    def sources(self) -> list[Source] | None:
        """The readings of the patch in play, or None where they are where they were at the last call."""
        return self._player.sources() if self._player else None

    def close(self) -> None:
        """Silence, then the end of everything."""
        self._stop_playing()
        self._parts.close()

    def _stop_playing(self) -> None:
        self._close_sound()
        if self._player is not None:
            self._player.close()
            self._player = None

    # -- the patch -----------------------------------------------------------------------------------------------------

    def _set_patch(self, serial: int, data: bytes, folder: Path) -> None:
        try:
            asked = Asked.read(serial, data, folder)
        except PatchError as error:
            self._refused(serial, error)
            return
        self._take(asked)

    def _change_patch(self, serial: int, base: int, data: bytes, more: bool) -> None:
        if self._asked is None or not self._asked.change(serial, base, data):
            self._asked = None
            self._news.append(AskPatch(serial))
        elif not more:
            self._take(self._asked)

    def _take(self, asked: Asked) -> None:
        try:
            asked.look()
        except PatchError as error:
            self._refused(asked.serial, error)
            return
        self._asked = asked
        self._early.clear()
        if self._player is None or self._best_rate() != self._rate:
            self._start()
            return
        self._give_patch()
        self._open_for_more()

    def _give_patch(self) -> None:
        if self._player is None or self._asked is None:
            return
        asked = self._asked
        try:
            self._player.set_patch(asked.serial, asked.patch, asked.folder)
        except PatchError as error:
            self._refused(asked.serial, error)

    def _refused(self, serial: int, error: PatchError) -> None:
        self._news.append(Applied(serial, False, ((error.node, error.place[:1000], error.message[:5000]),)))

    def _set_params(self, values: Iterable[tuple[str, str, float]]) -> None:
        if self._late:
            self._early.update({(node, param): value for node, param, value in values})
            return
        wrong: list[str] = []
        for node, param, value in values:
            try:
                self._playing().set_param(node, param, value)
            except PatchError as error:
                wrong.append(str(error))
        if wrong:
            more = f" (and {len(wrong) - 1} more like it)" if len(wrong) > 1 else ""
            raise PatchError(wrong[0] + more)

    def _set_points(self, node: str, param: str, points: Iterable[Point]) -> None:
        if self._late and self._asked is not None:
            set_points(self._asked.patch, node, param, points)
        else:
            self._playing().set_points(node, param, points)

    # -- the device ----------------------------------------------------------------------------------------------------

    def _best_rate(self) -> int:
        return self._instead.get(self._wished_rate(), self._wished_rate())

    def _wished_rate(self) -> int:
        assert self._device is not None
        asked = self._asked.patch.sample_rate if self._asked else None
        return self._device.rate or asked or self._rate or self._parts.rate(self._device, 0) or DEFAULT_RATE

    def _start(self) -> None:
        """Have a player of the right rate; the device opens when the patch is in place."""
        self._late = False
        if self._device is None or self._asked is None:
            return
        if self._player is None and not self._parts.ready():
            self._late = True
            return
        rate = self._best_rate()
        if self._player is not None:
            if rate == self._rate:
                return
            if self._sound is not None:
                self.say(f"From {self._rate} to {rate} Hz: the device is opened again.", "info")
            self._place_s = self.place_s()
            self._stop_playing()
        self._rate = rate
        self._player = self._parts.player(self._device, rate, self.say)
        for wish in self._wishes.values():
            self._player.prefer(wish)
        self._told = None
        self._player.set_loop(self._loop_frames())
        self._player.locate(round(self._place_s * rate))
        if self._rolling:
            self._player.play()
        else:
            self._player.stop()
        self._give_patch()
        early, self._early = self._early, {}
        try:
            self._set_params([(*at, value) for at, value in early.items()])
        except PatchError as error:
            self.say(str(error), "error")

    def _wanted_channels(self) -> tuple[int, int]:
        """How many channels of the device the patch reaches."""
        assert self._asked is not None
        inputs, outputs = self._asked.channels
        return self._parts.reach(inputs, max(outputs, FEWEST_CHANNELS))

    def _open_for_more(self) -> None:
        """Open the device again where it is open for less than what is reached now."""
        if self._sound is not None and any(a > b for a, b in zip(self._wanted_channels(), self._channels, strict=True)):
            self._open()

    def _open(self) -> None:
        assert self._device is not None
        assert self._player is not None
        assert self._asked is not None
        self._close_sound()
        rate = self._parts.rate(self._device, self._rate)
        if rate not in (0, self._rate):
            self.say(f"The device does not run at {self._rate} Hz: the patch is played at {rate} Hz.")
            self._instead, self._due = {self._wished_rate(): rate}, False
            self._start()
            return
        self._channels = self._wanted_channels()
        self._player.running(True)  # from its first call on, which comes before it is open for us
        self._sound_xruns, self._due = 0, False
        self._sound = self._parts.sound(self._device, self._player.renderer, *self._channels, self._rate, self.say)
        if self._recording:
            try:
                self._record(True)
            except (ValueError, OSError) as error:
                self.say(str(error), "error")

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()
            self._sound = None
            if self._player is not None:
                self._player.running(False)

    def _look_for_xruns(self) -> None:
        assert self._sound is not None
        assert self._player is not None
        count = self._sound.xruns()
        if count > self._sound_xruns:
            self._xruns += count - self._sound_xruns
            if monotonic() - self._xruns_said_at > XRUNS_SAID_S:
                self._xruns_said_at = monotonic()
                culprit = self._player.culprit()
                why = f"{culprit} took longest" if culprit else "the nodes were in time, the system was not"
                self.say(f"Sound dropped out at {self.place_s():.1f} s, {self._xruns} blocks so far; {why}.")
        self._sound_xruns = count

    def _record(self, on: bool) -> None:
        """Begin or end takes; they begin with the device where that is not open yet."""
        self._recording = on and self._asked is not None
        if not on:
            if self._player is not None:
                self._player.record(False, 0)
        elif self._asked is None or self._sound is not None:
            try:
                self._playing().record(True, self._sound.round_trip() if self._sound is not None else 0)
            except ValueError:
                self._recording = False  # there is no recorder
                raise

    def _ask_plugins(self, message: _OfWindows | _OfStates) -> None:
        done = self._player is not None and self._player.ask_plugins(message)
        if done or isinstance(message, AskPlugins | GivePluginState):
            return
        if isinstance(message, AskPluginStates):
            self._news.append(PluginStatesTold(message.ticket))
            return
        words = f"{message.node}: there is no plugin"
        if not isinstance(message, AskPlugin):
            raise ValueError(words)
        self._news.append(PluginAnswer(message.ticket, words, None, "", b""))

    def _playing(self) -> Player:
        if self._player is None:
            raise ValueError("there is no patch to do this with yet")
        return self._player

    def _loop_frames(self) -> tuple[int, int] | None:
        if self._loop is None:
            return None
        return round(self._loop[0] * self._rate), round(self._loop[1] * self._rate)

"""Takes of recorders: where they begin, so that what was played to a moment of the patch lies at that moment, and what
becomes of them when the patch changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from host.audiofile import AudioFileError
from host.disk.recorder import Recorder, Take
from host.engine.ports import Outlet
from host.native.live import Live


def hearing(patch: Patch) -> frozenset[str]:
    """The recorders that hear what comes in from outside, by address. What comes back from outboard gear counts not:
    its latency is declared, and made up for.
    """
    flat = expand(patch)
    following: dict[str, list[str]] = defaultdict(list)
    for cable in flat.cables:
        following[cable.source].append(cable.target)
    waiting = [id for id, e in flat.nodes.items() if e.kind == "audio_in" and not e.settings.get("return_of")]
    reached = set(waiting)
    while waiting:
        for id in following[waiting.pop()]:
            if id not in reached:
                reached.add(id)
                waiting.append(id)
    return frozenset(id for id in reached if id in flat.nodes and flat.nodes[id].kind == "file_recorder")


@dataclass
class _Going:
    """A take that is being written, and what it is written from."""

    key: str
    outlet: Outlet


class Takes:
    """The takes of all recorders of what is played. While recording is on, a recorder that comes with an edit begins a
    take, and one that goes ends its own; where the settings of one change, one take ends and the next begins.
    """

    def __init__(self, live: Live, rate: int, notice: Callable[[str], None]) -> None:
        self._live, self._rate, self._notice = live, rate, notice
        self._recorder: Recorder | None = None
        self._going: list[_Going] = []
        self._on = False
        self._round_trip = self._count = 0
        self._seen: Sequence[Outlet] = ()

    def start(self, outlets: Sequence[Outlet], patch: Patch | None, folder: Path, round_trip: int) -> None:
        """Begin takes of all recorders that have none. Those that hear an input begin so much later that what was
        played to the sound from the outputs lies with it: by the ``round_trip`` in frames, and by what the patch itself
        takes. Raises ValueError where there is no recorder, AudioFileError or PatchError where one cannot be written.
        """
        if not any(outlet.request is not None for outlet in outlets):
            raise ValueError("there is no file_recorder with a path in this patch")
        self._on, self._round_trip = True, round_trip
        if self._recorder is not None:
            broken = {key for key, take in self._recorder.running().items() if take.problem is not None}
            self._recorder.stop_all(sorted(broken))
            self._going = [going for going in self._going if going.key not in broken]
        wrong = self._begin(outlets, patch, folder)
        if wrong:
            raise wrong[0]

    def stop(self) -> None:
        """End all takes."""
        self._on = False
        self._end(self._going)

    def follow(self, outlets: Sequence[Outlet], patch: Patch | None, folder: Path) -> None:
        """What leaves the patch may be other outlets than before."""
        if not self._on or outlets is self._seen:
            return
        now = {id(outlet.ring): outlet for outlet in outlets}
        self._end([going for going in self._going if id(going.outlet.ring) not in now])
        for going in self._going:
            outlet = now[id(going.outlet.ring)]
            later = outlet.arrival - going.outlet.arrival
            if later:
                words = f"{abs(later)} frames {'later' if later > 0 else 'earlier'}"
                self._notice(f"{outlet.id.rstrip('~')}: what follows lies {words} in the take, as the patch is now")
            going.outlet = outlet
        for error in self._begin(outlets, patch, folder):
            self._notice(str(error))

    def running(self) -> tuple[str, ...]:
        """The files being written."""
        if self._recorder is None:
            return ()
        return tuple(str(take.path) for take in self._recorder.running().values() if take.problem is None)

    def close(self) -> None:
        """End all takes, and the thread that writes them."""
        self.stop()
        if self._recorder is not None:
            self._recorder.close()

    def _begin(self, outlets: Sequence[Outlet], patch: Patch | None, folder: Path) -> list[AudioFileError | PatchError]:
        """Begin the takes that are not there yet; the answer is what kept others from beginning."""
        self._seen = outlets
        wrong: list[AudioFileError | PatchError] = []
        have = {id(going.outlet.ring) for going in self._going}
        wanted = [o for o in outlets if o.request is not None and id(o.ring) not in have and not o.id.endswith("~")]
        if not wanted:
            return wrong
        if self._recorder is None:
            self._recorder = Recorder(self._rate, self._notice)
        frames, place = self._moment()
        start = max(0, frames - min(outlet.arrival for outlet in wanted))
        heard = max((outlet.arrival for outlet in outlets if outlet.request is None), default=0)
        late = hearing(patch) if patch is not None and self._round_trip else frozenset[str]()
        for outlet in wanted:
            request = outlet.request
            assert request is not None
            self._count += 1
            key = f"{outlet.id} {self._count}"
            later = self._round_trip + heard if outlet.id in late else 0
            try:
                path = self._recorder.start(
                    key,
                    outlet.ring,
                    outlet.header,
                    request.path,
                    request.subtype or None,
                    outlet.labels,
                    start + outlet.arrival + later,
                    folder=folder,
                    time_reference=max(0, place - (frames - start if self._live.rolling else 0)),
                )
            except (AudioFileError, PatchError) as error:
                wrong.append(error)
                continue
            self._going.append(_Going(key, outlet))
            self._notice(f"{outlet.id}: recording to {path}")
        return wrong

    def _end(self, takes: Iterable[_Going]) -> None:
        names = {going.key: going.outlet.id.rstrip("~") for going in takes}
        self._going = [going for going in self._going if going.key not in names]
        if self._recorder is None or not names:
            return
        for key, take in self._recorder.stop_all(list(names)).items():
            self._notice(f"{names[key]}: {self._words(take)}")

    def _words(self, take: Take) -> str:
        lost = f"; {take.lost} frames were lost" if take.lost else ""
        problem = f"; {take.problem}" if take.problem else ""
        return f"{take.frames / self._rate:.2f} s in {take.path}{lost}{problem}"

    def _moment(self) -> tuple[int, int]:
        """The clock, and the transport's place at the same moment."""
        while True:
            frames, place = self._live.frames, self._live.place
            if frames == self._live.frames:
                return frames, place

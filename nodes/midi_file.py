"""MIDI file player."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from graph.spec import (
    TICK,
    Config,
    EventsOut,
    Memory,
    Services,
    Setting,
    State,
    kernel,
)
from nodes.dsp.chasing import chased, history_of
from nodes.dsp.events import RELEASE, ROWS, STATUS, data_of, head_of
from nodes.dsp.filed import Filed

PLAYING, EXPECTED, NEXT, LAP, CHASED, PLACE, SINCE = 0, 1, 2, 3, 4, 5, 6
"""Words of the state: whether it plays; the place at which the next tick goes on if nothing comes between; the next
event, and how often the file has gone round; how many controllers were chased since the last jump, to where, and at
what frame of the tick that was.
"""
FIRST, LENGTH, COUNT, SLOTS = 0, 1, 2, 3
"""Words of the span: the frame of the timeline at which the file begins; after how many it begins again, 0 for never;
how many events and how many controllers there are.
"""


class MidiFile(Filed):
    """Play the notes of a MIDI file that lies on the timeline.

    Formats 0 and 1, in the tempo of the file. It follows the transport: where that stops or jumps, all notes end and
    pedals go up; where it goes on, controllers, bends and programs are as the file has set them up to there. Those that
    it has set only later go back to what an instrument has when it is switched on (MIDI's RP-015).
    """

    kind = "midi_file"

    out = EventsOut("out")
    path = Setting("path", "", "path", "The MIDI file.")
    song = Memory(2, "i8")
    slots = Memory(2, "i8")
    history = Memory(2, "i8")
    sent = Memory(1, "i8")
    span = Memory(1, "i8")
    at = State((8,), "i8")

    @classmethod
    def known(cls, config: Config, services: Services) -> Mapping[str, object]:
        """The length of the file in frames at the patch's rate, and a number that is another one for another file."""
        song = services.read_midi(config.settings["path"], config.rate)
        return {"frames": song.frames, "digest": crc32(song.events.tobytes())}

    @classmethod
    def ends_at(cls, config: Config) -> int | None:
        """The end of the file."""
        if "frames" not in config.info or config.settings["loop"]:
            return None
        return round(config.settings["start_s"] * config.rate) + int(config.info["frames"])

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """The events, and what is chased."""
        s = config.settings
        events, length = np.zeros((0, 2), np.int64), 0
        if s["path"] and config.info:
            song = services.read_midi(s["path"], config.rate)
            events, length = song.events, max(song.frames, TICK) if s["loop"] else 0
        numbers, slots, history = history_of(events)
        rows = np.zeros((len(events) + 1, 3), np.int64)
        rows[:-1, :2], rows[:-1, 2] = events, numbers
        return {
            "song": rows,
            "slots": np.concatenate([slots, np.zeros((1, 3), np.int64)]),
            "history": np.concatenate([history, np.zeros((1, 2), np.int64)]),
            "sent": np.zeros(len(slots) + 1, np.int64),
            "span": np.array([round(s["start_s"] * config.rate), length, len(events), len(slots)]),
        }

    @kernel
    def process(out, song, slots, history, sent, span, at, position, roll, slope, n):
        first, length, count, most = span[FIRST], span[LENGTH], span[COUNT], span[SLOTS]
        plays = count > 0 and slope >= 0.0 and (roll > 0.0 or slope > 0.0)
        for tick in range(0, n, TICK):
            rows = 0
            at[SINCE] = 0
            here = position + tick - first
            if at[PLAYING] and (not plays or here != at[EXPECTED]):
                out[tick, 0], out[tick, 1] = float(STATUS * RELEASE), 0.0
                rows = 1
                at[PLAYING] = 0
            if plays:
                if not at[PLAYING]:
                    lap = here // length if length > 0 and here > 0 else 0
                    at[PLAYING], at[LAP], at[CHASED], at[PLACE] = 1, lap, 0, here - lap * length
                    low, high = 0, count
                    while low < high:
                        middle = (low + high) >> 1
                        if song[middle, 0] < at[PLACE]:
                            low = middle + 1
                        else:
                            high = middle
                    at[NEXT] = low
                while rows < ROWS:
                    if at[CHASED] < most:
                        event = chased(slots, history, sent, at[CHASED], at[PLACE])
                        at[CHASED] += 1
                        if event:
                            out[tick + rows, 0] = head_of(event, at[SINCE])
                            out[tick + rows, 1] = data_of(event)
                            rows += 1
                        continue
                    k = at[NEXT]
                    due = at[LAP] * length - here + (song[k, 0] if k < count else length)
                    if due >= TICK or (k >= count and length == 0):
                        break
                    frame = max(due, 0)
                    if k < count:
                        out[tick + rows, 0] = head_of(song[k, 1], frame)
                        out[tick + rows, 1] = data_of(song[k, 1])
                        if song[k, 2] >= 0:
                            sent[song[k, 2]] = 1
                        at[NEXT] = k + 1
                    else:  # round again
                        out[tick + rows, 0], out[tick + rows, 1] = float(frame + STATUS * RELEASE), 0.0
                        at[LAP], at[NEXT], at[CHASED], at[PLACE], at[SINCE] = at[LAP] + 1, 0, 0, 0, frame
                    rows += 1
                at[EXPECTED] = here + TICK
            if rows < ROWS:
                out[tick + rows, 0] = 0.0
                out[tick + rows, 1] = 0.0

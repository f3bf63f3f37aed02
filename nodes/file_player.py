"""File player."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from graph.layouts import layout_with
from graph.spec import (
    LANES,
    WATCHED,
    AudioOut,
    Config,
    FileRequest,
    Level,
    Memory,
    PatchError,
    Reading,
    Scratch,
    Services,
    Setting,
    State,
    Stream,
    Switch,
    helper,
    kernel,
)
from nodes.dsp.filed import LATEST_S, Filed
from nodes.dsp.levels import READ, crests_read, fall
from nodes.dsp.machine import f32, finite
from nodes.dsp.turns import quarter_sine

GATE_S = 0.005
"""How long it takes to fade while ``play`` is switched."""
FIRST, IN, END, OUT = 0, 1, 2, 3
UNSET = NOTHING = -1.0


@helper
def eased(u):
    """A fade: from 0 at u ≤ 0 to 1 at u ≥ 1 as sin²(u·π/2); turned round, it adds up to one with itself."""
    s = quarter_sine(min(max(u, 0.0), 1.0))
    return s * s


class FilePlayer(Filed):
    """Play an audio file that lies on the timeline.

    Its frame at ``offset_s`` is heard at ``start_s``; a loop goes from the end of the file back to ``offset_s``,
    without a seam. Fades are raised cosines, sin²(u·π/2), so that a fade-out and a fade-in over the same time add up to
    one; a loop does not fade out. It follows the transport, and fades where that starts, stops or jumps. ``play`` opens
    and shuts the sound, over 5 ms where it is switched; the file goes on meanwhile. Without a path there is silence.
    """

    kind = "file_player"
    accumulates = True

    out = AudioOut("out")
    path = Setting("path", "", "path", "The audio file.")
    offset_s = Setting("offset_s", 0.0, "number", "Where in the file it starts, in seconds.", low=0, high=LATEST_S)
    fade_in_s = Setting("fade_in_s", 0.0, "number", "Length of the fade from the start, in seconds.", low=0, high=3600)
    fade_out_s = Setting("fade_out_s", 0.0, "number", "Length of the fade to the end, in seconds.", low=0, high=3600)
    level = Level("level_db", 0.0, doc="Level.")
    play = Switch("play", 1, doc="Let it be heard.")
    stream = Stream("in", serves="file")
    span = Memory(1, "f8")
    gate = State((1,), init=UNSET)
    peak = Reading(doc="Highest absolute sample played, falling by 20 dB in 1.7 s.", watched=True)
    gain = Scratch((LANES,), "f4")
    high = Scratch((READ, LANES), "f4")

    @classmethod
    def known(cls, config: Config, services: Services) -> Mapping[str, object]:
        """The layout of the file, and its length in frames at the patch's rate."""
        path = config.settings["path"]
        found = services.audio_info(path)
        layout = layout_with(found.labels)
        if layout is None:
            raise PatchError(f"{path}: there is no layout with the channels {' '.join(found.labels)}")
        left = max(0, found.frames - round(config.settings["offset_s"] * found.rate))
        return {"layout": layout, "frames": (2 * left * round(config.rate) + found.rate) // (2 * found.rate)}

    @classmethod
    def output_layouts(cls, config: Config) -> Mapping[str, str]:
        """The file's layout."""
        return {"out": str(config.info.get("layout", "stereo"))}

    @classmethod
    def file(cls, config: Config) -> FileRequest | None:
        """The file, where there is one."""
        s = config.settings
        if not s["path"]:
            return None
        return FileRequest(s["path"], s["start_s"], s["offset_s"], s["loop"])

    @classmethod
    def prepare(cls, config: Config, services: Services) -> Mapping[str, np.ndarray]:
        """In frames of the timeline: the first one, the length of the fade-in, the end, the length of the fade-out."""
        s = config.settings
        if not s["path"]:
            return {"span": np.full(4, NOTHING)}
        first = round(s["start_s"] * config.rate)
        endless = s["loop"] or "frames" not in config.info
        end = math.inf if endless else first + int(config.info["frames"])
        return {
            "span": np.array([first, round(s["fade_in_s"] * config.rate), end, round(s["fade_out_s"] * config.rate)])
        }

    @kernel
    def process(out, level, play, stream, span, gate, peak, gain, high, rate, position, roll, slope, n):
        watched = peak[0] != 0.0
        if watched:
            kept = f32(fall(n, rate))
            for lane in range(out.lanes):
                peak[lane] = max(peak[lane] * kept, f32(WATCHED))
        if span[IN] == NOTHING or (roll <= 0.0 and slope <= 0.0):
            for i in range(n):
                for lane in range(out.lanes):
                    out[i, lane] = 0.0
            return
        step = 1.0 / (GATE_S * rate)
        if gate[0] == UNSET:
            gate[0] = play[0, 0]
        i = 0
        while i < n:
            t = position + i
            rising, falling = t - span[FIRST], span[END] - t
            fade, run = 1.0, min(n - i, play.until(i) - i)
            if gate[0] != play[i, 0]:
                gate[0] = min(max(float(play[i, 0]), gate[0] - step), gate[0] + step)
                run = 1
            if rising < 0.0 or falling <= 0.0:
                fade = 0.0
                if rising < 0.0 and run > -rising:
                    run = int(-rising)
            else:
                run = min(run, stream.run(t), level.until(i) - i)
                if rising < span[IN] or falling <= span[OUT]:
                    run = 1
                    fade = eased(rising / max(span[IN], 1.0)) if rising < span[IN] else 1.0
                    fade *= eased(falling / max(span[OUT], 1.0)) if falling <= span[OUT] else 1.0
                elif run > falling - span[OUT]:
                    run = int(falling - span[OUT])
            if slope != 0.0:  # the transport starts or stops
                run = 1
                fade *= min(max(roll + i * slope, 0.0), 1.0)
            for lane in range(out.lanes):
                gain[lane] = level[i, lane] * (fade * gate[0])
            # What is not there, because the disk is late or there is nothing to play, is silent.
            first = min(max(stream.start - t, 0), run)
            last = min(max(stream.end - t, first), run)
            if fade == 0.0:
                first = last = run
            else:
                stream.missed(run - (last - first))
            if watched:
                crests_read(stream, t, first, last, out.lanes, high)
                for lane in range(out.lanes):
                    peak[lane] = max(peak[lane], high[0, lane] * gain[lane])
            for j in range(first):
                for lane in range(out.lanes):
                    out[i + j, lane] = 0.0
            for j in range(first, last):
                for lane in range(out.lanes):
                    out[i + j, lane] = finite(stream[t, j, lane]) * gain[lane]
            for j in range(last, run):
                for lane in range(out.lanes):
                    out[i + j, lane] = 0.0
            i += run

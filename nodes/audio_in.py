"""Audio input."""

from __future__ import annotations

from graph.spec import (
    LANES,
    WATCHED,
    AudioOut,
    LayoutSetting,
    Level,
    Node,
    Reading,
    Scratch,
    Setting,
    Stream,
    Switch,
    kernel,
)
from nodes.dsp.levels import READ, crests_read, fall
from nodes.dsp.machine import f32, finite


class AudioIn(Node):
    """Bring audio into the patch: from a device, or from a file when rendering."""

    kind = "audio_in"
    family = "input"
    accumulates = True

    out = AudioOut("out", "=layout")
    layout = LayoutSetting("layout", "stereo")
    channel = Setting("channel", 0, "integer", "First device channel.", low=0, high=1023)
    return_of = Setting("return_of", "", "text", "The audio_out whose signal comes back here from outboard gear.")
    latency_frames = Setting(
        "latency_frames", 0, "integer", "Frames that the outboard round trip takes.", low=0, high=1_000_000
    )
    level = Level("level_db", 0.0, doc="Level received.")
    mute = Switch("mute", doc="Silence the input.")
    stream = Stream("in")
    peak = Reading(doc="Highest absolute sample received, falling by 20 dB in 1.7 s.", watched=True)
    gain = Scratch((LANES,), "f4")
    high = Scratch((READ, LANES), "f4")

    @kernel
    def process(out, level, mute, stream, peak, gain, high, rate, time, n):
        watched = peak[0] != 0.0
        if watched:
            kept = f32(fall(n, rate))
            for lane in range(out.lanes):
                peak[lane] = max(peak[lane] * kept, f32(WATCHED))
        done = 0
        while done < n:
            t = time + done
            run = min(n - done, stream.run(t), level.until(done) - done, mute.until(done) - done)
            for lane in range(out.lanes):
                gain[lane] = level[done, lane] * (1 - mute[done, lane])
            if watched:
                crests_read(stream, t, 0, run, out.lanes, high)
                for lane in range(out.lanes):
                    peak[lane] = max(peak[lane], high[0, lane] * gain[lane])
            for i in range(run):
                for lane in range(out.lanes):
                    out[done + i, lane] = finite(stream[t, i, lane]) * gain[lane]
            done += run

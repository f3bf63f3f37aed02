"""Audio input."""

from __future__ import annotations

from graph.spec import AudioOut, LayoutSetting, Level, Node, Setting, Stream, Switch, kernel
from nodes.dsp.machine import f32, finite


class AudioIn(Node):
    """Bring audio into the patch: from a device, or from a file when rendering."""

    kind = "audio_in"
    family = "input"

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

    @kernel
    def process(out, level, mute, stream, time, n):
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = finite(stream[time + i, lane]) * f32(level[i, lane] * (1 - mute[i, lane]))

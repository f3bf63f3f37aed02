"""Audio output."""

from __future__ import annotations

from graph.spec import AudioIn, LayoutSetting, Level, Node, Setting, Stream, Switch, kernel
from nodes.dsp.machine import f32


class AudioOut(Node):
    """Send audio out of the patch: to a device, or to a file when rendering."""

    kind = "audio_out"
    family = "input"

    signal = AudioIn("in", "=layout")
    layout = LayoutSetting("layout", "stereo")
    channel = Setting("channel", 0, "integer", "First device channel.", low=0, high=1023)
    level = Level("level_db", 0.0, doc="Level sent.")
    mute = Switch("mute", doc="Silence the output.")
    stream = Stream("out")

    @kernel
    def process(signal, level, mute, stream, time, n):
        for i in range(n):
            for lane in range(signal.lanes):
                stream[time + i, lane] = signal[i, lane] * f32(level[i, lane] * (1 - mute[i, lane]))

"""Audio output."""

from __future__ import annotations

from graph.spec import LANES, AudioIn, LayoutSetting, Level, Node, Scratch, Setting, Stream, Switch, kernel


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
    gain = Scratch((LANES,), "f4")

    @kernel
    def process(signal, level, mute, stream, gain, time, n):
        done = 0
        while done < n:
            t = time + done
            run = min(n - done, stream.run(t), level.until(done) - done, mute.until(done) - done)
            for lane in range(signal.lanes):
                gain[lane] = level[done, lane] * (1 - mute[done, lane])
            for i in range(run):
                for lane in range(signal.lanes):
                    stream[t, i, lane] = signal[done + i, lane] * gain[lane]
            done += run

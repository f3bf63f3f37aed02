"""File recorder."""

from __future__ import annotations

from pathlib import PurePosixPath

from graph.layouts import labels_of
from graph.spec import AudioIn, ChoiceSetting, Config, FileRequest, Node, Setting, Stream, kernel

SUBTYPES = ("auto", "FLOAT", "PCM_24", "PCM_16", "VORBIS")
BEST = {".flac": "PCM_24", ".ogg": "VORBIS", ".oga": "VORBIS"}
"""The best subtype by the suffix of the file, where it is not FLOAT."""


class FileRecorder(Node):
    """Write a signal to an audio file, inside the patch's own folder; never over one that exists.

    The suffix says the format: WAV, AIFF, FLAC or OGG. Without a path nothing is written.
    """

    kind = "file_recorder"
    family = "input"

    signal = AudioIn("in")
    path = Setting("path", "", "path", "The file to write.")
    subtype = ChoiceSetting("subtype", SUBTYPES, doc="How samples are written; auto is the best that the format has.")
    stream = Stream("out", serves="file")

    @classmethod
    def file(cls, config: Config) -> FileRequest | None:
        """The file, where there is one."""
        path, subtype = config.settings["path"], config.settings["subtype"]
        if not path:
            return None
        if subtype == "auto":
            subtype = BEST.get(PurePosixPath(path).suffix.lower(), "FLOAT")
        labels = labels_of(config.layouts["in"]) if "in" in config.layouts else ()
        return FileRequest(path, subtype=subtype, labels=labels)

    @kernel
    def process(signal, stream, time, n):
        done = 0
        while done < n:
            run = min(n - done, stream.run(time + done))
            for i in range(run):
                for lane in range(signal.lanes):
                    stream[time + done, i, lane] = signal[done + i, lane]
            done += run

"""Timecode and the last minute, in a real window with an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import soundfile

from graph.document import Patch
from tests.editor.window import Window

Open = Callable[..., Window]


def test_the_clock_shows_timecode_and_the_last_minute_is_kept(open_window: Open, tmp_path: Path) -> None:
    patch = Patch("Tone", 48000)
    patch.add("src", "oscillator")
    patch.add("out", "audio_out")
    patch.connect("src.out", "out.in")
    path = tmp_path / "tone.json"
    patch.save(path)
    window = open_window(path, "--device", "null")
    window.command("sound.timecode")
    window.until(lambda _: window.patch()["metadata"] == {"timecode": "23.976"}, "the patch keeps the rate")
    window.shot("timecode")

    def is_kept(_: object) -> bool:
        """Asked for again and again: at first there is nothing yet, or little."""
        window.command("sound.keep")
        files = tmp_path.glob("Tone last minute*.wav")
        return any(soundfile.info(file).frames > 10_000 for file in files if file.stat().st_size > 50_000)

    window.until(is_kept, "it is kept")
    window.key("ctrl+z")
    window.until(lambda _: window.patch().get("metadata", {}) == {}, "it is undone")

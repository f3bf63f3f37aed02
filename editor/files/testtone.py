"""A tone to hear whether a device works."""

from __future__ import annotations

from graph.document import Patch

LEVEL_DB = -24.0
FREQUENCY_HZ = 440.0


def sine() -> Patch:
    """A patch that plays a quiet sine out of the first two channels."""
    patch = Patch("Test tone")
    patch.add("tone", "oscillator", freq_hz=FREQUENCY_HZ, level_db=LEVEL_DB)
    patch.add("out", "audio_out")
    patch.connect("tone.out", "out.in")
    return patch

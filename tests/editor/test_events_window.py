"""Cables of events in a real window: an instrument is plugged to a song, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from editor.canvas.cables import layout_badge
from editor.canvas.plugging import items_that_fit
from graph.document import Patch
from tests.editor.plugins.rig import CRUSH, SYNTH, entry_of, filled, session_with
from tests.editor.window import Window

Open = Callable[..., Window]


def test_what_fits_a_cable_of_events_is_an_instrument_or_a_song(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    takes = items_that_fit(session, "events", "out")
    assert f"plugin:vst3:{SYNTH.uid}" in takes
    assert f"plugin:vst3:{CRUSH.uid}" not in takes
    assert not {"gain", "midi_in", "audio_out", "lfo"} & set(takes)
    assert items_that_fit(session, "events", "in") == ["midi_file", "midi_in"]
    assert layout_badge("events") == ""
    assert layout_badge("5.1") == "5.1"


def test_a_song_is_plugged_to_an_instrument_and_refused_elsewhere(open_window: Open, tmp_path: Path) -> None:
    filled(tmp_path / "window0" / "data")
    patch = Patch("Song")
    patch.add("song", "midi_file")
    patch.add("keys", "midi_in")
    patch.put("synth", entry_of(SYNTH))
    patch.add("tone", "filter")
    for k, id in enumerate(("song", "synth", "tone")):
        patch.node(id).position = (340.0 * k, 0.0)
    patch.node("keys").position = (0.0, 260.0)
    path = tmp_path / "patch.json"
    patch.save(path)
    window = open_window(path, "--no-engine")
    for source in ("song", "keys"):
        window.drag(f"pin:{source}.out", "pin:synth.events")
        window.until(lambda s, source=source: f"{source}.out -> synth.events" in s["cables"])
    window.drag("pin:song.out", "pin:tone.in")
    state = window.until(lambda s: s["notices"])
    assert sorted(state["cables"]) == ["keys.out -> synth.events", "song.out -> synth.events"]
    assert "events" in state["notices"][-1][1]
    assert window.problems() == []
    window.shot("events")
    window.close()

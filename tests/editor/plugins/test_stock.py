"""What can be added: kinds and plugins; what plugin nodes look like, with their plugin and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.canvas.plugging import goes_into, items_that_fit
from editor.canvas.shape import shape
from editor.faces import face
from editor.model import Session
from editor.palette import grouped
from editor.stock import fitting, purpose
from graph.document import Cable, Patch
from graph.edits import AddNode
from tests.editor.plugins.rig import CRUSH, FILES, HALL, SYNTH, entry_of, filled, good, read, session_with

CRUSH_ID = f"plugin:vst3:{CRUSH.uid}"


def test_every_kind_and_every_good_plugin_is_in_stock(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    ids = [item.id for item in session.stock.items()]
    assert set(session.kinds) <= set(ids)
    assert [item.title for item in session.stock.plugins()] == ["Crush", "Crush Pro", "Hall", "Synth"]
    assert "plugin:vst3:" + "00" * 16 not in session.stock
    with pytest.raises(KeyError):
        session.stock["plugin:vst3:nothing"]


def test_a_plugin_from_stock_becomes_a_node_with_all_that_finds_it_again(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    entry = session.stock[CRUSH_ID].entry()
    assert entry.kind == "plugin"
    assert entry.settings == {
        "format": "vst3",
        "uid": CRUSH.uid,
        "name": "Crush",
        "vendor": "Acme Audio",
        "version": "2.1.0",
        "path_hint": "/plugins/Crush.vst3",
    }
    assert session.fresh_id(session.stock[CRUSH_ID].stem) == "crush"
    session.do(AddNode("crush", entry))
    assert Patch.from_json(session.patch.to_json()).node("crush").settings == entry.settings


def test_a_plugin_node_has_the_ports_params_and_words_of_its_plugin(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path), ("fx", CRUSH))
    found = session.face("fx")
    assert [(p.name, p.type, p.layout) for p in found.inputs] == [
        ("in", "audio", "stereo"),
        ("sidechain", "sidechain", "mono"),
    ]
    assert [p.name for p in found.outputs] == ["out"]
    assert [p.name for p in found.params] == ["drive", "dry_wet", "shape", "oversample"], "a meter is no param"
    drive, wet, kind, over = found.params
    assert [found.label(p) for p in found.params] == ["Drive", "Dry/Wet", "Shape", "Oversample"]
    assert (found.text(drive, 0.0), found.text(drive, 1.0)) == ("−12.0 dB", "36.0 dB")
    assert found.text(wet, 1.0) == "100 %"
    assert [found.text(kind, v) for v in (0.0, 0.5, 1.0)] == ["Soft", "Hard", "Fold"]
    assert found.text(over, 1.0) == "On"
    assert found.family == "plugin"
    assert found.subtitle == "Crush, Acme Audio"
    assert not found.problem
    assert not found.missing
    knobs = [k.param.name for k in shape(found, session.kinds["plugin"]).knobs]
    assert knobs == ["drive", "dry_wet"], "what picks one of a few things is no knob"


def test_a_missing_plugin_keeps_ports_of_cables_and_params_and_is_no_error(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    entry = entry_of(CRUSH)
    entry.settings["uid"] = "00" * 16
    entry.params.update({"odd": 2.0, "drive": 0.3})
    cables = [
        Cable("a", "out", "fx", "sidechain_2"),
        Cable("lfo", "out", "fx", "drive"),
        Cable("fx", "out_3", "b", "in"),
    ]
    found = face("fx", entry, session.kinds, cables)
    assert found.missing
    assert not found.problem
    assert [(p.name, p.type) for p in found.inputs] == [("in", "audio"), ("sidechain_2", "sidechain")]
    assert [p.name for p in found.outputs] == ["out", "out_3"]
    assert found.values == {"drive": 0.3, "odd": 2.0}
    assert all(p.low <= found.values[p.name] <= p.high for p in found.params)
    assert [p.name for p in found.params] == ["drive", "odd"], "in one order, whatever was set last"


def test_a_scan_that_finds_the_plugin_makes_the_placeholder_whole(tmp_path: Path) -> None:
    filled(tmp_path, FILES[1:])
    session = session_with(tmp_path, ("fx", CRUSH))
    assert session.face("fx").missing
    session.changes()
    session.patch_changed = False
    filled(tmp_path, (good(CRUSH, "/elsewhere/Crush.vst3"),))
    read(session.shelf)
    session.relearned()
    assert session.patch_changed, "the engine is to look again, too"
    assert session.changes().everything
    assert not session.face("fx").missing
    assert CRUSH_ID in session.stock


def test_plugins_take_part_where_a_cable_asks_what_fits(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    session.patch.add("a", "oscillator")
    session.patch.add("b", "audio_out")
    session.patch.connect("a.out", "b.in")
    cable = session.patch.cables()[0]
    synth = f"plugin:vst3:{SYNTH.uid}"
    after, before = items_that_fit(session, "audio", "out"), items_that_fit(session, "audio", "in")
    assert CRUSH_ID in after
    assert synth not in after
    assert synth in before
    assert goes_into(session, CRUSH_ID, cable)
    assert not goes_into(session, synth, cable)


def test_stock_is_grouped_by_family_then_maker_or_purpose_and_searched_by_every_word(tmp_path: Path) -> None:
    session = session_with(filled(tmp_path))
    by_maker = {g.title: [i.title for i in g.items] for g in grouped(session.stock.items(), "vendor")}
    assert by_maker["Acme Audio"] == ["Crush", "Crush Pro", "Synth"]
    assert by_maker["Other House"] == ["Hall"]
    assert "Gain" in by_maker["mix"]
    by_use = {g.title: [i.title for i in g.items] for g in grouped(session.stock.plugins(), "category")}
    assert by_use == {"Distortion": ["Crush", "Crush Pro"], "Instrument": ["Synth"], "Reverb": ["Hall"]}
    assert [i.title for i in fitting(session.stock.items(), "acme dist")] == ["Crush", "Crush Pro"]
    assert fitting(session.stock.items(), "acme reverb") == []


@pytest.mark.parametrize(
    ("category", "word"),
    [("Fx|Dynamics|Mono", "Dynamics"), ("Fx|EQ", "EQ"), ("Instrument|Synth", "Instrument"), ("Fx", "Fx"), ("", "")],
)
def test_the_purpose_of_a_plugin_is_the_first_word_that_tells_something(category: str, word: str) -> None:
    assert purpose(category) == word


def test_without_any_scan_the_editor_knows_no_plugin_and_works(tmp_path: Path) -> None:
    session: Session = session_with(tmp_path)
    assert session.stock.plugins() == []
    assert "gain" in session.stock
    assert session.shelf.known.read
    assert HALL.name not in {item.title for item in session.stock.items()}

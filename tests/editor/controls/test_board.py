"""Which control moves what: found, kept, changed and freed."""

from __future__ import annotations

import pytest

from editor.controls.board import Board, Kept, exchanged, freed, metadata_edit, turned_round, ways, within
from editor.model import Session
from graph.document import Patch
from graph.form import to_document
from host.remote.mappings import Control, controls_in, with_control
from host.remote.sources import Source
from tests.editor.plugins.rig import CRUSH, filled, session_with

CC = Source("cc", 1, 74)
OTHER = Source("cc", 1, 75)


def session() -> Session:
    inner = Patch()
    inner.add("eq", "eq")
    inner.add("comp", "compressor", ratio=3.0)
    raw = {k: v for k, v in to_document(inner).items() if k in ("nodes", "cables")}
    patch = Patch()
    patch.add("strip", "group", {"patch": raw, "ports": {}, "params": {"squash": "comp.ratio"}})
    patch.add("flt", "filter")
    patch.add("main", "bus")
    patch.connect("flt.out", "main.in")
    return Session(patch)


def board(s: Session) -> Board:
    return Board.of(s.patch, s.kinds)


def learn(s: Session, control: Control) -> None:
    s.do_at_root(metadata_edit(with_control(s.patch.metadata, control)))


def kept(s: Session) -> list[tuple[str, str, str]]:
    return [(str(c.source), c.node, c.param) for c in controls_in(s.patch.metadata)[0]]


def test_values_are_what_is_heard_and_what_a_group_shows_is_set_at_the_group():
    s = session()
    b = board(s)
    assert b.values(s.patch)["strip/comp", "ratio"] == 3.0
    place = b.addresses.find("strip", "squash")
    assert place is not None
    s.do_at_root(b.edit(place, 8.0))
    assert s.patch.node("strip").params == {"squash": 8.0}
    assert b.values(s.patch)["strip/comp", "ratio"] == 8.0
    inside = b.addresses.find("strip/eq", "b1_gain_db")
    assert inside is not None
    s.do_at_root(b.edit(inside, 2.0))
    assert b.values(s.patch)["strip/eq", "b1_gain_db"] == 2.0


def test_bypass_and_mute_are_set_as_such():
    s = session()
    b = board(s)
    for node, name in (("flt", "bypass"), ("flt", "mute"), ("strip/comp", "bypass")):
        place = b.addresses.find(node, name)
        assert place is not None
        s.do_at_root(b.edit(place, 1.0))
        assert b.values(s.patch)[node, name] == 1.0
    assert s.patch.node("flt").bypass
    assert s.patch.node("flt").mute
    assert "bypass" not in s.patch.node("flt").params


def test_what_moves_a_param_is_found_by_either_of_its_addresses_and_freed():
    s = session()
    learn(s, Control(CC, "strip", "squash"))
    s.do_at_root(metadata_edit({**s.patch.metadata, "controls": [*s.patch.metadata["controls"], {"from": "odd"}]}))
    b, found = board(s), Kept.of(s.patch.metadata)
    assert list(found.moving(b)) == [("strip/comp", "ratio")]
    assert len(found.problems) == 1
    s.do_at_root(metadata_edit(freed(s.patch.metadata, b, ("strip/comp", "ratio"))))
    assert s.patch.metadata["controls"] == [{"from": "odd"}], "what is not understood stays"
    s.undo()
    assert kept(s) == [("cc 1 74", "strip", "squash")]


def test_one_of_two_controls_of_a_param_is_changed_and_the_other_stays():
    s = session()
    one, two = Control(CC, "flt", "q"), Control(OTHER, "flt", "q", low=5.0)
    entries = [{"from": "cc 1 74", "node": "flt", "param": "q", "note": "mine"},
               {"from": "cc 1 75", "node": "flt", "param": "q", "low": 5.0}]  # fmt: skip
    metadata = {"controls": entries, "frames": []}
    assert exchanged(metadata, two, None) == {"controls": entries[:1], "frames": []}
    jumping = ways(one, param(s, "q"))["At once"]
    from dataclasses import replace

    changed = exchanged(metadata, one, replace(controls_in(metadata)[0][0], **jumping))
    assert changed["controls"] == [{**entries[0], "takeover": "jump"}, entries[1]]
    assert "controls" not in exchanged(exchanged(metadata, two, None), one, None)


def param(s: Session, name: str):
    found = s.face("flt").param(name)
    assert found is not None
    return found


def test_ends_are_typed_turned_round_and_checked():
    s = session()
    freq, control = param(s, "freq_hz"), Control(CC, "flt", "freq_hz")
    typed = within(control, freq, "high", "2 kHz")
    assert typed.high == 2000.0
    assert within(typed, freq, "high", "").high is None
    assert within(control, freq, "low", f"{freq.low:g}").low is None, "its own end is not kept"
    with pytest.raises(ValueError, match="expected"):
        within(control, freq, "low", "loud")
    with pytest.raises(ValueError, match="10 to 24000 Hz"):
        within(control, freq, "low", "1")
    turned = turned_round(typed, freq)
    assert (turned.value(freq, 0.0), turned.value(freq, 1.0)) == (2000.0, freq.low)
    assert turned_round(turned, freq) == typed


def test_params_of_a_plugin_have_addresses_and_controls(tmp_path):
    s = session_with(filled(tmp_path), ("crush", CRUSH))
    b = board(s)
    found = b.addresses.find("crush", "drive")
    assert found is not None
    assert {place.param.name for place in b.addresses if place.node == "crush"} >= {"drive", "dry_wet", "shape"}
    s.do_at_root(b.edit(found, found.param.high))
    assert b.values(s.patch)["crush", "drive"] == found.param.high
    learn(s, Control(CC, "crush", "drive"))
    assert list(Kept.of(s.patch.metadata).moving(b)) == [("crush", "drive")]

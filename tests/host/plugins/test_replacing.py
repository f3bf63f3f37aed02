"""Edits that give a plugin another state, or put another plugin in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.document import Patch
from graph.errors import PatchError
from graph.groups import expand
from host.plugins.description import Bus, Description, PluginParam
from host.plugins.finding import version_words
from host.plugins.replacing import preset_edit, settled, substitute_edit, substitutes
from host.plugins.store import Found

STEREO = Bus("In", "main", 2, "stereo", ("stereo",))
KEY = Bus("Key", "aux", 1, "mono", ("mono",), on=False)


def plugin(name: str, *params: str, vendor: str = "Acme", uid: str = "", key: bool = False) -> Found:
    told = tuple(PluginParam(1000 + k, param) for k, param in enumerate(params))
    uid = uid or f"{name:_<32}"
    inputs = (STEREO, KEY) if key else (STEREO,)
    about = Description("vst3", uid, name, vendor, "2.0", inputs=inputs, outputs=(STEREO,), params=told)
    return Found(f"/plugins/{name}.vst3", "vst3", "native", about)


GONE = {"format": "vst3", "uid": "OLD", "name": "Bus Comp", "vendor": "Acme", "version": "1.0"}
KNOWN = [
    plugin("Reverb", "Size"),
    plugin("BusComp 2", "Threshold", "Make-Up Gain", "Mix", key=True),
    plugin("Bus-Comp", "Other", vendor="Else"),
    plugin("Bus Comp", "Threshold", uid="OLD"),
]


def patch() -> Patch:
    found = Patch()
    found.add("in", "audio_in")
    found.add("fx", "plugin", settings=dict(GONE), threshold=0.25, make_up_gain=0.5, odd=1.0)
    found.node("fx").state = b"old"
    found.connect("in.out", "fx.in")
    return found


def test_plugins_of_a_name_like_it_are_offered_with_what_maps_and_what_is_lost():
    offered = substitutes(GONE, KNOWN, ["threshold", "make_up_gain", "odd"], ["in", "out", "sidechain"])
    assert [s.found.description.name for s in offered] == ["BusComp 2", "Bus-Comp"]
    assert offered[0].mapped == (("threshold", "threshold"), ("make_up_gain", "make_up_gain"))
    assert offered[0].lost == ("odd",)
    assert offered[1].lost == ("threshold", "make_up_gain", "odd")
    assert all(0 < s.score <= 1 for s in offered)


def test_the_same_plugin_in_another_format_comes_first_and_the_missing_one_itself_never():
    unit = Found("/x.component", "au", "board", replace(KNOWN[3].description, format="au", uid="aufx"))
    offered = substitutes(GONE, [*KNOWN, unit], ["threshold"])
    assert offered[0].found is unit
    assert all(s.found.description.uid != "OLD" for s in offered)
    assert substitutes({**GONE, "name": "Zither"}, KNOWN) == []


def test_names_are_the_same_whatever_case_signs_and_numbers_they_were_told_apart_by():
    known = [plugin("Bus Comp 3", "makeup gain", "gain", "GAIN")]
    (offered,) = substitutes(GONE, known, ["make_up_gain", "gain_102"])
    assert offered.mapped == (("make_up_gain", "makeup_gain"), ("gain_102", "gain_1001"))


def test_a_substitute_takes_the_place_cables_stay_and_undo_brings_all_back():
    found = patch()
    offered = substitutes(GONE, KNOWN, list(found.node("fx").params))[0]
    undo = substitute_edit("fx", found, offered).apply(found)
    entry = found.node("fx")
    assert entry.settings == {
        **{"format": "vst3", "uid": f"{'BusComp 2':_<32}", "vendor": "Acme", "name": "BusComp 2", "version": "2.0"},
        "path_hint": "/plugins/BusComp 2.vst3",
    }
    assert entry.params == {"threshold": 0.25, "make_up_gain": 0.5}
    assert entry.state is None
    assert [c.key for c in found.cables()] == [("in", "out", "fx", "in")]
    undo.apply(found)
    assert found == patch()


def test_a_preset_goes_before_the_params_that_were_set_also_in_a_group():
    inner = {"nodes": {"fx": {"kind": "plugin", "params": {"gain": 0.5}}}, "cables": []}
    found = Patch()
    found.add("g", "group", settings={"patch": inner, "ports": {}, "params": {}})
    before = found.copy()
    undo = preset_edit("g/fx", settled(found, "g/fx"), b"state").apply(found)
    entry = expand(found).nodes["g/fx"]
    assert (entry.state, entry.params) == (b"state", {})
    undo.apply(found)
    assert found == before
    with pytest.raises(PatchError, match="there is no plugin 'g'"):
        settled(found, "g")


def test_another_version_is_said_and_the_same_is_not():
    about = KNOWN[3].description
    assert version_words(GONE, about) == "Bus Comp is version 2.0 here; the patch was made with 1.0"
    assert version_words({**GONE, "version": "2.0"}, about) == ""
    assert version_words({"name": "Bus Comp"}, about) == ""

"""Addresses: every param has one, no two have the same, and none has characters that OSC keeps for itself."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import Patch, PatchError
from graph.spec import Node, Param, Params
from host.catalogue import catalogue
from host.plugins.store import Store
from host.remote.addresses import address_of, addresses_of
from nodes import kinds
from tests.editor.plugins.rig import CRUSH, entry_of, good


def test_every_param_of_every_kind_is_there() -> None:
    patch, expected = Patch(), {}
    for kind in catalogue(kinds()):
        id = f"a_{kind['kind']}"
        patch.add(id, kind["kind"])
        names = {p["name"] for p in kind["params"]} | {"mute"} | ({"bypass"} if kind["bypassable"] else set())
        expected |= {f"/{id}/{name}": (id, name) for name in names}
    found = addresses_of(patch, kinds())
    assert {place.address: place.key for place in found} == expected
    assert len(found) > 100


def test_groups(desk) -> None:
    assert desk.addresses.get("/strip/cmp/ratio").key == ("strip/cmp", "ratio")
    assert desk.addresses.get("/strip/squash").key == ("strip/cmp", "ratio")
    assert desk.addresses.find("strip/cmp", "ratio").address == "/strip/cmp/ratio"
    assert desk.addresses.find("strip", "squash").key == ("strip/cmp", "ratio")
    assert desk.addresses.find("strip", "ratio") is None


def test_groups_in_groups() -> None:
    deep = {"nodes": {"amp": {"kind": "gain"}}, "cables": []}
    middle = {
        "nodes": {"in": {"kind": "group", "settings": {"patch": deep, "ports": {}, "params": {"v": "amp.level_db"}}}},
        "cables": [],
    }
    patch = Patch()
    patch.add("out", "group", {"patch": middle, "ports": {}, "params": {"volume": "in.v"}})
    found = addresses_of(patch, kinds())
    for address in ("/out/in/amp/level_db", "/out/in/v", "/out/volume"):
        assert found.get(address).key == ("out/in/amp", "level_db")


def test_a_group_that_cannot_be_opened_is_said() -> None:
    patch = Patch()
    patch.add("g", "group", {"patch": 3})
    with pytest.raises(PatchError, match="inner patch"):
        addresses_of(patch, kinds())


def test_what_is_not_known_has_no_address(desk) -> None:
    assert not desk.addresses.under("/odd")
    assert desk.addresses.get("/osc/mute") is not None
    assert desk.addresses.get("/osc/bypass") is None  # a source cannot be bypassed
    assert desk.addresses.get("/flt/bypass") is not None


def test_below_is_whole_parts(patch) -> None:
    patch.add("flt2", "filter")
    found = addresses_of(patch, kinds())
    assert {place.node for place in found.under("/flt")} == {"flt"}
    assert found.under("/flt") == found.under("/flt/")
    assert [place.address for place in found.under("/flt/q")] == ["/flt/q"]
    assert len(found.under("/")) == len(found)
    assert {place.node for place in found.under("/strip")} == {"strip/cmp", "strip/amp"}


class _Odd(Node):
    kind = "odd"
    names = Params([Param(name, 0.0) for name in ("Dry/Wet", "Gain (dB)", "50%", "#1*", "größe", "a?[b]{c},d")])


def test_names_of_all_sorts() -> None:
    patch = Patch()
    patch.add("p", "odd")
    found = [place.address for place in addresses_of(patch, {"odd": _Odd})]
    assert "/p/Dry%2FWet" in found
    assert len(found) == 7
    for address in found:
        assert not set(address) & set(" #*,?[]{}")
        assert address.isascii()
        assert address.count("/") == 2


NAME = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)


@given(one=NAME, other=NAME)
def test_no_two_names_have_one_address(one: str, other: str) -> None:
    address = address_of("n", one)
    assert unquote(address.removeprefix("/n/")) == one
    assert (address == address_of("n", other)) == (one == other)


def test_params_of_a_plugin_that_a_scan_has_found(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path))
    with Store() as store:
        store.put(good(CRUSH, "/plugins/Crush.vst3"))
        store.mark_present({"/plugins/Crush.vst3": True})
    patch = Patch()
    patch.add("crush", "plugin")
    patch.node("crush").settings.update(entry_of(CRUSH).settings)
    found = {place.address for place in addresses_of(patch, kinds())}
    assert found >= {"/crush/drive", "/crush/dry_wet", "/crush/bypass"}
    patch.node("crush").settings["uid"] = "DD" * 16
    assert "/crush/drive" not in {place.address for place in addresses_of(patch, kinds())}

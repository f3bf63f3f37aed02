"""What makes one patch of another: whatever was done to it, and whatever is sent instead."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.delta import apply_delta, delta
from graph.document import Patch
from graph.encoding import pack, read_plain
from graph.errors import PatchError
from graph.form import from_document, to_document
from graph.patchfile import load, packed

from .corpus import SMALL, mutated_bytes
from .test_compiler_properties import random_patch

PATCHES = Path(__file__).resolve().parents[2] / "patches"


def small() -> Patch:
    return from_document(SMALL)


def follows(before: Patch, after: Patch, touched: frozenset[str] = frozenset()) -> Patch:
    """The patch ``after`` as it comes to be by way of the delta, which must leave ``before`` equal to it."""
    apply_delta(before, delta(to_document(before), to_document(after), touched))
    assert before == after
    assert from_document(to_document(before)) == after
    return before


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_patch_becomes_any_other(one: int, other: int) -> None:
    follows(random_patch(one), random_patch(other))


def test_every_shipped_patch_becomes_the_next_and_goes_back() -> None:
    found = [load(path) for path in sorted([*PATCHES.glob("*.json"), *PATCHES.glob("*.pwp"), *PATCHES.glob("*/*.pwp")])]
    assert len(found) > 3
    for one, other in zip(found, [*found[1:], found[0]], strict=True):
        follows(one.copy(), other)
        follows(other.copy(), one)


def test_each_field_is_taken_over() -> None:
    full, empty = small(), Patch()
    full.description, full.author, full.license, full.tags = "what it is", "me", "CC0", ["a"]
    full.metadata, full.extra, full.snapshot_states = {"x": [1]}, {"later": 1}, {"s": {"g": b"\0"}}
    follows(empty.copy(), full)
    follows(full.copy(), empty)


def test_what_stays_is_not_sent() -> None:
    patch = Patch("Long")
    patch.add("in", "audio_in")
    for k in range(200):
        patch.add(f"g{k}", "gain", level_db=-1.0)
        patch.connect("in.out" if k == 0 else f"g{k - 1}.out", f"g{k}.in")
    edited = patch.copy()
    edited.disconnect("g99.out", "g100.in")
    edited.add("new", "filter", freq_hz=300)
    edited.connect("g99.out", "new.in")
    edited.connect("new.out", "g100.in")
    edited.remove("g150")
    found = delta(to_document(patch), to_document(edited))
    assert len(found) < len(packed(edited)) / 20
    apply_delta(patch, found)
    assert patch == edited


def test_what_was_touched_meanwhile_is_as_the_later_patch_has_it() -> None:
    """The holder's patch is not the one that the delta was made from, but differs in a node, and in its automation."""
    before = small()
    held = before.copy()
    held.node("g").params["level_db"] = -40.0
    held.automation = held.automation[:1]
    apply_delta(held, delta(to_document(before), to_document(before), {"g"}))
    assert held == before
    held.node("g").params["level_db"] = -40.0
    apply_delta(held, delta(to_document(before), to_document(before)))
    assert held != before


def test_an_amount_that_changes_is_a_cable_plugged_anew() -> None:
    before, after = small(), small()
    after.unplug(("in", "out", "g", "level_db"))
    after.connect("in.out", "g.level_db", amount=-0.25)
    assert follows(before, after).cable(("in", "out", "g", "level_db"))[0].amount == -0.25


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x82\xa3put\x80\xa3put\x80",
        packed(Patch()),
        pack({}),
        pack({"put": [], "remove": [], "unplug": [], "plug": [], "rest": {}}),
        pack({"put": {}, "remove": ["nobody"], "unplug": [], "plug": [], "rest": {}}),
        pack({"put": {}, "remove": [["g"]], "unplug": [], "plug": [], "rest": {}}),
        pack({"put": {"a/b": {"kind": "gain"}}, "remove": [], "unplug": [], "plug": [], "rest": {}}),
        pack({"put": {"g": {"kind": 5}}, "remove": [], "unplug": [], "plug": [], "rest": {}}),
        pack({"put": {}, "remove": [], "unplug": [{"from": "g.out", "to": "out.in"}], "plug": [], "rest": {}}),
        pack({"put": {}, "remove": [], "unplug": [], "plug": [{"from": "g.out", "to": "none.in"}], "rest": {}}),
        pack({"put": {}, "remove": [], "unplug": [], "plug": [5], "rest": {}}),
        pack({"put": {}, "remove": [], "unplug": [], "plug": [], "rest": 5}),
        pack({"put": {}, "remove": [], "unplug": [], "plug": [], "rest": {"tags": 5}}),
    ],
)
def test_what_is_no_delta_of_this_patch_is_refused(data: bytes) -> None:
    with pytest.raises(PatchError):
        apply_delta(small(), data)


def test_damaged_bytes_are_refused_or_make_a_patch_that_can_be_written() -> None:
    before, after = small(), small()
    after.remove("g")
    after.add("new", "gain", level_db=-3.0)
    after.connect("in.out", "new.in")
    whole, rng = delta(to_document(before), to_document(after)), random.Random(6)
    refused = 0
    for _ in range(2000):
        held = small()
        try:
            apply_delta(held, mutated_bytes(whole, rng))
        except PatchError:
            refused += 1
        else:
            from_document(read_plain(packed(held)))
    assert 500 < refused < 2000

"""Edits go to the engine as what changes in the patch; whatever happens between, what was asked for is played."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from graph import Patch
from graph.delta import delta
from graph.form import to_document
from graph.patchfile import dumps, loads
from host import Engine
from host import messages as m
from host.engine.link import Link
from host.engine.wanted import MOST_CHANGES, Wanted

from .conftest import FAKE, until
from .test_playing import peak
from .test_server import Rig, prepared, rig

__all__ = ["rig"]


def edited(patch: Patch, **params: float) -> Patch:
    """The patch with another level."""
    other = patch.copy()
    other.set("level", **params)
    return other


def change(serial: int, before: Patch, after: Patch, touched: frozenset[str] = frozenset()) -> m.ChangePatch:
    return m.ChangePatch(serial, serial - 1, delta(to_document(before), to_document(after), touched))


def patches(rig: Rig) -> list[int]:
    return [call[1] for call in rig.parts.players[0].calls if call[0] == "patch"]


def values(rig: Rig) -> dict[tuple[str, str], float]:
    return {key: float(value[0]) for key, value in rig.parts.players[0]._values.items()}


def test_a_change_makes_the_next_patch(rig, patch):
    wire = prepared(rig, patch)
    after = edited(patch, level_db=-20.0)
    after.add("more", "gain", level_db=-1.0)
    after.remove("tone")
    wire.send(m.encode(change(2, patch, after)))
    found = rig.sync(wire)
    assert values(rig) == {("level", "level_db"): -20.0, ("more", "level_db"): -1.0}
    assert [one.serial for one in found if isinstance(one, m.Applied)] == [2]


def test_a_burst_of_changes_is_merged_and_all_of_them_count(rig, patch):
    wire = prepared(rig, patch)
    before = patch
    for serial in range(2, 502):
        after = before.copy()
        after.add(f"n{serial}", "gain", level_db=-serial / 10)
        wire.send(m.encode(change(serial, before, after)))
        before = after
    rig.hear(wire, lambda heard: any(isinstance(one, m.Applied) and one.serial == 501 for one in heard))
    assert len(patches(rig)) < 50
    assert len(values(rig)) == 502
    assert rig.server._wanted.document() == before


def test_a_change_of_a_patch_that_is_not_here_is_answered_by_asking_for_the_whole(rig, patch):
    wire = prepared(rig, patch)
    after = edited(patch, level_db=-20.0)
    wire.send(m.encode(m.ChangePatch(9, 8, delta(to_document(patch), to_document(after)))))
    assert m.AskPatch(9) in rig.sync(wire)
    wire.send(m.encode(m.ChangePatch(2, 1, b"\xc1")))
    assert m.AskPatch(2) in rig.sync(wire)
    assert values(rig)["level", "level_db"] == -6.0
    wire.send(m.encode(m.SetPatch(10, dumps(after), "")))
    rig.sync(wire)
    assert values(rig)["level", "level_db"] == -20.0
    assert rig.server._wanted.document() == after


def test_a_fault_in_what_changes_is_told_of_its_serial(rig, patch):
    wire = prepared(rig, patch)
    after = patch.copy()
    after.add("x", "fault")
    wire.send(m.encode(change(2, patch, after)))
    told = [one for one in rig.sync(wire) if isinstance(one, m.Applied)]
    assert [(one.serial, one.playing) for one in told] == [(2, False)]


def test_another_client_finds_what_became_of_the_patch(rig, patch):
    wire = prepared(rig, patch)
    after = edited(patch, level_db=-20.0)
    for message in (change(2, patch, after), m.SetParams((("level", "level_db", -30.0),))):
        wire.send(m.encode(message))
    rig.sync(wire)
    wire.close()
    rig.server.step(0.0)
    again = rig.connect()
    again.send(m.encode(m.Attach(m.PROTOCOL, rig.endpoint.key)))
    found = rig.hear(again, lambda heard: any(isinstance(one, m.ReadingMap) for one in heard))
    told = [m.decode(one.message, m.ToEngine) for one in found if isinstance(one, m.Held)]
    (held,) = [one for one in told if isinstance(one, m.SetPatch)]
    assert (held.serial, loads(held.patch)) == (2, after)
    assert m.SetParams((("level", "level_db", -30.0),)) in told


def test_what_is_kept_of_changes_is_bounded(patch):
    wanted, before = Wanted(), patch
    wanted.note(m.SetPatch(1, dumps(patch), ""))
    for serial in range(2, 40):
        after = before.copy()
        after.metadata = {"long": f"{serial}" * 10_000}
        wanted.note(change(serial, before, after))
        before = after
        assert sum(len(one.delta) for one in wanted.changes) <= MOST_CHANGES
    assert wanted.serial == 39
    assert wanted.document() == before


@pytest.fixture
def sent(monkeypatch) -> list[m.ToEngine]:
    """What a client sends of patches."""
    found: list[m.ToEngine] = []
    whole = Link.send_made

    def send_made(link: Link, make: Callable[[], m.ToEngine]) -> None:
        whole(link, lambda: found.append(make()) or found[-1])

    monkeypatch.setattr(Link, "send_made", send_made)
    return found


def test_an_edit_is_sent_as_what_changes(patch, sent):
    with Engine(patch, command=FAKE) as engine:
        for level in (-1.0, -2.0):
            engine.load(edited(patch, level_db=level))
            until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == level)  # noqa: B023
        assert engine.patch == edited(patch, level_db=-2.0)
    assert [type(one) for one in sent] == [m.SetPatch, m.ChangePatch, m.ChangePatch]


def test_a_param_that_was_turned_is_as_the_next_patch_has_it(patch, sent):
    """The patch that is loaded says of the level what the one before said; the engine was told otherwise meanwhile."""
    with Engine(patch, device="null") as engine:
        engine.set("level", "level_db", -40.0)
        until(lambda: peak(engine, "out") == pytest.approx(-52.0, abs=0.1), "it is turned down")
        more = patch.copy()
        more.add("more", "gain")
        engine.load(more)
        until(lambda: peak(engine, "out") == pytest.approx(-18.0, abs=0.1), "it is as it was")
    assert isinstance(sent[-1], m.ChangePatch)


def test_an_engine_that_lost_the_patch_is_sent_it_with_what_was_set_since(patch, sent):
    with Engine(patch, command=FAKE) as engine:
        with engine._changed:
            serial, folder, _ = engine._wanted._document
            engine._wanted._document = serial, folder, to_document(Patch("Another"))
        # What goes out now is a change that does not fit: cables of a patch that has none.
        engine.load(edited(patch, level_db=-9.0), wait=False)
        engine.set("tone", "freq_hz", 50.0)
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -9.0)
        until(lambda: engine.readings()["tone"]["freq_hz"][0] == 50.0)
        engine.load(edited(patch, level_db=-8.0))
        until(lambda: engine.readings()["level"]["level_db"][0] == -8.0)
    assert isinstance(sent[-1], m.ChangePatch)


def test_a_new_engine_gets_the_whole_and_then_changes(patch, sent):
    with Engine(patch, command=FAKE) as engine:
        engine.load(edited(patch, level_db=-1.0))
        first = engine.status.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: engine.status.alive and engine.status.pid != first)
        until(lambda: engine.readings().get("level", {}).get("level_db", [0])[0] == -1.0)
        engine.load(edited(patch, level_db=-2.0))
        until(lambda: engine.readings()["level"]["level_db"][0] == -2.0)
    assert isinstance(sent[-1], m.ChangePatch)

"""The mixer's strips: who has one, what solo silences and gives back, and faders' decibels."""

from __future__ import annotations

import itertools
import json

import pytest

from editor.faces import face
from editor.mixer.scale import Highest, fader_db, fader_place, marks
from editor.mixer.strips import Kept, Strip, Wiring, is_mute, keeping_safe, moving, muting, soloing, strips_of
from editor.model import Session
from graph.document import Patch
from graph.edits import SetPatchField
from graph.spec import Level
from nodes import kinds


def desk() -> Session:
    """Two sources with a bus each and a send of the first, all into a main bus, a limiter, a meter and an output."""
    patch = Patch("Desk")
    for id, kind in (
        ("voice", "oscillator"), ("band", "noise"), ("voices", "bus"), ("music", "bus"), ("room_send", "send"),
        ("room", "reverb"), ("main", "bus"), ("limit", "limiter"), ("level", "meter"), ("out", "audio_out"),
    ):  # fmt: skip
        patch.add(id, kind)
    for cable in (
        "voice.out voices.in", "band.out music.in", "voices.out main.in", "voices.out room_send.in",
        "room_send.out room.in", "room.out main.in", "music.out main.in", "main.out limit.in", "limit.out level.in",
        "level.out out.in",
    ):  # fmt: skip
        patch.connect(*cable.split())
    return Session(patch, kinds())


def read(session: Session) -> tuple[dict[str, Strip], list[Strip], Wiring]:
    """The strips as they are now."""
    strips, wiring = strips_of(session.here, session.survey)
    return {strip.id: strip for strip in strips}, strips, wiring


def mutes(session: Session) -> set[str]:
    """The strips that are silent."""
    return {id for id, strip in read(session)[0].items() if is_mute(strip.face)}


def solo(session: Session, id: str, only: bool = False) -> None:
    """Click a solo button."""
    _, strips, wiring = read(session)
    session.do(*soloing(session.here, strips, wiring, id, only), name="Solo")


def test_strips_are_the_nodes_that_mix_by_rank() -> None:
    by_id, strips, _ = read(desk())
    assert {id: strip.rank for id, strip in by_id.items()} == {
        "voice": "input", "band": "input", "room_send": "send", "voices": "bus", "music": "bus", "main": "bus",
        "out": "output",
    }  # fmt: skip
    assert [strip.rank for strip in strips] == ["input"] * 2 + ["send"] + ["bus"] * 3 + ["output"]


def test_a_level_that_is_not_of_a_mixing_family_makes_no_strip() -> None:
    patch = Patch("Others")
    for kind in ("convolution", "saturator", "envelope", "compressor"):
        patch.add(kind, kind)
    assert strips_of(patch, Session(patch, kinds()).survey)[0] == []


def test_sends_are_listed_after_the_main_way() -> None:
    by_id, _, _ = read(desk())
    assert [(way.to, way.send) for way in by_id["voices"].ways] == [("main", False), ("room_send", True)]
    assert [(way.to, way.send) for way in by_id["room_send"].ways] == [("main", False)]
    assert [way.to for way in by_id["main"].ways] == ["out"]


def test_a_level_is_read_only_where_nothing_else_is_heard() -> None:
    by_id, _, _ = read(desk())
    assert by_id["main"].chain == ("main", "limit", "level", "out")
    assert by_id["music"].chain == ("music",)
    assert by_id["voices"].chain == ("voices",)


def test_solo_silences_others_of_the_rank_but_not_its_own_way() -> None:
    session = desk()
    before = session.patch.copy()
    solo(session, "voices")
    assert mutes(session) == {"music"}
    solo(session, "voices")
    assert mutes(session) == set()
    assert session.patch.metadata == {}
    session.undo()
    session.undo()
    assert session.patch == before


def test_solo_gives_back_what_was_mute_before() -> None:
    session = desk()
    session.do(*muting(session.here, read(session)[0]["band"]))
    solo(session, "voice")
    assert mutes(session) == {"band"}
    solo(session, "voice")
    assert mutes(session) == {"band"}


def test_two_solos_are_heard_together_and_one_can_be_made_the_only_one() -> None:
    session = desk()
    solo(session, "voices")
    solo(session, "music")
    assert mutes(session) == set()
    solo(session, "music")
    assert mutes(session) == {"music"}
    solo(session, "music", only=True)
    assert mutes(session) == {"voices"}
    assert Kept.of(session.here.metadata).solo == {"music"}


def test_what_is_safe_is_heard_beside_a_solo() -> None:
    session = desk()
    solo(session, "voices")
    _, strips, wiring = read(session)
    session.do(*keeping_safe(session.here, strips, wiring, "music"))
    assert mutes(session) == set()
    assert read(session)[0]["music"].safe
    assert Patch.from_json(session.patch.to_json()).metadata["mixer"]["safe"] == ["music"]


def test_unmuting_by_hand_what_solo_silenced_stays_after_it() -> None:
    session = desk()
    solo(session, "voices")
    session.do(*muting(session.here, read(session)[0]["music"]))
    assert mutes(session) == set()
    solo(session, "voices")
    assert mutes(session) == set()


def test_strips_stay_where_they_are_put_and_new_ones_join_their_rank() -> None:
    session = desk()
    _, strips, _ = read(session)
    session.do(*moving(session.here, strips, "main", 0))
    assert next(strip.id for strip in read(session)[1]) == "main"
    session.patch.add("more", "bus")
    ids = [strip.id for strip in read(session)[1]]
    assert ids[0] == "main"
    assert ids.index("more") == ids.index("out") - 1
    session.undo()
    assert next(strip.id for strip in read(session)[1]) == "band"


def test_metadata_that_are_not_as_they_must_be_are_ignored() -> None:
    for kept in (7, {"order": "main"}, {"order": [3, "gone", "main", "main"], "solo": {"a": 1}}):
        session = desk()
        session.do(SetPatchField("metadata", {"mixer": kept, "other": 1}))
        ids = [strip.id for strip in read(session)[1]]
        assert len(ids) == len(set(ids)) == 7
        solo(session, "voice")
        assert session.patch.metadata["other"] == 1


def test_the_switch_of_every_node_serves_where_a_kind_has_none() -> None:
    patch = Patch("Tone")
    patch.add("tone", "oscillator")
    session = Session(patch, kinds())
    before = face("tone", patch.node("tone"), session.kinds)
    session.do(*muting(session.here, read(session)[0]["tone"]))
    assert is_mute(read(session)[0]["tone"].face)
    session.do(*muting(session.here, read(session)[0]["tone"]))
    assert not is_mute(read(session)[0]["tone"].face)
    assert face("tone", patch.node("tone"), session.kinds).mute == before.mute


def test_a_level_that_is_automated_is_told_from_one_that_stands() -> None:
    session = desk()
    session.patch.automate("music", "level_db", [(0, -10), (2, 0)])
    session.patch.automate("main", "level_db", [(0, -10)], enabled=False)
    session.patch.automate("voices", "pan", [(0, 0)])
    assert {strip.id for strip in read(session)[1] if strip.automated} == {"music"}


def test_inside_a_group_solo_is_kept_with_what_is_inside() -> None:
    inner = desk().patch
    document = {k: v for k, v in json.loads(inner.to_json()).items() if k not in ("format", "version")}
    patch = Patch("Outer")
    patch.add("box", "group", {"patch": document, "ports": {}, "params": {}})
    session = Session(patch, kinds())
    session.enter("box")
    solo(session, "voices")
    assert mutes(session) == {"music"}
    assert Kept.of(session.here.metadata).solo == {"voices"}
    assert session.patch.metadata == {}
    session.undo()
    assert mutes(session) == set()


@pytest.mark.parametrize("high", [24.0, 6.0, 0.0])
def test_a_fader_goes_from_the_lowest_to_the_highest_level(high: float) -> None:
    param = Level(default=min(0.0, high), high=high)
    assert fader_place(param, -96) == 0
    assert fader_place(param, high) == pytest.approx(1)
    places = [fader_place(param, db) for db in range(-96, int(high) + 1)]
    assert places == sorted(set(places))
    for db in (-80, -30.5, -6, -0.1, high):
        assert fader_db(param, fader_place(param, db)) == pytest.approx(db)
    assert fader_db(param, 2) == high
    assert fader_db(param, -1) == -96


def test_marks_never_crowd_and_always_have_the_zero() -> None:
    for room in (40, 120, 400):
        found = marks(Level(), room, 13)
        places = [place for _, place in found]
        assert 0.0 in [db for db, _ in found]
        assert all((b - a) * room >= 13 for a, b in itertools.pairwise(places))
    assert len(marks(Level(), 400, 13)) > len(marks(Level(), 40, 13))


def test_the_highest_sample_is_kept_until_it_is_forgotten() -> None:
    highest = Highest()
    assert highest.text == "−∞"
    for levels in ([0.5, 0.25], [0.1, float("nan")], []):
        highest.hear(levels)
    assert highest.text == "−6.0"
    assert not highest.clipped
    highest.hear([0.1, 1.0001])
    assert highest.clipped
    highest.forget()
    assert not highest.clipped

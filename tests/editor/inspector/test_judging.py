"""Loudness against specifications, what readings are shown as, and pictures made of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from editor.faces import face
from editor.inspector.loudness import SPECS, History, judged, overall
from editor.inspector.offers import offers_of
from editor.inspector.picture import Picture, cover
from editor.inspector.scopes import joined
from editor.inspector.settings import read, within_folder, written
from editor.inspector.words import changed, unwrapped, wrapped
from editor.model import Session
from graph.document import Patch, Transport
from graph.errors import PatchError
from graph.spec import Setting

BY_ID = {spec.id: spec for spec in SPECS}


@pytest.mark.parametrize(
    ("spec", "integrated", "peak", "state"),
    [
        ("r128", -23.0, -1.0, "pass"),
        ("r128", -23.5, -3.0, "pass"),
        ("r128", -23.54, -3.0, "pass"),  # shown as −23.5
        ("r128", -23.6, -3.0, "fail"),
        ("r128", -22.4, -3.0, "fail"),
        ("r128", -23.0, -0.9, "fail"),
        ("a85", -25.9, -2.0, "pass"),
        ("a85", -26.2, -2.0, "fail"),
        ("a85", -24.0, -1.8, "fail"),
        ("netflix", -27.0, -2.0, "pass"),
        ("netflix", -24.9, -2.0, "fail"),
        ("streaming", -14.4, -1.0, "pass"),
        ("streaming", -16.0, -1.0, "fail"),
        ("r128", -120.0, -120.0, "wait"),
        ("r128", None, None, "wait"),
        ("r128", -120.0, 0.5, "fail"),  # nothing makes that good again
    ],
)
def test_what_passes_and_what_does_not(spec: str, integrated: float | None, peak: float | None, state: str) -> None:
    assert overall(judged(BY_ID[spec], integrated, peak)) == state


def test_the_history_keeps_ten_pairs_a_second_and_forgets_the_oldest() -> None:
    history = History()
    for k in range(30 * 90):
        history.take(100.0 + k / 30, -20.0 - k, -23.0)
    assert len(history.points) == 600
    taken = [-20 - momentary for momentary, _ in history.points]
    assert taken[-1] >= 30 * 90 - 4
    assert np.allclose(np.diff(taken), 3, atol=1.01)
    assert taken[-1] - taken[0] == pytest.approx(599 * 3, abs=3)
    history.take(1000.0, -1.0, -1.0)
    assert not history.take(1000.05, -2.0, -2.0), "after a pause it does not hurry to catch up"


def test_readings_are_shown_by_units_and_shapes() -> None:
    patch = Patch("Readings")
    kinds = ("eq", "compressor", "ducker", "limiter", "loudness", "spectrum", "scope", "correlation", "meter", "gain")
    for kind in kinds:
        patch.add(kind, kind)
    session = Session(patch)
    found = {kind: offers_of(face(kind, patch.node(kind), session.kinds)) for kind in kinds}
    assert found["eq"].response
    assert found["eq"].bands
    assert found["compressor"].transfer
    assert found["compressor"].reduction == "gain_reduction"
    assert found["ducker"].reduction == "gain_reduction"
    assert not found["ducker"].transfer
    assert found["limiter"].transfer
    assert found["loudness"].loudness
    assert found["loudness"].numbers == ()
    spectrum = found["spectrum"].spectrum
    assert spectrum is not None
    assert (spectrum.level, spectrum.frequency) == ("level", "frequency")
    assert found["scope"].wave == "wave"
    assert found["scope"].numbers == ()
    assert found["correlation"].points == "points"
    assert found["correlation"].balances == ("correlation", "balance")
    assert found["meter"].levels == ("peak", "rms", "highest")
    assert found["gain"] == type(found["gain"])()


def test_settings_are_read_as_their_types_say() -> None:
    def setting(type: str, default: object, low: float | None = None, high: float | None = None) -> Setting:
        return Setting("it", default, type, "", (), low, high)  # type: ignore[arg-type]

    assert read(setting("integer", 0, 0, 10), "7") == 7
    assert read(setting("number", 0.0), "−2,5") == -2.5
    assert read(setting("text", ""), "7") == "7"
    assert read(setting("map", {}), '{"L": "R"}') == {"L": "R"}
    whole, number, map = setting("integer", 0, 0, 10), setting("number", 0.0), setting("map", {})
    wrong = ((whole, "11"), (whole, "1.5"), (number, "much"), (number, "nan"), (map, "[1]"), (map, "{"))
    for declared, text in wrong:
        with pytest.raises(PatchError, match="expected"):
            read(declared, text)
    for type, value in (("integer", 48), ("number", 0.25), ("map", {"L": "R"}), ("text", "a b")):
        declared = setting(type, value)
        assert read(declared, written(declared, value)) == value


def test_files_below_the_patch_are_named_from_there(tmp_path) -> None:
    assert within_folder(tmp_path, tmp_path / "audio" / "a.wav") == "audio/a.wav"
    assert within_folder(tmp_path / "patches", tmp_path / "a.wav") == (tmp_path / "a.wav").as_posix()


def test_words_of_the_patch_are_checked() -> None:
    transport = Transport()
    assert changed("tags", " post, duck ,,", transport, {}) == ("tags", ["post", "duck"])
    assert changed("notes", "hello", transport, {"other": 1}) == ("metadata", {"other": 1, "notes": "hello"})
    assert changed("notes", "", transport, {"other": 1, "notes": "x"}) == ("metadata", {"other": 1})
    found = changed("tempo", "98.5 bpm", transport, {})
    assert found is not None
    assert found[1].tempo == 98.5
    found = changed("meter", "7/8", transport, {})
    assert found is not None
    assert found[1].time_signature == (7, 8)
    for field, text in (("tempo", "fast"), ("tempo", "0"), ("meter", "3"), ("meter", "3/5"), ("meter", "²/4")):
        with pytest.raises(ValueError, match="expected"):
            changed(field, text, transport, {})


def test_an_area_covers_pixels_by_as_much_as_lies_in_them() -> None:
    share = cover(4, np.array([0.5, 2.0]), np.array([2.25, 2.0]))
    assert np.allclose(share[:, 0], [0.5, 1.0, 0.25, 0.0])
    assert np.allclose(share[:, 1], 0.0)
    picture = Picture(2, 4, (0, 0, 0, 255))
    picture.area(np.array([0.5, 2.0]), np.array([2.25, 2.0]), (255, 255, 255, 255), (0.5, 0.5))
    assert np.allclose(picture.pixels()[:, 0, 0], [0.25, 0.5, 0.125, 0.0])
    assert np.allclose(picture.pixels()[:, :, 3], 1.0)


def test_points_of_a_goniometer_keep_their_light_and_their_place() -> None:
    picture, glow = Picture(9, 9, (0, 0, 0, 255)), np.zeros((9, 9), np.float32)
    picture.dots(np.array([4.5, 2.25]), np.array([4.5, 6.0]), glow, 1.0)
    assert glow.sum() == pytest.approx(2.0)
    assert glow[4, 4] == pytest.approx(1.0)
    rows, columns = np.indices(glow.shape) + 0.5
    glow[4, 4] = 0.0
    assert (glow * columns).sum() == pytest.approx(2.25)
    assert (glow * rows).sum() == pytest.approx(6.0)
    before = glow.copy()
    picture.dots(np.array([-50.0, 90.0]), np.array([4.0, 4.0]), glow, 1.0)
    assert np.array_equal(before, glow), "what is outside is not seen"


def test_a_wave_has_no_gaps() -> None:
    top, bottom = joined(np.array([1.0, 9.0, 3.0]), np.array([2.0, 10.0, 4.0]))
    for k in range(1, 3):
        assert top[k] <= bottom[k - 1]
        assert bottom[k] >= top[k - 1]


def test_long_lines_are_broken_and_joined_again_as_they_were() -> None:
    text = "One two three four five.\n\nSix seven eight nine ten eleven, averyverylongwordthatfitsnowhere.  Two spaces."
    shown = wrapped(text, lambda line: len(line) <= 12)
    assert all(len(line.rstrip()) <= 12 for line in shown.split("\n") if " " in line.strip())
    assert unwrapped(shown) == text
    assert wrapped("Short", lambda line: len(line) <= 12) == "Short"
    assert unwrapped(wrapped("", lambda line: False)) == ""

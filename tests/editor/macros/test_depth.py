"""How far a macro moves a param: both ends, what the engine makes of it, and typed amounts."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from editor.macros.assigning import Assigning
from editor.macros.depth import cable_words, ends, percent_words, typed_amount
from editor.model import Session
from editor.turning import Amount
from graph.document import Patch
from host.rendering import render


def session(bipolar: bool = False) -> Session:
    patch = Patch(sample_rate=48000)
    patch.add("tone", "filter", freq_hz=1000.0)
    patch.add("amp", "gain", level_db=-12.0)
    patch.add("knob", "macro", settings={"bipolar": bipolar} if bipolar else {}, value=0.0)
    patch.connect("knob.out", "tone.freq_hz", amount=0.25)
    patch.connect("knob.out", "amp.level_db", amount=-0.5)
    return Session(patch)


def param(s: Session, node: str, name: str):
    found = s.face(node).param(name)
    assert found is not None
    return found


def amount(s: Session, node: str) -> float:
    return next(c.amount for c in s.here.cables() if c.target == node)


def test_both_ends_go_along_the_range():
    s = session()
    freq, level = param(s, "tone", "freq_hz"), param(s, "amp", "level_db")
    low, high = ends(freq, 1000.0, 0.25)
    assert low == pytest.approx(1000.0)
    assert high == pytest.approx(1000.0 * 2400.0**0.25)
    assert ends(freq, 1000.0, 1.0)[1] == 24000.0, "no farther than the range"
    assert ends(level, -12.0, -0.5) == pytest.approx((-12.0, -72.0))
    assert ends(level, -12.0, 0.1, bipolar=True) == pytest.approx((-24.0, 0.0))


@pytest.mark.parametrize("bipolar", [False, True])
def test_the_ends_are_where_the_engine_takes_it(tmp_path, bipolar: bool):
    """A gain whose level a macro moves: what comes out at both ends of the macro is what the ends say."""
    patch = Patch(sample_rate=48000)
    patch.add("src", "oscillator", settings={"wave": "square"}, freq_hz=50.0, level_db=0.0)
    patch.add("amp", "gain", level_db=-20.0)
    patch.add("knob", "macro", settings={"bipolar": bipolar}, value=0.0)
    patch.add("out", "audio_out", settings={"layout": "mono"})
    patch.connect("src.out", "amp.in")
    patch.connect("amp.out", "out.in")
    patch.connect("knob.out", "amp.level_db", amount=0.1)
    level = param(Session(patch), "amp", "level_db")
    peaks: list[float] = []
    for value in (0.0, 1.0):
        patch.node("knob").params["value"] = value
        render(patch, {"out": tmp_path / f"{value}.wav"}, seconds=0.2)
        peaks.append(float(np.median(np.abs(soundfile.read(tmp_path / f"{value}.wav")[0]))))
    ratio_db = 20 * np.log10(peaks[1] / peaks[0])
    low, high = ends(level, -20.0, 0.1, bipolar)
    assert ratio_db == pytest.approx(high - low, abs=0.05)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25", 0.25),
        ("+25 %", 0.25),
        ("−40%", -0.4),
        ("0", 0.0),
        ("24 kHz", 1 - np.log(100) / np.log(2400)),
        ("to 10", -np.log(100) / np.log(2400)),
        ("› 1000 Hz", 0.0),
    ],
)
def test_a_share_or_an_end_is_typed(text: str, expected: float):
    s = session()
    assert typed_amount(text, param(s, "tone", "freq_hz"), 1000.0) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("text", ["", "loud", "101", "-100.5 %", "to 30 kHz", "nan", "inf"])
def test_what_cannot_be_is_refused(text: str):
    s = session()
    with pytest.raises(ValueError, match="expected"):
        typed_amount(text, param(s, "tone", "freq_hz"), 1000.0)


def test_an_end_that_is_typed_is_where_it_goes():
    s = session()
    Amount(s, ("knob", "out", "tone", "freq_hz")).type("4 kHz")
    assert ends(param(s, "tone", "freq_hz"), 1000.0, amount(s, "tone"))[1] == pytest.approx(4000.0, rel=1e-3)
    assert len(s.history.done) == 1
    macro = Assigning(s, "knob")
    macro.type("to -24 dB", param(s, "amp", "level_db"), "amp")
    assert ends(param(s, "amp", "level_db"), -12.0, amount(s, "amp"))[1] == pytest.approx(-24.0, abs=0.02)
    s.undo()
    assert amount(s, "amp") == -0.5


def test_words_say_the_share_and_both_ends():
    s = session()
    cables = {c.target: c for c in s.here.cables()}
    assert cable_words(s, cables["amp"]) == ("−50 %", "−12.0 dB  ›  −72.0 dB")
    assert percent_words(0.25) == "+25 %"
    both = session(bipolar=True)
    assert cable_words(both, {c.target: c for c in both.here.cables()}["amp"])[1] == "+24.0 dB  ›  −72.0 dB"


def test_several_nodes_are_assigned_at_once_and_each_goes_on_from_where_it_stood():
    s = session()
    patch = s.patch.copy()
    patch.add("second", "gain")
    s = Session(patch)
    macro = Assigning(s, "knob")
    macro.press("amp", param(s, "amp", "level_db"), "second")
    assert macro.held == {("amp", "level_db"), ("second", "level_db")}
    macro.drag(0.05)
    macro.drag(0.05)
    macro.release()
    assert (amount(s, "amp"), amount(s, "second")) == (pytest.approx(-0.4), pytest.approx(0.35))
    assert len(s.history.done) == 1
    assert not macro.held
    s.undo()
    assert amount(s, "amp") == -0.5
    assert "second" not in {c.target for c in s.here.cables()}

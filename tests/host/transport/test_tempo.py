"""Bars and beats: known places, and there and back at any tempo and signature."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.transport.tempo import (
    TICKS,
    Meter,
    MusicalPlace,
    PlaceError,
    first_frame,
    frame_at,
    parse,
    place_at,
    quarters,
)

METER = st.builds(Meter, st.floats(1, 1000), st.integers(1, 64), st.integers(1, 64))
SAMPLE_RATE = st.sampled_from([8000, 44100, 48000, 96000, 192000])


@pytest.mark.parametrize(
    ("frame", "meter", "text"),
    [
        (0, Meter(), "1|1|000"),
        (24000, Meter(), "1|2|000"),
        (96000, Meter(), "2|1|000"),
        (95999, Meter(), "1|4|959"),
        (36000, Meter(), "1|2|480"),
        (12000, Meter(120, 6, 8), "1|2|000"),
        (72000, Meter(120, 6, 8), "2|1|000"),
        (48000 * 60, Meter(97.0, 3, 4), "33|2|000"),
        (48000 * 60, Meter(120, 2, 2), "31|1|000"),
    ],
)
def test_known_places(frame: int, meter: Meter, text: str) -> None:
    assert str(place_at(frame, 48000, meter)) == text
    assert frame_at(parse(text, meter), 48000, meter) <= frame


@given(meter=METER, rate=SAMPLE_RATE, frame=st.integers(0, 10**11))
def test_a_frame_lies_in_its_tick_and_no_other(meter, rate, frame) -> None:
    place = place_at(frame, rate, meter)
    begin = frame_at(place, rate, meter)
    assert begin <= frame
    assert (frame - begin) * Fraction(meter.tempo) * TICKS < 60 * rate + Fraction(meter.tempo) * TICKS
    assert 1 <= place.beat <= meter.beats


@given(
    tempo=st.floats(1, 1000),
    beats=st.integers(1, 64),
    unit=st.sampled_from([1, 2, 4, 8, 16, 32]),
    bar=st.integers(1, 10**6),
    data=st.data(),
)
def test_a_place_to_frames_and_back(tempo, beats, unit, bar, data) -> None:
    # At 192 kHz and up to 1000 a minute, a tick is 12 frames: every place has a frame of its own.
    meter = Meter(tempo, beats, unit)
    tick = data.draw(st.integers(0, int(meter.ticks_per_beat) - 1))
    place = MusicalPlace(bar, data.draw(st.integers(1, beats)), tick)
    assert place_at(frame_at(place, 192000, meter), 192000, meter) == place
    assert parse(str(place), meter) == place


@given(meter=METER, rate=SAMPLE_RATE, frame=st.integers(0, 10**11))
def test_quarters_and_back(meter, rate, frame) -> None:
    assert first_frame(quarters(frame, rate, meter), rate, meter) == frame


@given(meter=METER, frame=st.integers(0, 10**9), step=st.integers(1, 10**6))
def test_later_is_not_earlier(meter, frame, step) -> None:
    assert place_at(frame, 48000, meter) <= place_at(frame + step, 48000, meter)


@pytest.mark.parametrize("text", ["", "0", "1|0", "1|5", "1|1|960", "x", "-1", "1" * 40, "1|1|1|1"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(PlaceError):
        parse(text, Meter())


@pytest.mark.parametrize("meter", [(0.5, 4, 4), (1001, 4, 4), (float("nan"), 4, 4), (120, 0, 4), (120, 4, 65)])
def test_what_is_no_meter(meter) -> None:
    with pytest.raises(PlaceError):
        Meter(*meter)

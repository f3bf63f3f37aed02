"""Timecode against what SMPTE ST 12-1 says of it, and there and back at every rate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.transport.timecode import RATES, Timecode, TimecodeError, frame_at, numbered, parse, picture_of, timecode_at

RATE = st.sampled_from(list(RATES.values()))
SAMPLE_RATE = st.sampled_from([8000, 22050, 44100, 47952, 48000, 96000, 192000])


def counted(rate_name: str, until: int) -> list[str]:
    """Timecodes by counting picture after picture, the dumb way, as a reference."""
    rate, found = RATES[rate_name], []
    h = m = s = p = 0
    for _ in range(until):
        found.append(f"{h:02d}:{m:02d}:{s:02d}{';' if rate.drop else ':'}{p:02d}")
        p += 1
        if p == rate.nominal:
            p, s = 0, s + 1
        if s == 60:
            s, m = 0, m + 1
            if rate.drop and m % 10:
                p = 2
        if m == 60:
            m, h = 0, h + 1
    return found


@pytest.mark.parametrize("name", RATES)
def test_numbers_are_those_that_counting_gives(name: str) -> None:
    found = counted(name, 40_000)
    assert [str(numbered(i, RATES[name])) for i in range(40_000)] == found


@pytest.mark.parametrize(
    ("name", "picture", "text"),
    [
        ("29.97 DF", 1799, "00:00:59;29"),
        ("29.97 DF", 1800, "00:01:00;02"),
        ("29.97 DF", 17981, "00:09:59;29"),
        ("29.97 DF", 17982, "00:10:00;00"),
        ("29.97 DF", 107892, "01:00:00;00"),
        ("29.97 DF", 2589407, "23:59:59;29"),
        ("29.97 DF", 2589408, "00:00:00;00"),
        ("29.97", 108000, "01:00:00:00"),
        ("25", 90000, "01:00:00:00"),
        ("23.976", 86400, "01:00:00:00"),
        ("30", -1, "23:59:59:29"),
    ],
)
def test_known_numbers(name: str, picture: int, text: str) -> None:
    assert str(numbered(picture, RATES[name])) == text


@pytest.mark.parametrize(
    ("name", "second", "text"),
    [
        ("29.97 DF", 3600, "01:00:00;00"),  # it keeps to the clock
        ("29.97", 3600, "00:59:56:12"),
        ("23.976", 3600, "00:59:56:09"),
        ("25", 3600, "01:00:00:00"),
        ("24", 1, "00:00:01:00"),
        ("30", 1, "00:00:01:00"),
    ],
)
def test_clock_time(name: str, second: int, text: str) -> None:
    shown = timecode_at(second * 48000, 48000, RATES[name])
    exact = Fraction(second) * RATES[name].pictures / RATES[name].seconds
    assert picture_of(shown, RATES[name]) == exact.__floor__()
    assert str(shown) == text


def test_pulled_down_rates_at_48_khz() -> None:
    assert frame_at(parse("00:00:01:00", RATES["23.976"]), 48000, RATES["23.976"]) == 48048
    assert frame_at(parse("00:00:00:01", RATES["29.97"]), 48000, RATES["29.97"]) == 1602  # 1601.6
    assert frame_at(parse("00:00:00:05", RATES["29.97"]), 48000, RATES["29.97"]) == 8008


@given(rate=RATE, sample_rate=SAMPLE_RATE, picture=st.integers(0, 2_600_000), start=st.integers(0, 2_500_000))
def test_timecode_to_frames_and_back(rate, sample_rate, picture, start) -> None:
    code = numbered(picture, rate)
    frame = frame_at(code, sample_rate, rate, start)
    assert timecode_at(frame, sample_rate, rate, start) == code
    if frame:
        assert timecode_at(frame - 1, sample_rate, rate, start) != code


@given(rate=RATE, sample_rate=SAMPLE_RATE, second=st.integers(0, 23 * 3600), further=st.integers(0, 7999))
def test_a_frame_lies_in_the_picture_it_is_given(rate, sample_rate, second, further) -> None:
    frame = second * sample_rate + further
    begin = frame_at(timecode_at(frame, sample_rate, rate), sample_rate, rate)
    assert 0 <= frame - begin < Fraction(sample_rate * rate.seconds, rate.pictures)


@given(rate=RATE, picture=st.integers(0, 5_000_000))
def test_text_and_back(rate, picture) -> None:
    code = numbered(picture, rate)
    assert parse(str(code), rate) == code
    assert picture_of(code, rate) == picture % rate.per_day


@given(rate=RATE, picture=st.integers(0, 5_000_000))
def test_numbers_follow_each_other(rate, picture) -> None:
    if (picture + 1) % rate.per_day:
        assert numbered(picture, rate) < numbered(picture + 1, rate)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("00:01:00;00", "29.97 DF", "00:01:00;02"),
        ("00:59:00;01", "29.97 DF", "passes over"),
        ("00:00:00:25", "25", "pictures below 25"),
        ("24:00:00:00", "24", "hours below 24"),
        ("00:60:00:00", "24", "minutes"),
        ("1:2:3", "24", "expected timecode"),
        ("-1:00:00:00", "24", "expected timecode"),
        ("0" * 5000, "24", "expected timecode"),
        ("٠٠:00:00:00", "24", "expected timecode"),
    ],
)
def test_what_is_no_timecode(text: str, name: str, says: str) -> None:
    with pytest.raises(TimecodeError, match=says):
        parse(text, RATES[name])


def test_the_tenth_minute_passes_nothing_over() -> None:
    assert parse("00:10:00;00", RATES["29.97 DF"]) == Timecode(0, 10, 0, 0, drop=True)

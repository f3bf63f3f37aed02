"""The editor's clock as timecode: shown, typed, chosen."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from editor import timecodes
from graph import Patch
from host.transport.timecode import RATES


@pytest.mark.parametrize(
    ("name", "seconds", "shown"),
    [
        ("23.976", 1001.0, "00:16:40:00"),  # 24000 pictures
        ("24", 61.5, "00:01:01:12"),
        ("25", 3600.04, "01:00:00:01"),
        ("29.97", 100.1, "00:01:40:00"),  # 3000 pictures
        ("29.97 DF", 60.06, "00:01:00;02"),  # 1800 pictures: two numbers are passed over
        ("30", 0.5, "00:00:00:15"),
    ],
)
def test_a_place_at_every_rate_and_back(name, seconds, shown):
    rate = RATES[name]
    assert timecodes.shown(seconds, rate, 48000) == shown
    assert timecodes.typed(shown, rate) == pytest.approx(seconds, abs=1e-4)


def test_what_is_no_timecode_may_be_another_kind_of_place():
    assert timecodes.typed("12.5", RATES["25"]) is None
    assert timecodes.typed("00:01:00;00", RATES["29.97 DF"]) is None


@pytest.mark.parametrize("metadata", [{}, {"timecode": "26"}, {"timecode": 25}, {"timecode": ["25"]}])
def test_a_patch_without_a_rate_that_there_is_has_none(metadata):
    patch = Patch("T")
    patch.metadata = metadata
    assert timecodes.rate_of(patch) is None


def test_rates_are_chosen_in_turn_and_kept_in_the_patch():
    patch, said = Patch("T"), list[str]()
    patch.metadata = {"other": 1}
    session = SimpleNamespace(patch=patch, do_at_root=lambda edit, name: edit.apply(patch))
    app = SimpleNamespace(session=session, notices=SimpleNamespace(say=lambda level, text: said.append(text)))
    seen = []
    for _ in range(len(RATES) + 1):
        timecodes.next_rate(app)
        rate = timecodes.rate_of(patch)
        seen.append(rate.name if rate else None)
    assert seen == [*RATES, None]
    assert patch.metadata == {"other": 1}
    assert said[-1] == "The clock shows time"

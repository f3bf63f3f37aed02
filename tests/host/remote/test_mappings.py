"""What a patch keeps of its controls: there and back, what is not understood is kept, and nothing hostile gets in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import Patch, PatchError
from graph.patch_edits import SetPatchField
from graph.patchfile import dumps, loads
from graph.spec import Param
from host.remote.mappings import MOST, Control, controls_in, entry_of, with_control, without_controls
from host.remote.sources import Source, SourceError, parse

SOURCE = st.one_of(
    st.builds(Source, st.just("cc"), st.integers(1, 16), st.integers(0, 127)),
    st.builds(Source, st.just("nrpn"), st.integers(1, 16), st.integers(0, 16383)),
    st.builds(Source, st.just("pitch_bend"), st.integers(1, 16)),
    st.builds(Source, st.just("note"), st.integers(1, 16), st.integers(0, 127)),
)
END = st.none() | st.floats(-1e6, 1e6).map(lambda x: x + 0.0)
CONTROL = st.builds(
    Control,
    SOURCE,
    st.sampled_from(["flt", "strip/cmp"]),
    st.sampled_from(["q", "Dry/Wet"]),
    st.sampled_from(["pickup", "jump"]),
    st.sampled_from(["value", "toggle", "hold"]),
    END,
    END,
)
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["from", "node", "param", "takeover", "press", "low", "high", "controls", "x"]), inner
        )
    ),
    max_leaves=20,
)


@given(source=SOURCE)
def test_a_source_as_text_and_back(source: Source) -> None:
    assert parse(str(source)) == source


@pytest.mark.parametrize(
    "text",
    [
        *("", "cc", "cc 1", "cc 0 1", "cc 17 1", "cc 1 128", "nrpn 1 16384", "pitch_bend 1 0", "note 1 60 1"),
        *(" cc 1 1", "cc 1 1\n", "cc ١ 1", "cc 1 " + "1" * 5000, 3, None, ["cc 1 1"]),
    ],
)
def test_what_is_no_source(text: object) -> None:
    with pytest.raises(SourceError):
        parse(text)


@given(controls=st.lists(CONTROL, max_size=6, unique_by=lambda c: c.key))
def test_controls_through_a_patch_file_and_back(controls) -> None:
    patch = Patch()
    patch.metadata = {"controls": [entry_of(control) for control in controls], "other": 1}
    for form in ("json", "pwp"):
        found, problems = controls_in(loads(dumps(patch, form)).metadata)
        assert found == controls
        assert problems == []


@given(metadata=HOSTILE)
def test_nothing_hostile_does_harm(metadata) -> None:
    for each in ({"controls": metadata}, {"controls": [metadata]}, metadata if isinstance(metadata, dict) else {}):
        controls, problems = controls_in(each)
        assert all(isinstance(control, Control) for control in controls)
        assert all(problem.startswith("metadata.controls") and len(problem) < 500 for problem in problems)


GOOD = {"from": "cc 1 74", "node": "flt", "param": "q"}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (3, "expected a control, a map, found 3"),
        ({}, '"from" is missing'),
        ({**GOOD, "from": "cc 1 200"}, "number from 0 to 127"),
        ({**GOOD, "node": "a b"}, "expected a node"),
        ({**GOOD, "param": ""}, "expected a name"),
        ({**GOOD, "takeover": "slow"}, "one of pickup, jump"),
        ({**GOOD, "press": ["toggle"]}, "one of value, toggle, hold"),
        ({**GOOD, "low": "x"}, "a number"),
        ({**GOOD, "high": float("nan")}, "finite"),
        ({**GOOD, "low": True}, "a number"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_the_rest_is_used(entry, says) -> None:
    controls, (problem,) = controls_in({"controls": [entry, GOOD]})
    assert problem.startswith("metadata.controls[0]")
    assert says in problem
    assert [control.source for control in controls] == [Source("cc", 1, 74)]


def test_twice_the_same_is_one() -> None:
    controls, problems = controls_in({"controls": [GOOD, GOOD]})
    assert len(controls) == 1
    assert "already" in problems[0]


def test_a_list_without_end_is_cut() -> None:
    controls, problems = controls_in({"controls": [GOOD | {"param": f"p{i}"} for i in range(MOST + 10)]})
    assert len(controls) == MOST
    assert str(MOST + 10) in problems[-1]


def test_a_param_has_the_control_that_was_given_last_and_the_rest_stays() -> None:
    broken, other = {"from": "someday 1"}, {**GOOD, "param": "freq_hz", "colour": "red"}
    before = {"controls": [GOOD, broken, other], "notes": [1]}
    held = json.dumps(before)
    after = with_control(before, Control(Source("note", 2, 60), "flt", "q", press="toggle"))
    assert json.dumps(before) == held
    assert after == {
        "controls": [broken, other, {"from": "note 2 60", "node": "flt", "param": "q"}],
        "notes": [1],
    }
    assert without_controls(after, "flt", "q") == {"controls": [broken, other], "notes": [1]}
    assert without_controls({"controls": [GOOD]}, "flt", "q") == {}


def test_what_is_no_list_is_not_written_over() -> None:
    with pytest.raises(PatchError, match="a list of controls"):
        with_control({"controls": "mine"}, Control(Source("cc", 1, 1), "flt", "q"))


def test_it_is_an_edit_that_can_be_undone() -> None:
    patch = Patch()
    undo = SetPatchField("metadata", with_control(patch.metadata, Control(Source("cc", 1, 1), "flt", "q"))).apply(patch)
    assert controls_in(patch.metadata)[0] == [Control(Source("cc", 1, 1), "flt", "q")]
    undo.apply(patch)
    assert patch.metadata == {}


@given(low=st.floats(20, 20000), high=st.floats(20, 20000), position=st.floats(0, 1))
def test_a_control_covers_its_part_of_the_range(low, high, position) -> None:
    param = Param("freq_hz", 1000, 10, 24000, "Hz", "log")
    control = Control(Source("cc", 1, 1), "flt", "freq_hz", low=low, high=high)
    value = control.value(param, position)
    assert min(low, high) * (1 - 1e-9) <= value <= max(low, high) * (1 + 1e-9)
    assert control.value(param, 0) == pytest.approx(low)
    assert control.value(param, 1) == pytest.approx(high)
    if abs(low / high - 1) > 0.01:
        assert control.position(param, value) == pytest.approx(position, abs=1e-6)
